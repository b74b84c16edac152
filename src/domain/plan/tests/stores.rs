//! Outputs whose store can be down alone, and outputs that Kubernetes does not remove with their resource.

use std::time::Duration;

use super::super::{Deletion, Done, OutputReport, OutputState, Verified, report_of};
use super::builders::{
    a_deleted_resource, a_new_resource, a_ready_resource, a_recorded_resource, an_existing, candidate,
    contents, details, down, id, shown_for, the_entry,
};
use super::{Observation, check};
use crate::domain::user::UserStatus;

const DROP: &str = "drop the finalizer";
const REMOVE: &str = "remove Entry \"left\"";

/// An entry beside the Secret, whose store is down.
fn and_a_store_that_is_down(o: Observation) -> Observation {
    o.with_output(&the_entry(), OutputState::Unknown(down()))
}

/// Ready, with the credential in both as the status records.
fn ready() -> Observation {
    and_a_store_that_is_down(a_ready_resource()).recorded_content("d1")
}

fn proved(o: Observation) -> Observation {
    o.seen("u1", details()).verified(shown_for("u1"), Verified::Accepted)
}

#[test]
fn no_user_is_created_while_a_store_is_down() {
    let new = and_a_store_that_is_down(a_new_resource()).writable();
    let asked = new.but(|o| o.output_mut(&the_entry()).unwrap().writable = Some(Err(down())));
    check(vec![
        ("it is asked", and_a_store_that_is_down(a_new_resource()), "prove the output writable"),
        ("it cannot be written", asked, "user OutputNotWritable, try again"),
    ]);
}

#[test]
fn what_was_written_counts_while_its_store_is_down() {
    let changed = || ready().seen("u1", details().but(|user| user.contents = Some(contents("d2"))));
    check(vec![
        ("it was ready", ready(), "still ready (u1 g1), try again"),
        ("another output is healed", ready().without_secret(), "read u1"),
        ("with the same content", proved(ready().without_secret()), "publish u1 g1"),
        ("then it is as before", proved(ready()), "still ready (u1 g1), try again"),
        ("the verification goes on", ready().verification_due(), "verify what is published"),
        (
            "from the portal where no other output can be read back",
            ready()
                .verification_due()
                .but(|o| o.outputs.iter_mut().for_each(|output| output.readable = false)),
            "read u1",
        ),
        (
            "another credential: the other output gets it",
            changed().verified(shown_for("u1"), Verified::Accepted),
            "publish u1 g1",
        ),
        (
            "and the store that is down does not hold it",
            changed().verified(shown_for("u1"), Verified::Accepted).with_secret_of("u1", "d2"),
            "output OutputNotWritable (u1 g1), try again",
        ),
        (
            "it was not ready before",
            proved(ready()).but(|o| o.spec_observed = false),
            "output OutputNotWritable (u1 g1), try again",
        ),
        (
            "nothing was ever written to it",
            proved(and_a_store_that_is_down(a_recorded_resource())),
            "publish u1 g1",
        ),
    ]);
}

#[test]
fn a_store_that_is_down_is_reported_at_its_output() {
    let o = ready();
    let report = report_of(&o, o.output(&the_entry()).unwrap(), Some(&id("u1")));
    assert_eq!(report, OutputReport::Blocked(down()));
}

#[test]
fn no_former_output_is_removed_while_a_store_is_down() {
    check(vec![(
        "it may be the last that holds",
        ready().with_former_output("old"),
        "still ready (u1 g1), try again",
    )]);
}

#[test]
fn no_second_user_is_deleted_whose_credential_a_store_may_hold() {
    let second = |o: Observation| o.sibling(candidate("u2", 1)).read_live();
    check(vec![
        ("none can hold it", second(a_ready_resource()), "read u2"),
        ("one may", second(ready()), "still ready (u1 g1), try again"),
    ]);
}

#[test]
fn a_former_output_that_cannot_be_removed_is_tried_again() {
    let failed = || a_ready_resource().with_removal("left", Some(Duration::from_secs(9)));
    check(vec![
        ("removed", a_ready_resource().with_removal("left", None), REMOVE),
        ("its store is down", failed(), "ready (u1 g1), try again"),
        ("another one", failed().with_former_output("old"), "remove Secret \"old\""),
    ]);
}

#[test]
fn an_existing_user_needs_a_finalizer_for_what_kubernetes_does_not_remove() {
    let existing = || an_existing(&["u1"]);
    check(vec![
        ("a Secret needs none", existing(), "read u1"),
        ("an entry does", existing().outliving(), "put the finalizer"),
        ("it is there", existing().outliving().but(|o| o.finalizer = true), "read u1"),
    ]);
}

#[test]
fn outputs_that_outlive_their_resource_are_removed_after_its_users() {
    let deleted = || a_deleted_resource().with_removal("left", None);
    let gone = |o: Observation| o.seen("u1", details()).done("u1", Done::Deleted);
    check(vec![
        ("the user first", deleted(), "read u1"),
        ("then the output", gone(deleted()), REMOVE),
        ("then the finalizer", gone(a_deleted_resource()), DROP),
        ("a user that cannot be deleted keeps it", deleted().seen_lost("u1"), "held Undeletable, try again"),
        (
            "of a user that is retained",
            deleted().policy(Deletion::Retain).seen("u1", details()).done("u1", Done::RecordedRetained),
            REMOVE,
        ),
        (
            "of an existing user",
            an_existing(&["u1"]).with_removal("left", None).but(|o| (o.deleting, o.finalizer) = (true, true)),
            REMOVE,
        ),
    ]);
}

#[test]
fn an_output_that_cannot_be_removed_is_left_once_its_credential_is_not_valid() {
    let (now, before) = (Some(Duration::ZERO), Some(Duration::from_secs(3_599)));
    let hour = Some(Duration::from_hours(1));
    let deleted = |tried_for| {
        let o = a_deleted_resource().with_removal("left", tried_for);
        o.seen("u1", details()).done("u1", Done::Deleted)
    };
    let retained = |tried_for| {
        let o = a_deleted_resource().policy(Deletion::Retain).with_removal("left", tried_for);
        o.seen("u1", details()).done("u1", Done::RecordedRetained)
    };
    let existing = |tried_for| {
        let o = an_existing(&["u1"]).with_removal("left", tried_for);
        o.but(|o| (o.deleting, o.finalizer) = (true, true))
    };
    let held = "held OutputNotWritable, try again";
    let abandoned = "list Entry \"left\" as abandoned";
    check(vec![
        ("at first", deleted(now), held),
        ("for an hour", deleted(before), held),
        ("then it is left", deleted(hour), abandoned),
        ("others are removed first", deleted(hour).with_removal("other", None), "remove Entry \"other\""),
        ("a retained user's is valid", retained(hour), held),
        ("an existing user's is valid", existing(hour), held),
        ("released: at once", existing(now).released(), abandoned),
        (
            "released: after one try",
            a_deleted_resource().released().with_removal("left", None).done("u1", Done::RecordedRetained),
            REMOVE,
        ),
        (
            "its user is gone",
            a_deleted_resource()
                .with_removal("left", hour)
                .seen("u1", details().in_state(UserStatus::Deleted)),
            abandoned,
        ),
    ]);
}
