//! What is known of one `TechnicalUser` at a moment: the input of [`super::plan`].
//!
//! Facts that cost a call are absent until the plan asked for them and somebody read them.

use std::time::Duration;

use super::selector::Selector;
use crate::domain::access::Grants;
use crate::domain::attempt::Attempt;
use crate::domain::identity::{Hint, Mark, Owner};
use crate::domain::ownership::{self, Logins, Shown, Source, Whose};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::{Role, UserId, UserKind, UserStatus};

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
    /// Why the resource is not ready, as the status tells for the current spec.
    pub told: Option<Reason>,
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
    pub verification: Option<(Proof, Verified)>,
    /// It is time to try the published credential again.
    pub verification_due: bool,
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

/// The spec, as far as it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// A user that we make and own.
    Create(DesiredUser),
    /// A user that is there already.
    Existing {
        /// How it is selected.
        selector: Selector,
    },
}

/// A user that we make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredUser {
    /// The roles by name.
    pub roles: Vec<String>,
    /// `create.name`.
    pub name: Option<String>,
    /// `create.description`.
    pub description: Option<String>,
    /// What becomes of the user in the end.
    pub deletion: Deletion,
}

/// What becomes of a user when its resource is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is deleted.
    Delete,
    /// Its secret is reset and forgotten.
    Revoke,
    /// It stays.
    Retain,
}

/// The status, read leniently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Whose portal the user is in.
    pub portal: Option<RecordedPortal>,
    /// The user.
    pub user: Option<RecordedUser>,
    /// A credential was verified and published.
    pub credential: bool,
    /// The digest of what was written to the output.
    pub digest: Option<String>,
}

/// `status.portal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedPortal {
    /// The address of the portal's backend.
    pub url: String,
    /// The token endpoint; absent in a status of an earlier release, which fits every one.
    pub token_url: Option<String>,
    /// The company; absent where it was unknown.
    pub bpn: Option<String>,
    /// Which copy of the installation wrote it.
    pub hint: Hint,
}

/// `status.user`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedUser {
    /// The portal's id.
    pub id: UserId,
    /// Which of the resource's users it is; 0 for an existing user.
    pub generation: i64,
    /// It was active when last seen.
    pub active: bool,
    /// The proof beside the id is right, or this process knows from the portal that the user of this id and generation is
    /// this resource's.
    pub proved: bool,
}

impl RecordedUser {
    /// Whether the create of an attempt led to this user. Others can write a status, so generation and id alone do not say
    /// so.
    #[must_use]
    pub fn settles(&self, attempt: &Attempt) -> bool {
        self.proved && self.generation == attempt.generation
    }
}

/// An attempt that no status has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAttempt {
    /// What the annotation says; `None` where it cannot be read (edited by hand, or written by a later release). It then
    /// counts as an attempt in progress whose generation and portal are unknown.
    pub attempt: Option<Attempt>,
    /// What has become of it.
    pub state: AttemptState,
}

/// What has become of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptState {
    /// This process is carrying it out.
    InFlight,
    /// This process carried it out, and the portal made this user.
    Made(UserId),
    /// This process carried it out, and certainly no user was made. Not tried again yet.
    Refused(Blocker),
    /// As `Refused`, and the time has come to try again.
    RefusedRetry,
    /// Nobody knows; the portal may still be at it for so long.
    Settling(Duration),
    /// Nobody knows, and the portal has had its time.
    Settled,
}

/// The Portal as far as it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by itself")]
pub struct PortalFacts {
    /// The address of the portal's backend, in one spelling.
    pub url: String,
    /// The address as the spec spells it: pins of earlier releases are made of that.
    pub written_url: String,
    /// The token endpoint, in one spelling.
    pub token_url: String,
    /// The companies that the login's token names, in no particular order.
    pub companies: Vec<String>,
    /// The company of new users; absent where the token names none or several.
    pub bpn: Option<String>,
    /// Where the portal was before it moved, by the word of a person: addresses as they are written, and their origins.
    pub moved_from: Vec<String>,
    /// The resource's namespace may read the Portal's address and company in messages.
    pub discloses: bool,
    /// Nothing may be written.
    pub suspended: bool,
    /// It is being deleted: no new users.
    pub deleting: bool,
    /// The login may create.
    pub may_create: bool,
    /// The login (or the deletion login) may delete.
    pub may_delete: bool,
    /// Users that can be neither deleted nor revoked let their resource go.
    pub release_undeletable: bool,
    /// The roles on offer.
    pub roles: Vec<Role>,
    /// What `access` grants to the resource's namespace.
    pub grants: Grants,
    /// The copies of this installation whose users are taken over.
    pub taken_over: Vec<Hint>,
    /// So many known users vanished that no loss is believed.
    pub loss_suspected: Option<usize>,
    /// The client IDs of the operator's own logins into this portal.
    pub logins: Logins,
}

