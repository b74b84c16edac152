//! What to do next: the output of [`super::plan`].

use std::time::Duration;

use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::UserId;

use super::observation::Proof;

/// The next thing to do. After a read or a write the plan is made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Find something out; the answer goes into the observation.
    Read(Read),
    /// Change something; what came of it goes into the observation.
    Write(Write),
    /// Nothing for now: write the status and rest.
    Rest(Rest),
}

/// Something to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Every user with a name of this resource, so that a name that is not found is proved absent, each confirmed.
    Search,
    /// One user's details.
    User(UserId),
    /// The users with the client ID that `existing` selects.
    Narrow,
    /// Whose user a sibling is.
    Confirm(UserId),
    /// The content of the Secret.
    Secret,
    /// Whether the output can be written.
    Writable,
    /// Whether the token endpoint accepts a credential.
    Verify(Proof),
    /// The object itself, and whose credential its Secret says to hold, both from the apiserver.
    Object,
}

impl Read {
    /// What is being done, for people.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Search => "searching the portal's user list",
            Self::Narrow => "reading the portal's list of users with this client ID",
            Self::User(_) => "reading the user from the portal",
            Self::Confirm(_) => "reading another user of the same name from the portal",
            Self::Secret => "reading the Secret",
            Self::Writable => "checking that the Secret can be written",
            Self::Verify(_) => "trying the credential at its token endpoint",
            Self::Object => "reading the resource",
        }
    }
}

/// Something to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Write address and company of the portal into the status anew: the user was found there by its details.
    Repin,
    /// Put our finalizer back.
    PutFinalizer,
    /// Make a user: write the attempt down, then ask the portal, once.
    Create {
        /// Which of the resource's users.
        generation: i64,
        /// The ids of its roles.
        role_ids: Vec<String>,
    },
    /// Write the credential that was read and verified into the output.
    Publish(Current),
    /// Give the user the description that it should have.
    Describe(Current),
    /// Delete a user.
    Delete(UserId),
    /// Reset a user's secret and forget it.
    Reset(UserId),
    /// Mark a user as retained.
    MarkRetained(UserId),
    /// List a user in the Portal's status, with this reason in words.
    ListRetained(UserId, String),
    /// Take our finalizer away.
    DropFinalizer,
}

impl Write {
    /// What is being done, for people.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self {
            Self::Repin => "recording the portal that the user was found in",
            Self::PutFinalizer => "adding the finalizer",
            Self::Create { .. } => "creating the user in the portal",
            Self::Publish(_) => "writing the Secret",
            Self::Describe(_) => "changing the user's description in the portal",
            Self::Delete(_) => "deleting a user in the portal",
            Self::Reset(_) => "resetting the user's secret in the portal",
            Self::MarkRetained(_) => "marking the user as retained in the portal",
            Self::ListRetained(..) => "adding the user to the Portal's list of retained users",
            Self::DropFinalizer => "removing the finalizer",
        }
    }
}

/// The user that a resource stands for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// The portal's id.
    pub id: UserId,
    /// Which of the resource's users; 0 for an existing user.
    pub generation: i64,
}

/// A pass has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// The user to record; `None` leaves the record as it is.
    pub current: Option<Current>,
    /// What the conditions say.
    pub report: Report,
    /// What makes it move again.
    pub wake: Wake,
    /// The request by annotation was acted on (or will not be).
    pub rotation_handled: bool,
}

/// What the conditions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Verified and published.
    Ready,
    /// It was ready and stays so; something passing keeps us from looking closer.
    StillReady,
    /// What they say already.
    AsTold,
    /// The user is not as it should be, or cannot be had.
    User(Blocker),
    /// The user is active, its credential is not verified.
    Credential(Blocker),
    /// The credential is verified, but not in the output.
    Output(Blocker),
    /// Under deletion.
    Deleting(Blocker),
    /// Under deletion, and nothing keeps it any more.
    Gone,
}

/// What makes a resource move again. A change of the resource, of its Portal or of the user's entry in the list always
/// does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Nothing else.
    OnChange,
    /// So much time.
    After(Duration),
    /// Time that grows with each failure.
    Backoff,
    /// A look every half minute, later every few minutes.
    Poll,
    /// The next periodic verification.
    Verification,
}

impl Step {
    /// A rest with something in the way of the user.
    #[must_use]
    pub fn user_blocked(blocker: Blocker, wake: Wake) -> Self {
        Self::rest(Report::User(blocker), wake)
    }

    /// A rest that records no user.
    #[must_use]
    pub fn rest(report: Report, wake: Wake) -> Self {
        Self::Rest(Rest { current: None, report, wake, rotation_handled: false })
    }

    /// Nothing is under deletion any more.
    #[must_use]
    pub fn gone() -> Self {
        Self::rest(Report::Gone, Wake::OnChange)
    }

    /// Under deletion, something holds it.
    #[must_use]
    pub fn held(reason: Reason, message: impl Into<String>, wake: Wake) -> Self {
        Self::rest(Report::Deleting(Blocker::passing(reason, message)), wake)
    }
}
