//! Which keys of an entry of another owner are those of a `TechnicalUser`, and why they are not written.

use std::collections::{BTreeMap, BTreeSet};

use super::super::VaultOutput;
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::controller::technical_user::outputs::Resource;
use crate::controller::vault::mark::EntryMark;
use crate::controller::vault::note::{self, EntryNote};
use crate::domain::blocker::Blocker;
use crate::domain::format::Content;
use crate::domain::plan::OutputId;
use crate::domain::reason::Reason;
use crate::domain::vault::place::EntryAt;
use crate::vault::{self, Fields};

/// An entry that has data.
pub(super) struct Found {
    pub(super) version: u64,
    pub(super) fields: Fields,
    pub(super) texts: Content,
    pub(super) custom_metadata: BTreeMap<String, String>,
    /// The note of the resource, also one of another installation.
    pub(super) note: Option<EntryNote>,
    /// The keys of the resource.
    pub(super) own: BTreeSet<String>,
}

/// What is known of the keys of a resource at a place, beside what the entry shows.
pub(super) struct Known<'a> {
    /// What the status records of the output, if that is at this place.
    written: Option<&'a RecordedOutput>,
    /// The keys that the status or the spec names.
    named: BTreeSet<String>,
}

impl<'a> Known<'a> {
    /// What a status says of a place.
    pub(super) fn of(
        recorded: Option<&'a RecordedOutput>,
        is_there: impl Fn(&RecordedEntry) -> bool,
    ) -> Self {
        let entries = recorded.into_iter().flat_map(RecordedOutput::entries).filter(|entry| is_there(entry));
        Self {
            written: recorded.filter(|recorded| recorded.written_entry().is_some_and(&is_there)),
            named: entries.flat_map(|entry| entry.keys.iter().cloned()).collect(),
        }
    }

    /// The same with the keys that the spec names.
    pub(super) fn with_spec(mut self, keys: &BTreeSet<String>) -> Self {
        self.named.extend(keys.iter().cloned());
        self
    }
}

impl Found {
    /// An entry, with what is known of the output at its place. `None` where its newest version is deleted.
    pub(super) fn of(resource: &Resource, entry: vault::Entry, known: &Known<'_>) -> Option<Self> {
        let vault::Entry { version, content: vault::Content::Fields(fields), custom_metadata } = entry else {
            return None;
        };
        let (note, texts) = (EntryNote::of(&custom_metadata, &resource.owner), fields.texts());
        let own = own_keys(resource, note.as_ref(), known, &texts);
        Some(Self { version, fields, texts, custom_metadata, note, own })
    }

    /// Whose the entry is, if a `TechnicalUser` owns all of it, or the same one of another cluster has added keys.
    pub(super) fn foreign(&self, output: &VaultOutput) -> Option<String> {
        if let Some(mark) = EntryMark::of(&self.custom_metadata) {
            return Some(if output.is_ours(&mark) {
                "this TechnicalUser, by an output with another creationPolicy".to_owned()
            } else {
                output.words(Some(&mark))
            });
        }
        let note = self.note.as_ref().filter(|note| !is_here(&output.resource, note))?;
        let mark = EntryMark { owner: note.owner.clone(), hint: note.hint(), digests: Vec::new() };
        Some(output.words(Some(&mark)))
    }

    /// The digest of the keys of the resource.
    pub(super) fn digest(&self, output: &VaultOutput) -> String {
        output.resource.ctx.installation.digest_key.of_content(&of_keys(&self.texts, &self.own))
    }

    /// Whether the note is that of the keys of the resource with their values, and of nothing else.
    pub(super) fn is_noted(&self, output: &VaultOutput) -> bool {
        let wanted = note_of(&output.resource, [&of_keys(&self.texts, &self.own)]);
        self.note.as_ref() == Some(&wanted)
    }

    /// Why this content may not be written: a key of another client is never overwritten.
    pub(super) fn refusal(&self, output: &VaultOutput, at: &EntryAt, content: &Content) -> Option<Blocker> {
        if let Some(owner) = self.foreign(output) {
            return Some(owned(&output.id, &owner));
        }
        // One whose value is no text is one of another client.
        let has = |key: &str| self.fields.names().any(|name| name == key);
        let key = content.keys().find(|key| has(key) && !self.own.contains(*key))?;
        let by = EntryNote::other_with(&self.custom_metadata, &output.resource.owner, key);
        Some(taken(at, key, by.as_deref()))
    }
}

