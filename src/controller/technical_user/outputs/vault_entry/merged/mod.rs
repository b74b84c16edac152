//! An output that adds its keys to an entry of another owner (`creationPolicy: Merge`). Only these keys and one pair of the custom
//! metadata, the note, are ever changed.
//!
//! The note is written before the data. A key is never written that another client has, and the data are written with
//! check-and-set, so of two that add one key at the same moment, the one has it that writes first.

mod addition;
pub(super) mod removal;
mod target;

use std::collections::BTreeSet;

use async_trait::async_trait;

use self::addition::Addition;
use self::target::Known;
use super::found::Due;
use super::removal::Written;
use super::{Seen, VaultOutput};
use crate::api::technical_user::{OutputKind, RecordedOutput, VaultOutput as Spec};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::{self, Observed, Output, Resource, Writable};
use crate::controller::vault::policy::Use;
use crate::domain::blocker::Blocker;
use crate::domain::format::{Content, FormatError, Values};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::user::Credential;
use crate::domain::vault::place::EntryAt;
use crate::vault::{self, VaultClient, VaultError};

/// Keys of one resource in an entry of another owner.
pub(in crate::controller::technical_user::outputs) struct MergedEntry {
    base: VaultOutput,
    /// The entry of the status.
    recorded: Option<RecordedOutput>,
    /// The keys that the spec names.
    wanted: BTreeSet<String>,
    /// The keys that this reconcile has written.
    keys: Vec<String>,
}

impl MergedEntry {
    /// The keys that an entry of a spec describes.
    pub(in crate::controller::technical_user::outputs) fn new(resource: &Resource, spec: &Spec) -> Self {
        let wanted = super::keys(spec).into_values().map(|key| key.0).collect();
        Self { base: VaultOutput::new(resource, spec), recorded: None, wanted, keys: Vec::new() }
    }

    /// The keys in the entry of this name in a status, to be removed.
    pub(in crate::controller::technical_user::outputs) fn named(resource: &Resource, name: &str) -> Self {
        let base = VaultOutput::of_kind(resource, OutputKind::MergedVaultEntry, name);
        Self { base, recorded: None, wanted: BTreeSet::new(), keys: Vec::new() }
    }

    /// What an entry shows. Without our note, and with another content than the status has, nothing in it is ours.
    async fn observe_at(&mut self, at: EntryAt) -> Result<OutputState, Failure> {
        let client = self.base.client().await?;
        let entry = match client.read(&at.path).await {
            Ok(entry) => entry,
            Err(error @ VaultError::Forbidden { .. }) => {
                return Err(self.base.forbidden(&client, &at, &error, Use::Merge).await?);
            }
            Err(error) => return Err(self.base.failure(&error)),
        };
        let version = entry.as_ref().map_or(0, |entry| entry.version);
        self.base.seen = Some(Seen { at: at.clone(), version, digest: None });
        let Some(found) = entry.and_then(|entry| self.found(&at, entry)) else {
            return Ok(OutputState::Absent);
        };
        if let Some(owner) = found.foreign(&self.base) {
            return Ok(OutputState::Foreign(owner));
        }
        if found.note.is_none() && found.own.is_empty() {
            return Ok(OutputState::Absent);
        }
        let (digest, as_wanted) = (found.digest(&self.base), found.is_noted(&self.base));
        let state = VaultOutput::state(self.recorded.as_ref(), &at.path, digest.clone(), as_wanted);
        self.base.seen = Some(Seen { at, version, digest: Some(digest) });
        Ok(state)
    }

    /// What a write to the entry that was seen adds, or why it may not.
    async fn addition(
        &self,
        client: &VaultClient,
        at: &EntryAt,
        content: &Content,
    ) -> Result<Result<Addition, Blocker>, Failure> {
        let entry = client.read(&at.path).await.map_err(|error| self.base.failure(&error))?;
        let version = entry.as_ref().map_or(0, |entry| entry.version);
        if self.base.seen.as_ref().is_none_or(|seen| seen.at != *at || seen.version != version) {
            return Err(Failure::Overtaken);
        }
        let Some(found) = entry.and_then(|entry| self.found(at, entry)) else {
            return Ok(Err(target::missing(at)));
        };
        Ok(Addition::of(&found, &self.base, at, content))
    }

    fn found(&self, at: &EntryAt, entry: vault::Entry) -> Option<target::Found> {
        let known = Known::of(self.recorded.as_ref(), |recorded| self.base.is_at(recorded, at));
        target::Found::of(&self.base.resource, entry, &known.with_spec(&self.wanted))
    }
}

#[async_trait]
impl Output for MergedEntry {
    fn id(&self) -> &OutputId {
        self.base.id()
    }

