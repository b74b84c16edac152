//! Whose user is it: what a status that others wrote, a forged mark or a login leads to, on every path.

use super::super::{AttemptState, Confirmed, Deletion, Desired, Done, Selector, UserFacts, Verified};
use super::builders::{
    a_deleted_resource, a_new_resource, a_ready_resource, a_recorded_resource, an_existing, candidate,
    details, details_of, id, owner, shown_for,
};
use super::{Observation, check};
use crate::domain::access::{Grant, Grants};
use crate::domain::identity::{Mark, Owner};
use crate::domain::user::UserStatus;

const DROP: &str = "drop the finalizer";

/// A user that a person created: another name, no mark.
fn by_hand() -> UserFacts {
    details().marked(None).but(|u| u.name = "by-hand".into())
}

/// The internal user of another resource, its mark removed.
fn unmarked_neighbour() -> UserFacts {
    let other = Owner { name: "other".into(), ..owner() };
    details().marked(None).but(|u| u.name = other.user_name(1, None))
}

fn retained_by_another() -> UserFacts {
    let owner = Owner { name: "other".into(), ..owner() };
    let mark = details().mark.map(|mark| Mark { owner, retained: true, ..mark });
    details().marked(mark)
}

fn login(facts: UserFacts) -> UserFacts {
    facts.but(|u| u.client_id = Some("sa-operator".into()))
}

fn granted(roles: &[&str], existing: bool) -> Grants {
    Grants(vec![Grant {
        roles: Some(roles.iter().map(ToString::to_string).collect()),
        existing,
        adopt: false,
    }])
}

/// Another client wrote `u1` into the status of a living resource, everything verified and writable.
fn forged(facts: UserFacts) -> Observation {
    a_recorded_resource()
        .unproved()
        .seen("u1", facts)
        .verified(shown_for("u1"), Verified::Accepted)
        .writable()
}

#[test]
fn a_forged_status_publishes_and_marks_no_user() {
    let not_ours = "user UserNotOurs STALLED";
    check(vec![
        ("a user made by hand", forged(by_hand()), not_ours),
        ("it waits for the wallet", forged(by_hand().in_state(UserStatus::Pending)), not_ours),
        ("an unmarked user of another resource", forged(unmarked_neighbour()), not_ours),
        ("our name, of another generation", forged(details_of(2).marked(None)), not_ours),
        ("another resource's user", forged(details().of_other_resource()), "user MarkedByOther STALLED"),
        ("retained by another resource", forged(retained_by_another()), "user MarkedByOther STALLED"),
        ("retained by this resource: never used again", forged(details().retained()), "search"),
        ("the operator's login", forged(login(by_hand())), "user OperatorLogin STALLED"),
        ("marked as a login", forged(details().of_a_login()), "user OperatorLogin STALLED"),
        (
            "a login that never worked",
            forged(by_hand().but(|u| u.client_id = Some("sa-wrong".into()))),
            "user OperatorLogin STALLED",
        ),
        ("the operator's login, our mark", forged(login(details())), "user OperatorLogin STALLED"),
    ]);
}

#[test]
fn the_own_user_without_a_mark_gets_it_back() {
    check(vec![
        ("by its name", forged(details().marked(None)), "describe u1 g1"),
        (
            "by its name, with dim-",
            forged(details().marked(None).but(|u| u.name = format!("dim-{}", u.name))),
            "describe u1 g1",
        ),
        ("by the proof", forged(by_hand()).proved(), "describe u1 g1"),
        (
            "the proof does not help against a mark",
            forged(details().of_other_resource()).proved(),
            "user MarkedByOther STALLED",
        ),
        ("nor against a retained mark", forged(details().retained()).proved(), "search"),
        ("nor for a login", forged(login(by_hand())).proved(), "user OperatorLogin STALLED"),
        (
            "an existing user has none",
            forged(by_hand()).recorded_as("u1", 0).proved(),
            "user UserNotOurs STALLED",
        ),
        (
            "created just now",
            a_new_resource().attempt(1, AttemptState::Created(id("u1"))).seen("u1", details().marked(None)),
            "describe u1 g1",
        ),
        (
            "an answer to a create that names another user",
            a_new_resource().attempt(1, AttemptState::Created(id("u1"))).seen("u1", by_hand()),
            "user UserNotOurs STALLED",
        ),
    ]);
}

