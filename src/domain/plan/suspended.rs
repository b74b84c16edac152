//! A resource that is suspended: it is observed, and nothing is changed for it but its status. A plan ends before its first write,
//! and the status says what the write would be ([`super::Planned`]).

use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::user::UserStatus;

use super::just_created;
use super::observation::{Observation, OutputView, UserView, Verified};
use super::rotate;
use super::settled::{Report, Settled, Stage};
use super::step::Step;

/// The step, or the end of the reconcile in place of a write.
pub(super) fn stop(o: &Observation, step: Step) -> Step {
    if !o.suspended {
        return step;
    }
    match step {
        Step::Read(_) => step,
        Step::Write(_) => Step::Settled(before_a_write(o)),
        Step::Settled(settled) => Step::Settled(unanswered(as_it_works(o, settled))),
    }
}

/// What is known of the readiness is kept. The user that this process has created before is recorded.
fn before_a_write(o: &Observation) -> Settled {
    if o.deleting {
        let message = "The resource is suspended (suspend: true). The operator keeps the user and the outputs until suspend is false. \
                       status.planned lists what it would do.";
        let held = Blocker::passing(Reason::Suspended, message);
        return Settled::new(Report::Deleting(held), o.timers.recheck());
    }
    let message = "The resource is suspended (suspend: true). The operator observes it, and changes nothing until suspend is \
                   false. status.planned lists what it would do.";
    let blocked = Stage::User.blocked(Blocker::passing(Reason::Suspended, message));
    let report = if works(o) { Report::Unchanged } else { blocked };
    match just_created(o) {
        Some(user) if !rotate::serves(o) => Settled::of(o, &user, report, o.timers.recheck()),
        _ => Settled::new(report, o.timers.recheck()),
    }
}

/// A resource that is suspended never counts as being as recorded, so that each of its reconciles finds what a spec asks for that
/// was not carried out. What prevents the check in passing does not make it unready.
fn as_it_works(o: &Observation, settled: Settled) -> Settled {
    match &settled.report {
        Report::Blocked { blocker, .. } if !blocker.stalled && works(o) => {
            Settled { report: Report::Unchanged, ..settled }
        }
        _ => settled,
    }
}

/// A request by annotation is answered when the resource is not suspended any more. One that was carried out before is recorded: else
/// it would be carried out again.
fn unanswered(settled: Settled) -> Settled {
    if settled.rotation.answer.is_some() {
        return Settled { rotation: Box::default(), ..settled };
    }
    settled
}

/// Whether the resource was ready, and nothing that was read since says that what it published is of no use.
fn works(o: &Observation) -> bool {
    let Some(user) = o.recorded.user.as_ref().filter(|user| user.active) else { return false };
    let as_published = match o.view(&user.id) {
        None => true,
        Some(UserView::Read(facts)) => facts.status == UserStatus::Active && !facts.other_credential,
        Some(UserView::Gone | UserView::ClientMissing) => false,
    };
    let refused = |proof: Option<&Verified>| matches!(proof, Some(Verified::Refused { .. }));
    let holds = |output: &OutputView| output.holds(&user.id, output.recorded.as_ref());
    o.was_ready
        && o.recorded.credential_published
        && as_published
        && !refused(o.published_proof.as_ref())
        && !refused(o.proof_of(&user.id))
        && o.outputs.iter().filter(|output| output.in_status).all(holds)
}