/// The note for the values of these contents.
pub(super) fn note_of<'a>(resource: &Resource, contents: impl IntoIterator<Item = &'a Content>) -> EntryNote {
    let Resource { ctx, owner, .. } = resource;
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in contents.into_iter().flatten() {
        let digest = note::digest(&ctx.installation.digest_key, key, value);
        let known = keys.entry(key.clone()).or_default();
        if !known.contains(&digest) {
            known.push(digest);
        }
    }
    EntryNote::new(owner, &ctx.installation.hint, keys)
}

/// The keys of the resource in an entry: those whose value the note knows, and those of the note that the status says were
/// written, whatever another client has made of them. If the custom metadata were replaced, the content decides.
fn own_keys(
    resource: &Resource,
    note: Option<&EntryNote>,
    known: &Known<'_>,
    texts: &Content,
) -> BTreeSet<String> {
    let digests = &resource.ctx.installation.digest_key;
    let written: BTreeSet<String> = known
        .written
        .and_then(RecordedOutput::written_entry)
        .map(|entry| entry.keys.iter().cloned().collect())
        .unwrap_or_default();
    let Some(note) = note else {
        let present = of_keys(texts, &written);
        let as_written =
            known.written.is_some_and(|recorded| recorded.digest == digests.of_content(&present));
        return if as_written { present.into_keys().collect() } else { BTreeSet::new() };
    };
    if !is_here(resource, note) {
        return BTreeSet::new();
    }
    // The digests of another installation have another key, so they show no value. A person has permitted to take its keys over:
    // those that are in use there, because the owner may have written another one since.
    let taken_over = note.hint() != resource.ctx.installation.hint;
    let in_use = if taken_over { &known.named } else { &written };
    let is_own = |key: &String, value| {
        note.keys.contains_key(key) && (in_use.contains(key) || note.fits(digests, key, value))
    };
    texts.iter().filter(|(key, value)| is_own(key, value)).map(|(key, _)| key.clone()).collect()
}

fn is_here(resource: &Resource, note: &EntryNote) -> bool {
    note.is_here(&resource.ctx.installation.hint, &resource.taken_over)
}

pub(super) fn of_keys(texts: &Content, keys: &BTreeSet<String>) -> Content {
    texts
        .iter()
        .filter(|(key, _)| keys.contains(*key))
        .map(|(key, text)| (key.clone(), text.clone()))
        .collect()
}

/// Claims the keys, so that another resource that adds one of them gets no user for it.
pub(super) fn claim(output: &VaultOutput, at: &EntryAt, content: &Content) -> Result<(), Blocker> {
    let Resource { ctx, key: resource, .. } = &output.resource;
    let server = output.server();
    content.keys().try_for_each(|key| {
        let place = format!("{} {key}", at.path.data());
        let claimed = ctx.vault_memory.claims.claim(ctx, (&output.vault, server.as_ref()), &place, resource);
        claimed.map_err(|other| taken(at, key, Some(&other.to_string())))
    })
}

/// Why no keys are added: there is no entry.
pub(super) fn missing(at: &EntryAt) -> Blocker {
    Blocker::lasting(
        Reason::MergeTargetMissing,
        format!(
            "The entry {} does not exist, or its newest version is deleted, and creationPolicy Merge adds keys only to an entry of \
             another owner. Write the entry in Vault, or set creationPolicy to Owner. The operator adds the keys within a few \
             minutes.",
            at.path.data()
        ),
    )
}

/// Why no keys are added: a `TechnicalUser` owns all of the entry.
pub(super) fn owned(id: &OutputId, owner: &str) -> Blocker {
    Blocker::lasting(
        Reason::OutputNotOurs,
        format!(
            "The {id} gets no keys, because the entry belongs to {owner}, which removes other keys from it. Name another path in \
             outputs."
        ),
    )
}

/// Why a key is not written: the entry has it already, by the `TechnicalUser` that is named, or by another client.
fn taken(at: &EntryAt, key: &str, by: Option<&str>) -> Blocker {
    let whose = by.map_or_else(|| "another client".to_owned(), |owner| format!("the TechnicalUser {owner}"));
    Blocker::lasting(
        Reason::KeyTaken,
        format!(
            "The key {key:?} of the entry {} is one of {whose}. The operator does not overwrite it. Choose other names in keys of \
             this output, or remove the key.",
            at.path.data()
        ),
    )
}

pub(super) fn too_long(output: &VaultOutput) -> Blocker {
    Blocker::lasting(
        Reason::OutputInvalid,
        format!(
            "The operator cannot write the {}, because the names of its keys are too long for a note in the custom metadata of \
             Vault, which has at most 512 bytes with the name of the TechnicalUser. Choose shorter names in keys.",
            output.id
        ),
    )
}
