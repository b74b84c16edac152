//! The spec names other roles than the user was created with: another user replaces it.

use std::time::Duration;

use super::super::{
    AttemptState, Done, RestartTarget, RetiringUser, Step, Strategy, Verified, WorkloadId, WorkloadKind, plan,
};
use super::builders::{
    a_new_resource, a_ready_resource, a_recorded_resource, candidate, contents, details, details_of, id,
    shown_for,
};
use super::support::users::Candidate;
use super::{Observation, check};
use crate::domain::access::{Grant, Grants};
use crate::domain::blocker::Blocker;
use crate::domain::ownership::Origin;
use crate::domain::plan::{Listed, RecordedUser, UserFacts};
use crate::domain::reason::Reason;
use crate::domain::roles::{self, RoleSet};
use crate::domain::test_support::role;
use crate::domain::user::{RoleKind, UserKind, UserStatus};

fn set(names: &[&str]) -> RoleSet {
    names.iter().map(ToString::to_string).collect()
}

/// `u1` was created with these roles.
fn asked(o: Observation, names: &[&str]) -> Observation {
    o.portal_but(|p| {
        p.roles.push(role("semantics", RoleKind::Internal, false));
        p.roles.push(role("bpn", RoleKind::Internal, false));
    })
    .but(|o| {
        o.rotation.kind = Some(UserKind::Internal);
        if let Some(user) = &mut o.recorded.user {
            user.asked = Some(set(names));
        }
    })
}

/// `u1` serves, and was created for `discovery` alone.
fn serving() -> Observation {
    asked(a_ready_resource(), &["discovery"]).but(|o| o.reported = true)
}

/// The spec names another role.
pub(super) fn added() -> Observation {
    serving().roles(&["discovery", "semantics"])
}

fn exchanged() -> Observation {
    serving().roles(&["semantics"])
}

/// The create of the second user, which asked for these roles.
fn attempt(o: Observation, names: &[&str], state: AttemptState) -> Observation {
    o.attempt(2, state).but(|o| {
        let open = o.attempt.as_mut().and_then(|open| open.attempt.as_mut());
        open.unwrap().roles = Some(set(names));
    })
}

fn created() -> AttemptState {
    AttemptState::Created(id("u2"))
}

/// The details of the second user.
fn second(names: &[&str]) -> UserFacts {
    details_of(2).but(|user| {
        user.roles = names.iter().map(ToString::to_string).collect();
        user.contents = Some(contents("d2"));
    })
}

fn found() -> Vec<Candidate> {
    vec![candidate("u2", 2)]
}

/// `u1` is an external user.
fn wallet(o: Observation) -> Observation {
    asked(o, &["wallet"]).but(|o| o.rotation.kind = Some(UserKind::External))
}

/// The details of `u1` as such a user.
fn external() -> UserFacts {
    details().external().but(|user| user.roles = vec!["wallet".into()])
}

fn without_delete(o: Observation) -> Observation {
    o.portal_but(|p| p.may_delete = false)
}

