//! A user that a person created is taken over: found, claimed in the status, marked, and from then on as any other.

use super::super::{AttemptState, Deletion, Desired, Selection, Selector, UserFacts, Verified};
use super::builders::{
    a_new_resource, a_ready_resource, candidate, details, details_of, id, owner, shown_for,
};
use super::{Observation, check};
use crate::domain::access::{Grant, Grants};
use crate::domain::identity::{Mark, Owner};
use crate::domain::user::{Offer, UserStatus};

/// The spec takes `u1` over, which a person created with the name `by-hand`.
fn adopts(o: Observation) -> Observation {
    o.but(|o| {
        let Desired::Create(desired) = &mut o.desired else { unreachable!() };
        desired.adopt = Some(Selector::Id(id("u1")));
    })
}

fn a_new_one() -> Observation {
    adopts(a_new_resource()).selected(&["u1"])
}

/// After the search, which found no user with a name of the resource.
fn searched() -> Observation {
    a_new_one().searched(vec![])
}

fn by_hand() -> UserFacts {
    details().marked(None).but(|u| u.name = "by-hand".into())
}

fn with(facts: UserFacts) -> Observation {
    searched().but(|o| o.finalizer = true).seen("u1", facts)
}

#[test]
fn a_user_is_found_and_read_before_it_is_claimed() {
    let denied = |o: Observation| {
        let rule = Grant { roles: None, existing: true, adopt: false };
        o.portal_but(|p| p.grants = Grants(vec![rule]))
    };
    let by_name = |ids: &[&str]| {
        searched().selected(ids).but(|o| {
            let Desired::Create(desired) = &mut o.desired else { unreachable!() };
            desired.adopt = Some(Selector::Name("by-hand".into()));
        })
    };
    check(vec![
        ("the access does not permit it", denied(a_new_one()), "user AccessDenied STALLED"),
        ("the Portal is suspended", a_new_one().suspended(), "user PortalSuspended"),
        ("its own users come first", a_new_one(), "search"),
        ("one of them exists", a_new_one().searched(vec![candidate("u2", 2)]), "read u2"),
        ("none", searched(), "read u1"),
        (
            "the list was not read",
            by_name(&[]).but(|o| o.selection = Selection::Unread),
            "user Searching, try again",
        ),
        ("no user has the name", by_name(&[]), "user UserNotFound STALLED"),
        ("two have it", by_name(&["u1", "u2"]), "user UserAmbiguous STALLED"),
        (
            "the list may hide one",
            by_name(&["u1"]).but(|o| o.selection = Selection::Uncertain),
            "user ListIncomplete",
        ),
        ("one has it", by_name(&["u1"]), "read u1"),
        (
            "it was renamed since",
            by_name(&["u1"]).seen("u1", by_hand().but(|u| u.name = "x".into())),
            "user UserNotFound STALLED, try again",
        ),
        ("it is gone", searched().seen_gone("u1"), "user UserNotFound STALLED, try again"),
    ]);
}

