//! A reconcile that a temporary failure has interrupted.

use std::time::Duration;

use super::super::{
    AttemptState, Observation, OpenReset, Requeue, ResetState, Step, interrupted, unverified,
};
use super::builders::{OTHER_COMPANY, a_deleted_resource, a_new_resource, a_ready_resource, details, id};
use super::check;
use super::words::in_words;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// The portal failed right after it had created a user, and no status named that user until a search found it. A process that
/// ended in this time left an attempt open although it knew the outcome.
#[test]
fn a_user_that_was_created_is_recorded_even_by_an_interrupted_reconcile() {
    let failing = Blocker::passing(Reason::PortalError, "502");
    let in_the_end = |o: Observation| in_words(&interrupted(&o, &failing, Requeue::Backoff));
    let created = |o: Observation, generation| o.attempt(generation, AttemptState::Created(id("u2")));
    let asked = || created(a_ready_resource().rotate(), 2);
    for (decided, expected) in [
        (in_the_end(created(a_new_resource(), 1)), "user PortalError (u2 g1), try again"),
        // Nobody asks for the successor: the user that serves is as it was.
        (in_the_end(created(a_ready_resource(), 2)), "still ready, try again"),
        (in_the_end(created(a_ready_resource(), 2).seen_gone("u1")), "user PortalError (u2 g2), try again"),
        // The one of an attempt that is closed is not needed, whatever the portal shows of the other one.
        (in_the_end(created(a_ready_resource(), 2).closed().seen_gone("u1")), "still ready, try again"),
        (in_the_end(asked()), "still ready, try again, rotation: waits for PortalError"),
        (in_the_end(created(a_new_resource(), 1).portal_blocked_in_passing()), "user PortalError, try again"),
        (
            in_the_end(created(a_ready_resource().recorded_company(OTHER_COMPANY), 2)),
            "user PortalError, try again",
        ),
        (in_the_end(a_new_resource()), "user PortalError, try again"),
    ] {
        assert_eq!(decided, expected);
    }
}

/// The credential that is published may be refused.
#[test]
fn a_reset_of_unknown_outcome_is_ready_for_a_minute_and_a_half() {
    let failing = Blocker::passing(Reason::PortalError, "502");
    for (state, seconds, expected) in [
        (ResetState::Settling(Duration::from_secs(20)), 89, "still ready, try again"),
        (ResetState::Settling(Duration::from_secs(20)), 90, "user PortalError, try again"),
        (ResetState::Ended, 90, "user PortalError, try again"),
        (ResetState::Compared, 90, "still ready, try again"),
    ] {
        let o = a_ready_resource().but(|o| {
            o.rotation.reset = Some(OpenReset { attempt: None, state });
            o.rotation.unclear_for = Duration::from_secs(seconds);
        });
        let step = interrupted(&o, &failing, Requeue::Backoff);
        assert_eq!(in_words(&step), expected);
        // The status goes on to say so, and since when: otherwise the time would begin again and again.
        let Step::Settled(settled) = step else { panic!("{step:?}") };
        let is_open = o.rotation.reset.as_ref().is_some_and(|reset| reset.state != ResetState::Compared);
        assert_eq!(unverified(&o, &settled.report).is_some(), is_open);
    }
}

/// A process that has just started knows nothing about a Portal that it has not connected: the report is kept.
#[test]
fn what_was_reported_holds_until_the_portal_is_connected() {
    let connecting = |o: Observation, reported| {
        o.portal_blocked_in_passing().but(|o| (o.connecting, o.reported) = (true, reported))
    };
    let deleted = |reported| connecting(a_deleted_resource(), reported);
    check(vec![
        ("reported", connecting(a_ready_resource(), true), "as reported, try again"),
        ("never reported", connecting(a_new_resource(), false), "user Unreachable, try again"),
        ("under deletion", deleted(true), "as reported, try again"),
        ("under deletion, not reported", deleted(false), "held Unreachable, try again"),
        ("nothing holds it", deleted(true).without_finalizer(), "gone"),
    ]);
}

/// The portal may take a while to delete a user: the status says so first, once.
#[test]
fn a_deletion_is_reported_before_the_request_to_the_portal() {
    let seen = || a_deleted_resource().seen("u1", details());
    check(vec![
        ("not reported", seen().but(|o| o.reported = false), "report the deletion"),
        (
            "prevented until now",
            seen().but(|o| o.reported_reason = Some(Reason::DeletionPrevented)),
            "report the deletion",
        ),
        ("reported", seen(), "delete u1"),
    ]);
}