#[test]
fn other_roles_replace_the_user() {
    let proved = || {
        attempt(added(), &["discovery", "semantics"], created())
            .seen("u2", second(&["discovery", "semantics"]))
            .verified(shown_for("u2"), Verified::Accepted)
    };
    check(vec![
        ("the same roles", serving(), "ready (u1 g1), verify in time"),
        ("twice", serving().roles(&["discovery", "discovery"]), "ready (u1 g1), verify in time"),
        (
            "in another order",
            asked(serving(), &["discovery", "semantics"]).roles(&["semantics", "discovery"]),
            "ready (u1 g1), verify in time",
        ),
        (
            "that is reported first",
            added().but(|o| (o.reported, o.spec_observed) = (false, false)).seen("u1", details()),
            "ready (u1 g1), after 1 s, rotation: waits for RolesChanged",
        ),
        ("whether a successor exists", added(), "search"),
        ("none: its outputs", added().searched(vec![]), "prove the output writable"),
        (
            "then its create",
            added().searched(vec![]).writable().read_live(),
            "create g2 [id-discovery, id-semantics]",
        ),
        ("its details", attempt(added(), &["discovery", "semantics"], created()), "read u2"),
        ("its credential", proved(), "publish u2 g2"),
        ("it serves", proved().with_secret_of("u2", "d2"), "ready (u2 g2), after 1 s"),
        (
            "the portal gave fewer roles",
            attempt(added(), &["discovery", "semantics"], created()).seen("u2", second(&["discovery"])),
            "ready (u1 g1), rotation: waits for RolesMissing STALLED",
        ),
        (
            "and the spec asks for those by now",
            attempt(exchanged().roles(&["bpn"]), &["bpn", "semantics"], created())
                .seen("u2", second(&["bpn"])),
            "verify what was read",
        ),
        (
            "the portal refuses",
            attempt(added(), &["discovery", "semantics"], AttemptState::Refused(refusal())),
            "ready (u1 g1), try again, rotation: waits for CreateRefused STALLED",
        ),
        ("to and from a wallet role", serving().roles(&["wallet"]), "search"),
        ("and back", wallet(serving()).seen("u1", external()), "search"),
    ]);
}

fn refusal() -> Blocker {
    Blocker::lasting(Reason::CreateRefused, "400")
}

#[test]
fn what_the_portal_gave_is_no_change() {
    let fewer = || asked(a_recorded_resource(), &["discovery", "semantics"]).but(|o| o.reported = true);
    let unknown = || serving().but(|o| o.recorded.user.as_mut().unwrap().asked = None);
    check(vec![
        (
            "the portal gave fewer roles",
            fewer().roles(&["semantics", "discovery"]).seen("u1", details()),
            "user RolesMissing STALLED (u1 g1)",
        ),
        (
            "the spec asks for those that it gave",
            fewer().roles(&["discovery"]).seen("u1", details()),
            "verify what was read",
        ),
        (
            "nobody knows what was asked for",
            unknown().roles(&["discovery", "semantics"]),
            "ready (u1 g1), verify in time",
        ),
        (
            "the same, by its details",
            unknown()
                .roles(&["discovery", "semantics"])
                .but(|o| o.spec_observed = false)
                .seen("u1", details()),
            "user RolesMissing STALLED (u1 g1)",
        ),
        (
            "nothing is published: another user is created at once",
            fewer().roles(&["bpn"]).seen("u1", details()).searched(vec![]).writable(),
            "create g2 [id-bpn]",
        ),
        (
            "a user that waits for the wallet service is passed over",
            wallet(a_recorded_resource())
                .but(|o| o.recorded.user.as_mut().unwrap().active = false)
                .in_the_list(Listed::There(UserStatus::Pending))
                .seen("u1", external().in_state(UserStatus::Pending))
                .searched(vec![candidate("u1", 1)])
                .writable(),
            "create g2 [id-discovery]",
        ),
    ]);
}