#[test]
fn only_a_user_without_an_owner_is_claimed() {
    let retained_by_other = {
        let owner = Owner { name: "other".into(), ..owner() };
        let mark = details().mark.map(|mark| Mark { owner, retained: true, ..mark });
        details().marked(mark)
    };
    let offer = Offer { id: "o".into(), name: None, subscription: None };
    let roles = |granted: &[&str]| {
        let roles = Some(granted.iter().map(ToString::to_string).collect());
        with(by_hand()).portal_but(|p| {
            p.grants = Grants(vec![
                Grant { roles: None, existing: true, adopt: false },
                Grant { roles, existing: false, adopt: true },
            ]);
        })
    };
    check(vec![
        ("without a finalizer", searched().seen("u1", by_hand()), "put the finalizer"),
        ("nobody's", with(by_hand()), "adopt u1 g1"),
        (
            "with other roles",
            with(by_hand().but(|u| u.roles.push("more".into()))),
            "adopt u1 g1 with other roles",
        ),
        ("retained by a resource of this name", with(details().retained()), "adopt u1 g1"),
        ("another resource's", with(details().of_other_resource()), "user OwnedByOther STALLED"),
        ("retained by another", with(retained_by_other.clone()), "user OwnedByOther STALLED"),
        (
            "another resource's that is gone",
            with(details().of_other_resource().without_its_owner()),
            "adopt u1 g1",
        ),
        ("retained by another that is gone", with(retained_by_other.without_its_owner()), "adopt u1 g1"),
        (
            "a login with such a mark",
            with(details().of_other_resource().without_its_owner())
                .but(|o| o.users.entry(&id("u1")).client_ids.clear())
                .seen(
                    "u1",
                    details().of_other_resource().without_its_owner().but(|u| {
                        u.client_id = Some("sa-operator".into());
                    }),
                ),
            "user OperatorLogin STALLED",
        ),
        (
            "a provider's",
            with(by_hand().but(|u| u.offer = Some(Box::new(offer)))),
            "user OwnedByOther STALLED",
        ),
        (
            "the operator's login",
            with(by_hand().but(|u| u.client_id = Some("sa-operator".into()))),
            "user OperatorLogin STALLED",
        ),
        ("waiting", with(by_hand().in_state(UserStatus::Pending)), "user Pending, poll"),
        ("deleted", with(by_hand().in_state(UserStatus::Inactive)), "user UserInactive STALLED, try again"),
        ("no rule for its roles", roles(&["other"]), "user AccessDenied STALLED"),
        ("a rule for its roles", roles(&["discovery"]), "adopt u1 g1"),
    ]);
}

/// The status names it with the proof.
fn claimed(facts: UserFacts) -> Observation {
    adopts(a_new_resource()).recorded_as("u1", 1).proved().but(|o| o.finalizer = true).seen("u1", facts)
}

#[test]
fn a_claimed_user_is_marked_and_published_with_its_name() {
    let marked = || details().but(|u| u.name = "by-hand".into());
    check(vec![
        ("it gets the mark", claimed(by_hand()), "describe u1 g1"),
        ("it was retained", claimed(details().retained()), "describe u1 g1"),
        (
            "its resource is gone",
            claimed(details().of_other_resource().without_its_owner()),
            "describe u1 g1",
        ),
        ("verify it", claimed(marked()), "verify what was read"),
        (
            "its roles are what they are",
            claimed(marked().but(|u| u.roles = vec!["other".into()])),
            "verify what was read",
        ),
        (
            "publish it",
            claimed(marked()).verified(shown_for("u1"), Verified::Accepted).writable(),
            "publish u1 g1",
        ),
        (
            "the rule was removed meanwhile",
            claimed(marked()).portal_but(|p| {
                p.grants = Grants(vec![Grant { roles: None, existing: false, adopt: false }]);
            }),
            "user AccessDenied STALLED (u1 g1)",
        ),
        (
            "another resource has marked it first",
            claimed(details().of_other_resource()),
            "user MarkedByOther STALLED",
        ),
    ]);
}

#[test]
fn after_that_it_is_a_user_as_any_other() {
    let ready = || adopts(a_ready_resource());
    let deleted = |o: Observation| o.read_live().but(|o| (o.deleting, o.reported) = (true, true));
    check(vec![
        ("calm", ready(), "ready (u1 g1), verify in time"),
        // The status was lost after the mark was written, or after its successor.
        (
            "found again by its mark",
            with(details().but(|u| u.name = "by-hand".into())),
            "verify what was read",
        ),
        (
            "its successor is found first",
            searched().searched(vec![candidate("u2", 2)]).seen("u2", details_of(2)),
            "verify what was read",
        ),
        ("an open attempt comes first", a_new_one().attempt(2, AttemptState::InFlight), "user Creating"),
        (
            "deleted with the resource",
            deleted(ready()).seen("u1", details().but(|u| u.name = "by-hand".into())),
            "delete u1",
        ),
        (
            "or retained",
            deleted(ready()).seen("u1", details().but(|u| u.name = "by-hand".into())).but(|o| {
                let Desired::Create(desired) = &mut o.desired else { unreachable!() };
                desired.deletion = Deletion::Retain;
            }),
            "mark u1 retained",
        ),
        // Nothing was claimed: the user is not the resource's.
        ("deleted before the claim", deleted(a_new_one().but(|o| o.finalizer = true)), "search"),
        ("and after the search", deleted(searched().but(|o| o.finalizer = true)), "drop the finalizer"),
    ]);
}
