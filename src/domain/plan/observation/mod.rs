//! What is known of one `TechnicalUser` at a moment: the input of [`super::plan`].
//!
//! Facts that cost a call are absent until the plan asked for them and they were read.

mod credential;
mod desired;
mod output;
mod portal;
mod recorded;
mod restart;
mod rotation;
mod timers;
mod users;

use std::time::Duration;

pub use credential::{CredentialAt, Verified};
pub use desired::*;
pub use output::{AfterUsers, NotRemoved, OutputId, OutputState, OutputView, ToRemove};
pub use portal::PortalFacts;
pub use recorded::{AttemptState, OpenAttempt, Recorded, RecordedPortal, RecordedUser};
pub use restart::{RestartTarget, Restarts, RollOut, Workload, WorkloadId, WorkloadKind, WorkloadView};
pub use rotation::*;
pub use timers::Timers;
pub use users::{
    Confirmed, Contents, Done, Known, Listed, Named, Searched, Selection, UserFacts, UserView, Users,
};

use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::grace::Waiting;
use crate::domain::identity::{Hint, Mark, Owner, external_name};
use crate::domain::ownership::{self, Shown, Source, Whose};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserKind};

/// Everything that [`super::plan`] decides by.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read on its own")]
pub struct Observation {
    /// Which resource of which installation.
    pub owner: Owner,
    /// Which copy of the installation this is.
    pub hint: Hint,
    /// The spec.
    pub desired: Desired,
    /// `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// The spec has `suspend: true`: nothing is changed but the status.
    pub suspended: bool,
    /// The annotation `prevent-deletion` is there, and its value is not `false`.
    pub protected: bool,
    /// The annotation `release` is there.
    pub released: bool,
    /// The rotation of the user or of its secret.
    pub rotation: Rotation,
    /// Our finalizer is there.
    pub finalizer: bool,
    /// The object was read from the apiserver in this reconcile, not from the cache.
    pub live: bool,
    /// The status says that all is as the current spec asks.
    pub spec_observed: bool,
    /// The status says that the resource is ready, for the current spec or an earlier one.
    pub was_ready: bool,
    /// The status has conditions for the current spec.
    pub reported: bool,
    /// Why the resource is not ready, as the status reports for the current spec.
    pub reported_reason: Option<Reason>,
    /// The status.
    pub recorded: Recorded,
    /// The last attempt, which no status has settled: open, or closed.
    pub attempt: Option<OpenAttempt>,
    /// Why the portal refused a create to this process with the same inputs, too lately to ask again. It is of
    /// no matter whose attempt has been written down since.
    pub refusal: Option<Blocker>,
    /// The Portal is there, and this process has not connected it yet.
    pub connecting: bool,
    /// The Portal, or why it cannot be used.
    pub portal: Result<PortalFacts, Blocker>,
    /// The users that concern the resource.
    pub users: Users,
    /// How those with a name of this resource were found.
    pub searched: Searched,
    /// Whether those that the selector of `existing` fits are known.
    pub selection: Selection,
    /// The last snapshot shows the recorded user under a name that the operator does not give to that user: a person renamed
    /// it, or the status names another generation.
    pub name_doubted: bool,
    /// The outputs that the spec names, in its order.
    pub outputs: Vec<OutputView>,
    /// The outputs of the status to remove: under deletion those that outlive the resource, else those that the spec no longer
    /// names.
    pub to_remove: Vec<ToRemove>,
    /// The workloads to restart after a change of the outputs.
    pub restarts: Restarts,
    /// Under deletion: an earlier reconcile of this process was done with all users of the resource.
    pub users_done: Option<AfterUsers>,
    /// What the token endpoint answered in this reconcile to the credential in an output.
    pub published_proof: Option<Verified>,
    /// When what was not checked in this reconcile is due.
    pub timers: Timers,
    /// The token of the user's credential shows other roles than before, and no status was written since that rests on the
    /// user's details.
    pub roles_doubted: bool,
    /// Which object that may still appear the resource has waited for, and how long.
    pub waiting: Waiting,
    /// How long the user has been pending by the status.
    pub pending_for: Option<Duration>,
    /// The client of the recorded user is missing in the identity provider, which has refused it long and often enough, and it is
    /// the only such user.
    pub client_missing_for_good: bool,
}

