//! A recorded user that is not as it should be, and what a request for rotation does about it.

use super::super::{AttemptState, Done, Listed, Verified};
use super::builders::{
    a_new_resource, a_ready_resource, a_recorded_resource, candidate, details, details_of, id, in_the_secret,
    shown_for,
};
use super::{Observation, check};
use crate::domain::access::Grants;
use crate::domain::user::UserStatus;

const REFUSED: Verified = Verified::Refused { unknown_client: true };

/// Recorded, published once, and the list shows it no more.
fn vanished() -> Observation {
    a_ready_resource().in_the_list(Listed::Missing)
}

#[test]
fn a_user_that_was_deleted_in_the_portal_gets_a_successor() {
    let gone = || vanished().seen_gone("u1");
    let next = "create g2 [id-discovery]";
    let in_state = |state| {
        a_ready_resource()
            .in_the_list(Listed::There(state))
            .seen("u1", details().in_state(state))
            .searched(vec![])
            .writable()
    };
    check(vec![
        ("the list proves nothing: its details are asked for", vanished(), "read u1"),
        (
            "the details know it: all is well",
            vanished().seen("u1", details()),
            "ready (u1 g1), verify in time",
        ),
        ("gone: is a successor there?", gone(), "search"),
        ("none: can it be written?", gone().searched(vec![]), "prove the output writable"),
        ("it can", gone().searched(vec![]).writable(), next),
        ("a successor is there", gone().searched(vec![candidate("u2", 2)]), "read u2"),
        (
            "the successor is good",
            gone().searched(vec![candidate("u2", 2)]).seen("u2", details_of(2)),
            "verify what was read",
        ),
        (
            "the successor waits for the wallet",
            gone().searched(vec![candidate("u2", 2)]).seen("u2", details_of(2).in_state(UserStatus::Pending)),
            "user Pending (u2 g2), poll",
        ),
        (
            "the successor is gone too",
            gone().searched(vec![candidate("u2", 2)]).seen_gone("u2").writable(),
            "create g3 [id-discovery]",
        ),
        ("waits for its deletion", in_state(UserStatus::PendingDeletion), next),
        ("inactive", in_state(UserStatus::Inactive), next),
        ("deleted, and still shown", in_state(UserStatus::Deleted), next),
        ("in an unknown state", in_state(UserStatus::Other), "user UserInactive STALLED (u1 g1), try again"),
        (
            "many are gone at once",
            gone().portal_but(|p| p.mass_disappearance = Some(7)),
            "user LossSuspected STALLED (u1 g1)",
        ),
        (
            "no successor may be created",
            gone().portal_but(|p| p.grants = Grants::default()),
            "user AccessDenied STALLED (u1 g1)",
        ),
        ("not while the portal is suspended", gone().suspended(), "user PortalSuspended (u1 g1)"),
    ]);
}

#[test]
fn a_user_that_was_just_created_is_used_before_the_status_names_it() {
    let created = || a_new_resource().attempt(1, AttemptState::Created(id("u1")));
    check(vec![
        ("its details", created(), "read u1"),
        ("active", created().seen("u1", details()), "verify what was read"),
        (
            "pending",
            created().seen("u1", details().in_state(UserStatus::Pending)),
            "user Pending (u1 g1), poll",
        ),
        ("gone at once", created().seen_gone("u1"), "search"),
        (
            "gone at once: the next",
            created().seen_gone("u1").searched(vec![]).writable(),
            "create g2 [id-discovery]",
        ),
    ]);
}

