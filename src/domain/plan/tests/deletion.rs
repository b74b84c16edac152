//! What becomes of a user when its resource is deleted: policies, permissions, kinds and states.

use super::super::{AfterUsers, AttemptState, Deletion, Done};
use super::builders::{a_deleted_resource, a_new_resource, a_ready_resource, an_existing, details};
use super::{Observation, check};
use crate::domain::user::UserStatus;

const DROP: &str = "drop the finalizer";
const HELD: &str = "held Undeletable, try again";

/// Under deletion, the details read.
fn internal(policy: Deletion) -> Observation {
    a_deleted_resource().policy(policy).seen("u1", details())
}

fn external(policy: Deletion) -> Observation {
    a_deleted_resource().policy(policy).seen("u1", details().external())
}

fn pending(policy: Deletion) -> Observation {
    a_deleted_resource().policy(policy).seen("u1", details().external().in_state(UserStatus::Pending))
}

fn client_missing(policy: Deletion) -> Observation {
    a_deleted_resource().policy(policy).seen_without_client("u1")
}

fn may_not_delete(o: Observation) -> Observation {
    o.portal_but(|p| p.may_delete = false)
}

fn releases(o: Observation) -> Observation {
    o.portal_but(|p| p.release_undeletable = true)
}

fn refused(o: Observation) -> Observation {
    o.done("u1", Done::DeleteRefused("it is linked to a connector".into()))
}

#[test]
fn delete() {
    use Deletion::Delete;
    check(vec![
        ("its details first", a_deleted_resource(), "read u1"),
        ("internal", internal(Delete), "delete u1"),
        ("internal, done", internal(Delete).done("u1", Done::Deleted), DROP),
        ("external", external(Delete), "delete u1"),
        ("external, done", external(Delete).done("u1", Done::Deleted), DROP),
        ("internal, may not", may_not_delete(internal(Delete)), "reset u1"),
        ("internal, may not, by the answer", internal(Delete).done("u1", Done::DeleteForbidden), "reset u1"),
        (
            "internal, revoked instead",
            may_not_delete(internal(Delete)).done("u1", Done::Reset),
            "mark u1 retained",
        ),
        (
            "internal, revoked instead, marked",
            may_not_delete(internal(Delete)).done("u1", Done::Reset).done("u1", Done::MarkedRetained),
            "list u1 retained",
        ),
        (
            "internal, revoked instead, listed",
            may_not_delete(internal(Delete)).done("u1", Done::Reset).done("u1", Done::RecordedRetained),
            DROP,
        ),
        ("external, may not", may_not_delete(external(Delete)), HELD),
        ("external, may not, released", releases(may_not_delete(external(Delete))), "mark u1 retained"),
        (
            "external, may not, released, marked",
            releases(may_not_delete(external(Delete))).done("u1", Done::MarkedRetained),
            "list u1 retained",
        ),
        ("refused", refused(internal(Delete)), HELD),
        ("refused, released", releases(refused(internal(Delete))), "mark u1 retained"),
        ("pending", pending(Delete), HELD),
        ("pending, released: it cannot be marked", releases(pending(Delete)), "list u1 retained"),
        ("client missing", client_missing(Delete), HELD),
        ("client missing, released", releases(client_missing(Delete)), "list u1 retained"),
    ]);
}

#[test]
fn revoke() {
    use Deletion::Revoke;
    check(vec![
        ("internal", internal(Revoke), "reset u1"),
        ("internal, reset", internal(Revoke).done("u1", Done::Reset), "mark u1 retained"),
        (
            "internal, marked",
            internal(Revoke).done("u1", Done::Reset).done("u1", Done::MarkedRetained),
            "list u1 retained",
        ),
        ("internal, listed", internal(Revoke).done("u1", Done::RecordedRetained), DROP),
        ("external: its secret cannot be reset", external(Revoke), HELD),
        ("external, released", releases(external(Revoke)), "mark u1 retained"),
        ("pending", pending(Revoke), HELD),
        ("client missing", client_missing(Revoke), HELD),
    ]);
}

#[test]
fn retain() {
    use Deletion::Retain;
    check(vec![
        ("internal", internal(Retain), "mark u1 retained"),
        ("internal, marked", internal(Retain).done("u1", Done::MarkedRetained), "list u1 retained"),
        ("internal, listed", internal(Retain).done("u1", Done::RecordedRetained), DROP),
        ("external", external(Retain), "mark u1 retained"),
        ("pending: it cannot be marked", pending(Retain), "list u1 retained"),
    ]);
}

