//! The condition Removed of an output that a deletion cannot remove. It says since when the operator tries, also after a restart.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::outputs::report;
use crate::api::conditions::{REMOVED, Wanted};
use crate::api::technical_user::{RecordedOutput, TechnicalUserStatus};
use crate::controller::status::grace::passed;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::OutputId;

/// Reports each output that the deletion could not remove, in its entry.
pub(super) fn report_removals(reconcile: &Reconcile, new: &mut TechnicalUserStatus) {
    for left in &reconcile.observation.to_remove {
        let Some(failed) = &left.failed else { continue };
        let message = format!(
            "The resource is under deletion. The output cannot be removed, and the operator tries again. Cause: {}",
            failed.blocker.message
        );
        let reason = failed.blocker.reason.as_str();
        report(
            reconcile,
            new,
            &left.output,
            &Wanted { type_: REMOVED, status: Some(false), reason, message },
        );
    }
}

/// How long the deletion of the resource could not remove an output, by the status.
pub fn removal_failed_for(reconcile: &Reconcile, id: &OutputId) -> Duration {
    let recorded = reconcile.recorded_output(id);
    recorded.map_or(Duration::ZERO, |output| failed_for(output, &reconcile.object.metadata, reconcile.now))
}

/// Never longer than the resource is under deletion: the clock of another process may differ, and a status may be a restored one.
fn failed_for(output: &RecordedOutput, metadata: &ObjectMeta, now: Timestamp) -> Duration {
    let failed = output.conditions.iter().find(|found| found.type_ == REMOVED && found.status == "False");
    match (failed, &metadata.deletion_timestamp) {
        (Some(failed), Some(deletion)) => {
            passed(failed.last_transition_time.0, now).min(passed(deletion.0, now))
        }
        _ => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::api::conditions::{READY, brought_up_to_date};

    #[test]
    fn a_removal_has_failed_since_its_condition_and_not_before_the_deletion() {
        let at = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        let output = |type_, status, hour| {
            let wanted = Wanted { type_, status: Some(status), reason: "Why", message: String::new() };
            let conditions = brought_up_to_date(&[], &[wanted], Some(1), at(hour));
            RecordedOutput { conditions, ..RecordedOutput::default() }
        };
        let hours = |output: &RecordedOutput, deletion: Option<i64>| {
            let deletion_timestamp = deletion.map(|hour| Time(at(hour)));
            let metadata = ObjectMeta { deletion_timestamp, ..ObjectMeta::default() };
            failed_for(output, &metadata, at(10)).as_secs() / 3600
        };
        assert_eq!(hours(&output(REMOVED, false, 7), Some(5)), 3);
        assert_eq!(hours(&output(REMOVED, false, 5), Some(7)), 3, "the status is older than the deletion");
        assert_eq!(hours(&output(REMOVED, false, 11), Some(5)), 0, "another clock runs ahead");
        assert_eq!(hours(&output(REMOVED, false, 7), None), 0);
        assert_eq!(hours(&output(REMOVED, true, 7), Some(5)), 0);
        assert_eq!(hours(&output(READY, false, 7), Some(5)), 0, "it could not be written");
    }
}
