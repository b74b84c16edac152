//! What is in the place of an entry: by the status while nothing is due, else by Vault.

use std::time::Duration;

use super::record::not_as_wanted;
use super::removal::of_entry;
use super::{Seen, VaultOutput, whose};
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::{Damage, Observed, Resource};
use crate::controller::vault::mark::EntryMark;
use crate::controller::vault::policy::Use;
use crate::domain::blocker::Blocker;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;
use crate::domain::user::UserId;
use crate::domain::vault::path::EntryPath;
use crate::domain::vault::place::{EntryAt, Server};
use crate::vault::{self, Metadata, VaultClient, VaultError};

/// What other clients do to an entry that the operator wrote.
const DELETED: Damage = Damage { words: "its newest version was deleted in Vault", action: "RepairDeleted" };
const DESTROYED: Damage =
    Damage { words: "its newest version was destroyed in Vault", action: "RepairDestroyed" };
const REMOVED: Damage =
    Damage { words: "it was deleted in Vault with all its versions", action: "RepairRemoved" };

/// Whether an entry is to be compared with its content.
pub(super) enum Due {
    /// It is there, by the spec.
    Now(EntryAt),
    /// What the status says of it counts until then.
    Later(Observed),
}

impl VaultOutput {
    /// Whether a status describes the entry at a place, for the server that is known.
    pub(super) fn is_at(&self, entry: &RecordedEntry, at: &EntryAt) -> bool {
        of_entry(entry).as_ref() == Ok(at) && self.is_here(entry)
    }

    /// Whether the entry of a status is on the server that the Vault leads to. One that is not known is assumed to be the same.
    pub(super) fn is_here(&self, entry: &RecordedEntry) -> bool {
        !Server::differ(Server::of_record(&entry.server).as_ref(), self.server().as_ref())
    }

    pub(super) fn server(&self) -> Option<Server> {
        self.view().ok()?.server(&self.resource.ctx)
    }

    /// What the status says, without a request, until the content is to be compared again. After a conflict the status may be
    /// older than what led to it.
    pub(super) fn known(
        &self,
        recorded: Option<&RecordedOutput>,
        at: &EntryAt,
    ) -> Option<(Seen, OutputState)> {
        let recorded = recorded.filter(|_| !self.resource.ctx.conflicts.unsettled(&self.resource.key))?;
        let entry = recorded.written_entry().filter(|entry| self.is_at(entry, at))?;
        let digest = recorded.digest.clone();
        let version = recorded.resource_version.parse().ok()?;
        let state = OutputState::Ours {
            user: Some(UserId::new(&entry.user)),
            digest: Some(digest.clone()),
            metadata_as_wanted: true,
        };
        Some((Seen { at: at.clone(), version, digest: Some(digest) }, state))
    }

    /// Whether the entry is to be compared now.
    pub(super) fn due(&mut self, recorded: Option<&RecordedOutput>) -> Result<Due, Failure> {
        let has_entry = recorded.is_some_and(|recorded| recorded.written_entry().is_some());
        let at = match self.at(self.resource.history.generation) {
            Ok(at) => at,
            // What was written counts, and that it may not be there is reported.
            Err(Failure::OutputUnavailable(why)) if has_entry && is_of_access(&why) => {
                return Ok(Due::Later(Observed { state: not_as_wanted(recorded), read_in: None }));
            }
            Err(failure) => return Err(failure),
        };
        if let Some((seen, state)) = self.known(recorded, &at) {
            let Resource { ctx, key, verification_interval, .. } = &self.resource;
            // Without a request: what only a person can repair is reported until then.
            if let Some(why) = self.view()?.lasting(ctx) {
                return Err(Failure::OutputUnavailable(why));
            }
            let left = ctx.memory.change(key, |user| {
                user.compared.due_in(&self.id, *verification_interval, &ctx.process.random)
            });
            if !left.is_zero() {
                self.seen = Some(seen);
                return Ok(Due::Later(Observed { state, read_in: Some(left) }));
            }
        }
        Ok(Due::Now(at))
    }

    /// It was compared and is in this state: when it is due again. Until it is as it was written, what the status says does not count.
    pub(super) fn compared(&self, state: &OutputState) -> Duration {
        if let OutputState::Ours { user: Some(_), metadata_as_wanted: true, .. } = state {
            return self.is_as_written();
        }
        let Resource { ctx, key, verification_interval, .. } = &self.resource;
        ctx.memory.change(key, |user| user.compared.differs(&self.id));
        *verification_interval
    }