#[test]
fn a_change_that_cannot_be_carried_out_leaves_the_user() {
    let in_place = |o: Observation| o.but(|o| o.rotation.strategy = Strategy::InPlace);
    let fixed = |o: Observation| o.but(|o| o.outputs[0].alias_is_fixed = true);
    let only = |names: &[&str]| {
        let roles = names.iter().map(ToString::to_string).collect();
        Grants(vec![Grant { roles: Some(roles), existing: false, adopt: false }])
    };
    check(vec![
        (
            "the strategy",
            in_place(added()),
            "ready (u1 g1), verify in time, rotation: waits for RoleChangeNeedsReplace STALLED",
        ),
        (
            "an alias that all users share",
            fixed(added()),
            "ready (u1 g1), verify in time, rotation: waits for AliasFixed STALLED",
        ),
        (
            "a role is taken away from an external user, and the login may not delete",
            without_delete(wallet(serving())),
            "ready (u1 g1), verify in time, rotation: waits for RoleChangeNeedsDelete STALLED",
        ),
        (
            "a person asks for the rotation all the same",
            without_delete(wallet(serving())).rotate().seen("u1", external()),
            "search",
        ),
        ("an internal user is reset in the end", without_delete(exchanged()), "search"),
        (
            "a role is only added to an external user",
            without_delete(wallet(serving())).roles(&["wallet", "other"]).portal_but(|p| {
                p.roles.push(role("other", RoleKind::External, false));
            }),
            "search",
        ),
        (
            "internal and external roles",
            serving().roles(&["discovery", "wallet"]),
            "ready (u1 g1), rotation: waits for RolesMixed STALLED",
        ),
        (
            "a role that is not offered",
            serving().roles(&["discovery", "nope"]),
            "ready (u1 g1), rotation: waits for RoleNotOffered STALLED",
        ),
        (
            "a role of providers",
            serving().roles(&["pool"]),
            "ready (u1 g1), rotation: waits for RoleProviderOnly STALLED",
        ),
        (
            "a role that is not granted",
            added().portal_but(|p| p.grants = only(&["discovery"])),
            "ready (u1 g1), rotation: waits for AccessDenied STALLED",
        ),
        (
            "its Secret is written again with the former credential",
            added()
                .portal_but(|p| p.grants = only(&["discovery"]))
                .without_secret()
                .seen("u1", details())
                .verified(shown_for("u1"), Verified::Accepted),
            "publish u1 g1",
        ),
        (
            "the former role is not granted any more: the successor cures it",
            exchanged()
                .portal_but(|p| p.grants = only(&["semantics"]))
                .seen("u1", details())
                .but(|o| o.spec_observed = false),
            "search",
        ),
        (
            "neither is granted",
            exchanged()
                .portal_but(|p| p.grants = Grants(Vec::new()))
                .seen("u1", details())
                .but(|o| o.spec_observed = false),
            "user AccessDenied STALLED (u1 g1), rotation: waits for AccessDenied STALLED",
        ),
        (
            "the Portal is suspended",
            added().suspended(),
            "ready (u1 g1), rotation: waits for PortalSuspended",
        ),
        (
            "the login may not create",
            added().portal_but(|p| p.may_create = false),
            "ready (u1 g1), rotation: waits for PermissionMissing STALLED",
        ),
    ]);
}

#[test]
fn a_change_in_the_middle_leads_to_one_successor_with_the_last_roles() {
    let begun = |o: Observation, state| attempt(o, &["discovery", "semantics"], state);
    let other = || serving().roles(&["bpn"]);
    let seen = |o: Observation| o.seen("u2", second(&["discovery", "semantics"]));
    let unclear = || AttemptState::Settling(Duration::from_secs(42));
    check(vec![
        ("back before the create", serving(), "ready (u1 g1), verify in time"),
        ("back: whether the user serves", begun(serving(), created()), "read u1"),
        ("it does", begun(serving(), created()).seen("u1", details()), "close the attempt"),
        (
            "the successor is a duplicate",
            seen(serving().sibling(candidate("u2", 2))).read_live(),
            "delete u2",
        ),
        (
            "back while the portal may still create it",
            begun(serving(), unclear()).seen("u1", details()),
            "ready (u1 g1), after 42 s",
        ),
        (
            "again while the portal may still create it",
            begun(other(), unclear()),
            "ready (u1 g1), after 42 s, rotation: waits for SettlingAttempt",
        ),
        ("again: the successor has other roles", begun(other(), created()), "read u2"),
        ("whether an output has it", seen(begun(other(), created())), "read the object"),
        ("it goes first", seen(begun(other(), created())).read_live(), "delete u2"),
        ("the login may not delete", without_delete(seen(begun(other(), created())).read_live()), "reset u2"),
        (
            "the same once it is reset",
            without_delete(seen(begun(other(), created())).read_live()).done("u2", Done::Reset),
            "mark u2 retained",
        ),
        (
            "then the next one",
            seen(begun(other(), created()))
                .done("u2", Done::Deleted)
                .searched(found())
                .writable()
                .read_live(),
            "create g3 [id-bpn]",
        ),
        (
            "found by the search",
            seen(begun(other(), AttemptState::Settled).searched(found())).read_live(),
            "delete u2",
        ),
        (
            "the same without an attempt: nobody knows what was asked for",
            seen(other().searched(found())).read_live(),
            "delete u2",
        ),
        (
            "one that has the roles of the spec is used",
            other().searched(found()).seen("u2", second(&["bpn"])),
            "verify what was read",
        ),
        (
            "it waits for the wallet service",
            begun(other(), created())
                .seen("u2", second(&["wallet"]).external().in_state(UserStatus::Pending))
                .searched(found())
                .writable()
                .read_live(),
            "create g3 [id-bpn]",
        ),
        (
            "an output holds its credential: it serves first",
            seen(begun(other(), created()))
                .with_secret_of("u2", "d2")
                .verified(shown_for("u2"), Verified::Accepted),
            "ready (u2 g2), after 1 s",
        ),
        (
            "the create was refused",
            begun(other(), AttemptState::RefusedRetry).writable(),
            "create g2 [id-bpn]",
        ),
        (
            "of the first user",
            attempt(asked(a_new_resource(), &[]).roles(&["bpn"]), &["discovery"], created())
                .seen("u2", second(&["discovery"]))
                .read_live(),
            "delete u2",
        ),
    ]);
}

