//! An output that is an entry in a Vault, for connectors that read their client secret there.
//!
//! The mark of an entry is in its custom metadata. It is written before the data, and has their digest: data that another client was
//! the first to write are not ours, whatever the mark is. The status also has the digest of what the operator wrote or is about to
//! write, so our data are found without the mark; `whose` has the rules.

mod begun;
mod found;
mod left;
mod marking;
pub(super) mod merged;
mod record;
mod removal;
mod rights;
pub(super) mod vaults;
mod whose;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use self::found::Due;
pub(super) use self::merged::MergedEntry;
pub(super) use self::removal::of_entry;
use super::layout::Layout;
use super::{Damage, Observed, Output, Resource, Writable};
use crate::api::technical_user::{
    DataKey, OutputKind, RecordedEntry, RecordedOutput, SecretOutput, VaultOutput as Spec,
};
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::vault::view::VaultView;
use crate::domain::blocker::Blocker;
use crate::domain::format::{Content, FormatError, Values};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::reason::Reason;
use crate::domain::user::{Credential, UserId};
use crate::domain::vault::path::PathError;
pub(super) use crate::domain::vault::place::EntryAt;
use crate::vault::{self, Fields, VaultClient, VaultError};

/// The key of the client secret that a tractusx-connector reads.
const CONTENT: &str = "content";

/// An entry of one resource.
pub(super) struct VaultOutput {
    id: OutputId,
    resource: Resource,
    vault: Key,
    layout: Layout,
    /// What is there, as last seen.
    seen: Option<Seen>,
    /// Places that the status names, and at which nothing is.
    settled: Vec<RecordedEntry>,
    /// What another client did to the entry.
    damage: Option<Damage>,
    /// The entry that this reconcile has written, and the user whose credential it holds.
    written: Option<(EntryAt, UserId)>,
}

/// An entry as last seen.
#[derive(Debug, Clone)]
struct Seen {
    at: EntryAt,
    /// The number of its newest version; 0 if nothing was ever written.
    version: u64,
    /// The digest of its content, once it was read.
    digest: Option<String>,
}

impl VaultOutput {
    /// The entry that a spec describes.
    pub(super) fn new(resource: &Resource, spec: &Spec) -> Self {
        let layout = SecretOutput { keys: Some(keys(spec)), ..SecretOutput::default() };
        Self::with(resource, vaults::id_of(&resource.key, spec), &layout)
    }

    /// The entry of this name in a status, to be removed.
    pub(super) fn named(resource: &Resource, name: &str) -> Self {
        Self::of_kind(resource, OutputKind::VaultEntry, name)
    }

    fn of_kind(resource: &Resource, kind: OutputKind, name: &str) -> Self {
        let id = super::id(kind, name.to_owned());
        Self::with(resource, id, &SecretOutput::default())
    }

    fn with(resource: &Resource, id: OutputId, layout: &SecretOutput) -> Self {
        let vault = vaults::vault_of(&id);
        Self {
            id,
            layout: Layout::new(layout, resource),
            resource: resource.clone(),
            vault: vault.unwrap_or_else(|| resource.key.clone()),
            seen: None,
            settled: Vec::new(),
            damage: None,
            written: None,
        }
    }

    /// The entry for the user of a generation.
    fn at(&self, generation: i64) -> Result<EntryAt, Failure> {
        let place = self.resource.stores.vaults.place(&self.id).unwrap_or_else(|| Err(vaults::unread()));
        let at = place.and_then(|place| place.at(generation).map_err(too_long));
        at.map_err(Failure::OutputUnavailable)
    }

    fn view(&self) -> Result<&VaultView, Failure> {
        self.resource.stores.vaults.view(&self.vault).map_err(Failure::OutputUnavailable)
    }

    async fn client(&self) -> Result<Arc<VaultClient>, Failure> {
        self.view()?.client(&self.resource.ctx).await.map_err(Failure::OutputUnavailable)
    }

    /// What a failed request means. After another client has written, the entry is observed again.
    fn failure(&self, error: &VaultError) -> Failure {
        match (error, self.view()) {
            (VaultError::CasMismatch, _) => Failure::Overtaken,
            (error, Ok(view)) => Failure::OutputUnavailable(view.blocker(&self.resource.ctx, error)),
            (_, Err(failure)) => failure,
        }
    }
}

#[async_trait]
impl Output for VaultOutput {
    fn id(&self) -> &OutputId {
        &self.id
    }

    fn outlives_resource(&self) -> bool {
        true
    }

    fn is_readable(&self) -> bool {
        self.layout.is_readable()
    }

    /// A connector reads it each time that it needs a token.
    fn needs_restart(&self) -> bool {
        false
    }

    fn alias_is_fixed(&self) -> bool {
        matches!(self.resource.stores.vaults.place(&self.id), Some(Ok(place)) if !place.alias.per_generation)
    }

    fn content(&self, values: &Values) -> Result<Content, FormatError> {
        self.layout.content(values)
    }

