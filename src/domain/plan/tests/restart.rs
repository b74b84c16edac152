//! Restarts: what is due, in which order, and what is reported of the workloads that wait.

use std::time::Duration;

use super::super::{
    Observation, OutputState, Read, Requeue, RestartTarget, Restarts, RollOut, Settled, Step, Verified,
    Workload, WorkloadId, WorkloadKind, WorkloadView, interrupted, plan,
};
use super::builders::{a_deleted_resource, a_ready_resource, details, shown_for, the_secret};
use super::check;
use super::words::in_words;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

fn workload(name: &str) -> WorkloadId {
    WorkloadId { kind: WorkloadKind::Deployment, name: name.to_owned() }
}

/// A ready resource whose output has changed after the last restart of the control plane and of the data plane.
fn a_due_resource() -> Observation {
    due(a_ready_resource())
}

fn due(o: Observation) -> Observation {
    let target = |name| RestartTarget { id: workload(name), due: true, view: None };
    let restarts = Restarts {
        targets: vec![target("cp"), target("dp")],
        outputs: vec![the_secret()],
        wait: Duration::ZERO,
    };
    o.but(|o| o.restarts = restarts)
}

fn with(o: Observation, name: &str, view: WorkloadView) -> Observation {
    o.but(|o| o.restarts.target_mut(&workload(name)).unwrap().view = Some(view))
}

fn found(change: impl FnOnce(&mut Workload)) -> WorkloadView {
    let mut workload =
        Workload { consents: true, restarted: false, unfit: None, roll_out: RollOut::Complete };
    change(&mut workload);
    WorkloadView::Found(workload)
}

fn restarted(roll_out: RollOut) -> WorkloadView {
    found(|workload| (workload.restarted, workload.roll_out) = (true, roll_out))
}

fn forbidden() -> WorkloadView {
    WorkloadView::Refused(Blocker::passing(Reason::RestartForbidden, "no right"))
}

#[test]
fn the_next_workload_is_restarted_when_the_one_before_has_rolled_out() {
    let first = |view| with(a_due_resource(), "cp", view);
    let second = |view| with(first(restarted(RollOut::Complete)), "dp", view);
    let (soon, late) = (Duration::from_secs(30), Duration::from_mins(11));
    check(vec![
        ("nothing is read yet", a_due_resource(), "read cp"),
        ("it is as before", first(found(|_| ())), "restart cp"),
        (
            "it rolls out",
            first(restarted(RollOut::Progressing(soon))),
            "ready (u1 g1), after 5 s, RollingOut",
        ),
        ("it has rolled out", first(restarted(RollOut::Complete)), "read dp"),
        ("the second is as before", second(found(|_| ())), "restart dp"),
        (
            "the second rolls out",
            second(restarted(RollOut::Progressing(soon))),
            "ready (u1 g1), after 5 s, cp restarted, RollingOut",
        ),
        (
            "both have rolled out",
            second(restarted(RollOut::Complete)),
            "ready (u1 g1), verify in time, cp restarted, dp restarted",
        ),
        (
            "it rolls out for too long",
            first(restarted(RollOut::Progressing(late))),
            "ready (u1 g1), RollOutStuck",
        ),
        (
            "it does not roll out",
            first(restarted(RollOut::Stuck("timed out".into()))),
            "ready (u1 g1), RollOutStuck",
        ),
    ]);
}

#[test]
fn a_workload_that_may_not_be_restarted_is_not_changed_and_does_not_hold_up_the_others() {
    let first = |view| with(a_due_resource(), "cp", view);
    let silent = || found(|workload| workload.consents = false);
    let second = |o| with(o, "dp", restarted(RollOut::Complete));
    check(vec![
        ("no consent", first(silent()), "read dp"),
        (
            "no consent, the other is done",
            second(first(silent())),
            "ready (u1 g1), dp restarted, RestartNotPermitted",
        ),
        (
            "no consent, restarted by hand",
            first(found(|w| (w.consents, w.restarted) = (false, true))),
            "read dp",
        ),
        ("it is missing", first(WorkloadView::Missing), "read dp"),
        (
            "both are missing",
            with(first(WorkloadView::Missing), "dp", WorkloadView::Missing),
            "ready (u1 g1), WorkloadNotFound",
        ),
        (
            "it is paused",
            second(first(found(|w| w.unfit = Some("paused")))),
            "ready (u1 g1), dp restarted, RestartNotPossible",
        ),
        ("no right", first(forbidden()), "ready (u1 g1), RestartForbidden"),
    ]);
}

/// The reason is the first that a person has to do something about, and each workload is named.
#[test]
fn each_workload_that_waits_is_named() {
    let o = with(a_due_resource(), "cp", WorkloadView::Missing);
    let o = with(o, "dp", restarted(RollOut::Progressing(Duration::ZERO)));
    let Step::Settled(Settled { restarted, requeue, .. }) = plan(&o) else { panic!("it ends") };
    let notice = restarted.unwrap().waiting.unwrap();
    assert_eq!((notice.reason, requeue), (Reason::WorkloadNotFound, Requeue::In(Duration::from_secs(5))));
    assert!(notice.note.contains("Deployment \"cp\"") && notice.note.contains("Deployment \"dp\""));
}

#[test]
fn a_restart_waits_for_the_window_and_for_outputs_that_hold_what_was_published() {
    let waiting = |o: Observation| due(o).but(|o| o.restarts.wait = Duration::from_secs(8));
    let absent = |o: Observation| o.with_secret(OutputState::Absent);
    check(vec![
        ("in the window", waiting(a_ready_resource()), "ready (u1 g1), after 8 s, RestartPending"),
        (
            "the Secret is lost and cannot be written",
            due(absent(a_ready_resource()).seen("u1", details()).unwritable())
                .verified(shown_for("u1"), Verified::Accepted),
            "output OutputNotWritable STALLED (u1 g1), try again, RestartPending",
        ),
        (
            "an output is lost whose reader sees a change",
            due(a_ready_resource().with_foreign_secret()).but(|o| o.restarts.outputs.clear()),
            "read u1",
        ),
    ]);
}

#[test]
fn no_workload_is_read_while_no_restart_is_due_or_under_deletion() {
    let calm = a_due_resource().but(|o| o.restarts.targets.iter_mut().for_each(|target| target.due = false));
    check(vec![
        ("calm", calm, "ready (u1 g1), verify in time"),
        ("only the second is due", a_due_resource().but(|o| o.restarts.targets[0].due = false), "read dp"),
        ("under deletion", due(a_deleted_resource()), "read u1"),
        ("under deletion, and held", due(a_deleted_resource()).suspended(), "held PortalSuspended"),
    ]);
}

/// The credential is published already: an outage of the portal must not keep its readers from it.
#[test]
fn a_restart_needs_no_portal() {
    let blocked = a_due_resource().portal_blocked_in_passing();
    check(vec![("the portal is down", blocked.clone(), "read cp")]);
    let failing = Blocker::passing(Reason::PortalError, "502");
    assert_eq!(interrupted(&blocked, &failing, Requeue::Backoff), Step::Read(Read::Workload(workload("cp"))));
    let rolls_out = with(blocked, "cp", restarted(RollOut::Progressing(Duration::ZERO)));
    let end = in_words(&interrupted(&rolls_out, &failing, Requeue::Backoff));
    assert_eq!(end, "still ready, try again, RollingOut");
}