#[test]
fn a_change_and_a_rotation_lead_to_one_successor() {
    let compromised = |o: Observation| o.rotate().but(|o| o.rotation.compromised = true);
    let without = || without_delete(exchanged());
    check(vec![
        ("it is time", added().but(|o| o.rotation.due = true), "search"),
        ("on request", added().rotate().seen("u1", details()), "search"),
        (
            "the request is handled by it",
            attempt(added().rotate(), &["discovery", "semantics"], created())
                .seen("u1", details())
                .seen("u2", second(&["discovery", "semantics"]))
                .verified(shown_for("u2"), Verified::Accepted)
                .with_secret_of("u2", "d2"),
            "ready (u2 g2), after 1 s, request handled",
        ),
        ("a secret that would be reset otherwise", without().rotate().seen("u1", details()), "search"),
        (
            "a secret that somebody may know is reset first",
            compromised(added()).seen("u1", details()),
            "prove the output writable",
        ),
        (
            "the successor that the change has begun is kept for after that",
            attempt(compromised(added()), &["discovery", "semantics"], created()).seen("u1", details()),
            "prove the output writable",
        ),
        (
            "it is reset, whatever keeps the roles",
            added()
                .rotate()
                .but(|o| o.rotation.strategy = Strategy::InPlace)
                .seen("u1", details())
                .writable()
                .read_live(),
            "reset u1 g1 for credential 1",
        ),
        (
            "a request that is refused as well",
            wallet(serving())
                .rotate()
                .but(|o| o.rotation.strategy = Strategy::InPlace)
                .seen("u1", external()),
            "ready (u1 g1), verify in time, request handled, answer ResetNotPossible, rotation: waits for \
             RoleChangeNeedsReplace STALLED",
        ),
    ]);
}

/// `u2` serves, `u1` has a role that the spec took away.
fn taken_away() -> Observation {
    let asked = Some(set(&["discovery"]));
    let user =
        RecordedUser { id: id("u1"), origin: Origin::Created(1), active: true, proved: true, asked: None };
    exchanged()
        .recorded_as("u2", 2)
        .with_secret_of("u2", "d2")
        .recorded_content("d2")
        .sibling(candidate("u1", 1))
        .read_live()
        .but(|o| {
            o.recorded.user.as_mut().unwrap().asked = Some(roles::set(&["semantics".to_owned()]));
            o.rotation.overlap = Duration::from_mins(10);
            let kept_for = Duration::from_mins(10);
            o.rotation.retiring = vec![RetiringUser {
                user: RecordedUser { asked, ..user },
                kept_for,
                begun: true,
                hurried: false,
                without_overlap: true,
            }];
        })
}

