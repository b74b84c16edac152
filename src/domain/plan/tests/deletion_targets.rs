//! Which users a deletion deletes: the recorded one, those of an open attempt, and every other of ours.

use std::time::Duration;

use super::super::observation::{RecordedUser, RetiringUser};
use super::super::{AttemptState, Confirmed, Done};
use super::builders::{a_deleted_resource, a_new_resource, candidate, details, details_of, here, id, owner};
use super::{Observation, check};
use crate::domain::blocker::Blocker;
use crate::domain::identity::Mark;
use crate::domain::ownership::Origin;
use crate::domain::reason::Reason;
use crate::domain::user::UserStatus;

const DROP: &str = "drop the finalizer";

/// Under deletion, and nothing recorded.
fn unrecorded() -> Observation {
    a_new_resource().but(|o| {
        (o.deleting, o.live, o.reported) = (true, true, true);
        o.finalizer = true;
    })
}

/// Under deletion, the recorded user deleted.
fn u1_done() -> Observation {
    a_deleted_resource().done("u1", Done::Deleted)
}

#[test]
fn an_open_attempt_is_settled_first() {
    let refused = || AttemptState::Refused(Blocker::lasting(Reason::PortalError, "400"));
    let busy = || AttemptState::Settling(Duration::from_secs(42));
    let new = |state| unrecorded().attempt(1, state);
    let second = |state| a_deleted_resource().attempt(2, state);
    check(vec![
        ("in flight", new(AttemptState::InFlight), "held Creating"),
        ("unknown yet", new(busy()), "held SettlingAttempt, after 42 s"),
        ("refused", new(refused()), DROP),
        ("refused long ago", new(AttemptState::RefusedRetry), DROP),
        ("created", new(AttemptState::Created(id("u1"))), "read u1"),
        ("created, read", new(AttemptState::Created(id("u1"))).seen("u1", details()), "delete u1"),
        ("settled", new(AttemptState::Settled), "search"),
        ("settled, absent", new(AttemptState::Settled).searched(vec![]), DROP),
        ("settled, found", new(AttemptState::Settled).searched(vec![candidate("u1", 1)]), "read u1"),
        // Also where another user is recorded.
        ("in flight, another one recorded", second(AttemptState::InFlight), "held Creating"),
        ("unknown yet, another one recorded", second(busy()), "held SettlingAttempt, after 42 s"),
        ("refused, another one recorded", second(refused()), "read u1"),
        ("settled, another one recorded", second(AttemptState::Settled), "search"),
        (
            "settled, another one recorded and gone, found",
            second(AttemptState::Settled).searched(vec![candidate("u2", 2)]).seen_gone("u1"),
            "read u2",
        ),
        (
            "settled, another one recorded and gone, absent",
            second(AttemptState::Settled).searched(vec![]).seen_gone("u1"),
            DROP,
        ),
        (
            "made, another one recorded",
            second(AttemptState::Created(id("u2"))).done("u1", Done::Deleted).seen("u2", details_of(2)),
            "delete u2",
        ),
    ]);
}

#[test]
fn without_attempt_and_status_the_portal_is_searched() {
    check(vec![
        ("searched", unrecorded(), "search"),
        ("absent", unrecorded().searched(vec![]), DROP),
        ("found", unrecorded().searched(vec![candidate("u1", 1)]), "read u1"),
        ("found, ours", unrecorded().searched(vec![candidate("u1", 1)]).seen("u1", details()), "delete u1"),
    ]);
}

#[test]
fn every_other_user_of_the_resource_is_deleted_too() {
    let with = |sibling| u1_done().sibling(sibling);
    let u2 = || candidate("u2", 2);
    check(vec![
        ("ours", with(u2()), "read u2"),
        ("not read yet", with(u2().is(Confirmed::Unread)), "read u2"),
        ("read", with(u2()).seen("u2", details_of(2)), "delete u2"),
        ("another's", with(u2().is(Confirmed::Foreign)), DROP),
        ("listed as retained, with our live mark", with(u2().listed_as_retained()), "read u2"),
        ("marked as retained", with(u2().is(Confirmed::Retained).listed_as_retained()), DROP),
        ("on its way out", with(u2().in_state(UserStatus::PendingDeletion)), DROP),
        ("pending", with(u2().in_state(UserStatus::Pending)), "read u2"),
        ("another's by its details", with(u2()).seen("u2", details().of_other_resource()), DROP),
        ("without a mark, and not recorded", with(u2()).seen("u2", details_of(2).marked(None)), DROP),
        (
            "of another cluster",
            with(u2()).seen("u2", details().of_other_cluster()),
            "held TakenFromOtherCluster",
        ),
        ("the recorded one again", with(candidate("u1", 1)), DROP),
    ]);
}

/// A person removes the mark of a former user to keep it, and deletes the resource before the status no longer names the user.
#[test]
fn a_predecessor_without_its_mark_is_left_to_the_person() {
    let user =
        RecordedUser { id: id("u1"), origin: Origin::Created(1), active: true, proved: true, asked: None };
    let kept_for = Duration::from_mins(1);
    let retiring = RetiringUser { user, kept_for, begun: true, hurried: false, without_overlap: false };
    let with = |facts| {
        a_deleted_resource()
            .recorded_as("u2", 2)
            .but(|o| o.rotation.retiring = vec![retiring.clone()])
            .done("u2", Done::Deleted)
            .seen("u1", facts)
    };
    let former = |o: Observation| o.with_former_output("former");
    check(vec![
        ("with its mark", with(details()), "delete u1"),
        ("without", with(details().marked(None)), DROP),
        (
            "an output may hold it",
            former(with(details().marked(None))),
            "done with the users, one may be valid",
        ),
    ]);
}

#[test]
fn the_recorded_user_is_ours_without_a_mark_and_another_s_with_one() {
    let with = |facts| a_deleted_resource().seen("u1", facts);
    let other_generation =
        Mark { owner: owner(), generation: 7, hint: here(), retained: false, login: false };
    check(vec![
        ("no mark", with(details().marked(None)), "delete u1"),
        ("our mark", with(details().marked(Some(other_generation))), "delete u1"),
        ("another's mark", with(details().of_other_resource()), DROP),
    ]);
}
