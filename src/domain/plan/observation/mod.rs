//! What is known of one `TechnicalUser` at a moment: the input of [`super::plan`].
//!
//! Facts that cost a call are absent until the plan asked for them and somebody read them.

mod desired;
mod portal;
mod recorded;
mod secret;
mod timers;
mod users;

use std::time::Duration;

pub use desired::{Deletion, Desired, DesiredUser};
pub use portal::PortalFacts;
pub use recorded::{AttemptState, OpenAttempt, Recorded, RecordedPortal, RecordedUser};
pub use secret::{CredentialAt, SecretView, Verified};
pub use timers::Timers;
pub use users::{Candidate, Confirmed, Listed, Selection, UserFacts, UserView};

use crate::domain::identity::{Hint, Mark, Owner};
use crate::domain::ownership::{self, Shown, Source, Whose};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::{UserId, UserKind};

/// Everything that [`super::plan`] decides by.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by itself")]
pub struct Observation {
    /// Which resource of which installation.
    pub owner: Owner,
    /// Which copy of the installation this is.
    pub hint: Hint,
    /// The spec.
    pub desired: Desired,
    /// `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// The annotation `release` is there.
    pub released: bool,
    /// The annotation `rotate` asks for something that was not handled yet.
    pub rotation_requested: bool,
    /// Our finalizer is there.
    pub finalizer: bool,
    /// The object was read from the apiserver in this pass, not from the cache.
    pub live: bool,
    /// The status says that all is as the current spec asks.
    pub spec_observed: bool,
    /// Why the resource is not ready, as the status reports for the current spec.
    pub reported_reason: Option<Reason>,
    /// The status.
    pub recorded: Recorded,
    /// The open attempt.
    pub attempt: Option<OpenAttempt>,
    /// Why the portal refused a create to this process under these very circumstances, too lately to ask again. It is of
    /// no matter whose attempt has been written down since.
    pub refusal: Option<Blocker>,
    /// The Portal, or why it cannot be used.
    pub portal: Result<PortalFacts, Blocker>,
    /// What the last snapshot of the user list says of the recorded user.
    pub listed: Listed,
    /// The last snapshot shows the recorded user under a name that the operator does not give to that user: a person renamed
    /// it, or the status names another generation.
    pub name_doubted: bool,
    /// Users of the last snapshot whose names were made for this resource, but the recorded one.
    pub siblings: Vec<Candidate>,
    /// The client IDs of the recorded user and of the selected ones, by the last snapshot and the status.
    pub clients: Vec<(UserId, String)>,
    /// For `existing`: the users of the last snapshot that the selector fits.
    pub selected: Option<Vec<UserId>>,
    /// Whether these are all of them.
    pub selection: Selection,
    /// The outcome of a search in this pass: every user with a name of this resource.
    pub search: Option<Vec<Candidate>>,
    /// The users whose details were read in this pass.
    pub read: Vec<(UserId, UserView)>,
    /// The Secret of the output.
    pub secret: SecretView,
    /// Whether the output can be written, asked in this pass.
    pub writable: Option<Result<(), Blocker>>,
    /// What the token endpoint said in this pass.
    pub verification: Option<(CredentialAt, Verified)>,
    /// When what was not checked in this reconcile is due.
    pub timers: Timers,
    /// The token of the user's credential shows other roles than before, and no status was written since that rests on the
    /// user's details.
    pub roles_doubted: bool,
    /// The technical-user roles that the token shows which was obtained in this pass, and whose token it is.
    pub token_roles: Option<(UserId, Vec<String>)>,
    /// What was done to users in this pass.
    pub done: Vec<(UserId, Done)>,
    /// How long the user has been pending by the status.
    pub pending_for: Option<Duration>,
    /// The identity provider has refused the lost user's client long and often enough, and it is the only such user.
    pub loss_confirmed: bool,
}

/// What was done to a user in this pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The portal accepted its deletion.
    Deleted,
    /// The login may not delete it.
    DeleteForbidden,
    /// The portal refuses to delete it: why, in words.
    DeleteRefused(String),
    /// Its secret was reset and forgotten.
    Reset,
    /// It got the mark of a retained user, or cannot get it.
    MarkedRetained,
    /// It is listed in the Portal's status.
    RecordedRetained,
}

impl Observation {
    /// The view of a user that was read in this pass.
    #[must_use]
    pub fn view(&self, id: &UserId) -> Option<&UserView> {
        self.read.iter().rev().find(|(read, _)| read == id).map(|(_, view)| view)
    }

    /// What the token endpoint answered in this reconcile to the credential that the portal shows for a user.
    #[must_use]
    pub fn verification_of(&self, id: &UserId) -> Option<&Verified> {
        match &self.verification {
            Some((CredentialAt::Portal(user), answer)) if user == id => Some(answer),
            _ => None,
        }
    }

    /// Where the id of a user comes from.
    fn source(&self, id: &UserId) -> Source {
        let created = self.attempt.as_ref().filter(|open| open.state == AttemptState::Made(id.clone()));
        match (&self.recorded.user, created) {
            (Some(user), _) if user.id == *id => {
                Source::Recorded { generation: user.generation, proved: user.proved }
            }
            (_, Some(open)) => Source::Created { generation: open.generation().unwrap_or(0) },
            _ => Source::Listed,
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
        let shown =
            Shown { name: &user.name, client_id: user.client_id.as_deref(), mark: user.mark.as_ref() };
        ownership::whose(&self.owner, self.source(id), shown, &portal.logins)
    }

    /// Whether a user is the operator's own login by what is known without its details.
    #[must_use]
    pub fn is_login(&self, portal: &PortalFacts, id: &UserId) -> bool {
        let created = matches!(self.desired, Desired::Create(_));
        let logins = &portal.logins;
        self.clients
            .iter()
            .filter(|(user, _)| user == id)
            .any(|(_, client)| if created { logins.is_in_use(client) } else { logins.is_known(client) })
    }

    /// Which of the resource's users the details show one to be.
    #[must_use]
    pub fn generation_shown(&self, user: &UserFacts) -> Option<i64> {
        ownership::generation_shown(&self.owner, &user.name, user.mark.as_ref(), self.recorded_generation())
    }

    /// Whether a user has a name by which a search finds it as the one of this generation.
    #[must_use]
    pub fn is_named(&self, name: &str, generation: i64) -> bool {
        self.owner.is_name_of(generation, name)
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
            UserKind::External => format!("dim-{name}"),
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

    /// Whether this was done to the user in this pass.
    #[must_use]
    pub fn is_done(&self, id: &UserId, what: &Done) -> bool {
        self.done.iter().any(|(user, done)| user == id && done == what)
    }

    /// The generation that the status names, 0 without one.
    #[must_use]
    pub fn recorded_generation(&self) -> i64 {
        self.recorded.user.as_ref().map_or(0, |u| u.generation)
    }
}
