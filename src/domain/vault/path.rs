//! Where an entry is in Vault, and which entries a namespace may have.
//!
//! An entry is named by three parts that people write separately: the mount of the secrets engine, a prefix (a folder) and an
//! alias. They are compared by whole segments, never as text: the prefix `a/b` allows `a/b/c`, not `a/bc`.

use thiserror::Error;

/// What stands for the namespace of a resource in a prefix.
const NAMESPACE: &str = "{namespace}";

/// The longest path of a mount, a prefix or an alias. Vault itself sets no limit; some of its storage backends do.
const LONGEST: usize = 200;

/// Why a text names no place in Vault.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum PathError {
    /// Nothing is written.
    #[error("it is empty")]
    Empty,
    /// More than 200 characters.
    #[error("it is longer than 200 characters")]
    TooLong,
    /// A slash at the start, at the end or beside another one.
    #[error("it has an empty segment: write neither a slash at the start or the end nor two in a row")]
    EmptySegment,
    /// A segment `.` or `..`.
    #[error("it has a segment that is \".\" or \"..\"")]
    Dots,
    /// A character that a connector changes before it reads the entry.
    #[error("it has other characters than letters, digits, and . _ - /")]
    Characters,
    /// A mount with the segment that Vault's API adds.
    #[error("it ends in /data, which belongs to Vault's API and not to the mount: leave it out")]
    Data,
    /// A mount with the start of Vault's API.
    #[error("it begins with v1/, which belongs to Vault's API and not to the mount: leave it out")]
    Version,
    /// `{` or `}` elsewhere than in `{namespace}`.
    #[error("it has braces that are not {{namespace}}")]
    Braces,
}

/// The path of a secrets engine, such as `secret` or `team/kv`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount(String);

impl Mount {
    /// Reads a mount, with or without slashes around it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim_matches('/');
        check(text)?;
        if text.starts_with("v1/") {
            return Err(PathError::Version);
        }
        if text.ends_with("/data") {
            return Err(PathError::Data);
        }
        Ok(Self(text.to_owned()))
    }

    /// The path, without slashes around it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The folder below which a namespace may have entries. It may contain `{namespace}`; the empty one is the whole mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// Reads a prefix, with or without slashes around it.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim_matches('/');
        let filled = text.replace(NAMESPACE, "n");
        if filled.contains(['{', '}']) {
            return Err(PathError::Braces);
        }
        if !filled.is_empty() {
            check(&filled)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// The folder for resources of this namespace.
    pub fn in_namespace(&self, namespace: &str) -> Result<Folder, PathError> {
        let path = self.0.replace(NAMESPACE, namespace);
        if !path.is_empty() {
            check(&path)?;
        }
        Ok(Folder(path))
    }
}

/// A folder of a mount: a [`Prefix`] for one namespace. The empty one is the whole mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    /// Reads a folder, with or without slashes around it.
    ///
    /// # Errors
    /// If it is no path of whole segments.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let text = text.trim_matches('/');
        if !text.is_empty() {
            check(text)?;
        }
        Ok(Self(text.to_owned()))
    }

    /// The alias in this folder of an alias that is counted from the mount; `None` where it is not below the folder.
    #[must_use]
    pub fn alias_of(&self, path: &Alias) -> Option<Alias> {
        if self.0.is_empty() {
            return Some(path.clone());
        }
        let rest = path.0.strip_prefix(&self.0)?.strip_prefix('/')?;
        Alias::parse(rest).ok()
    }

    /// An alias in this folder, counted from the mount.
    ///
    /// # Errors
    /// If it is too long with the folder.
    pub fn join(&self, alias: &Alias) -> Result<Alias, PathError> {
        if self.0.is_empty() {
            return Ok(alias.clone());
        }
        Alias::parse(&format!("{}/{}", self.0, alias.0))
    }

    /// The path, without slashes around it; empty for the whole mount.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of an entry as a connector's settings have it: `[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*`. A connector encodes other
/// characters, and reads another name than the one that is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alias(String);