impl Observation {
    /// An attempt was written down in this reconcile. A search before it says nothing of the user that it creates.
    pub fn attempt_began(&mut self, attempt: Attempt, state: AttemptState) {
        self.finalizer = true;
        self.attempt = Some(OpenAttempt { attempt: Some(attempt), state });
        self.searched = Searched::No;
    }

    /// The view of a user that was read in this reconcile.
    #[must_use]
    pub fn view(&self, id: &UserId) -> Option<&UserView> {
        self.users.get(id)?.details.as_ref()
    }

    /// The details of a user that were read in this reconcile and show it.
    #[must_use]
    pub fn facts(&self, id: &UserId) -> Option<&UserFacts> {
        match self.view(id)? {
            UserView::Read(facts) => Some(facts),
            UserView::Gone | UserView::ClientMissing => None,
        }
    }

    /// What the token endpoint answered in this reconcile to the credential that the portal shows for a user.
    #[must_use]
    pub fn proof_of(&self, id: &UserId) -> Option<&Verified> {
        self.users.get(id)?.proof.as_ref()
    }

    /// Whether the token endpoint was asked about any credential in this reconcile.
    #[must_use]
    pub fn is_verified_at_all(&self) -> bool {
        self.published_proof.is_some() || self.users.iter().any(|(_, known)| known.proof.is_some())
    }

    /// The technical-user roles that a user's last token of this reconcile shows, where they can be compared.
    #[must_use]
    pub fn token_roles(&self, id: &UserId) -> Option<&[String]> {
        self.users.get(id)?.token_roles.as_deref()
    }

    /// An output that the spec names.
    #[must_use]
    pub fn output(&self, id: &OutputId) -> Option<&OutputView> {
        self.outputs.iter().find(|output| output.id == *id)
    }

    /// An output that the spec names, to add to it.
    pub fn output_mut(&mut self, id: &OutputId) -> Option<&mut OutputView> {
        self.outputs.iter_mut().find(|output| output.id == *id)
    }

    /// Whether an output is, or may be, written that Kubernetes does not remove with the resource.
    #[must_use]
    pub fn has_outliving_output(&self) -> bool {
        self.outputs.iter().any(|output| output.outlives_resource && output.in_status)
            || self.to_remove.iter().any(|output| output.outlives_resource)
    }

    /// Whether the next write to an output with the credential of this user goes to a place that the status does not name.
    #[must_use]
    pub fn goes_elsewhere(&self, user: &UserId, output: &OutputId) -> bool {
        matches!(self.view(user), Some(UserView::Read(facts)) if facts.elsewhere.contains(output))
    }

    /// Whether an output says to hold the credential of this user.
    #[must_use]
    pub fn is_published(&self, user: &UserId) -> bool {
        self.outputs.iter().any(|output| output.is_of(user))
    }

    /// What the last snapshot of the list says of a user.
    #[must_use]
    pub fn listed(&self, id: &UserId) -> Listed {
        self.users.get(id).map_or(Listed::Unknown, |known| known.listed)
    }

    /// Where the id of a user comes from.
    fn source(&self, id: &UserId) -> Source {
        let created = self.attempt.as_ref().filter(|open| open.state == AttemptState::Created(id.clone()));
        match (self.recorded_users().find(|user| user.id == *id), created) {
            (Some(user), _) => Source::Recorded { origin: user.origin, proved: user.proved },
            (None, Some(open)) => Source::Created { generation: open.generation().unwrap_or(0) },
            (None, None) => Source::Listed,
        }
    }

    /// Whether the id comes from a list alone: neither the status nor a create of this process names it.
    #[must_use]
    pub fn is_listed_only(&self, id: &UserId) -> bool {
        self.source(id) == Source::Listed
    }