#[test]
fn a_user_with_a_role_that_was_taken_away_goes_without_overlap() {
    let seen = |o: Observation| o.seen("u1", details());
    let former = |o: Observation| {
        o.with_former_output("former").but(|o| {
            (o.to_remove[0].written, o.to_remove[0].begun) = (true, true);
            o.to_remove[0].kept_for = Duration::from_mins(10);
        })
    };
    let restart = |o: Observation| {
        o.but(|o| {
            let id = WorkloadId { kind: WorkloadKind::Deployment, name: "edc".into() };
            o.restarts.targets = vec![RestartTarget { id, due: true, view: None }];
            o.restarts.wait = Duration::ZERO;
        })
    };
    let role_was = |names: &[&str]| {
        attempt(asked(serving(), names).roles(&["semantics"]), &["semantics"], created())
            .seen("u2", second(&["semantics"]))
            .verified(shown_for("u2"), Verified::Accepted)
            .with_secret_of("u2", "d2")
            .but(|o| o.rotation.overlap = Duration::from_mins(10))
    };
    check(vec![
        ("at once", seen(taken_away()), "delete u1"),
        ("whatever a former output holds", former(seen(taken_away())), "delete u1"),
        ("the login may not delete", without_delete(seen(taken_away())), "reset u1"),
        ("not before the roll-out", restart(seen(taken_away())), "read edc"),
        ("the status has it next", role_was(&["semantics", "discovery"]), "ready (u2 g2), after 1 s"),
        ("a role that was only added", role_was(&[]), "ready (u2 g2), after 600 s"),
    ]);
}

/// A restore without the status: programs may use the user, so it is not deleted before another one is there.
#[test]
fn a_user_with_other_roles_that_only_a_list_shows_is_kept_until_another_one_serves() {
    let found = |names: &[&str]| {
        attempt(asked(a_new_resource(), &[]).roles(&["bpn"]), names, AttemptState::Settled)
            .searched(vec![candidate("u2", 2)])
            .seen("u2", second(names))
            .writable()
            .read_live()
    };
    let of_attempt = |o: Observation| {
        let o = asked(o, &["semantics"]).roles(&["bpn"]).searched(vec![candidate("u2", 2)]);
        o.seen("u1", details().in_state(UserStatus::Pending))
            .seen("u2", second(&["discovery"]))
            .writable()
            .read_live()
    };
    let former = |user: Option<&str>| {
        let o = attempt(of_attempt(a_recorded_resource()), &["discovery"], AttemptState::Settled);
        o.with_former_output("former").but(|o| {
            (o.to_remove[0].written, o.to_remove[0].user) = (true, user.map(id));
        })
    };
    check(vec![
        ("with other roles", found(&["discovery"]), "create g3 [id-bpn]"),
        (
            "the status names another one: it is from an attempt for former roles, and goes first",
            attempt(of_attempt(a_recorded_resource()), &["discovery"], AttemptState::Settled),
            "delete u2",
        ),
        ("a former output may hold its credential", former(None), "create g3 [id-bpn]"),
        ("a former output holds that of another user", former(Some("u1")), "delete u2"),
        ("a former output holds its credential", former(Some("u2")), "create g3 [id-bpn]"),
    ]);
}

/// The spec was changed after an attempt of unknown outcome: its user may appear after all, and is not taken for the next one.
#[test]
fn the_next_attempt_for_other_roles_has_another_generation() {
    let open = |names: &[&str]| {
        attempt(added().but(|o| o.finalizer = true), names, AttemptState::Settled)
            .seen("u1", details())
            .searched(vec![])
            .writable()
            .read_live()
    };
    check(vec![
        ("the same roles", open(&["discovery", "semantics"]), "create g2 [id-discovery, id-semantics]"),
        ("other roles", open(&["discovery", "bpn"]), "create g3 [id-discovery, id-semantics]"),
    ]);
}

#[test]
fn what_is_reported_names_the_user_that_is_replaced() {
    let Step::Settled(settled) = plan(&added().but(|o| o.reported = false).seen("u1", details())) else {
        panic!("it is reported first")
    };
    let message = settled.rotation.waiting.unwrap().message;
    assert_eq!(
        message,
        "create.roles differs from the roles that user u1 was created with. The operator replaces the user."
    );
}
