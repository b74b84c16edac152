//! The folders in which a namespace may have entries.

use super::{Alias, PathError, check};

/// What stands for the namespace of a resource in a prefix.
const NAMESPACE: &str = "{namespace}";

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

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(prefix: &str, namespace: &str) -> Folder {
        Prefix::parse(prefix).unwrap().in_namespace(namespace).unwrap()
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
            assert_eq!(
                folder(prefix, "blue").alias_of(&Alias::parse(path).unwrap()).is_some(),
                contained,
                "{prefix} {path}"
            );
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
}