/// What the last snapshot says of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// No snapshot, or one that missed some users.
    Unknown,
    /// Not in a snapshot that saw every user.
    Missing,
    /// There, in this state.
    There(UserStatus),
}

/// Whether all users that a selector fits are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// They are.
    Certain,
    /// The list hides users of equal names: there may be more.
    Uncertain,
    /// As `Uncertain`, and a list narrowed by the client ID was not read yet.
    Narrows,
}

/// A user whose name was made for this resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The portal's id.
    pub id: UserId,
    /// The generation that its name tells.
    pub generation: i64,
    /// Its state in the list.
    pub status: UserStatus,
    /// Internal or External.
    pub kind: UserKind,
    /// The OAuth client ID.
    pub client_id: Option<String>,
    /// Whose it is by its details.
    pub confirmed: Confirmed,
    /// There is no need to list it as retained in the Portal's status: it is there, or the list is full. Decides nothing
    /// else.
    pub listed_as_retained: bool,
}

/// Whose user it is by the mark in its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// Not read yet.
    Unread,
    /// Made for this resource, by the copy of the installation with this hint.
    Ours(Hint),
    /// Made for this resource, and left in the portal.
    Retained,
    /// No mark, or the mark of another resource.
    Foreign,
    /// Its client is gone from the identity provider: it cannot be read, nor used.
    Lost,
    /// It is no longer there.
    Gone,
}

/// A user's details.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a handful of them live for one pass")]
pub enum UserView {
    /// Read.
    Read(UserFacts),
    /// The portal knows no such user (any more).
    Gone,
    /// The identity provider has lost its client.
    Lost,
}

/// What the details say, as far as it decides. The credential itself stays with whoever read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// The name.
    pub name: String,
    /// The state.
    pub status: UserStatus,
    /// Internal or External.
    pub kind: UserKind,
    /// The OAuth client ID.
    pub client_id: Option<String>,
    /// The roles by name.
    pub roles: Vec<String>,
    /// A token of the user, where it is internal, names these roles in the same words.
    pub roles_in_tokens: bool,
    /// The mark in the description.
    pub mark: Option<Mark>,
    /// The description.
    pub description: String,
    /// The connector it is linked to.
    pub connector: Option<String>,
    /// The digest of what the output would hold with its credential; absent without one.
    pub digest: Option<String>,
}

/// The Secret of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretView {
    /// There is none.
    Absent,
    /// One that is not ours; whose, in words.
    Foreign(String),
    /// Ours.
    Ours {
        /// The user whose credential it says to hold.
        user: Option<UserId>,
        /// The digest of its content: as recorded where it was not written since, else once it was read.
        digest: Option<String>,
        /// Labels, annotations and owner are as they should be.
        metadata_as_wanted: bool,
    },
}

/// Which credential the token endpoint was asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The one that the user's details showed in this pass.
    Read,
    /// The one in the output.
    Published,
}

/// What the token endpoint said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// A token was issued.
    Accepted,
    /// Refused.
    Refused {
        /// `invalid_client`: the client is unknown (or disabled).
        unknown_client: bool,
    },
    /// Not reachable: why, in words, host and port named.
    Unreachable(String),
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
    ListedRetained,
}

impl OpenAttempt {
    /// The generation of the user that it creates; `None` where the annotation cannot be read.
    #[must_use]
    pub fn generation(&self) -> Option<i64> {
        self.attempt.as_ref().map(|attempt| attempt.generation)
    }
}

impl Observation {
    /// The view of a user that was read in this pass.
    #[must_use]
    pub fn view(&self, id: &UserId) -> Option<&UserView> {
        self.read.iter().rev().find(|(read, _)| read == id).map(|(_, view)| view)
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
        ownership::generation_shown(&self.owner, &user.name, user.mark.as_ref())
    }

    /// Whether a user has a name by which a search finds it as the one of this generation.
    #[must_use]
    pub fn is_named(&self, name: &str, generation: i64) -> bool {
        self.owner.generation_of(name) == Some(generation)
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
        Mark { owner: self.owner.clone(), generation, hint: self.hint.clone(), retained }.describe(text)
    }

    /// Whether this was done to the user in this pass.
    #[must_use]
    pub fn is_done(&self, id: &UserId, what: &Done) -> bool {
        self.done.iter().any(|(user, done)| user == id && done == what)
    }

    /// The generation that the status tells, 0 without one.
    #[must_use]
    pub fn recorded_generation(&self) -> i64 {
        self.recorded.user.as_ref().map_or(0, |u| u.generation)
    }
}