    fn outlives_resource(&self) -> bool {
        true
    }

    fn is_readable(&self) -> bool {
        self.base.is_readable()
    }

    fn needs_restart(&self) -> bool {
        self.base.needs_restart()
    }

    /// The path is that of the owner.
    fn alias_is_fixed(&self) -> bool {
        true
    }

    fn content(&self, values: &Values) -> Result<Content, FormatError> {
        self.base.content(values)
    }

    async fn observe(&mut self, recorded: Option<&RecordedOutput>) -> Result<Observed, Failure> {
        self.recorded = recorded.cloned();
        let mut observed = match self.base.due(recorded)? {
            Due::Now(at) => {
                let state = self.observe_at(at).await?;
                Observed { read_in: Some(self.base.compared(&state)), state }
            }
            Due::Later(observed) => observed,
        };
        self.base.settle_begun(recorded, &mut observed).await;
        Ok(observed)
    }

    async fn read(&mut self, recorded: Option<&RecordedOutput>) -> Result<OutputState, Failure> {
        self.recorded = recorded.cloned();
        let at = self.base.at(self.base.resource.history.generation)?;
        self.observe_at(at).await
    }

    /// By what the policies permit, and by the keys that the entry has.
    async fn prove_writable(
        &mut self,
        state: &OutputState,
        _: i64,
    ) -> Result<Result<Writable, Blocker>, Failure> {
        let content = match self.base.layout.placeholder() {
            Ok(content) => content,
            Err(error) => return Ok(Err(outputs::invalid(&self.base.id, &error))),
        };
        if let OutputState::Foreign(owner) = state {
            return Ok(Err(target::owned(&self.base.id, owner)));
        }
        let at = self.base.at(self.base.resource.history.generation)?;
        let client = self.base.client().await?;
        if let Some(blocker) = self.base.denied(&client, &at, Use::Merge).await? {
            return Ok(Err(blocker));
        }
        if self.base.seen.as_ref().is_none_or(|seen| seen.at != at) {
            self.observe_at(at.clone()).await?;
        }
        let addition = self.addition(&client, &at, &content).await?;
        Ok(addition.and_then(|_| target::claim(&self.base, &at, &content)).map(|()| Writable::default()))
    }

    /// Writes the note and the data, each only if the entry is as it was seen.
    async fn write(&mut self, values: &Values) -> Result<OutputState, Failure> {
        let content = self.content(values)?;
        let digest = self.base.resource.ctx.installation.digest_key.of_content(&content);
        let at = self.base.at(values.generation)?;
        let client = self.base.client().await?;
        if self.base.seen.as_ref().is_none_or(|seen| seen.at != at) {
            self.observe_at(at.clone()).await?;
        }
        let addition = self.addition(&client, &at, &content).await?.map_err(Failure::OutputUnavailable)?;
        let version = addition.write(&client, &at).await.map_err(|error| self.base.failure(&error))?;
        self.keys = content.keys().cloned().collect();
        self.base.seen = Some(Seen { at: at.clone(), version, digest: Some(digest.clone()) });
        self.base.written = Some((at, values.user_id.clone()));
        self.base.is_as_written();
        Ok(OutputState::Ours {
            user: Some(values.user_id.clone()),
            digest: Some(digest),
            metadata_as_wanted: true,
        })
    }

    async fn credential(&self) -> Result<Option<Credential>, Failure> {
        self.base.credential().await
    }

    fn goes_elsewhere(&self, recorded: Option<&RecordedOutput>, values: &Values) -> bool {
        self.base.goes_elsewhere(recorded, values)
    }

    fn announced(&self, before: Option<&RecordedOutput>, values: &Values) -> Result<RecordedOutput, Failure> {
        let mut announced = self.base.announced(before, values)?;
        let keys = self.content(values)?.into_keys().collect();
        if let Some(begun) = announced.begun.last_mut() {
            begun.keys = keys;
        }
        Ok(announced)
    }

    fn superseded(&self) -> Vec<RecordedOutput> {
        self.base.superseded()
    }

    async fn remove(&mut self) -> Result<(), Failure> {
        super::removal::remove(&self.base.resource, &self.base.id, Written::Keys).await
    }

    async fn abandon(&mut self, why: &str) -> Result<(), Failure> {
        self.base.abandon(why).await
    }

    fn record(&self, digest: &str, before: Option<&RecordedOutput>, written: bool) -> Option<RecordedOutput> {
        let mut recorded = self.base.record(digest, before, written)?;
        if let (Some(entry), Some(_)) = (&mut recorded.entry, &self.base.written) {
            entry.keys.clone_from(&self.keys);
        }
        Some(recorded)
    }
}
