//! A user that serves is replaced: its successor is created, verified and published, and serves from then on.

use super::super::{AttemptState, Verified};
use super::builders::{a_ready_resource, candidate, contents, details, details_of, id, shown_for, the_entry};
use super::{Observation, check};
use crate::domain::plan::OutputState;

/// It is time for a successor of `u1`.
fn due() -> Observation {
    a_ready_resource().but(|o| o.rotation.due = true)
}

/// The portal has created the successor, in this reconcile or an earlier one that recorded no end.
fn created() -> Observation {
    due().attempt(2, AttemptState::Created(id("u2")))
}

fn proved() -> Observation {
    let successor = details_of(2).but(|user| user.contents = Some(contents("d2")));
    created().seen("u2", successor).verified(shown_for("u2"), Verified::Accepted)
}

#[test]
fn a_user_that_serves_is_replaced_when_it_is_time() {
    check(vec![
        ("it is not time", a_ready_resource(), "ready (u1 g1), verify in time"),
        ("whether a successor exists", due(), "search"),
        ("none: its outputs", due().searched(vec![]), "prove the output writable"),
        ("then its create", due().searched(vec![]).writable().read_live(), "create g2 [id-discovery]"),
        ("its details", created(), "read u2"),
        ("its credential", proved(), "publish u2 g2"),
        ("it serves", proved().with_secret_of("u2", "d2"), "ready (u2 g2), verify in time"),
    ]);
}

#[test]
fn a_successor_that_one_output_holds_is_published_to_the_others() {
    let held =
        OutputState::Ours { user: Some(id("u1")), digest: Some("d1".into()), metadata_as_wanted: true };
    let both = || proved().with_output(&the_entry(), held.clone()).recorded_content("d1");
    let first = || both().with_secret_of("u2", "d2");
    check(vec![
        ("none", both(), "publish u2 g2"),
        ("the first", first(), "publish u2 g2 to the Entry"),
        ("also once the list shows it", first().sibling(candidate("u2", 2)), "publish u2 g2 to the Entry"),
        ("also where the predecessor was read", first().seen("u1", details()), "publish u2 g2 to the Entry"),
    ]);
}
