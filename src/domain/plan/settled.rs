//! The end of a reconcile: what the status reports, and when the resource is reconciled again.

use std::time::Duration;

use crate::domain::blocker::Blocker;

use super::observation::{Observation, Timers};
use super::restart::Restarted;
use super::rotate::{self, Rotated};
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
    /// What the status records of the rotation.
    pub rotation: Box<Rotated>,
    /// What the status records of the restarts, where one is due.
    pub restarted: Option<Box<Restarted>>,
}

impl Settled {
    /// An end that records no user.
    #[must_use]
    pub fn new(report: Report, requeue: Requeue) -> Self {
        Self { current: None, report, requeue, rotation: Box::default(), restarted: None }
    }

    /// An end that records this user.
    #[must_use]
    pub fn of(o: &Observation, user: &UserRef, report: Report, requeue: Requeue) -> Self {
        let rotation = Box::new(rotate::at_the_end(o, user, &report));
        Self { current: Some(user.clone()), rotation, ..Self::new(report, requeue) }
    }
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
    /// The earlier of both. What is a failure is one all the same.
    pub(super) fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, other) => other,
            (own, Self::Never) => own,
            (Self::In(own), Self::In(other)) => Self::In(own.min(other)),
            (Self::BackoffAt(own), Self::In(other) | Self::BackoffAt(other))
            | (Self::In(own), Self::BackoffAt(other)) => Self::BackoffAt(own.min(other)),
            (Self::Backoff, _) | (_, Self::Backoff) => Self::Backoff,
        }
    }

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
        let due = self.other.map_or(self.verification, |other| self.verification.min(other));
        Requeue::In(due.max(Duration::from_secs(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_times_the_earlier_one_counts_and_a_failure_is_counted() {
        let (early, late) = (Duration::from_secs(1), Duration::from_secs(9));
        for (one, other, sooner) in [
            (Requeue::Never, Requeue::In(late), Requeue::In(late)),
            (Requeue::In(early), Requeue::In(late), Requeue::In(early)),
            (Requeue::In(early), Requeue::BackoffAt(late), Requeue::BackoffAt(early)),
            (Requeue::BackoffAt(early), Requeue::BackoffAt(late), Requeue::BackoffAt(early)),
            (Requeue::Backoff, Requeue::In(late), Requeue::Backoff),
            (Requeue::Backoff, Requeue::BackoffAt(late), Requeue::Backoff),
        ] {
            assert_eq!(one.sooner(other), sooner, "{one:?} {other:?}");
            assert_eq!(other.sooner(one), sooner, "{other:?} {one:?}");
        }
    }
}
