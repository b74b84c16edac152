//! What a test sees of a simulated Vault, and what it changes beside the API.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::time::Instant;

use super::{Engine, SimulatedVault, State};

/// An entry, as its newest version.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntryView {
    /// The number of the newest version; 0 if nothing was ever written.
    pub version: u64,
    /// What the newest version contains; `None` if it is deleted, destroyed or was never written.
    pub data: Option<Value>,
    /// The custom metadata.
    pub custom_metadata: BTreeMap<String, String>,
}

/// One change of one entry.
#[derive(Debug, Clone)]
pub struct EntryChange {
    /// When.
    pub at: Instant,
    /// The mount and the path below it, such as `secret/connectors/edc-1`.
    pub path: String,
    /// The entry from then on; `None`: it is deleted with all its versions.
    pub entry: Option<EntryView>,
}

/// What a Vault had at some time.
pub struct VaultBackup(State);

impl SimulatedVault {
    /// All entries, by mount and path, such as `secret/connectors/edc-1`.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, EntryView> {
        let state = self.state.lock();
        let of_engine = |(mount, engine): (&String, &Engine)| match engine {
            Engine::Kv2(kv) => kv.views().map(|(name, view)| (format!("{mount}/{name}"), view)).collect(),
            Engine::Kv1 | Engine::Other(_) => Vec::new(),
        };
        state.engines.iter().flat_map(of_engine).collect()
    }

    /// Writes an entry as another client does, beside the API. It has this version only. `path` is that of
    /// [`SimulatedVault::entries`].
    pub fn put(&self, path: &str, entry: &EntryView) {
        self.state.lock().change_entry(path, |kv, name| kv.put(name, entry));
    }

    /// Each change of an entry, in order.
    #[must_use]
    pub fn changes(&self) -> Vec<EntryChange> {
        self.state.lock().changes.clone()
    }

    /// What it has now.
    #[must_use]
    pub fn back_up(&self) -> VaultBackup {
        VaultBackup(self.state.lock().clone())
    }

    /// It has what it had at the time of a backup. Its tokens are those of that time, and its changes are kept.
    pub fn restore(&self, backup: &VaultBackup) {
        let mut state = self.state.lock();
        let changes = std::mem::take(&mut state.changes);
        let tokens = backup.0.tokens.restored(&state.tokens);
        *state = State { tokens, changes, ..backup.0.clone() };
    }

    /// Revokes all tokens but the root token, as a restart with other storage or a person does.
    pub fn revoke_tokens(&self) {
        self.state.lock().tokens.revoke_all();
    }
}
