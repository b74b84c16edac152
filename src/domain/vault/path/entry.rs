//! Where one entry is: for Vault's API, for policies and for a connector.

use super::{Alias, Folder, Mount};

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
        Self {
            secret: format!("/v1/{}", mount.0),
            folder: folder.as_str().to_owned(),
            secret_alias: alias.0.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::vault::path::Prefix;

    fn alias(text: &str) -> Alias {
        Alias::parse(text).unwrap()
    }

    fn folder(prefix: &str, namespace: &str) -> Folder {
        Prefix::parse(prefix).unwrap().in_namespace(namespace).unwrap()
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
