//! A user that serves is replaced: its successor is created, verified and published, and serves from then on.

use super::super::{AttemptState, Searched, Verified};
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

fn held_by(user: &str, digest: &str) -> OutputState {
    OutputState::Ours { user: Some(id(user)), digest: Some(digest.into()), metadata_as_wanted: true }
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

/// An entry in Vault that all users of the resource share.
fn fixed(o: Observation) -> Observation {
    o.but(|o| o.outputs[0].alias_is_fixed = true)
}

#[test]
fn a_user_that_serves_is_not_replaced_where_the_alias_of_its_entry_is_fixed() {
    let requested = |o: Observation| o.but(|o| o.rotation.requested = true);
    let refused = "ready (u1 g1), verify in time, answer AliasFixed";
    check(vec![
        ("it is not time", fixed(a_ready_resource()), "ready (u1 g1), verify in time"),
        ("it is time", fixed(due()), refused),
        (
            "nothing is asked of the portal for it",
            fixed(due()).searched(vec![]).writable().read_live(),
            refused,
        ),
        ("a successor that exists is not published", fixed(proved()), refused),
        (
            "a request is handled",
            requested(fixed(due())).seen("u1", details()),
            "ready (u1 g1), verify in time, request handled, answer AliasFixed",
        ),
        (
            "of several outputs one is enough",
            fixed(due().with_output(&the_entry(), held_by("u1", "d1")).recorded_content("d1")),
            refused,
        ),
        ("an output without the credential comes first", fixed(due()).without_secret(), "read u1"),
        (
            "a user without a client has no valid credential: its successor is searched for",
            requested(fixed(a_ready_resource())).seen_without_client("u1").but(|o| o.searched = Searched::No),
            "list u1 retained",
        ),
        (
            "and published",
            fixed(a_ready_resource())
                .attempt(2, AttemptState::Created(id("u2")))
                .seen("u2", details_of(2).but(|user| user.contents = Some(contents("d2"))))
                .verified(shown_for("u2"), Verified::Accepted),
            "publish u2 g2",
        ),
    ]);
}

#[test]
fn a_request_is_not_answered_before_the_successor_that_is_due() {
    let requested = due().but(|o| o.rotation.requested = true).seen("u1", details());
    check(vec![("a successor is searched for", requested, "search")]);
}

#[test]
fn a_successor_that_one_output_holds_is_published_to_the_others() {
    let both = || proved().with_output(&the_entry(), held_by("u1", "d1")).recorded_content("d1");
    let first = || both().with_secret_of("u2", "d2");
    check(vec![
        ("none", both(), "publish u2 g2"),
        ("the first", first(), "publish u2 g2 to the Entry"),
        ("also once the list shows it", first().sibling(candidate("u2", 2)), "publish u2 g2 to the Entry"),
        ("also where the predecessor was read", first().seen("u1", details()), "publish u2 g2 to the Entry"),
    ]);
}