#[test]
fn a_pending_user_is_waited_for_and_stepped_around_on_request() {
    let pending = || {
        a_recorded_resource()
            .in_the_list(Listed::There(UserStatus::Pending))
            .seen("u1", details().external().in_state(UserStatus::Pending))
    };
    let handled = "user Pending (u2 g2), poll, request handled";
    check(vec![
        ("in time", pending().pending_for(30), "user Pending (u1 g1), poll"),
        ("the status does not say since when", pending(), "user Pending (u1 g1), poll"),
        ("too long", pending().pending_for(31), "user PendingTooLong STALLED (u1 g1), poll"),
        ("rotate", pending().rotate(), "search"),
        (
            "rotate: none yet",
            pending().rotate().searched(vec![candidate("u1", 1)]).writable(),
            "create g2 [id-discovery]",
        ),
        (
            "rotate: made, and pending as well",
            pending()
                .rotate()
                .attempt(2, AttemptState::Created(id("u2")))
                .seen("u2", details_of(2).in_state(UserStatus::Pending)),
            handled,
        ),
        (
            "rotate: found, and pending as well",
            pending()
                .rotate()
                .searched(vec![candidate("u2", 2)])
                .seen("u2", details_of(2).in_state(UserStatus::Pending)),
            handled,
        ),
        ("rotate, not while suspended", pending().rotate().suspended(), "user PortalSuspended (u1 g1)"),
    ]);
}

#[test]
fn an_unusable_user_is_replaced_on_request_or_when_it_is_certain() {
    let missing = || vanished().seen_without_client("u1");
    let tried = |said| missing().verified(in_the_secret(), said);
    let condition = "user IdentityLost STALLED (u1 g1), try again";
    check(vec![
        ("is its credential refused as well?", missing(), "verify what is published"),
        ("it is", tried(REFUSED), condition),
        ("it is not", tried(Verified::Accepted), condition),
        ("unreachable", tried(Verified::Unreachable("down".into())), condition),
        (
            "nothing is published",
            a_recorded_resource().in_the_list(Listed::Missing).seen_without_client("u1"),
            condition,
        ),
        ("certain", missing().but(|o| o.client_missing_for_good = true), "list u1 retained"),
        ("rotate", missing().rotate(), "list u1 retained"),
        ("rotate: listed", missing().rotate().done("u1", Done::RecordedRetained), "search"),
        (
            "rotate: none yet",
            missing().rotate().done("u1", Done::RecordedRetained).searched(vec![]).writable(),
            "create g2 [id-discovery]",
        ),
        ("not while suspended", missing().rotate().suspended(), "user PortalSuspended (u1 g1)"),
    ]);
}

#[test]
fn a_request_to_rotate_a_healthy_user_leads_to_a_successor() {
    check(vec![
        ("its details first", a_ready_resource().rotate(), "read u1"),
        ("healthy", a_ready_resource().rotate().seen("u1", details()), "search"),
        (
            "not while its credential is refused",
            a_ready_resource().rotate().seen("u1", details()).verified(shown_for("u1"), REFUSED),
            "credential CredentialRefused (u1 g1), try again",
        ),
    ]);
}

#[test]
fn a_user_without_a_mark_is_not_used() {
    let with = |facts| vanished().seen("u1", facts);
    check(vec![
        ("another's", with(details().of_other_resource()), "user MarkedByOther STALLED"),
        ("left behind: a successor", with(details().retained()), "search"),
        ("the mark was edited away: it is put back", with(details().marked(None)), "describe u1 g1"),
        ("not while suspended", with(details().marked(None)).suspended(), "ready (u1 g1), verify in time"),
        (
            "nor without the permission",
            with(details().marked(None)).portal_but(|p| p.may_create = false),
            "ready (u1 g1), verify in time",
        ),
        ("a role is missing", with(details().but(|u| u.roles.clear())), "user RolesMissing STALLED (u1 g1)"),
        (
            "the description has changed",
            with(details()).desired_but(|d| d.description = Some("for the EDC".into())),
            "describe u1 g1",
        ),
        (
            "the spec has changed it while suspended",
            with(details().marked(None)).suspended().but(|o| o.spec_observed = false),
            "user PortalSuspended (u1 g1)",
        ),
    ]);
}

#[test]
fn a_missing_finalizer_is_put_back() {
    check(vec![
        ("recorded", a_ready_resource().without_finalizer(), "put the finalizer"),
        ("nothing recorded", a_new_resource().writable(), "search"),
    ]);
}
