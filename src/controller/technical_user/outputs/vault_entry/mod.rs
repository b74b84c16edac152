//! An output that is an entry in a Vault, for connectors that read their client secret there.
//!
//! The mark of an entry is in its custom metadata. It is written before the data, so that an entry with data and without our mark
//! is never ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::layout::Layout;
use super::vault_removal::{self, of_entry};
use super::{Observed, Output, Resource, Writable, vaults};
use crate::api::technical_user::{
    DataKey, ENTRY, RecordedEntry, RecordedOutput, SecretOutput, VaultOutput as Spec,
};
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::vault::mark::EntryMark;
use crate::controller::vault::view::VaultView;
use crate::domain::blocker::Blocker;
use crate::domain::format::{Content, FormatError, Values};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::reason::Reason;
use crate::domain::user::{Credential, UserId};
use crate::domain::vault_path::{ConnectorPaths, PathError};
use crate::domain::vault_place::{EntryAt, Server};
use crate::vault::{self, Fields, VaultClient, VaultError};

/// The kind of such an output in a status.
pub(super) const KIND: &str = ENTRY;

/// The key of the client secret that a tractusx-connector reads.
const CONTENT: &str = "content";

/// What the policy must permit on the data of an entry, and on its metadata, where the mark is.
const ON_DATA: [&str; 3] = ["create", "read", "update"];
const ON_METADATA: [&str; 4] = ["create", "read", "update", "delete"];