    /// It is as the status says, or was just written: when it is to be compared again.
    pub(super) fn is_as_written(&self) -> Duration {
        let Resource { ctx, key, verification_interval, .. } = &self.resource;
        ctx.memory.change(key, |user| {
            user.compared.compared(&self.id, &ctx.process.random);
            user.compared.due_in(&self.id, *verification_interval, &ctx.process.random)
        })
    }

    /// What Vault says of an entry.
    pub(super) async fn observe_at(
        &mut self,
        at: EntryAt,
        recorded: Option<&RecordedOutput>,
    ) -> Result<OutputState, Failure> {
        let client = self.client().await?;
        let look = match self.look(&client, &at, recorded).await {
            Ok(look) => look,
            Err(error @ VaultError::Forbidden { .. }) => {
                return Err(self.forbidden(&client, &at, &error, Use::Own).await?);
            }
            Err(error) => return Err(self.failure(&error)),
        };
        let was_written = recorded.and_then(RecordedOutput::written_entry);
        self.damage = match &look.content {
            None => {
                let is_gone = !look.exists && was_written.is_some_and(|entry| self.is_at(entry, &at));
                is_gone.then_some(REMOVED)
            }
            Some(vault::Content::Fields(_)) => None,
            Some(vault::Content::Deleted) => Some(DELETED),
            Some(vault::Content::Destroyed) => Some(DESTROYED),
        };
        let digest = look.content.as_ref().map(|content| self.digest(content));
        let path = at.path.clone();
        self.seen = Some(Seen { at, version: look.version, digest: digest.clone().filter(|_| look.is_ours) });
        if let Some(owner) = self.other_owner(&look) {
            return Ok(OutputState::Foreign(owner));
        }
        let (Some(content), Some(digest)) = (look.content, digest) else { return Ok(OutputState::Absent) };
        let digests = &self.resource.ctx.installation.digest_key;
        let as_wanted =
            look.mark.is_some_and(|mark| self.is_as_wanted(&mark) && mark.covers(digests, &content));
        Ok(Self::state(recorded, &path, digest, as_wanted))
    }

    /// What is there is ours.
    pub(super) fn state(
        recorded: Option<&RecordedOutput>,
        path: &EntryPath,
        digest: String,
        metadata_as_wanted: bool,
    ) -> OutputState {
        // The same content at another place is that of a write that the status does not record.
        let is_here = |entry: &&RecordedEntry| of_entry(entry).is_ok_and(|at| at.path == *path);
        let as_recorded = recorded.filter(|recorded| recorded.digest == digest);
        let entry = as_recorded.and_then(RecordedOutput::written_entry).filter(is_here);
        let user = entry.map(|entry| UserId::new(&entry.user));
        OutputState::Ours { user, digest: Some(digest), metadata_as_wanted }
    }

    pub(super) fn digest(&self, content: &vault::Content) -> String {
        whose::digest(&self.resource, content)
    }

    /// What is at a place, and whether it is ours.
    pub(super) async fn look(
        &self,
        client: &VaultClient,
        at: &EntryAt,
        recorded: Option<&RecordedOutput>,
    ) -> Result<Look, VaultError> {
        let Some(entry) = client.read(&at.path).await? else {
            let found = client.metadata(&at.path).await?;
            let exists = found.is_some();
            let Metadata { version, custom_metadata } = found.unwrap_or_default();
            let mark = EntryMark::of(&custom_metadata);
            let is_ours = mark.as_ref().is_none_or(|mark| self.is_ours(mark));
            return Ok(Look { exists, version, content: None, mark, is_ours });
        };
        let is_ours = whose::is_ours(&self.resource, recorded, (at, self.server().as_ref()), &entry);
        let vault::Entry { version, content, custom_metadata } = entry;
        let mark = EntryMark::of(&custom_metadata);
        Ok(Look { exists: true, version, content: Some(content), mark, is_ours })
    }

    /// Whose that is, if it is not ours. A mark of this resource is then not that of the data.
    pub(super) fn other_owner(&self, look: &Look) -> Option<String> {
        let other = look.mark.as_ref().filter(|mark| !self.is_ours(mark));
        (!look.is_ours).then(|| self.words(other))
    }
}

/// What is at a place.
pub(super) struct Look {
    /// It has metadata, such as a mark.
    exists: bool,
    /// The number of its newest version; 0 if nothing was ever written.
    version: u64,
    /// What that contains.
    content: Option<vault::Content>,
    mark: Option<EntryMark>,
    /// It is ours, or nobody's.
    is_ours: bool,
}

/// The namespace may have no entry there any more.
const fn is_of_access(why: &Blocker) -> bool {
    matches!(why.reason, Reason::AccessDenied | Reason::PathNotAllowed)
}
