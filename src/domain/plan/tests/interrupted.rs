//! A pass that something passing has interrupted.

use super::super::{AttemptState, Observation, Requeue, Step, interrupted};
use super::builders::{OTHER_COMPANY, a_new_resource, a_ready_resource, id};
use super::words::in_words;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;

/// The portal failed right after it had made a user, and no status named that user until it was found by a search: a process
/// that ended meanwhile left an attempt open that it knew the outcome of.
#[test]
fn a_user_that_was_made_is_recorded_also_by_a_pass_that_is_interrupted() {
    let failing = Blocker::passing(Reason::PortalError, "502");
    let in_the_end = |o: Observation| in_words(&Step::Settled(interrupted(&o, &failing, Requeue::Backoff)));
    let made = |o: Observation, generation| o.attempt(generation, AttemptState::Made(id("u2")));
    let asked = || made(a_ready_resource().rotate(), 2);
    for (decided, expected) in [
        (in_the_end(made(a_new_resource(), 1)), "user PortalError (u2 g1), try again"),
        (in_the_end(asked()), "user PortalError (u2 g2), try again, request handled"),
        (in_the_end(made(a_new_resource(), 1).portal_blocked_in_passing()), "user PortalError, try again"),
        (
            in_the_end(made(a_ready_resource().recorded_company(OTHER_COMPANY), 2)),
            "user PortalError, try again",
        ),
        (in_the_end(a_new_resource()), "user PortalError, try again"),
    ] {
        assert_eq!(decided, expected);
    }
}
