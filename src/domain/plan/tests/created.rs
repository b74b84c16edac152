//! From a resource to its user: what stands in the way, an open attempt, the search, the choice.

use std::time::Duration;

use super::super::{AttemptState, Confirmed};
use super::builders::{
    OTHER_COMPANY, a_new_resource, a_ready_resource, a_recorded_resource, candidate, details_of, id,
    other_pin, there,
};
use super::support::users::Candidate;
use super::{Observation, check};
use crate::domain::access::{Grant, Grants};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::user::UserStatus;

fn granted(roles: &[&str]) -> Grants {
    Grants(vec![Grant {
        roles: Some(roles.iter().map(ToString::to_string).collect()),
        existing: false,
        adopt: false,
    }])
}

#[test]
fn a_user_is_created_after_access_roles_dry_run_and_search() {
    let new = a_new_resource;
    check(vec![
        ("first the output", new(), "prove the output writable"),
        ("then the portal's users", new().writable(), "search"),
        ("then the create", new().writable().searched(vec![]), "create g1 [id-discovery]"),
        (
            "a wallet user likewise",
            new().roles(&["wallet"]).writable().searched(vec![]),
            "create g1 [id-wallet]",
        ),
        ("a search alone does not do", new().searched(vec![]), "prove the output writable"),
    ]);
}

#[test]
fn blockers_are_reported_before_any_request_to_the_portal() {
    // The observation has everything that a create needs, so that only the blocker prevents it.
    let new = || a_new_resource().writable().searched(vec![]);
    let no_role = |o: Observation| o.portal_but(|p| p.grants = granted(&["wallet"]));
    check(vec![
        ("portal down", new().portal_blocked_in_passing(), "user Unreachable, try again"),
        ("login refused", new().portal_blocked_for_good(), "user LoginRefused STALLED, try again"),
        ("role not granted", no_role(new()), "user AccessDenied STALLED"),
        ("no grant at all", new().portal_but(|p| p.grants = Grants::default()), "user AccessDenied STALLED"),
        (
            "roles granted by two rules, not by one",
            new().roles(&["discovery", "pool"]).portal_but(|p| {
                p.grants = Grants([granted(&["discovery"]).0, granted(&["pool"]).0].concat());
            }),
            "user AccessDenied STALLED",
        ),
        ("role unknown", new().roles(&["nope"]), "user RoleNotOffered STALLED"),
        ("role for providers", new().roles(&["pool"]), "user RoleProviderOnly STALLED"),
        ("two kinds of roles", new().roles(&["discovery", "wallet"]), "user RolesMixed STALLED"),
        ("portal under deletion", new().portal_but(|p| p.deleting = true), "user PortalDeleting"),
        ("portal suspended", new().suspended(), "user PortalSuspended"),
        (
            "login may not create",
            new().portal_but(|p| p.may_create = false),
            "user PermissionMissing STALLED",
        ),
        ("output not writable", new().unwritable(), "user OutputNotWritable STALLED, try again"),
    ]);
}

#[test]
fn an_unwritable_output_never_leads_to_a_create() {
    let settled = AttemptState::Settled;
    check(vec![
        ("new", a_new_resource().unwritable(), "user OutputNotWritable STALLED, try again"),
        (
            "after a settled attempt",
            a_new_resource().attempt(1, settled).searched(vec![]).unwritable(),
            "user OutputNotWritable STALLED, try again",
        ),
        (
            "after a refusal",
            a_new_resource().attempt(1, AttemptState::RefusedRetry).unwritable(),
            "user OutputNotWritable STALLED, try again",
        ),
        (
            "for a successor",
            a_ready_resource().with_foreign_secret().seen_gone("u1").searched(vec![]).unwritable(),
            "user OutputNotWritable STALLED, try again",
        ),
    ]);
}

#[test]
fn users_of_another_company_are_not_changed() {
    let company = "user CompanyChanged STALLED";
    let other_attempt = |o: Observation| {
        o.but(|o| {
            if let Some(open) = &mut o.attempt {
                open.attempt.as_mut().unwrap().pin = other_pin();
            }
        })
    };
    check(vec![
        ("by the status", a_ready_resource().recorded_company(OTHER_COMPANY), company),
        (
            "by the status, without finalizer",
            a_ready_resource().recorded_company(OTHER_COMPANY).without_finalizer(),
            company,
        ),
        ("by the attempt", other_attempt(a_new_resource().attempt(1, AttemptState::Settled)), company),
        (
            "by an attempt to retry",
            other_attempt(a_new_resource().attempt(1, AttemptState::RefusedRetry)),
            company,
        ),
        (
            "by an attempt in flight",
            other_attempt(a_new_resource().attempt(1, AttemptState::InFlight)),
            company,
        ),
    ]);
}