    /// Whose user it is, by its details.
    #[must_use]
    pub fn whose<'a>(&self, portal: &PortalFacts, id: &UserId, user: &'a UserFacts) -> Whose<'a> {
        let shown = Shown {
            name: &user.name,
            client_id: user.client_id.as_deref(),
            mark: user.mark.as_ref(),
            owner_is_gone: user.owner_is_gone,
        };
        ownership::whose(&self.owner, self.source(id), shown, &portal.logins)
    }

    /// Whether a user is the operator's own login by what is known without its details.
    #[must_use]
    pub fn is_login(&self, portal: &PortalFacts, id: &UserId) -> bool {
        let created = matches!(self.desired, Desired::Create(_));
        let logins = &portal.logins;
        self.users
            .get(id)
            .into_iter()
            .flat_map(|known| &known.client_ids)
            .any(|client| if created { logins.is_in_use(client) } else { logins.is_known(client) })
    }

    /// Which of the resource's users the details show one to be.
    #[must_use]
    pub fn generation_shown(&self, user: &UserFacts) -> Option<i64> {
        ownership::generation_shown(&self.owner, &user.name, user.mark.as_ref(), self.recorded_generation())
    }

    /// The generation of a user that was taken over: later ones are its successors.
    pub const ADOPTED: i64 = 1;

    /// Whether the resource's user of a generation is one that it took over. Its name is kept, and its roles are what they are.
    #[must_use]
    pub fn is_adopted(&self, generation: i64) -> bool {
        generation == Self::ADOPTED
            && matches!(&self.desired, Desired::Create(DesiredUser { adopt: Some(_), .. }))
    }

    /// Whether a user has a name by which a search finds it as the one of this generation, or was taken over with its name.
    #[must_use]
    pub fn is_named(&self, name: &str, generation: i64) -> bool {
        self.owner.is_name_of(generation, name) || self.is_adopted(generation)
    }

    /// Whether a user may be the operator's own login: a Portal that the operator can see names it as one.
    #[must_use]
    pub fn is_known_login(&self, portal: &PortalFacts, id: &UserId) -> bool {
        let clients = self.users.get(id).into_iter().flat_map(|known| &known.client_ids);
        clients.into_iter().any(|client| portal.logins.is_known(client))
    }

    /// The name of the resource's user of a generation in the portal: that of a wallet user begins with `dim-`.
    #[must_use]
    pub fn user_name(&self, kind: UserKind, generation: i64) -> String {
        let readable = match &self.desired {
            Desired::Create(desired) => desired.name.as_deref(),
            Desired::Existing { .. } => None,
        };
        let name = self.owner.user_name(generation, readable);
        match kind {
            UserKind::Internal => name,
            UserKind::External => external_name(&name),
        }
    }

    /// The description of the resource's user of a generation.
    #[must_use]
    pub fn description(&self, generation: i64) -> String {
        self.describe(generation, false)
    }

    /// The description of the resource's user of a generation that is retained.
    #[must_use]
    pub fn retained_description(&self, generation: i64) -> String {
        self.describe(generation, true)
    }

    fn describe(&self, generation: i64, retained: bool) -> String {
        let text = match &self.desired {
            Desired::Create(desired) => desired.description.as_deref(),
            Desired::Existing { .. } => None,
        };
        Mark { owner: self.owner.clone(), generation, hint: self.hint.clone(), retained, login: false }
            .describe(text)
    }

    /// Whether this was done to the user in this reconcile.
    #[must_use]
    pub fn is_done(&self, id: &UserId, what: &Done) -> bool {
        self.users.get(id).is_some_and(|known| known.done.contains(what))
    }

    /// Why the portal refuses to delete the user, in words, where it was asked in this reconcile.
    #[must_use]
    pub fn why_delete_is_refused(&self, id: &UserId) -> Option<&str> {
        self.users.get(id)?.done.iter().find_map(|done| match done {
            Done::DeleteRefused(why) => Some(why.as_str()),
            _ => None,
        })
    }

    /// Whether a deletion of the user was refused in this reconcile, by the portal or for want of a permission.
    #[must_use]
    pub fn delete_is_refused(&self, id: &UserId) -> bool {
        self.is_done(id, &Done::DeleteForbidden) || self.why_delete_is_refused(id).is_some()
    }

    /// The generation that the status names, 0 without one.
    #[must_use]
    pub fn recorded_generation(&self) -> i64 {
        self.recorded.user.as_ref().and_then(|user| user.origin.generation()).unwrap_or(0)
    }
}
