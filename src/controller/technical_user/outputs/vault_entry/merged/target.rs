//! Which keys of an entry of another owner are those of a `TechnicalUser`, and what a write adds.

use std::collections::{BTreeMap, BTreeSet};

use super::super::VaultOutput;
use crate::api::technical_user::RecordedOutput;
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
    texts: Content,
    custom_metadata: BTreeMap<String, String>,
    /// The note of the resource, also one of another installation.
    pub(super) note: Option<EntryNote>,
    /// The keys of the resource.
    pub(super) own: BTreeSet<String>,
}

/// What a write changes.
pub(super) struct Addition {
    /// The version that it is for.
    pub(super) version: u64,
    /// The pair of the custom metadata that is the note.
    pub(super) note: BTreeMap<String, String>,
    /// All fields after it; `None` where they are already so.
    pub(super) fields: Option<Fields>,
}

impl Found {
    /// An entry, with what the status records of the output at its place. `None` where its newest version is deleted.
    pub(super) fn of(
        resource: &Resource,
        entry: vault::Entry,
        recorded: Option<&RecordedOutput>,
    ) -> Option<Self> {
        let vault::Entry { version, content: vault::Content::Fields(fields), custom_metadata } = entry else {
            return None;
        };
        let (note, texts) = (EntryNote::of(&custom_metadata, &resource.owner), fields.texts());
        let own = own_keys(resource, note.as_ref(), recorded, &texts);
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

    /// Whether the note has all keys of the resource with their values.
    pub(super) fn is_noted(&self, output: &VaultOutput) -> bool {
        let Resource { ctx, .. } = &output.resource;
        let digests = &ctx.installation.digest_key;
        let fits = |key: &String| {
            let value = self.texts.get(key);
            value.zip(self.note.as_ref()).is_some_and(|(value, note)| note.fits(digests, key, value))
        };
        let here = |note: &EntryNote| note.hint() == ctx.installation.hint;
        self.note.as_ref().is_some_and(here) && self.own.iter().all(fits)
    }

    /// What a write of this content changes, or why it may not: a key of another client is never overwritten.
    pub(super) fn addition(
        self,
        output: &VaultOutput,
        at: &EntryAt,
        content: &Content,
    ) -> Result<Addition, Blocker> {
        if let Some(owner) = self.foreign(output) {
            return Err(owned(&output.id, &owner));
        }
        // One whose value is no text is one of another client.
        let has = |key: &str| self.fields.names().any(|name| name == key);
        if let Some(key) = content.keys().find(|key| has(key) && !self.own.contains(*key)) {
            let by = EntryNote::other_with(&self.custom_metadata, &output.resource.owner, key);
            return Err(taken(at, key, by.as_deref()));
        }
        let Some(text) = self.next_note(output, content).text() else { return Err(too_long(output)) };
        let removed = self.own.iter().filter(|key| !content.contains_key(*key)).cloned().collect();
        let mut fields = self.fields.clone();
        fields.remove(&removed);
        fields.set(&super::super::fields(content));
        Ok(Addition {
            version: self.version,
            note: BTreeMap::from([(EntryNote::name(&output.resource.owner), text)]),
            fields: (!fields.is_same(&self.fields)).then_some(fields),
        })
    }

    /// The note for a write of this content. It has the digests of the values that the write replaces or removes as well: they are
    /// there until the data are written.
    fn next_note(&self, output: &VaultOutput, content: &Content) -> EntryNote {
        let Resource { ctx, owner, .. } = &output.resource;
        let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in content.iter().chain(&of_keys(&self.texts, &self.own)) {
            let digest = note::digest(&ctx.installation.digest_key, key, value);
            let known = keys.entry(key.clone()).or_default();
            if !known.contains(&digest) {
                known.push(digest);
            }
        }
        EntryNote::new(owner, &ctx.installation.hint, keys)
    }
}

/// The keys of the resource in an entry: those whose value the note knows, and those of the note that the status says were
/// written, whatever another client has made of them. If the custom metadata were replaced, the content decides.
fn own_keys(
    resource: &Resource,
    note: Option<&EntryNote>,
    recorded: Option<&RecordedOutput>,
    texts: &Content,
) -> BTreeSet<String> {
    let digests = &resource.ctx.installation.digest_key;
    let written: BTreeSet<String> = recorded
        .filter(|recorded| !recorded.digest.is_empty())
        .and_then(|recorded| recorded.entry.as_ref())
        .map(|entry| entry.keys.iter().cloned().collect())
        .unwrap_or_default();
    let Some(note) = note else {
        let present = of_keys(texts, &written);
        let as_written = recorded.is_some_and(|recorded| recorded.digest == digests.of_content(&present));
        return if as_written { present.into_keys().collect() } else { BTreeSet::new() };
    };
    if !is_here(resource, note) {
        return BTreeSet::new();
    }
    // The digests of another installation have another key: a person has permitted to take its keys over.
    let taken_over = note.hint() != resource.ctx.installation.hint;
    let is_own = |key: &String, value| {
        note.keys.contains_key(key) && (taken_over || written.contains(key) || note.fits(digests, key, value))
    };
    texts.iter().filter(|(key, value)| is_own(key, value)).map(|(key, _)| key.clone()).collect()
}

fn is_here(resource: &Resource, note: &EntryNote) -> bool {
    note.is_here(&resource.ctx.installation.hint, &resource.taken_over)
}

fn of_keys(texts: &Content, keys: &BTreeSet<String>) -> Content {
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

fn too_long(output: &VaultOutput) -> Blocker {
    Blocker::lasting(
        Reason::OutputInvalid,
        format!(
            "The operator cannot write the {}, because the names of its keys are too long for a note in the custom metadata of \
             Vault, which has at most 512 bytes with the name of the TechnicalUser. Choose shorter names in keys.",
            output.id
        ),
    )
}
