//! What a status records of an entry.

use super::removal::of_entry;
use super::{VaultOutput, vaults};
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::user::UserId;
use crate::domain::vault::path::ConnectorPaths;

impl VaultOutput {
    pub(super) fn recorded_entry(&self, paths: &ConnectorPaths, user: &UserId) -> RecordedEntry {
        RecordedEntry {
            paths_secret: paths.secret.clone(),
            folder: paths.folder.clone(),
            secret_alias: paths.secret_alias.clone(),
            server: self.server().map(|server| server.as_str().to_owned()).unwrap_or_default(),
            user: user.to_string(),
            digest: String::new(),
            keys: Vec::new(),
        }
    }

    /// What a status records of an entry that another one replaces, beside those that it replaces as well. Where the write was only
    /// announced, nothing is recorded of its content: what is there is ours only if its mark or its note has its digest.
    pub(super) fn former(
        &self,
        recorded: &RecordedOutput,
        entry: &RecordedEntry,
        others: &[RecordedOutput],
    ) -> Option<RecordedOutput> {
        let name = vaults::former_name(&self.vault, &of_entry(entry).ok()?.path, |name| {
            let id = OutputId { kind: recorded.kind.clone(), name: name.to_owned() };
            let recorded = self.resource.history.recorded(&id).into_iter();
            let mut so_named = recorded.chain(others.iter().filter(|other| other.name == name));
            // One path may be on two servers.
            so_named.all(|other| other.entry.as_ref() == Some(entry))
        });
        let was_written = recorded.written_entry() == Some(entry);
        let written = if was_written { recorded.clone() } else { RecordedOutput::default() };
        let (kind, entry) = (recorded.kind.clone(), Some(entry.clone()));
        Some(RecordedOutput { kind, name, entry, begun: Vec::new(), conditions: Vec::new(), ..written })
    }

    /// What a status records of an entry that is as it was written. The rules of the Vault may divide its path in another way into
    /// folder and alias, and its address may lead to another server that has it as well.
    pub(super) fn as_found(&self, before: &RecordedOutput) -> RecordedOutput {
        let (Some(seen), Some(entry)) = (&self.seen, &before.entry) else { return before.clone() };
        let found = RecordedEntry {
            keys: entry.keys.clone(),
            ..self.recorded_entry(&seen.at.paths, &UserId::new(&entry.user))
        };
        let same_path = of_entry(entry).is_ok_and(|at| at.path == seen.at.path);
        let known = RecordedEntry { server: entry.server.clone(), ..found.clone() };
        let entry = if !same_path {
            entry.clone()
        } else if found.server.is_empty() {
            known
        } else {
            found
        };
        let resource_version = match &before.entry {
            // Another server counts its versions by itself.
            Some(former) if former.server != entry.server => seen.version.to_string(),
            _ => before.resource_version.clone(),
        };
        RecordedOutput { entry: Some(entry), resource_version, ..before.clone() }
    }
}

/// What a status says if the namespace may not have the entry any more: that is reported, and the entry is not written.
pub(super) fn not_as_wanted(recorded: Option<&RecordedOutput>) -> OutputState {
    let entry = recorded.and_then(RecordedOutput::written_entry);
    OutputState::Ours {
        user: entry.map(|entry| UserId::new(&entry.user)),
        digest: recorded.map(|recorded| recorded.digest.clone()),
        metadata_as_wanted: false,
    }
}