impl Alias {
    /// Reads an alias.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The place of one entry: a mount, and the path of the entry in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryPath {
    mount: Mount,
    path: String,
}

impl EntryPath {
    /// The entry of this alias in a folder of the mount.
    #[must_use]
    pub fn new(mount: &Mount, folder: &Folder, alias: &Alias) -> Self {
        let path = match folder.as_str() {
            "" => alias.0.clone(),
            folder => format!("{folder}/{}", alias.0),
        };
        Self { mount: mount.clone(), path }
    }

    /// The mount.
    #[must_use]
    pub fn mount(&self) -> &Mount {
        &self.mount
    }

    /// The entry of this path in the mount.
    #[must_use]
    pub fn in_mount_at(mount: &Mount, path: &Alias) -> Self {
        Self { mount: mount.clone(), path: path.0.clone() }
    }

    /// Its path in the mount, as `connectors/wallet`.
    #[must_use]
    pub fn in_mount(&self) -> &str {
        &self.path
    }

    /// The path of its data in Vault's API and in policies, as `secret/data/connectors/wallet`.
    #[must_use]
    pub fn data(&self) -> String {
        format!("{}/data/{}", self.mount.0, self.path)
    }

    /// The path of its metadata in Vault's API and in policies, as `secret/metadata/connectors/wallet`.
    #[must_use]
    pub fn metadata(&self) -> String {
        format!("{}/metadata/{}", self.mount.0, self.path)
    }
}

/// What the Helm values of a connector need to read an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorPaths {
    /// `vault.hashicorp.paths.secret`, such as `/v1/secret`.
    pub secret: String,
    /// `vault.hashicorp.paths.folder`; empty where the entry is in no folder.
    pub folder: String,
    /// `secret_alias` of the OAuth client.
    pub secret_alias: String,
}

impl ConnectorPaths {
    /// For the entry of this alias in a folder of the mount.
    #[must_use]
    pub fn new(mount: &Mount, folder: &Folder, alias: &Alias) -> Self {
        Self { secret: format!("/v1/{}", mount.0), folder: folder.0.clone(), secret_alias: alias.0.clone() }
    }
}