    /// From the status until the content is to be compared again, else from Vault.
    async fn observe(&mut self, recorded: Option<&RecordedOutput>) -> Result<Observed, Failure> {
        let mut observed = match self.due(recorded)? {
            Due::Now(at) => {
                let state = self.observe_at(at, recorded).await?;
                Observed { read_in: Some(self.compared(&state)), state }
            }
            Due::Later(observed) => observed,
        };
        self.settle_begun(recorded, &mut observed).await;
        Ok(observed)
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    async fn read(&mut self, recorded: Option<&RecordedOutput>) -> Result<OutputState, Failure> {
        let at = self.at(self.resource.history.generation)?;
        self.observe_at(at, recorded).await
    }

    fn has_place_per_user(&self) -> bool {
        !self.alias_is_fixed()
    }

    async fn prove_writable(
        &mut self,
        state: &OutputState,
        generation: i64,
    ) -> Result<Result<Writable, Blocker>, Failure> {
        self.can_be_written(state, generation).await
    }

    /// Marks the entry, then writes its data, each only if the entry is as it was seen.
    async fn write(&mut self, values: &Values) -> Result<OutputState, Failure> {
        let content = self.content(values)?;
        let digest = self.resource.ctx.installation.digest_key.of_content(&content);
        let at = self.at(values.generation)?;
        if self.seen.as_ref().is_none_or(|seen| seen.at != at) {
            // The user has another generation than the one that the status names, and the status may announce its entry.
            let recorded = self.resource.history.recorded(&self.id).cloned();
            if let OutputState::Foreign(owner) = self.observe_at(at.clone(), recorded.as_ref()).await? {
                return Err(Failure::OutputUnavailable(self.foreign(&owner)));
            }
        }
        let Some(seen) = self.seen.clone() else { return Err(Failure::Overtaken) };
        let client = self.client().await?;
        self.mark(&client, &seen, &digest).await?;
        let version = if seen.digest.as_ref() == Some(&digest) && seen.version > 0 {
            seen.version
        } else {
            let written = client.write(&at.path, &fields(&content), seen.version).await;
            if seen.version == 0 {
                match &written {
                    Ok(_) => self.confirm(&client, &at.path, &digest).await?,
                    Err(VaultError::CasMismatch) => self.step_aside(&client, &at.path, &digest).await?,
                    Err(_) => {}
                }
            }
            written.map_err(|error| self.failure(&error))?
        };
        self.seen = Some(Seen { at: at.clone(), version, digest: Some(digest.clone()) });
        self.written = Some((at, values.user_id.clone()));
        self.is_as_written();
        Ok(OutputState::Ours {
            user: Some(values.user_id.clone()),
            digest: Some(digest),
            metadata_as_wanted: true,
        })
    }

    async fn credential(&self) -> Result<Option<Credential>, Failure> {
        let at = self.at(self.resource.history.generation)?;
        let entry = self.client().await?.read(&at.path).await.map_err(|error| self.failure(&error))?;
        let Some(vault::Entry { content: vault::Content::Fields(fields), .. }) = entry else {
            return Ok(None);
        };
        Ok(self.layout.read_back(&fields.texts()))
    }

    fn goes_elsewhere(&self, recorded: Option<&RecordedOutput>, values: &Values) -> bool {
        // Where it can be nowhere, the write is refused.
        let Ok(at) = self.at(values.generation) else { return false };
        !recorded.is_some_and(|recorded| recorded.entries().any(|entry| self.is_at(entry, &at)))
    }

    fn announced(&self, before: Option<&RecordedOutput>, values: &Values) -> Result<RecordedOutput, Failure> {
        self.announce(before, values)
    }

    fn superseded(&self) -> Vec<RecordedOutput> {
        let Some((written, _)) = &self.written else { return Vec::new() };
        let Some(recorded) = self.resource.history.recorded(&self.id) else { return Vec::new() };
        let is_another = |entry: &&RecordedEntry| {
            of_entry(entry).is_ok_and(|at| at.path != written.path || !self.is_here(entry))
        };
        let for_successor = self.begun_for_successor(recorded);
        let mut former = Vec::new();
        for entry in recorded.entries().filter(is_another).filter(|entry| !for_successor.contains(entry)) {
            former.extend(self.former(recorded, entry, &former));
        }
        former
    }

    async fn remove(&mut self) -> Result<(), Failure> {
        removal::remove(&self.resource, &self.id, removal::Written::Entry).await
    }

    async fn abandon(&mut self, why: &str) -> Result<(), Failure> {
        removal::abandon(&self.resource, &self.id, why).await
    }

    /// The version that this installation has written. What others change of the entry is not recorded.
    fn record(&self, digest: &str, before: Option<&RecordedOutput>, written: bool) -> Option<RecordedOutput> {
        let as_written =
            before.filter(|before| !written && before.digest == digest && before.written_entry().is_some());
        if let Some(before) = as_written {
            return Some(self.without_settled(self.as_found(before)));
        }
        let (at, user) = self.written.as_ref()?;
        Some(RecordedOutput {
            kind: self.id.kind.clone(),
            name: self.id.name.clone(),
            resource_version: self.seen.as_ref()?.version.to_string(),
            digest: digest.to_owned(),
            entry: Some(self.recorded_entry(&at.paths, user)),
            begun: before.map(|before| self.begun_for_successor(before)).unwrap_or_default(),
            conditions: before.map(|before| before.conditions.clone()).unwrap_or_default(),
            ..RecordedOutput::default()
        })
    }
}

/// The keys of an entry, by the keys of the format Raw.
fn keys(spec: &Spec) -> BTreeMap<String, DataKey> {
    let default = || BTreeMap::from([("client-secret".to_owned(), DataKey(CONTENT.to_owned()))]);
    spec.keys.clone().unwrap_or_else(default)
}

/// The fields of an entry with this content.
fn fields(content: &Content) -> Fields {
    content.iter().fold(Fields::default(), |fields, (name, text)| fields.with(name, text))
}

fn too_long(error: PathError) -> Blocker {
    Blocker::lasting(Reason::PathNotAllowed, format!("The path of the entry cannot be used: {error}"))
}
