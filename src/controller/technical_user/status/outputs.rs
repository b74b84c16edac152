//! The conditions of the outputs, each in its entry of the status.

use crate::api::conditions::{READY, Wanted, brought_up_to_date};
use crate::api::technical_user::{RecordedOutput, TechnicalUserStatus};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{OutputId, OutputReport, OutputView, holds_credential, report_of};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// Reports each output on its own. If there is only one and its state is known, the conditions of the resource report it.
pub(super) fn report_outputs(reconcile: &Reconcile, new: &mut TechnicalUserStatus) {
    let views = &reconcile.observation.outputs;
    for view in views {
        if views.len() > 1 || view.unknown().is_some() {
            report_output(reconcile, new, view);
        } else {
            new.outputs
                .iter_mut()
                .filter(|output| output.id() == view.id)
                .for_each(|output| output.conditions.clear());
        }
    }
    for former in &reconcile.observation.to_remove {
        if let Some(failed) = &former.failed {
            let message = format!(
                "The spec no longer names it. It cannot be removed, and the operator tries again. Cause: {}",
                failed.blocker.message
            );
            report(reconcile, new, &former.output, &not_ready(failed.blocker.reason, message));
        }
    }
}

fn report_output(reconcile: &Reconcile, new: &mut TechnicalUserStatus, view: &OutputView) {
    let user = new.user.as_ref().map(|user| UserId::new(&user.id));
    let wanted = wanted(&report_of(&reconcile.observation, view, user.as_ref()));
    report(reconcile, new, &view.id, &wanted);
}

/// Sets the condition of an output in its entry, which is new where the operator has not written the output yet.
pub(super) fn report(reconcile: &Reconcile, new: &mut TechnicalUserStatus, id: &OutputId, wanted: &Wanted) {
    name(new, id);
    for entry in new.outputs.iter_mut().filter(|output| output.id() == *id) {
        entry.conditions = brought_up_to_date(
            &entry.conditions,
            std::slice::from_ref(wanted),
            new.observed_generation,
            reconcile.now,
        );
    }
}

/// Names an output in the status, if it is not named there.
pub(super) fn name(new: &mut TechnicalUserStatus, id: &OutputId) {
    if new.outputs.iter().all(|output| output.id() != *id) {
        let (kind, name) = (id.kind.clone(), id.name.clone());
        new.outputs.push(RecordedOutput { kind, name, ..RecordedOutput::default() });
    }
}

/// The message of a blocker at an output, with the number of those that do not hold the credential.
pub(super) fn with_count(reconcile: &Reconcile, message: &str) -> String {
    let (o, user) =
        (&reconcile.observation, reconcile.observation.recorded.user.as_ref().map(|user| &user.id));
    let lacks = |output: &&OutputView| !user.is_some_and(|user| holds_credential(o, output, user));
    let (all, missing) = (o.outputs.len(), o.outputs.iter().filter(lacks).count());
    if all < 2 {
        return message.to_owned();
    }
    format!("{missing} of {all} outputs do not hold the credential. {message}")
}

fn wanted(report: &OutputReport) -> Wanted {
    match report {
        OutputReport::Published => Wanted {
            type_: READY,
            status: Some(true),
            reason: Reason::OutputsWritten.as_str(),
            message: "It holds the credential".to_owned(),
        },
        OutputReport::Blocked(blocker) => not_ready(blocker.reason, blocker.message.clone()),
        OutputReport::NotYet => not_ready(Reason::NotYet, "The operator has not written it yet".to_owned()),
    }
}

fn not_ready(reason: Reason, message: String) -> Wanted {
    Wanted { type_: READY, status: Some(false), reason: reason.as_str(), message }
}