#[test]
fn a_user_that_does_not_exist_any_more_holds_no_resource() {
    let in_state = |state| a_deleted_resource().seen("u1", details().in_state(state));
    check(vec![
        ("gone", a_deleted_resource().seen_gone("u1"), DROP),
        ("waits for its deletion", in_state(UserStatus::PendingDeletion), DROP),
        ("deleted", in_state(UserStatus::Deleted), DROP),
        ("inactive", in_state(UserStatus::Inactive), DROP),
        ("in an unknown state", in_state(UserStatus::Other), HELD),
        ("in an unknown state, released", releases(in_state(UserStatus::Other)), "list u1 retained"),
        ("without our finalizer", a_deleted_resource().without_finalizer(), "gone"),
    ]);
}

#[test]
fn what_holds_a_resource_under_deletion() {
    let deleted = || internal(Deletion::Delete);
    check(vec![
        ("the portal is down", deleted().portal_blocked_in_passing(), "held Unreachable, try again"),
        ("the login is refused", deleted().portal_blocked_for_good(), "held LoginRefused, try again"),
        ("suspended", deleted().suspended(), "held PortalSuspended"),
        (
            "another company",
            deleted().recorded_company(super::builders::OTHER_COMPANY),
            "held CompanyChanged",
        ),
        ("another cluster", deleted().recorded_hint(super::builders::there()), "held TakenFromOtherCluster"),
        (
            "another cluster, by the mark",
            a_deleted_resource().seen("u1", details().of_other_cluster()),
            "held TakenFromOtherCluster",
        ),
    ]);
}

#[test]
fn a_release_asks_no_portal() {
    let released = || internal(Deletion::Delete).released();
    check(vec![
        ("listed first", released(), "list u1 retained"),
        ("then released", released().done("u1", Done::RecordedRetained), DROP),
        ("the portal is down", released().portal_blocked_for_good(), "list u1 retained"),
        ("suspended", released().suspended(), "list u1 retained"),
        ("another company", released().recorded_company(super::builders::OTHER_COMPANY), "list u1 retained"),
        ("no user", released().but(|o| o.recorded.user = None), DROP),
        ("an existing user is not listed", released().recorded_as("u1", 0), DROP),
    ]);
}

#[test]
fn an_annotation_prevents_a_deletion() {
    const PREVENTED: &str = "held DeletionPrevented STALLED";
    let protected = || a_deleted_resource().protected();
    let alive = || a_ready_resource().protected();
    let existing = |o: Observation| o.recorded_as("u1", 0).but(|o| o.desired = an_existing(&["u1"]).desired);
    check(vec![
        ("nothing is read", protected(), PREVENTED),
        ("its user was read", protected().seen("u1", details()), PREVENTED),
        ("the other annotation does not release it", protected().released(), PREVENTED),
        ("the Portal has no rule for what cannot be deleted", releases(protected()), PREVENTED),
        ("the portal is down", protected().portal_blocked_in_passing(), PREVENTED),
        ("a create is in progress", protected().attempt(2, AttemptState::InFlight), PREVENTED),
        (
            "all is done with its users",
            protected().but(|o| o.users_done = Some(AfterUsers::NoneIsValid)),
            PREVENTED,
        ),
        ("an existing user", existing(protected()), PREVENTED),
        ("without our finalizer it is gone", protected().without_finalizer(), "gone"),
        ("alive", alive(), "ready (u1 g1), verify in time"),
        ("alive, of an existing user", existing(alive()).without_finalizer(), "put the finalizer"),
        (
            "alive, the Portal is gone",
            existing(alive()).without_finalizer().portal_blocked_for_good(),
            "put the finalizer",
        ),
        ("there is nothing to keep yet", a_new_resource().protected(), "prove the output writable"),
    ]);
}

#[test]
fn nothing_is_done_to_a_user_before_the_object_was_read_from_the_apiserver() {
    let cached = |o: Observation| o.but(|o| o.live = false);
    check(vec![
        ("details need no live object", cached(a_deleted_resource()), "read u1"),
        ("delete", cached(internal(Deletion::Delete)), "read the object"),
        ("revoke", cached(internal(Deletion::Revoke)), "read the object"),
        ("retain", cached(internal(Deletion::Retain)), "read the object"),
    ]);
}
