//! A status that names a user of the generation of an open attempt, which nothing proves: another client may have written it.

use std::time::Duration;

use super::super::{AttemptState, Observation, RecordedUser};
use super::builders::{a_deleted_resource, a_new_resource, a_recorded_resource, details, id, pin};
use super::check;
use crate::domain::attempt::Attempt;
use crate::domain::ownership::Origin;

fn settling() -> AttemptState {
    AttemptState::Settling(Duration::from_secs(20))
}

#[test]
fn only_a_proved_user_of_its_generation_settles_an_attempt() {
    let attempt = Attempt::new(2, "a1".into(), pin());
    let settles = |generation, proved| {
        RecordedUser { id: id("u1"), origin: Origin::of(Some(generation)), active: true, proved, asked: None }
            .settles(&attempt)
    };
    assert!(settles(2, true));
    assert!(!settles(2, false) && !settles(1, true) && !settles(3, true));
}

#[test]
fn a_deletion_settles_the_attempt_whatever_the_status_names() {
    let forged = |state: AttemptState| -> Observation {
        a_deleted_resource()
            .recorded_as("x", 2)
            .unproved()
            .attempt(2, state)
            .seen("x", details().of_other_resource())
    };
    check(vec![
        ("in flight", forged(AttemptState::InFlight), "held Creating"),
        ("unknown", forged(settling()), "held SettlingAttempt, after 20 s"),
        ("the portal had its time", forged(AttemptState::Settled), "search"),
        ("created", forged(AttemptState::Created(id("u2"))), "read u2"),
    ]);
}

#[test]
fn no_other_user_is_created_before_the_attempt_is_settled() {
    let forged = |state| {
        a_recorded_resource()
            .recorded_as("x", 2)
            .unproved()
            .attempt(2, state)
            .seen_gone("x")
            .searched(vec![])
            .writable()
    };
    check(vec![
        ("in flight", forged(AttemptState::InFlight), "user Creating"),
        ("unknown", forged(settling()), "user SettlingAttempt, after 20 s"),
        ("the portal had its time", forged(AttemptState::Settled), "create g3 [id-discovery]"),
    ]);
}

/// A process that stood still after its request observes an attempt that is settled at once.
#[test]
fn a_search_before_the_attempt_says_nothing_of_its_user() {
    let searched = || a_new_resource().writable().searched(vec![]);
    let requested = |state| {
        let attempt = Attempt::new(1, "a1".into(), pin());
        searched().but(|o| o.attempt_began(attempt, state))
    };
    check(vec![
        ("no attempt", searched(), "create g1 [id-discovery]"),
        ("unknown", requested(settling()), "user SettlingAttempt, after 20 s"),
        ("the portal had its time", requested(AttemptState::Settled), "search"),
    ]);
}
