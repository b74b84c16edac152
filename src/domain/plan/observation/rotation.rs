//! What is known of the rotation of the user or of its secret, and which users the status names. There is more than one only
//! while one replaces another.

use std::time::Duration;

use super::Observation;
use super::recorded::{AttemptState, RecordedUser};
use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::user::{UserId, UserKind};

/// What is known of the rotation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by itself")]
pub struct Rotation {
    /// The annotation `rotate` or `compromised` requests one that was not handled yet.
    pub requested: bool,
    /// The annotation `compromised` requests it: the credential is not accepted any more as soon as possible.
    pub compromised: bool,
    /// The published credential is as old as `rotation.interval` permits, and a window is open, if there are any, or the rotation
    /// has begun.
    pub due: bool,
    /// Why a window never opens.
    pub window_fault: Option<Blocker>,
    /// How a credential gets its successor.
    pub strategy: Strategy,
    /// The kind of the user that the status names, if it says so.
    pub kind: Option<UserKind>,
    /// The user that the request names: another one is created in its place, although it may be the result of an earlier request.
    pub gives_up: Option<UserId>,
    /// The portal has a connector with the client ID of the user that the status names.
    pub linked: bool,
    /// The number of the credential that the status names; 0 without one.
    pub credential: i64,
    /// How long a user is kept after its successor was published.
    pub overlap: Duration,
    /// The last reset that is written on the resource, if the status does not name the credential that it led to.
    pub reset: Option<OpenReset>,
    /// How long the status has said that the portal may have reset the secret, so that the published one may be refused.
    pub unclear_for: Duration,
    /// The users that successors have replaced, by the status.
    pub retiring: Vec<RetiringUser>,
}

/// How a credential that serves gets its successor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// `Replace` if the login may delete users and nothing needs the client ID, else `InPlace` if the portal can do that.
    #[default]
    Auto,
    /// The secret of the user is reset: the former one is invalid at once.
    InPlace,
    /// Another user is created, and the former one is deleted after the overlap.
    Replace,
}

/// A reset that no status has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReset {
    /// What the annotation says: the number of the credential that it leads to. `None` if it cannot be read; it then counts as
    /// a reset in progress.
    pub attempt: Option<Attempt>,
    /// What has become of it.
    pub state: ResetState,
}

/// What has become of a reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetState {
    /// This process is carrying it out.
    InFlight,
    /// The portal may still carry it out within this time.
    Settling(Duration),
    /// It has ended: the details of the user show the secret that it led to, or that there was none.
    Ended,
    /// It has ended, and the outputs hold what the details of the user show.
    Compared,
    /// The portal refused it to this process too lately to ask again.
    Refused(Blocker),
}

impl ResetState {
    /// By what is known of the attempt; `compared`: the outputs hold what the details of the user show.
    #[must_use]
    pub fn of(attempt: AttemptState, compared: bool) -> Self {
        match attempt {
            AttemptState::InFlight => Self::InFlight,
            AttemptState::Settling(left) => Self::Settling(left),
            AttemptState::Refused(blocker) => Self::Refused(blocker),
            // Nothing was sent, or the portal certainly did nothing.
            AttemptState::RefusedRetry => Self::Compared,
            AttemptState::Created(_) | AttemptState::Settled if compared => Self::Compared,
            AttemptState::Created(_) | AttemptState::Settled => Self::Ended,
        }
    }
}

/// A user that a successor has replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiringUser {
    /// The user, as the status named it while it served.
    pub user: RecordedUser,
    /// How long it is kept once the successor is published in all outputs: the overlap, or what is left of it.
    pub kept_for: Duration,
    /// The status says until when it is kept: the successor was published in all outputs.
    pub begun: bool,
    /// A person asks for its removal without overlap.
    pub hurried: bool,
    /// It has a role that the spec took away: it is kept only until the successor is used, whatever else holds its credential.
    pub without_overlap: bool,
}

impl Observation {
    /// The users that the status names. The proof beside each is its own.
    pub fn recorded_users(&self) -> impl Iterator<Item = &RecordedUser> {
        self.recorded.user.iter().chain(self.rotation.retiring.iter().map(|retiring| &retiring.user))
    }

    /// A user that the status names as replaced.
    #[must_use]
    pub fn retiring(&self, id: &UserId) -> Option<&RetiringUser> {
        self.rotation.retiring.iter().find(|retiring| retiring.user.id == *id)
    }
}