/// An entry of one resource.
pub(super) struct VaultOutput {
    id: OutputId,
    resource: Resource,
    vault: Key,
    layout: Layout,
    /// What is there, as last seen.
    seen: Option<Seen>,
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
        let default = || BTreeMap::from([("client-secret".to_owned(), DataKey(CONTENT.to_owned()))]);
        let layout =
            SecretOutput { keys: Some(spec.keys.clone().unwrap_or_else(default)), ..SecretOutput::default() };
        Self::with(resource, vaults::id_of(&resource.key, spec), &layout)
    }

    /// The entry of this name in a status, to be removed.
    pub(super) fn named(resource: &Resource, name: &str) -> Self {
        let id = OutputId { kind: KIND.to_owned(), name: name.to_owned() };
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
            written: None,
        }
    }

    /// The entry for the user of a generation.
    fn at(&self, generation: i64) -> Result<EntryAt, Failure> {
        let place = self.resource.vaults.place(&self.id).unwrap_or_else(|| Err(vaults::unread()));
        let at = place.and_then(|place| place.at(generation).map_err(too_long));
        at.map_err(Failure::OutputUnavailable)
    }

    fn view(&self) -> Result<&VaultView, Failure> {
        self.resource.vaults.view(&self.vault).map_err(Failure::OutputUnavailable)
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

    /// Whether a status describes the entry at a place, for the server that is known.
    fn is_at(&self, entry: &RecordedEntry, at: &EntryAt) -> bool {
        of_entry(entry).as_ref() == Ok(at) && self.is_here(entry)
    }

    /// Whether the entry of a status is on the server that the Vault leads to. One that is not known is assumed to be the same.
    fn is_here(&self, entry: &RecordedEntry) -> bool {
        let (there, here) = (Server::of_record(&entry.server), self.server());
        there.is_none() || here.is_none() || there == here
    }

    fn server(&self) -> Option<Server> {
        self.view().ok()?.server(&self.resource.ctx)
    }

    /// What the status says, without a request, until the content is to be compared again. After a conflict the status may be
    /// older than what led to it.
    fn known(&self, recorded: Option<&RecordedOutput>, at: &EntryAt) -> Option<(Seen, OutputState)> {
        let recorded = recorded.filter(|_| !self.resource.ctx.conflicts.unsettled(&self.resource.key))?;
        let entry = recorded.entry.as_ref().filter(|entry| self.is_at(entry, at))?;
        let digest = Some(recorded.digest.clone()).filter(|digest| !digest.is_empty())?;
        let version = recorded.resource_version.parse().ok()?;
        let state = OutputState::Ours {
            user: Some(UserId::new(&entry.user)),
            digest: Some(digest.clone()),
            metadata_as_wanted: true,
        };
        Some((Seen { at: at.clone(), version, digest: Some(digest) }, state))
    }

    /// What Vault says of an entry.
    async fn observe_at(
        &mut self,
        at: EntryAt,
        recorded: Option<&RecordedOutput>,
    ) -> Result<OutputState, Failure> {
        let client = self.client().await?;
        let entry = match client.read(&at.path).await {
            Ok(entry) => entry,
            Err(error @ VaultError::Forbidden { .. }) => return Err(self.forbidden(&client, &error).await?),
            Err(error) => return Err(self.failure(&error)),
        };
        let Some(entry) = entry else {
            let metadata = client.metadata(&at.path).await.map_err(|error| self.failure(&error))?;
            let metadata = metadata.unwrap_or_default();
            let foreign = EntryMark::of(&metadata.custom_metadata).filter(|mark| !self.is_ours(mark));
            self.seen = Some(Seen { at, version: metadata.version, digest: None });
            return Ok(
                foreign.map_or(OutputState::Absent, |mark| OutputState::Foreign(self.words(Some(&mark))))
            );
        };
        let (mark, digest) = (EntryMark::of(&entry.custom_metadata), self.digest(&entry.content));
        // A person who replaces the custom metadata does not take the entry over.
        let as_written = || recorded.is_some_and(|recorded| recorded.digest == digest);
        let is_ours = mark.as_ref().map_or_else(as_written, |mark| self.is_ours(mark));
        self.seen = Some(Seen { at, version: entry.version, digest: is_ours.then(|| digest.clone()) });
        if !is_ours {
            return Ok(OutputState::Foreign(self.words(mark.as_ref())));
        }
        let as_recorded = recorded.filter(|recorded| recorded.digest == digest);
        let user =
            as_recorded.and_then(|recorded| recorded.entry.as_ref()).map(|entry| UserId::new(&entry.user));
        let metadata_as_wanted = mark.is_some_and(|mark| self.is_as_wanted(&mark));
        Ok(OutputState::Ours { user, digest: Some(digest), metadata_as_wanted })
    }

    fn is_ours(&self, mark: &EntryMark) -> bool {
        let Resource { ctx, owner, taken_over, .. } = &self.resource;
        mark.is_of(&owner.to_string(), &ctx.installation.hint, taken_over)
    }

    /// Whether it is the mark of this installation.
    fn is_as_wanted(&self, mark: &EntryMark) -> bool {
        self.is_ours(mark) && mark.hint == self.resource.ctx.installation.hint
    }

    /// Whose an entry is, in words.
    fn words(&self, mark: Option<&EntryMark>) -> String {
        let owner = self.resource.owner.to_string();
        mark.map_or_else(|| "another client of Vault".to_owned(), |mark| mark.words(&owner))
    }

    fn digest(&self, content: &vault::Content) -> String {
        let key = &self.resource.ctx.installation.digest_key;
        match content {
            vault::Content::Fields(fields) => key.of_content(&fields.texts()),
            vault::Content::Deleted | vault::Content::Destroyed => key.of_content(&Content::new()),
        }
    }

    /// Marks an entry that was seen with this version, and reads the mark back: of two resources with one path, one has it.
    async fn mark(&self, client: &VaultClient, seen: &Seen) -> Result<(), Failure> {
        let path = &seen.at.path;
        let metadata = client.metadata(path).await.map_err(|error| self.failure(&error))?.unwrap_or_default();
        let marked = EntryMark::of(&metadata.custom_metadata);
        if metadata.version != seen.version {
            return Err(Failure::Overtaken);
        }
        // Without a mark it is ours only if its content is what the operator wrote, which the status alone does not show.
        if marked.is_none() && seen.version > 0 {
            let entry = client.read(path).await.map_err(|error| self.failure(&error))?;
            let digest = entry.map(|entry| self.digest(&entry.content));
            if digest.is_none() || digest != seen.digest {
                return Err(Failure::Overtaken);
            }
        }
        match marked {
            Some(mark) if self.is_as_wanted(&mark) => return Ok(()),
            Some(mark) if !self.is_ours(&mark) => return Err(Failure::Overtaken),
            Some(_) | None => {}
        }
        let hint = &self.resource.ctx.installation.hint;
        let mut custom_metadata = metadata.custom_metadata;
        custom_metadata.extend(EntryMark::custom_metadata(&self.resource.owner.to_string(), hint));
        client.mark(path, &custom_metadata).await.map_err(|error| self.failure(&error))?;
        let metadata = client.metadata(path).await.map_err(|error| self.failure(&error))?.unwrap_or_default();
        if !EntryMark::of(&metadata.custom_metadata).is_some_and(|mark| self.is_as_wanted(&mark)) {
            return Err(Failure::Overtaken);
        }
        Ok(())
    }

    /// Why the login may not write these entries.
    async fn denied(&self, client: &VaultClient, entries: &[EntryAt]) -> Result<Option<Blocker>, Failure> {
        let wanted: Vec<_> = entries
            .iter()
            .flat_map(|at| [(at.path.data(), &ON_DATA[..]), (at.path.metadata(), &ON_METADATA[..])])
            .collect();
        let paths: Vec<_> = wanted.iter().map(|(path, _)| path.clone()).collect();
        let found = client.capabilities(&paths).await.map_err(|error| self.failure(&error))?;
        let lacks = wanted.iter().zip(found).filter_map(|((path, wanted), found)| {
            let lacks = found.lacks(wanted);
            (!lacks.is_empty()).then(|| format!("{} on {path}", lacks.join(", ")))
        });
        let lacks: Vec<_> = lacks.collect();
        Ok((!lacks.is_empty()).then(|| {
            let message = format!(
                "The {} cannot be written: the policies of the login of Vault {} lack these capabilities: {}. Add them to the \
                 policy in Vault.",
                self.id,
                self.vault,
                lacks.join("; ")
            );
            Blocker::lasting(Reason::PolicyTooNarrow, message)
        }))
    }

    /// The policies permit not even to read the entry: what else they lack is reported with it.
    async fn forbidden(&self, client: &VaultClient, error: &VaultError) -> Result<Failure, Failure> {
        let denied = self.denied(client, &self.next_entries()?).await?;
        Ok(denied.map_or_else(|| self.failure(error), Failure::OutputUnavailable))
    }

    fn recorded_entry(&self, paths: &ConnectorPaths, user: &UserId) -> RecordedEntry {
        RecordedEntry {
            paths_secret: paths.secret.clone(),
            folder: paths.folder.clone(),
            secret_alias: paths.secret_alias.clone(),
            server: self.server().map(|server| server.as_str().to_owned()).unwrap_or_default(),
            user: user.to_string(),
        }
    }

    /// What a status records of an entry that another one replaces.
    fn former(&self, recorded: &RecordedOutput, entry: &RecordedEntry) -> Option<RecordedOutput> {
        let name = vaults::former_name(&self.vault, &of_entry(entry).ok()?.path, |name| {
            let id = OutputId { kind: KIND.to_owned(), name: name.to_owned() };
            self.resource.history.recorded(&id).is_none_or(|other| other.entry.as_ref() == Some(entry))
        });
        let entry = Some(entry.clone());
        Some(RecordedOutput { name, entry, begun: Vec::new(), conditions: Vec::new(), ..recorded.clone() })
    }

    /// What a status records of an entry that is as it was written. The rules of the Vault may divide its path in another way into
    /// folder and alias, and its address may lead to another server that has it as well.
    fn as_found(&self, before: &RecordedOutput) -> RecordedOutput {
        let (Some(seen), Some(entry)) = (&self.seen, &before.entry) else { return before.clone() };
        let found = self.recorded_entry(&seen.at.paths, &UserId::new(&entry.user));
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

    fn foreign(&self, owner: &str) -> Blocker {
        Blocker::lasting(
            Reason::OutputNotOurs,
            format!(
                "The {} exists and belongs to {owner}. The operator does not change it, and creates no user. Delete the entry \
                 with all its versions, or name another path in outputs.",
                self.id
            ),
        )
    }

    /// The entry of the user that the status names, and the one of its successor: what may be written next.
    fn next_entries(&self) -> Result<Vec<EntryAt>, Failure> {
        let generation = self.resource.history.generation;
        let mut entries = vec![self.at(generation)?];
        let next = self.at(generation + 1)?;
        if self.resource.history.has_user && entries.iter().all(|entry| *entry != next) {
            entries.push(next);
        }
        Ok(entries)
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
        matches!(self.resource.vaults.place(&self.id), Some(Ok(place)) if !place.alias.per_generation)
    }

    fn content(&self, values: &Values) -> Result<Content, FormatError> {
        self.layout.content(values)
    }

    /// From the status until the content is to be compared again, else from Vault.
    async fn observe(&mut self, recorded: Option<&RecordedOutput>) -> Result<Observed, Failure> {
        let has_entry = recorded.is_some_and(|recorded| recorded.entry.is_some());
        let at = match self.at(self.resource.history.generation) {
            Ok(at) => at,
            // What was written counts, and that it may not be there is reported.
            Err(Failure::OutputUnavailable(why)) if has_entry && is_of_access(&why) => {
                return Ok(Observed { state: not_as_wanted(recorded), read_in: None });
            }
            Err(failure) => return Err(failure),
        };
        let (ctx, key) = (Arc::clone(&self.resource.ctx), self.resource.key.clone());
        let due_in = || {
            let interval = self.resource.verification_interval;
            ctx.memory.change(&key, |user| user.compared.due_in(&self.id, interval, &ctx.process.random))
        };
        if let Some((seen, state)) = self.known(recorded, &at) {
            let left = due_in();
            if !left.is_zero() {
                self.seen = Some(seen);
                return Ok(Observed { state, read_in: Some(left) });
            }
        }
        let state = self.observe_at(at, recorded).await?;
        let interval = self.resource.verification_interval;
        let next = ctx.memory.change(&key, |user| {
            user.compared.compared(&self.id, &ctx.process.random);
            user.compared.due_in(&self.id, interval, &ctx.process.random)
        });
        Ok(Observed { state, read_in: Some(next) })
    }

    async fn read(&mut self, recorded: Option<&RecordedOutput>) -> Result<OutputState, Failure> {
        let at = self.at(self.resource.history.generation)?;
        self.observe_at(at, recorded).await
    }

    /// By what the policies permit, for the user that the status names and for its successor.
    async fn prove_writable(&mut self, state: &OutputState) -> Result<Result<Writable, Blocker>, Failure> {
        if let Err(error) = self.layout.placeholder() {
            return Ok(Err(super::invalid(&self.id, &error)));
        }
        if let OutputState::Foreign(owner) = state {
            return Ok(Err(self.foreign(owner)));
        }
        let entries = self.next_entries()?;
        let client = self.client().await?;
        if let Some(blocker) = self.denied(&client, &entries).await? {
            return Ok(Err(blocker));
        }
        for next in entries.iter().skip(1) {
            let metadata = client.metadata(&next.path).await.map_err(|error| self.failure(&error))?;
            let Some(metadata) = metadata else { continue };
            let marked = EntryMark::of(&metadata.custom_metadata);
            let is_foreign = marked.as_ref().map_or(metadata.version > 0, |mark| !self.is_ours(mark));
            if is_foreign {
                return Ok(Err(self.foreign(&self.words(marked.as_ref()))));
            }
        }
        Ok(Ok(Writable::default()))
    }

    /// Marks the entry, then writes its data, each only if the entry is as it was seen.
    async fn write(&mut self, values: &Values) -> Result<OutputState, Failure> {
        let content = self.content(values)?;
        let digest = self.resource.ctx.installation.digest_key.of_content(&content);
        let at = self.at(values.generation)?;
        if self.seen.as_ref().is_none_or(|seen| seen.at != at) {
            // The user has another generation than the one that the status names.
            if let OutputState::Foreign(owner) = self.observe_at(at.clone(), None).await? {
                return Err(Failure::OutputUnavailable(self.foreign(&owner)));
            }
        }
        let Some(seen) = self.seen.clone() else { return Err(Failure::Overtaken) };
        let client = self.client().await?;
        self.mark(&client, &seen).await?;
        let version = if seen.digest.as_ref() == Some(&digest) && seen.version > 0 {
            seen.version
        } else {
            let fields =
                content.iter().fold(Fields::default(), |fields, (name, text)| fields.with(name, text));
            client.write(&at.path, &fields, seen.version).await.map_err(|error| self.failure(&error))?
        };
        self.seen = Some(Seen { at: at.clone(), version, digest: Some(digest.clone()) });
        self.written = Some((at, values.user_id.clone()));
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
        let OutputId { kind, name } = self.id.clone();
        let mut entry = before.cloned().unwrap_or(RecordedOutput { kind, name, ..RecordedOutput::default() });
        entry.begun.push(self.recorded_entry(&self.at(values.generation)?.paths, &values.user_id));
        Ok(entry)
    }

    fn superseded(&self) -> Vec<RecordedOutput> {
        let Some((written, _)) = &self.written else { return Vec::new() };
        let Some(recorded) = self.resource.history.recorded(&self.id) else { return Vec::new() };
        let is_another = |entry: &&RecordedEntry| {
            of_entry(entry).is_ok_and(|at| at.path != written.path || !self.is_here(entry))
        };
        recorded.entries().filter(is_another).filter_map(|entry| self.former(recorded, entry)).collect()
    }

    async fn remove(&mut self) -> Result<(), Failure> {
        vault_removal::remove(&self.resource, &self.id).await
    }

    async fn abandon(&mut self, why: &str) -> Result<(), Failure> {
        vault_removal::abandon(&self.resource, &self.id, why).await
    }

    /// The version that this installation has written. What others change of the entry is not recorded.
    fn record(&self, digest: &str, before: Option<&RecordedOutput>, written: bool) -> Option<RecordedOutput> {
        let as_written =
            before.filter(|before| !written && before.digest == digest && before.entry.is_some());
        if let Some(before) = as_written {
            return Some(self.as_found(before));
        }
        let (at, user) = self.written.as_ref()?;
        Some(RecordedOutput {
            kind: KIND.to_owned(),
            name: self.id.name.clone(),
            resource_version: self.seen.as_ref()?.version.to_string(),
            digest: digest.to_owned(),
            entry: Some(self.recorded_entry(&at.paths, user)),
            conditions: before.map(|before| before.conditions.clone()).unwrap_or_default(),
            ..RecordedOutput::default()
        })
    }
}

/// The namespace may have no entry there any more.
const fn is_of_access(why: &Blocker) -> bool {
    matches!(why.reason, Reason::AccessDenied | Reason::PathNotAllowed)
}

/// What a status says if the namespace may not have the entry any more: that is reported, and the entry is not written.
fn not_as_wanted(recorded: Option<&RecordedOutput>) -> OutputState {
    let entry = recorded.and_then(|recorded| recorded.entry.as_ref());
    OutputState::Ours {
        user: entry.map(|entry| UserId::new(&entry.user)),
        digest: recorded.map(|recorded| recorded.digest.clone()),
        metadata_as_wanted: false,
    }
}

fn too_long(error: PathError) -> Blocker {
    Blocker::lasting(Reason::PathNotAllowed, format!("The path of the entry cannot be used: {error}"))
}