#[test]
fn a_forged_status_deletes_resets_and_retains_no_user() {
    for policy in [Deletion::Delete, Deletion::Revoke, Deletion::Retain] {
        for release in [false, true] {
            let with = |facts| {
                a_deleted_resource()
                    .unproved()
                    .searched(vec![])
                    .policy(policy)
                    .seen("u1", facts)
                    .portal_but(|p| p.release_undeletable = release)
            };
            check(vec![
                ("a user made by hand", with(by_hand()), "held UserNotOurs"),
                ("an unmarked user of another resource", with(unmarked_neighbour()), "held UserNotOurs"),
                ("another resource's user", with(details().of_other_resource()), DROP),
                ("retained by another resource", with(retained_by_another()), DROP),
                ("the operator's login", with(login(by_hand())), "held OperatorLogin"),
                ("the operator's login, our mark", with(login(details())), "held OperatorLogin"),
                ("retained by this resource", with(details().retained()), "list u1 retained"),
            ]);
        }
    }
    let deleted = || a_deleted_resource().unproved().searched(vec![]);
    check(vec![
        ("the own user without a mark", deleted().seen("u1", details().marked(None)), "delete u1"),
        ("the own user by its proof", deleted().seen("u1", by_hand()).proved(), "delete u1"),
        (
            "a create's answer that names another user",
            a_new_resource()
                .but(|o| o.deleting = true)
                .attempt(1, AttemptState::Created(id("u1")))
                .seen("u1", by_hand()),
            "held UserNotOurs",
        ),
    ]);
}

#[test]
fn a_forged_status_does_not_hide_the_real_user() {
    let status = || a_deleted_resource().recorded_as("x", 1).unproved().seen("x", by_hand());
    let forged = || status().searched(vec![candidate("u1", 1)]);
    check(vec![
        ("a list that was read before does not do", status().sibling(candidate("u1", 1)), "search"),
        ("it is read", forged(), "read u1"),
        ("it is deleted", forged().seen("u1", details()), "delete u1"),
        ("then the resource is held", forged().done("u1", Done::Deleted), "held UserNotOurs"),
        (
            "until it is released",
            forged().done("u1", Done::Deleted).released().done("x", Done::RecordedRetained),
            DROP,
        ),
    ]);
}

#[test]
fn a_login_that_is_published_is_reported() {
    let existing = || {
        let ready = a_ready_resource().recorded_as("u1", 0).selected(&["u1"]);
        ready.but(|o| o.desired = an_existing(&["u1"]).desired)
    };
    let refused = "user OperatorLogin STALLED";
    check(vec![
        ("created by us", a_ready_resource().client("u1", "sa-operator"), refused),
        ("another spelling", a_ready_resource().client("u1", "SA-Operator"), refused),
        (
            "its verification does not go on",
            a_ready_resource().client("u1", "sa-operator").verification_due(),
            refused,
        ),
        ("an existing one", existing().client("u1", "sa-operator"), refused),
        ("an existing one, of a login that never worked", existing().client("u1", "sa-wrong"), refused),
        ("an existing one, not even read", an_existing(&["u1"]).client("u1", "sa-operator"), refused),
        // Who may write a Portal cannot stop the user of another resource by naming it as a login.
        (
            "created by us, named by a login that never worked",
            a_ready_resource().client("u1", "sa-wrong"),
            "ready (u1 g1), verify in time",
        ),
        (
            "another user is the login",
            a_ready_resource().client("u2", "sa-operator"),
            "ready (u1 g1), verify in time",
        ),
    ]);
}

#[test]
fn the_roles_that_a_user_has_are_compared_with_the_grants() {
    let has = |roles: &[&str]| {
        let roles = roles.iter().map(ToString::to_string).collect();
        details().but(|u| u.roles = roles)
    };
    let only = |o: Observation, roles: &[&str]| o.portal_but(|p| p.grants = granted(roles, false));
    let denied = "user AccessDenied STALLED (u1 g1)";
    check(vec![
        ("as granted", only(forged(has(&["discovery"])), &["discovery", "wallet"]), "publish u1 g1"),
        (
            "more than was requested, and granted",
            only(forged(has(&["discovery", "wallet"])), &["discovery", "wallet"]),
            "publish u1 g1",
        ),
        ("more than is granted", only(forged(has(&["discovery", "wallet"])), &["discovery"]), denied),
        (
            "granted by two rules, not by one",
            forged(has(&["discovery", "wallet"])).portal_but(|p| {
                p.grants = Grants([granted(&["discovery"], false).0, granted(&["wallet"], false).0].concat());
            }),
            denied,
        ),
        (
            "nor is it described",
            only(forged(has(&["discovery", "wallet"]).marked(None)), &["discovery"]),
            denied,
        ),
        (
            "a Secret that is healed",
            only(
                a_ready_resource().without_secret().seen("u1", has(&["discovery", "wallet"])),
                &["discovery"],
            ),
            denied,
        ),
    ]);
}

