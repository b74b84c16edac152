//! An annotation of an attempt that cannot be read counts as an attempt in progress, whatever generation it was for.

use std::time::Duration;

use super::super::{AttemptState, Done};
use super::builders::{
    a_deleted_resource, a_new_resource, a_ready_resource, a_recorded_resource, candidate, details,
};
use super::{Observation, check};
use crate::domain::reason::Reason;

const IN_PROGRESS: &str = "user SettlingAttempt, after 42 s";

fn settling() -> AttemptState {
    AttemptState::Settling(Duration::from_secs(42))
}

#[test]
fn a_resource_without_a_user_waits_then_searches_then_creates() {
    let new = |state| a_new_resource().writable().unreadable_attempt(state);
    check(vec![
        ("in progress", new(settling()), IN_PROGRESS),
        ("in progress, absent so far", new(settling()).searched(vec![]), IN_PROGRESS),
        ("settled", new(AttemptState::Settled), "search"),
        ("settled, absent", new(AttemptState::Settled).searched(vec![]), "create g1 [id-discovery]"),
        ("settled, found", new(AttemptState::Settled).searched(vec![candidate("u7", 3)]), "read u7"),
        (
            "settled, only unusable ones",
            new(AttemptState::Settled)
                .searched(vec![candidate("u7", 3).is(super::super::Confirmed::Retained)]),
            "create g4 [id-discovery]",
        ),
    ]);
}

#[test]
fn a_recorded_user_is_still_ready_and_its_successor_waits() {
    let gone =
        |state| a_recorded_resource().writable().seen_gone("u1").searched(vec![]).unreadable_attempt(state);
    check(vec![
        (
            "ready, and as recorded",
            a_ready_resource().unreadable_attempt(settling()),
            "ready (u1 g1), verify in time",
        ),
        ("gone, in progress", gone(settling()), IN_PROGRESS),
        ("gone, settled", gone(AttemptState::Settled), "create g2 [id-discovery]"),
        (
            "gone, settled, another one is there",
            gone(AttemptState::Settled).searched(vec![candidate("u2", 2)]),
            "read u2",
        ),
    ]);
}

#[test]
fn a_deletion_waits_and_searches() {
    let recorded = |state| a_deleted_resource().unreadable_attempt(state);
    let unrecorded = |state| {
        a_new_resource().unreadable_attempt(state).but(|o: &mut Observation| {
            o.deleting = true;
        })
    };
    check(vec![
        ("in progress", unrecorded(settling()), "held SettlingAttempt, after 42 s"),
        ("settled", unrecorded(AttemptState::Settled), "search"),
        ("settled, absent", unrecorded(AttemptState::Settled).searched(vec![]), "drop the finalizer"),
        ("a user is recorded, in progress", recorded(settling()), "held SettlingAttempt, after 42 s"),
        ("a user is recorded, settled", recorded(AttemptState::Settled), "search"),
        (
            "a user is recorded and deleted, another one is found",
            recorded(AttemptState::Settled)
                .searched(vec![candidate("u2", 2)])
                .done("u1", Done::Deleted)
                .seen("u1", details()),
            "read u2",
        ),
    ]);
}

#[test]
fn the_refusal_that_another_process_reported_is_kept() {
    let reported = a_new_resource()
        .unreadable_attempt(settling())
        .but(|o| o.reported_reason = Some(Reason::CreateRefused));
    check(vec![("as it is", reported, "as reported, after 42 s")]);
}
