//! The note that a `TechnicalUser` leaves on an entry of another owner: which keys are its own. It is one pair of the custom
//! metadata, which Vault limits to 64 pairs, 128 bytes for a name and 512 bytes for a value.
//!
//! Note and data are two writes, so the note has a keyed digest of each value that the operator writes and, until the data are
//! written, of the one that it replaces. A key whose value has none of these digests is one of another client, unless the status says
//! that the operator has written it. The digests of another installation have another key: of a note that is taken over, those keys
//! count that the status or the spec names.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::digest::DigestKey;
use crate::domain::identity::{Hint, Owner};

/// What the names of all notes begin with; the hash of the `TechnicalUser` follows.
const PREFIX: &str = "technicaluser.dev/merged-";
/// The longest value that Vault takes, in bytes.
const LONGEST: usize = 512;
/// How many hexadecimal digits of a digest a note has.
const DIGITS: usize = 12;

/// What a `TechnicalUser` has added to an entry, or is about to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryNote {
    /// `<instance>/<namespace>/<name>` of the `TechnicalUser`.
    pub owner: String,
    /// The hint of the installation: several clusters may share a Vault.
    hint: String,
    /// The keys, and the digests of the values that each may have.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl EntryNote {
    /// The note of a `TechnicalUser` of this installation.
    #[must_use]
    pub fn new(owner: &Owner, hint: &Hint, keys: BTreeMap<String, Vec<String>>) -> Self {
        Self { owner: owner.to_string(), hint: hint.as_str().to_owned(), keys }
    }

    /// The hint of its installation.
    #[must_use]
    pub fn hint(&self) -> Hint {
        Hint::read(&self.hint)
    }

    /// The name of the note of a `TechnicalUser`.
    #[must_use]
    pub fn name(owner: &Owner) -> String {
        format!("{PREFIX}{}", owner.name_prefix())
    }

    /// The note of a `TechnicalUser` in custom metadata.
    #[must_use]
    pub fn of(custom_metadata: &BTreeMap<String, String>, owner: &Owner) -> Option<Self> {
        let note: Self = serde_json::from_str(custom_metadata.get(&Self::name(owner))?).ok()?;
        (note.owner == owner.to_string()).then_some(note)
    }

    /// The `TechnicalUser` whose note has this key, other than `owner`.
    #[must_use]
    pub fn other_with(
        custom_metadata: &BTreeMap<String, String>,
        owner: &Owner,
        key: &str,
    ) -> Option<String> {
        let own = Self::name(owner);
        let others = custom_metadata.iter().filter(|(name, _)| name.starts_with(PREFIX) && **name != own);
        let mut notes = others.filter_map(|(_, text)| serde_json::from_str::<Self>(text).ok());
        notes.find(|note| note.keys.contains_key(key)).map(|note| note.owner)
    }

    /// The value of the pair; `None` if it is longer than Vault takes.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let text = serde_json::to_string(self).ok()?;
        (text.len() <= LONGEST).then_some(text)
    }

    /// Whether each note that a `TechnicalUser` needs for these keys is one that Vault takes: while a value is replaced by another
    /// one, its key has two digests.
    #[must_use]
    pub fn can_replace<'a>(owner: &Owner, hint: &Hint, keys: impl Iterator<Item = &'a String>) -> bool {
        let with_two = |key: &String| (key.clone(), vec!["0".repeat(DIGITS); 2]);
        Self::new(owner, hint, keys.map(with_two).collect()).text().is_some()
    }

    /// Whether it is that of this installation, or of one whose users this one takes over.
    #[must_use]
    pub fn is_here(&self, hint: &Hint, taken_over: &[Hint]) -> bool {
        self.hint() == *hint || taken_over.contains(&self.hint())
    }

    /// Whether a key has a value that the operator wrote, or was about to replace.
    #[must_use]
    pub fn fits(&self, digests: &DigestKey, key: &str, value: &SecretString) -> bool {
        let digest = digest(digests, key, value);
        self.keys.get(key).is_some_and(|known| known.contains(&digest))
    }
}

/// The digest of one value in a note.
#[must_use]
pub fn digest(digests: &DigestKey, key: &str, value: &SecretString) -> String {
    let digest = digests.digest([("entry-note", key.as_bytes()), (key, value.expose_secret().as_bytes())]);
    digest.chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str) -> Owner {
        Owner { instance: "prod".into(), namespace: "connector".into(), name: name.into() }
    }

    fn note(name: &str, key: &str, value: &str) -> EntryNote {
        let digest = digest(&DigestKey::new(&[1; 32]), key, &value.into());
        EntryNote::new(&owner(name), &Hint::read("aaaaaa"), [(key.to_owned(), vec![digest])].into())
    }

    fn pair(note: &EntryNote, name: &str) -> (String, String) {
        (EntryNote::name(&owner(name)), note.text().unwrap())
    }

    #[test]
    fn each_resource_has_a_note_of_its_own_that_only_its_values_fit() {
        let (one, two) = (note("one", "content", "s3cret"), note("two", "id", "sa1"));
        let custom = BTreeMap::from([pair(&one, "one"), pair(&two, "two")]);
        assert_eq!(EntryNote::of(&custom, &owner("one")), Some(one.clone()));
        assert_eq!(EntryNote::other_with(&custom, &owner("one"), "id"), Some(two.owner.clone()));
        assert_eq!(EntryNote::other_with(&custom, &owner("two"), "id"), None);
        let key = DigestKey::new(&[1; 32]);
        assert!(one.fits(&key, "content", &"s3cret".into()));
        assert!(!one.fits(&key, "content", &"other".into()) && !one.fits(&key, "id", &"s3cret".into()));
        assert!(!one.text().unwrap().contains("s3cret"));
    }

    #[test]
    fn a_note_is_as_short_as_vault_permits() {
        let longest = owner(&"n".repeat(253)).name_prefix();
        assert!(PREFIX.len() + longest.len() <= 128);
        assert!(note("one", &"k".repeat(200), "v").text().is_some());
        assert!(note("one", &"k".repeat(500), "v").text().is_none());
    }

    #[test]
    fn what_another_client_wrote_there_is_no_note() {
        for text in ["no json", "[]", &note("two", "a", "b").text().unwrap()] {
            let custom = BTreeMap::from([(EntryNote::name(&owner("one")), text.to_owned())]);
            assert_eq!(EntryNote::of(&custom, &owner("one")), None, "{text}");
        }
    }
}