/// Whether a text is one or more segments of `[A-Za-z0-9._-]+` with slashes between them.
fn check(text: &str) -> Result<(), PathError> {
    if text.is_empty() {
        return Err(PathError::Empty);
    }
    if text.chars().nth(LONGEST).is_some() {
        return Err(PathError::TooLong);
    }
    for segment in text.split('/') {
        match segment {
            "" => return Err(PathError::EmptySegment),
            "." | ".." => return Err(PathError::Dots),
            _ if segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) => {}
            _ => return Err(PathError::Characters),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alias(text: &str) -> Alias {
        Alias::parse(text).unwrap()
    }

    fn folder(prefix: &str, namespace: &str) -> Folder {
        Prefix::parse(prefix).unwrap().in_namespace(namespace).unwrap()
    }

    #[test]
    fn an_alias_has_the_characters_that_a_connector_reads_unchanged() {
        for text in ["wallet", "a/b/c", "A.b_c-9", "...", ".hidden", "a/..b", &"x".repeat(200)] {
            assert_eq!(Alias::parse(text).unwrap().as_str(), text);
        }
        for (text, why) in [
            ("", PathError::Empty),
            ("/a", PathError::EmptySegment),
            ("a/", PathError::EmptySegment),
            ("a//b", PathError::EmptySegment),
            (".", PathError::Dots),
            ("a/../b", PathError::Dots),
            ("a/./b", PathError::Dots),
            ("a%2fb", PathError::Characters),
            ("did:web:x", PathError::Characters),
            ("a b", PathError::Characters),
            ("a\\b", PathError::Characters),
            ("é", PathError::Characters),
            ("a\n", PathError::Characters),
            ("{namespace}", PathError::Characters),
            (&"x".repeat(201), PathError::TooLong),
        ] {
            assert_eq!(Alias::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_mount_is_written_without_what_the_api_adds() {
        assert_eq!(Mount::parse("/team/kv/").unwrap().as_str(), "team/kv");
        assert_eq!(Mount::parse("data").unwrap().as_str(), "data");
        assert_eq!(Mount::parse("secret/data"), Err(PathError::Data));
        assert_eq!(Mount::parse("/v1/secret"), Err(PathError::Version));
        assert_eq!(Mount::parse("/"), Err(PathError::Empty));
    }

    #[test]
    fn a_prefix_is_compared_by_whole_segments() {
        for (prefix, path, contained) in [
            ("a/b", "a/b/c", true),
            ("a/b", "a/b/c/d", true),
            ("a/b/", "a/b/c", true),
            ("a/b", "a/bc", false),
            ("a/b", "a/b", false),
            ("a/b", "a", false),
            ("a/b", "x/a/b/c", false),
            ("", "a", true),
            ("/", "a/b", true),
            ("edc-{namespace}", "edc-blue/x", true),
            ("edc-{namespace}", "edc-blue-2/x", false),
            ("teams/{namespace}", "teams/blue/x", true),
            ("teams/{namespace}", "teams/green/x", false),
        ] {
            assert_eq!(folder(prefix, "blue").alias_of(&alias(path)).is_some(), contained, "{prefix} {path}");
        }
    }

    #[test]
    fn a_prefix_has_no_other_placeholder() {
        for (text, why) in [
            ("{name}", PathError::Braces),
            ("a/{namespace", PathError::Braces),
            ("a//b", PathError::EmptySegment),
            ("a/../b", PathError::Dots),
            ("a/%2e%2e", PathError::Characters),
        ] {
            assert_eq!(Prefix::parse(text), Err(why), "{text}");
        }
        // Kubernetes permits no such namespaces.
        assert_eq!(Prefix::parse("x/{namespace}").unwrap().in_namespace(".."), Err(PathError::Dots));
        assert_eq!(Prefix::parse("x/{namespace}").unwrap().in_namespace(""), Err(PathError::EmptySegment));
    }

    #[test]
    fn an_entry_is_named_for_vault_and_for_the_connector() {
        let (mount, alias) = (Mount::parse("team/kv").unwrap(), alias("edc/wallet"));
        let entry = EntryPath::new(&mount, &folder("connectors/{namespace}", "blue"), &alias);
        assert_eq!(entry.data(), "team/kv/data/connectors/blue/edc/wallet");
        assert_eq!(entry.metadata(), "team/kv/metadata/connectors/blue/edc/wallet");
        let paths = ConnectorPaths::new(&mount, &folder("connectors/{namespace}", "blue"), &alias);
        assert_eq!(
            (paths.secret.as_str(), paths.folder.as_str(), paths.secret_alias.as_str()),
            ("/v1/team/kv", "connectors/blue", "edc/wallet")
        );
        let top = EntryPath::new(&mount, &Folder::default(), &alias);
        assert_eq!(top.data(), "team/kv/data/edc/wallet");
        assert_eq!(ConnectorPaths::new(&mount, &Folder::default(), &alias).folder, "");
    }

    proptest! {
        #[test]
        fn no_alias_leaves_its_folder(prefix in "[a-c]{1,2}(/[a-c]{1,2}){0,2}", text in "[a-c./%]{1,8}") {
            let Ok(alias) = Alias::parse(&text) else { return Ok(()) };
            let (mount, folder) = (Mount::parse("m").unwrap(), folder(&prefix, "n"));
            let entry = EntryPath::new(&mount, &folder, &alias);
            let url = url::Url::parse(&format!("https://vault/v1/{}", entry.data())).unwrap();
            let inside = format!("/v1/m/data/{prefix}/");
            prop_assert!(url.path().starts_with(&inside), "{}", url.path());
            let segments = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
            let (below, whole) = (segments(&prefix), segments(&text));
            let expected = whole.len() > below.len() && whole.starts_with(&below);
            prop_assert_eq!(folder.alias_of(&alias).is_some(), expected);
        }
    }
}