#[test]
fn an_existing_user_is_published_by_the_roles_of_its_rule() {
    let with = |roles: &[&str], grants: Grants| {
        let roles = roles.iter().map(ToString::to_string).collect();
        an_existing(&["u1"])
            .seen("u1", by_hand().but(|u| u.roles = roles))
            .verified(shown_for("u1"), Verified::Accepted)
            .portal_but(|p| p.grants = grants)
    };
    let denied = "user AccessDenied STALLED";
    let both = || Grants([granted(&["wallet"], false).0, granted(&["discovery"], true).0].concat());
    check(vec![
        ("every role", with(&["wallet", "discovery"], Grants::everything()), "publish u1 g0"),
        ("in its roles", with(&["discovery"], granted(&["discovery", "wallet"], true)), "publish u1 g0"),
        ("one beyond", with(&["discovery", "wallet"], granted(&["discovery"], true)), denied),
        ("granted by a rule that is not for existing users", with(&["wallet"], both()), denied),
        ("granted by the rule that is", with(&["discovery"], both()), "publish u1 g0"),
    ]);
}

#[test]
fn an_existing_user_that_another_resource_retained_is_refused() {
    let with = |facts| an_existing(&["u1"]).seen("u1", facts);
    check(vec![
        ("retained by another", with(retained_by_another()), "user ManagedElsewhere STALLED"),
        ("retained by a resource of this name", with(details().retained()), "verify what was read"),
        ("live, of a resource of this name", with(details()), "user ManagedElsewhere STALLED"),
    ]);
}

#[test]
fn a_duplicate_is_judged_by_details_that_were_read_in_this_reconcile() {
    let twice = || a_ready_resource().sibling(candidate("u9", 1)).read_live();
    let ready = "ready (u1 g1), verify in time";
    check(vec![
        ("its mark is remembered", twice(), "read u9"),
        ("it is still there", twice().seen("u9", details()), "delete u9"),
        ("a person removed it", twice().seen("u9", details().marked(None)), ready),
        ("a person wrote another one", twice().seen("u9", details().of_other_resource()), ready),
        ("it is retained by now", twice().seen("u9", details().retained()), ready),
        ("of another cluster by now", twice().seen("u9", details().of_other_cluster()), ready),
        ("gone by now", twice().seen_gone("u9"), ready),
        ("its client is missing by now", twice().seen_without_client("u9"), ready),
        ("it is the operator's login", twice().seen("u9", login(details())), ready),
        (
            "not reset either",
            twice().seen("u9", details().marked(None)).portal_but(|p| p.may_delete = false),
            ready,
        ),
    ]);
}

#[test]
fn a_candidate_without_its_mark_since_the_search_is_not_used() {
    let found = || a_new_resource().writable().searched(vec![candidate("u1", 1)]);
    let twin =
        || a_recorded_resource().recorded_as("u2", 1).with_secret_of("u1", "d1").sibling(candidate("u1", 1));
    check(vec![
        ("found", found(), "read u1"),
        ("its mark is gone", found().seen("u1", details().marked(None)), "create g2 [id-discovery]"),
        ("the published twin", twin(), "read u1"),
        ("the published twin's mark is gone", twin().seen("u1", details().marked(None)), "read u2"),
        (
            "not confirmed",
            a_recorded_resource()
                .recorded_as("u2", 1)
                .with_secret_of("u1", "d1")
                .sibling(candidate("u1", 1).is(Confirmed::Foreign)),
            "read u2",
        ),
    ]);
}

/// The description was composed in two places that could come apart.
#[test]
fn one_function_composes_the_description() {
    let o = a_recorded_resource().desired_but(|d| d.description = Some("for the EDC".into()));
    let mark = |text: &str| Mark::find(text).map(|mark| (mark.owner, mark.generation, mark.retained));
    assert_eq!(mark(&o.description(3)), Some((owner(), 3, false)));
    assert_eq!(mark(&o.retained_description(3)), Some((owner(), 3, true)));
    assert!(
        o.description(3).ends_with("] for the EDC") && o.retained_description(3).ends_with("] for the EDC")
    );
    let existing = o.but(|o| o.desired = Desired::Existing { selector: Selector::Name(String::new()) });
    assert!(existing.description(3).ends_with(']'));
}
