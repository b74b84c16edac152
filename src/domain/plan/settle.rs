//! An attempt whose outcome is unknown: the operator waits for it before it concludes anything.

use std::time::Duration;

use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

use super::blocked;
use super::observation::{AttemptState, Observation, OpenAttempt};
use super::settled::{Report, Requeue};
use super::step::Step;

/// Waits for an attempt whose outcome is unknown.
pub(super) fn settling(o: &Observation, open: &OpenAttempt, left: Duration) -> Step {
    // Another process may have reported why the portal refused it. Two reports in turn would replace each other.
    if let Some(reason) = o.reported_reason
        && reason.is_create_refused()
    {
        return Step::settled(Report::Unchanged, Requeue::In(left));
    }
    waiting(o, Reason::SettlingAttempt, settling_words(open), Requeue::In(left))
}

/// What a resource reports while it waits for an attempt whose outcome is unknown.
pub(super) fn settling_words(open: &OpenAttempt) -> &'static str {
    if open.attempt.is_some() {
        "An earlier request to create the user was interrupted, and the portal may still carry it out. The operator waits \
         and then searches for the user."
    } else {
        "The annotation technicaluser.dev/creating cannot be read, so a request to create the user may be in progress. The \
         operator waits until the portal has carried it out, and then searches for the user."
    }
}

/// Before another user is created, the operator waits for a create that may be in progress: one whose annotation cannot be
/// read, and so may be of any generation, and one whose generation a status names that nothing proves. A resource with a
/// recorded user that is in order does not wait for it.
pub(super) fn before_a_create(o: &Observation) -> Result<(), Step> {
    let Some(open) = &o.attempt else { return Ok(()) };
    match open.state {
        AttemptState::InFlight => Err(in_flight(o)),
        // The portal had its time when it was closed.
        AttemptState::Settling(left) if !open.is_closed() => {
            Err(waiting(o, Reason::SettlingAttempt, settling_words(open), Requeue::In(left)))
        }
        _ => Ok(()),
    }
}

/// This process has an attempt in progress.
pub(super) fn in_flight(o: &Observation) -> Step {
    if is_settled_elsewhere(o) {
        return Step::settled(Report::Unchanged, o.timers.recheck());
    }
    waiting(o, Reason::Creating, "The operator is creating the user in the portal", o.timers.recheck())
}

/// Another process waits for the create that this one has in progress, and reports it. Each status wakes both: two reasons
/// would replace each other again and again.
pub(super) fn is_settled_elsewhere(o: &Observation) -> bool {
    o.reported_reason == Some(Reason::SettlingAttempt)
}

fn waiting(o: &Observation, reason: Reason, message: &str, requeue: Requeue) -> Step {
    blocked(o, &Blocker::passing(reason, message), requeue)
}
