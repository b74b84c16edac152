//! The end of a reconcile: what the status reports, and when the resource is reconciled again.

use std::time::Duration;

use crate::domain::roles::Blocker;

use super::observation::Timers;
use super::step::UserRef;

/// Nothing is to be done for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The user to record; `None` does not change the record.
    pub current: Option<UserRef>,
    /// What the conditions report.
    pub report: Report,
    /// When the resource is reconciled again.
    pub requeue: Requeue,
    /// The request by annotation was carried out (or is ignored).
    pub rotation_handled: bool,
}

/// What the conditions report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Verified and published.
    Ready,
    /// It was ready and is still reported as ready; a temporary failure prevents the check.
    StillReady,
    /// The same as before.
    Unchanged,
    /// A blocker at this stage. The stages before it are done, those after it are not reached.
    Blocked {
        /// The stage.
        stage: Stage,
        /// The blocker.
        blocker: Blocker,
    },
    /// Under deletion.
    Deleting(Blocker),
    /// Under deletion, without our finalizer.
    Gone,
}

/// How far a resource is, in the order in which the stages are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The user: it exists, is active, and has the requested roles.
    User,
    /// The credential: a token was obtained with it.
    Credential,
    /// The output: it holds the credential.
    Output,
}

impl Stage {
    /// The end of a reconcile at this stage.
    #[must_use]
    pub fn blocked(self, blocker: Blocker) -> Report {
        Report::Blocked { stage: self, blocker }
    }
}

/// When a resource is reconciled again. A change of the resource, of its Portal or of the user's entry in the list always
/// leads to a reconcile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requeue {
    /// Not at all.
    Never,
    /// After this time.
    In(Duration),
    /// After a time that grows with each failure.
    Backoff,
    /// After this time, and it counts as a failure for the time that grows.
    BackoffAt(Duration),
}

impl Requeue {
    /// After this time instead. What is a failure is one all the same.
    pub(super) fn at(self, time: Duration) -> Self {
        match self {
            Self::Never | Self::In(_) => Self::In(time),
            Self::Backoff | Self::BackoffAt(_) => Self::BackoffAt(time),
        }
    }
}

impl Timers {
    /// What no watch reports is checked periodically.
    #[must_use]
    pub fn recheck(&self) -> Requeue {
        Requeue::In(self.recheck)
    }

    /// The state of a pending user is read again.
    #[must_use]
    pub fn poll(&self) -> Requeue {
        Requeue::In(self.poll)
    }

    /// Everything is in order: the first of the timers that check it.
    #[must_use]
    pub fn healthy(&self) -> Requeue {
        let due = self.output.map_or(self.verification, |output| self.verification.min(output));
        Requeue::In(due.max(Duration::from_secs(1)))
    }
}
