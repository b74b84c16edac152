//! What the object itself says: its status, and the attempt that is written on it.

use std::time::Duration;

use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::identity::Hint;
use crate::domain::ownership::Origin;
use crate::domain::roles::RoleSet;
use crate::domain::user::UserId;

/// The status, read leniently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Whose portal the user is in.
    pub portal: Option<RecordedPortal>,
    /// The user.
    pub user: Option<RecordedUser>,
    /// A credential was verified and published.
    pub credential_published: bool,
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
    /// How the resource came to it.
    pub origin: Origin,
    /// It was active when last seen.
    pub active: bool,
    /// The proof beside the id is right, or this process knows from the portal that the user of this id and generation is
    /// this resource's.
    pub proved: bool,
    /// The roles that were asked for when it was created, if that is known.
    pub asked: Option<RoleSet>,
}

impl RecordedUser {
    /// Whether the create of an attempt led to this user. Others can write a status, so generation and id alone do not say
    /// so.
    #[must_use]
    pub fn settles(&self, attempt: &Attempt) -> bool {
        self.proved && self.origin == Origin::Created(attempt.generation)
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

impl OpenAttempt {
    /// Its user is not needed.
    pub fn close(&mut self) {
        if let Some(attempt) = &mut self.attempt {
            attempt.closed = true;
        }
    }

    /// Whether its user is not needed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.closed)
    }

    /// The generation of the user that it creates; `None` where the annotation cannot be read.
    #[must_use]
    pub fn generation(&self) -> Option<i64> {
        self.attempt.as_ref().map(|attempt| attempt.generation)
    }
}

/// What has become of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptState {
    /// This process is carrying it out.
    InFlight,
    /// This process carried it out, and the portal created this user.
    Created(UserId),
    /// This process carried it out, and certainly no user was created. Not tried again yet.
    Refused(Blocker),
    /// As `Refused`, and the time has come to try again.
    RefusedRetry,
    /// The outcome is not known; the portal may still carry it out within this time.
    Settling(Duration),
    /// Nobody knows, and the portal has had its time.
    Settled,
}
