//! What a write changes in an entry of another owner, in steps of which each leaves it in a known state.

use std::collections::{BTreeMap, BTreeSet};

use super::super::VaultOutput;
use super::target::{Found, note_of, of_keys, too_long};
use crate::controller::technical_user::outputs::Resource;
use crate::controller::vault::note::EntryNote;
use crate::domain::blocker::Blocker;
use crate::domain::format::Content;
use crate::domain::vault::place::EntryAt;
use crate::vault::{Fields, VaultClient, VaultError};

/// What a write changes.
pub(super) struct Addition {
    /// The version that it is for.
    version: u64,
    steps: Vec<Step>,
}

enum Step {
    /// The pair of the custom metadata that is the note.
    Note(BTreeMap<String, String>),
    /// All fields of a new version.
    Data(Fields),
}

impl Addition {
    /// What a write of this content changes in an entry: the note has all keys and values before the data do, and no others after
    /// it. Where former keys are too long for a note beside the next ones, they are removed first.
    ///
    /// # Errors
    /// Why it may not be written.
    pub(super) fn of(
        found: &Found,
        output: &VaultOutput,
        at: &EntryAt,
        content: &Content,
    ) -> Result<Self, Blocker> {
        if let Some(blocker) = found.refusal(output, at, content) {
            return Err(blocker);
        }
        let Resource { ctx, owner, .. } = &output.resource;
        if !EntryNote::can_replace(owner, &ctx.installation.hint, content.keys()) {
            return Err(too_long(output));
        }
        let removed: BTreeSet<String> =
            found.own.iter().filter(|key| !content.contains_key(*key)).cloned().collect();
        let replaced: BTreeSet<String> = found.own.difference(&removed).cloned().collect();
        let mut without = found.fields.clone();
        without.remove(&removed);
        let mut next = without.clone();
        next.set(&super::super::fields(content));

        let text = |present: &Content| note_of(&output.resource, [content, present]).text();
        let (first, before) = match text(&of_keys(&found.texts, &found.own)) {
            Some(before) => (None, Some(before)),
            None => (Some(without), text(&of_keys(&found.texts, &replaced))),
        };
        let (Some(before), Some(after)) = (before, text(&Content::default())) else {
            return Err(too_long(output));
        };
        let name = EntryNote::name(owner);
        let is_new = found.custom_metadata.get(&name) != Some(&before);
        let is_other = before != after;
        let changes = !next.is_same(first.as_ref().unwrap_or(&found.fields));
        let note = |text| Step::Note(BTreeMap::from([(name.clone(), text)]));
        let steps = [
            first.map(Step::Data),
            is_new.then(|| note(before)),
            changes.then_some(Step::Data(next)),
            is_other.then(|| note(after)),
        ];
        Ok(Self { version: found.version, steps: steps.into_iter().flatten().collect() })
    }

    /// Carries it out, each step only if the entry is as the one before has left it. The number of the newest version.
    pub(super) async fn write(&self, client: &VaultClient, at: &EntryAt) -> Result<u64, VaultError> {
        let mut version = self.version;
        for step in &self.steps {
            match step {
                Step::Note(note) => client.mark_existing(&at.path, note).await?,
                Step::Data(fields) => version = client.write(&at.path, fields, version).await?,
            }
        }
        Ok(version)
    }
}
