//! The conditions of the outputs, each in its entry of the status.

use crate::api::conditions::{READY, Wanted, brought_up_to_date};
use crate::api::technical_user::{RecordedOutput, TechnicalUserStatus};
use crate::controller::technical_user::pass::Pass;
use crate::domain::plan::{OutputReport, OutputView, report_of};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// Reports each output by itself. If there is only one, the conditions of the resource say it already.
pub(super) fn report_outputs(pass: &Pass, new: &mut TechnicalUserStatus) {
    let views = &pass.observation.outputs;
    if views.len() < 2 {
        new.outputs.iter_mut().for_each(|output| output.conditions.clear());
        return;
    }
    let user = new.user.as_ref().map(|user| UserId::new(&user.id));
    for view in views {
        let wanted = [wanted(&report_of(&pass.observation, view, user.as_ref()))];
        if new.outputs.iter().all(|output| output.id() != view.id) {
            // The operator has not written it yet.
            let (kind, name) = (view.id.kind.clone(), view.id.name.clone());
            new.outputs.push(RecordedOutput { kind, name, ..RecordedOutput::default() });
        }
        for entry in new.outputs.iter_mut().filter(|output| output.id() == view.id) {
            entry.conditions =
                brought_up_to_date(&entry.conditions, &wanted, new.observed_generation, pass.now);
        }
    }
}

/// The message of a blocker at an output, with the number of those that do not hold the credential.
pub(super) fn with_count(pass: &Pass, message: &str) -> String {
    let (o, user) = (&pass.observation, pass.observation.recorded.user.as_ref().map(|user| &user.id));
    let is_published = |output: &&OutputView| report_of(o, output, user) == OutputReport::Published;
    let (all, missing) = (o.outputs.len(), o.outputs.iter().filter(|output| !is_published(output)).count());
    if all < 2 {
        return message.to_owned();
    }
    format!("{missing} of {all} outputs do not hold the credential. {message}")
}

fn wanted(report: &OutputReport) -> Wanted {
    let (status, reason, message) = match report {
        OutputReport::Published => (true, Reason::OutputsWritten, "It holds the credential".to_owned()),
        OutputReport::Blocked(blocker) => (false, blocker.reason, blocker.message.clone()),
        OutputReport::NotYet => (false, Reason::NotYet, "The operator has not written it yet".to_owned()),
    };
    Wanted { type_: READY, status: Some(status), reason: reason.as_str(), message }
}
