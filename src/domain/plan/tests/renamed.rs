//! A user that a person renamed in the portal: it gets the name back by which a search finds it.

use super::super::Verified;
use super::builders::{
    a_new_resource, a_ready_resource, a_recorded_resource, candidate, details, details_of, shown_for,
};
use super::{Observation, check};
use crate::domain::plan::UserFacts;
use crate::domain::user::UserKind;

const READY: &str = "ready (u1 g1), verify in time";

fn renamed() -> UserFacts {
    details().but(|u| u.name = "by-hand".into())
}

fn listed_renamed() -> Observation {
    a_ready_resource().but(|o| o.name_doubted = true)
}

#[test]
fn a_renamed_user_gets_its_name_back() {
    let verified =
        |facts| a_recorded_resource().seen("u1", facts).verified(shown_for("u1"), Verified::Accepted);
    check(vec![
        ("the list shows another name", listed_renamed(), "read u1"),
        ("it is renamed", listed_renamed().seen("u1", renamed()), "describe u1 g1"),
        ("it is not, by now", listed_renamed().seen("u1", details()), READY),
        ("seen while it is published", verified(renamed()), "describe u1 g1"),
        (
            "what follows the first part is a person's affair",
            verified(details().but(|u| u.name.push_str("-of-ours"))),
            "publish u1 g1",
        ),
        (
            "renamed to a later one's name",
            verified(details().but(|u| u.name = details_of(2).name)),
            "describe u1 g2",
        ),
        (
            "found by its mark where the status is lost",
            a_new_resource()
                .but(|o| o.finalizer = true)
                .searched(vec![candidate("u1", 1)])
                .seen("u1", renamed()),
            "describe u1 g1",
        ),
    ]);
}

#[test]
fn a_user_is_not_read_for_its_name_while_that_cannot_be_changed() {
    check(vec![
        ("suspended", listed_renamed().suspended(), READY),
        ("the login may only read", listed_renamed().portal_but(|p| p.may_create = false), READY),
    ]);
}

#[test]
fn a_generation_that_the_portal_does_not_show_is_corrected() {
    let said = |generation| listed_renamed().recorded_as("u1", generation);
    check(vec![
        ("the status says another one", said(3).seen("u1", details()), READY),
        ("by the mark alone", said(3).seen("u1", renamed()), "describe u1 g1"),
    ]);
}

#[test]
fn a_wallet_user_has_its_prefix() {
    let o = a_recorded_resource().desired_but(|d| d.name = Some("mine".into()));
    let name = o.user_name(UserKind::Internal, 2);
    assert!(name.ends_with("-mine"));
    assert_eq!(o.user_name(UserKind::External, 2), format!("dim-{name}"));
    assert!(
        [UserKind::Internal, UserKind::External].iter().all(|kind| o.is_named(&o.user_name(*kind, 2), 2))
    );
}