#[test]
fn users_of_another_cluster_are_not_changed_until_it_is_taken_over() {
    let other = "user TakenFromOtherCluster STALLED";
    let takes_over = |o: Observation| o.portal_but(|p| p.taken_over = vec![there()]);
    let by_status = || a_ready_resource().recorded_hint(there());
    let by_details = || a_recorded_resource().seen("u1", details_of(1).of_other_cluster());
    let by_search =
        || a_new_resource().writable().searched(vec![candidate("u1", 1).is(Confirmed::Ours(there()))]);
    check(vec![
        ("by the status", by_status(), other),
        ("by the details", by_details(), other),
        ("by a search", by_search(), other),
        ("by the status, taken over: its mark is read", takes_over(by_status()), "read u1"),
        ("by the details, taken over: the mark becomes ours", takes_over(by_details()), "describe u1 g1"),
        ("by a search, taken over", takes_over(by_search()), "read u1"),
    ]);
}

#[test]
fn an_open_attempt_is_settled_before_anything_else() {
    let new = |state| a_new_resource().attempt(1, state);
    let refused = || AttemptState::Refused(Blocker::lasting(Reason::PortalError, "400"));
    let busy = || AttemptState::Settling(Duration::from_secs(42));
    check(vec![
        ("in flight here", new(AttemptState::InFlight), "user Creating"),
        ("unknown yet", new(busy()), "user SettlingAttempt, after 42 s"),
        ("refused", new(refused()), "user PortalError STALLED, try again"),
        ("refused, time to retry: the output", new(AttemptState::RefusedRetry), "prove the output writable"),
        (
            "refused, time to retry: no search is needed",
            new(AttemptState::RefusedRetry).writable(),
            "create g1 [id-discovery]",
        ),
        ("created here", new(AttemptState::Created(id("u1"))), "read u1"),
        ("settled: what has come of it?", new(AttemptState::Settled), "search"),
        ("settled, found", new(AttemptState::Settled).searched(vec![candidate("u1", 1)]), "read u1"),
        (
            "settled, absent: again with the same generation",
            new(AttemptState::Settled).writable().searched(vec![]),
            "create g1 [id-discovery]",
        ),
        (
            "settled, absent, of a later generation",
            a_recorded_resource()
                .attempt(2, AttemptState::Settled)
                .writable()
                .searched(vec![candidate("u1", 1)]),
            "create g2 [id-discovery]",
        ),
        (
            "settled, found, of a later generation",
            a_recorded_resource().attempt(2, AttemptState::Settled).searched(vec![candidate("u2", 2)]),
            "read u2",
        ),
        (
            "the search comes first even where nothing could be made",
            new(AttemptState::Settled).suspended(),
            "search",
        ),
        (
            "a later attempt in flight keeps the recorded user from being called ready without a look",
            a_ready_resource().attempt(2, AttemptState::InFlight),
            "read u1",
        ),
        (
            "it is gone",
            a_ready_resource().attempt(2, AttemptState::InFlight).seen_gone("u1"),
            "user Creating",
        ),
    ]);
}

#[test]
fn among_several_users_every_process_chooses_the_same() {
    let new = |found: Vec<Candidate>| a_new_resource().writable().searched(found);
    let pending = |c: Candidate| c.in_state(UserStatus::Pending);
    check(vec![
        ("the highest generation", new(vec![candidate("u1", 1), candidate("u2", 2)]), "read u2"),
        (
            "the published one before it",
            new(vec![candidate("u1", 1), candidate("u2", 2)]).with_secret_of("u1", "d1"),
            "read u1",
        ),
        ("the active one", new(vec![pending(candidate("ua", 1)), candidate("ub", 1)]), "read ub"),
        (
            "the lowest number of the client ID",
            new(vec![candidate("ua", 1).client("sa10"), candidate("ub", 1).client("sa9")]),
            "read ub",
        ),
        ("the smallest id", new(vec![candidate("ub", 1), candidate("ua", 1)]), "read ua"),
        (
            "one with a client ID before one without",
            new(vec![candidate("ua", 1), candidate("ub", 1).client("sa9")]),
            "read ub",
        ),
    ]);
}

#[test]
fn a_generation_is_passed_over_only_where_its_user_cannot_be_used() {
    let new = |found: Vec<Candidate>| a_new_resource().writable().searched(found);
    let one = || candidate("u1", 1);
    let next = "create g2 [id-discovery]";
    check(vec![
        ("usable", new(vec![one()]), "read u1"),
        ("pending", new(vec![one().in_state(UserStatus::Pending)]), "read u1"),
        ("waits for its deletion", new(vec![one().in_state(UserStatus::PendingDeletion)]), next),
        ("inactive", new(vec![one().in_state(UserStatus::Inactive)]), next),
        ("deleted, and still listed", new(vec![one().in_state(UserStatus::Deleted)]), next),
        ("in an unknown state", new(vec![one().in_state(UserStatus::Other)]), next),
        ("retained", new(vec![one().is(Confirmed::Retained)]), next),
        ("another's", new(vec![one().is(Confirmed::Foreign)]), next),
        ("client missing", new(vec![one().is(Confirmed::ClientMissing)]), next),
        ("gone since: its name is free", new(vec![one().is(Confirmed::Gone)]), "create g1 [id-discovery]"),
        (
            "two used up",
            new(vec![one().is(Confirmed::Retained), candidate("u2", 2).is(Confirmed::Foreign)]),
            "create g3 [id-discovery]",
        ),
    ]);
}
