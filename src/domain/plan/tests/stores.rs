//! Outputs whose store can be down alone, and outputs that Kubernetes does not remove with their resource.

use std::time::Duration;

use super::super::{
    AfterUsers, Deletion, Done, OutputReport, OutputState, Report, Step, UserView, Verified,
    holds_credential, plan, report_of,
};
use super::builders::{
    a_deleted_resource, a_new_resource, a_ready_resource, a_recorded_resource, an_existing, candidate,
    contents, details, down, id, shown_for, the_entry,
};
use super::{Observation, check};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

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

/// The same, and the store shows that the entry was removed.
fn both_known() -> Observation {
    ready().with_output(&the_entry(), OutputState::Absent)
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
        ("the verification continues", ready().verification_due(), "verify what is published"),
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
            "what was seen to be missing is missing, whether or not it can be written now",
            proved(both_known()).but(|o| o.output_mut(&the_entry()).unwrap().writable = Some(Err(down()))),
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

/// The login of the store is refused, or the store is not what it should be.
#[test]
fn a_resource_is_not_ready_while_only_a_person_can_repair_its_store() {
    let broken = || Blocker::lasting(Reason::VaultNotReady, "the login is refused");
    let o = || ready().with_output(&the_entry(), OutputState::Unknown(broken()));
    let reported = "output VaultNotReady STALLED (u1 g1), try again";
    check(vec![
        ("it was ready", o(), reported),
        ("another output is repaired first", o().without_secret(), "read u1"),
        ("by a write", proved(o().without_secret()), "publish u1 g1"),
        ("then it is reported", proved(o()), reported),
        ("it was not ready before", proved(o()).but(|o| o.spec_observed = false), reported),
        ("the verification continues", o().verification_due(), "verify what is published"),
    ]);
    let Step::Settled(first) = plan(&o()) else { panic!("it ends") };
    let Report::Blocked { blocker, .. } = first.report else { panic!("it is blocked") };
    assert!(!blocker.stalled, "a person may apply what is missing within the grace period");
}

#[test]
fn a_store_that_is_down_is_reported_at_its_output() {
    let o = ready();
    assert!(holds_credential(&o, o.output(&the_entry()).unwrap(), &id("u1")), "as the status records");
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
    let ready = || a_ready_resource().read_live();
    let failed = || ready().with_removal("left", Some(Duration::from_secs(9)));
    check(vec![
        ("removed", ready().with_removal("left", None), REMOVE),
        ("its store is down", failed(), "ready (u1 g1), try again"),
        ("another one", failed().with_former_output("old"), "remove Secret \"old\""),
    ]);
}

#[test]
fn what_kubernetes_does_not_remove_is_recorded_before_it_is_written() {
    let created = || proved(a_recorded_resource()).outliving();
    let existing = || {
        let o = an_existing(&["u1"]).seen("u1", details().marked(None));
        o.verified(shown_for("u1"), Verified::Accepted).outliving()
    };
    let elsewhere = |o: Observation| {
        o.but(|o| {
            if let Some(UserView::Read(facts)) = &mut o.users.entry(&id("u1")).details {
                facts.elsewhere = facts.contents.iter().flatten().map(|(output, _)| output.clone()).collect();
            }
        })
    };
    let with_finalizer = |o: Observation| o.but(|o| o.finalizer = true);
    let name = "name Secret \"edc\" in the status";
    check(vec![
        ("a Secret needs neither", proved(a_recorded_resource()), "publish u1 g1"),
        ("its entry in the status", created(), name),
        ("then it is written", created().in_status(), "publish u1 g1"),
        ("another place than the status names", elsewhere(created().in_status()), name),
        ("a Secret that is another one for each content", elsewhere(proved(a_recorded_resource())), name),
        ("an existing user: the finalizer", existing(), "put the finalizer"),
        ("then the entry", with_finalizer(existing()), name),
        ("then it is written", with_finalizer(existing()).in_status(), "publish u1 g0"),
        (
            "the finalizer was removed by hand",
            an_existing(&["u1"]).outliving().in_status(),
            "put the finalizer",
        ),
        (
            "the same, for a former output",
            an_existing(&["u1"]).with_removal("left", None),
            "put the finalizer",
        ),
    ]);
}

#[test]
fn outputs_that_outlive_their_resource_are_removed_after_its_users() {
    let deleted = || a_deleted_resource().with_removal("left", None);
    let gone = |o: Observation| o.seen("u1", details()).done("u1", Done::Deleted);
    let kept = |o: Observation| o.seen("u1", details()).done("u1", Done::RecordedRetained);
    let valid = "done with the users, one may be valid";
    let existing =
        || an_existing(&["u1"]).with_removal("left", None).but(|o| (o.deleting, o.finalizer) = (true, true));
    check(vec![
        ("the user first", deleted(), "read u1"),
        ("no output to remove", gone(a_deleted_resource()), DROP),
        ("then this is remembered", gone(deleted()), "done with the users"),
        (
            "a user that cannot be deleted keeps it",
            deleted().seen_without_client("u1"),
            "held Undeletable, try again",
        ),
        ("a user that is retained", kept(deleted().policy(Deletion::Retain)), valid),
        ("a user that was released", kept(deleted()), valid),
        ("a user that was revoked", kept(deleted()).done("u1", Done::Reset), "done with the users"),
        ("a user of another resource", deleted().seen("u1", details().of_other_resource()), valid),
        ("then the output", none_is_valid(deleted()), REMOVE),
        ("then the finalizer", none_is_valid(a_deleted_resource()), DROP),
        ("without the portal", none_is_valid(deleted()).portal_blocked_in_passing(), REMOVE),
        ("while the Portal is suspended", none_is_valid(deleted()).suspended(), REMOVE),
        (
            "while many users have disappeared",
            none_is_valid(deleted()).portal_but(|portal| portal.mass_disappearance = Some(9)),
            REMOVE,
        ),
        ("the object may be another one", existing(), "read the object"),
        ("of an existing user", existing().read_live(), REMOVE),
    ]);
}

/// All is done with its users.
fn none_is_valid(o: Observation) -> Observation {
    o.but(|o| o.users_done = Some(AfterUsers::NoneIsValid))
}

#[test]
fn an_output_that_cannot_be_removed_is_abandoned_once_its_credential_is_not_valid() {
    let (now, before) = (Some(Duration::ZERO), Some(Duration::from_secs(3_599)));
    let hour = Some(Duration::from_hours(1));
    let deleted = |tried_for| none_is_valid(a_deleted_resource().with_removal("left", tried_for));
    let valid = |tried_for| deleted(tried_for).but(|o| o.users_done = Some(AfterUsers::OneMayBeValid));
    let existing = |tried_for| {
        let o = an_existing(&["u1"]).with_removal("left", tried_for).read_live();
        o.but(|o| (o.deleting, o.finalizer) = (true, true))
    };
    let held = "held OutputNotWritable, try again";
    let abandoned = "list Entry \"left\" as abandoned";
    check(vec![
        ("at first", deleted(now), held),
        ("for an hour", deleted(before), held),
        ("then it is abandoned", deleted(hour), abandoned),
        ("others are removed first", deleted(hour).with_removal("other", None), "remove Entry \"other\""),
        ("a credential that may be valid", valid(hour), held),
        ("an existing user's is valid", existing(hour), held),
        ("released: at once", existing(now).released(), abandoned),
        (
            "released: after one try",
            a_deleted_resource().released().with_removal("left", None).done("u1", Done::RecordedRetained),
            REMOVE,
        ),
    ]);
}
