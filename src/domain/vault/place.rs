//! Where the entries of one output are in Vault: one for all users of a resource, or one for each generation of the user.

use super::path::{Alias, ConnectorPaths, EntryPath, Folder, Mount, PathError};

/// An alias that may be followed by the generation of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedAlias {
    /// The alias as the output names it.
    pub alias: Alias,
    /// A dash and the generation follow.
    pub per_generation: bool,
}

impl NumberedAlias {
    /// One that is the same for every generation.
    #[must_use]
    pub const fn fixed(alias: Alias) -> Self {
        Self { alias, per_generation: false }
    }

    /// The alias of the entry for the user of a generation.
    ///
    /// # Errors
    /// If it is too long with the number.
    pub fn of(&self, generation: i64) -> Result<Alias, PathError> {
        if !self.per_generation {
            return Ok(self.alias.clone());
        }
        Alias::parse(&format!("{}-{generation}", self.alias.as_str()))
    }
}

/// Where the entries of one output are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPlace {
    /// The secrets engine.
    pub mount: Mount,
    /// The folder below which the namespace may have entries.
    pub folder: Folder,
    /// The alias in that folder.
    pub alias: NumberedAlias,
}

impl EntryPlace {
    /// The same for all generations.
    #[must_use]
    pub fn fixed(self) -> Self {
        Self { alias: NumberedAlias::fixed(self.alias.alias), ..self }
    }

    /// Where the entry for the user of a generation is.
    ///
    /// # Errors
    /// If its path is too long.
    pub fn at(&self, generation: i64) -> Result<EntryAt, PathError> {
        Ok(EntryAt::new(&self.mount, &self.folder, &self.alias.of(generation)?))
    }
}

/// A server, by the id of its cluster and the namespace of Vault Enterprise. The address may have several spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server(String);

impl Server {
    /// The server that says this of itself, and the namespace of the requests to it.
    #[must_use]
    pub fn new(cluster_id: &str, namespace: Option<&str>) -> Self {
        let namespace =
            namespace.map(|namespace| namespace.trim_matches('/')).filter(|text| !text.is_empty());
        Self(namespace.map_or_else(|| cluster_id.to_owned(), |namespace| format!("{cluster_id}/{namespace}")))
    }

    /// The server that a status names; `None` if it names none.
    #[must_use]
    pub fn of_record(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Whether they are two servers. One that is not known is assumed to be the other one.
    #[must_use]
    pub fn differ(one: Option<&Self>, other: Option<&Self>) -> bool {
        matches!((one, other), (Some(one), Some(other)) if one != other)
    }

    /// The text for a status.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where one entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryAt {
    /// For Vault.
    pub path: EntryPath,
    /// For the connector.
    pub paths: ConnectorPaths,
}

impl EntryAt {
    /// The entry of this alias in a folder of the mount.
    #[must_use]
    pub fn new(mount: &Mount, folder: &Folder, alias: &Alias) -> Self {
        Self { path: EntryPath::new(mount, folder, alias), paths: ConnectorPaths::new(mount, folder, alias) }
    }

    /// The entry that a status describes by what the connector needs to read it.
    ///
    /// # Errors
    /// If a person has written something else there.
    pub fn of_record(secret: &str, folder: &str, secret_alias: &str) -> Result<Self, PathError> {
        let mount = Mount::parse(secret.strip_prefix("/v1/").unwrap_or(secret))?;
        Ok(Self::new(&mount, &Folder::parse(folder)?, &Alias::parse(secret_alias)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(per_generation: bool) -> EntryPlace {
        EntryPlace {
            mount: Mount::parse("secret").unwrap(),
            folder: Folder::parse("connectors/blue").unwrap(),
            alias: NumberedAlias { alias: Alias::parse("edc").unwrap(), per_generation },
        }
    }

    #[test]
    fn each_generation_has_an_entry_of_its_own_unless_the_alias_is_fixed() {
        let path = |per_generation, generation| place(per_generation).at(generation).unwrap().path.data();
        assert_eq!(path(true, 1), "secret/data/connectors/blue/edc-1");
        assert_eq!(path(true, 12), "secret/data/connectors/blue/edc-12");
        assert_eq!(path(false, 12), "secret/data/connectors/blue/edc");
    }

    #[test]
    fn a_server_that_is_not_known_differs_from_none() {
        let (one, other) = (Server::new("1", None), Server::new("1", Some("ns")));
        assert!(Server::differ(Some(&one), Some(&other)));
        for (one, other) in [(Some(&one), Some(&one)), (Some(&one), None), (None, Some(&other)), (None, None)]
        {
            assert!(!Server::differ(one, other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn an_entry_is_found_again_by_what_a_status_says_of_it() {
        let entry = place(true).at(3).unwrap();
        let ConnectorPaths { secret, folder, secret_alias } = &entry.paths;
        assert_eq!(EntryAt::of_record(secret, folder, secret_alias), Ok(entry.clone()));
        assert_eq!(EntryAt::of_record("/v1/secret", "", "edc").unwrap().path.data(), "secret/data/edc");
        assert_eq!(EntryAt::of_record("/v1/secret", "a", "../b"), Err(PathError::Dots));
    }
}
