//! The mark of an entry, in its custom metadata: which resource of which installation wrote it. Several clusters may share a Vault.

use std::collections::BTreeMap;

use crate::api::keys;
use crate::domain::digest::DigestKey;
use crate::domain::identity::Hint;
use crate::domain::text::printable;
use crate::vault::Content;

/// Longer than any mark.
const LONGEST: usize = 400;

/// What the custom metadata of an entry say of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryMark {
    /// `<instance>/<namespace>/<name>` of the `TechnicalUser`.
    pub owner: String,
    /// The hint of the installation.
    pub hint: Hint,
    /// The digest of the content that is written after the mark, then that of the content which is there until then. Mark and data
    /// are two writes: another client may have written the data. Empty if the mark says nothing of the content.
    pub digests: Vec<String>,
}

impl EntryMark {
    /// What a mark consists of.
    pub const KEYS: [&str; 3] = [keys::OWNER, keys::INSTALLATION, keys::CONTENT_DIGEST];

    /// The mark in custom metadata. Each client that may write the metadata may remove a part of it; the rest is no mark.
    #[must_use]
    pub fn of(custom_metadata: &BTreeMap<String, String>) -> Option<Self> {
        let (owner, hint) = (custom_metadata.get(keys::OWNER)?, custom_metadata.get(keys::INSTALLATION)?);
        let digests = custom_metadata.get(keys::CONTENT_DIGEST).map(String::as_str).unwrap_or_default();
        let digests = digests.split_whitespace().map(str::to_owned).collect();
        Some(Self { owner: owner.clone(), hint: Hint::read(hint), digests })
    }

    /// The custom metadata that are the mark of a resource of this installation.
    #[must_use]
    pub fn custom_metadata(owner: &str, hint: &Hint) -> BTreeMap<String, String> {
        let pairs = [(keys::OWNER, owner), (keys::INSTALLATION, hint.as_str())];
        pairs.map(|(key, text)| (key.to_owned(), text.to_owned())).into()
    }

    /// The same with the digest of the content that is written after the mark.
    #[must_use]
    pub fn for_content(owner: &str, hint: &Hint, digest: &str) -> BTreeMap<String, String> {
        let mut custom_metadata = Self::custom_metadata(owner, hint);
        custom_metadata.insert(keys::CONTENT_DIGEST.to_owned(), digest.to_owned());
        custom_metadata
    }

    /// The same for a content that replaces another one, with the digests of both.
    #[must_use]
    pub fn for_change(owner: &str, hint: &Hint, next: &str, present: &str) -> BTreeMap<String, String> {
        Self::for_content(owner, hint, &format!("{next} {present}"))
    }

    /// Whether the data may be what was written after the mark, or before it, by the digest of their content.
    #[must_use]
    pub fn fits(&self, digest: &str) -> bool {
        self.digests.is_empty() || self.names(digest)
    }

    /// The same for the content of an entry. That of a version without data is not known.
    #[must_use]
    pub fn covers(&self, digests: &DigestKey, content: &Content) -> bool {
        match content {
            Content::Fields(fields) => self.fits(&digests.of_content(&fields.texts())),
            Content::Deleted | Content::Destroyed => false,
        }
    }

    /// Whether it has the digest of this content.
    #[must_use]
    pub fn names(&self, digest: &str) -> bool {
        self.digests.iter().any(|named| named == digest)
    }

    /// Whether it is that of this resource, here or in an installation whose users this one takes over.
    #[must_use]
    pub fn is_of(&self, owner: &str, hint: &Hint, taken_over: &[Hint]) -> bool {
        self.owner == owner && (self.hint == *hint || taken_over.contains(&self.hint))
    }

    /// Whose it is, in words, for a resource that it is not of.
    #[must_use]
    pub fn words(&self, owner: &str) -> String {
        let marked = printable(&self.owner, LONGEST);
        if self.owner != owner {
            return format!("the TechnicalUser {marked}");
        }
        let hint = printable(self.hint.as_str(), 16);
        format!("the TechnicalUser {marked} of another cluster, whose hint is {hint}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Fields;

    #[test]
    fn a_mark_covers_the_data_that_it_has_a_digest_of() {
        let (digests, hint) = (DigestKey::new(&[1; 32]), Hint::read("aaaaaa"));
        let content = |value: &str| Content::Fields(Fields::default().with("content", &value.into()));
        let digest = |value: &str| digests.of_content(&[("content".to_owned(), value.into())].into());
        let covers = |custom: BTreeMap<_, _>, content: &Content| {
            EntryMark::of(&custom).unwrap().covers(&digests, content)
        };
        let change = || EntryMark::for_change("prod/ns/edc", &hint, &digest("next"), &digest("present"));
        for (value, expected) in [("next", true), ("present", true), ("of another", false)] {
            assert_eq!(covers(change(), &content(value)), expected, "{value}");
        }
        let without = || EntryMark::custom_metadata("prod/ns/edc", &hint);
        assert!(covers(without(), &content("any")), "it says nothing of the content");
        for custom in [change(), without()] {
            assert!(!covers(custom, &Content::Deleted));
        }
    }

    #[test]
    fn an_entry_of_a_copy_of_the_cluster_is_ours_only_once_it_is_taken_over() {
        let (owner, here, there) = ("prod/ns/edc", Hint::read("aaaaaa"), Hint::read("bbbbbb"));
        let mark = EntryMark::of(&EntryMark::custom_metadata(owner, &there)).unwrap();
        assert!(mark.is_of(owner, &there, &[]));
        assert!(!mark.is_of(owner, &here, &[]));
        assert!(mark.is_of(owner, &here, &[there]));
        assert!(!mark.is_of("prod/ns/other", &here, std::slice::from_ref(&here)));
        assert_eq!(
            mark.words(owner),
            "the TechnicalUser prod/ns/edc of another cluster, whose hint is bbbbbb"
        );
        assert_eq!(mark.words("prod/ns/other"), "the TechnicalUser prod/ns/edc");
    }
}
