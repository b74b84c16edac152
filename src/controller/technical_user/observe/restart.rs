//! The workloads that the spec names, and which of them the status does not show as restarted.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::api::technical_user::{RecordedRestart, RestartTarget as Spec, WorkloadKind as Kind};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{RestartTarget, Restarts, WorkloadId, WorkloadKind};

/// A restart begins this time after the last change: what changes meanwhile, here or for another resource that names the same
/// workload, needs no restart of its own. In this time the readers of a reset secret work with the old one.
const WINDOW: SignedDuration = SignedDuration::from_secs(10);

/// The clocks of two machines may differ by this time.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What is known of the restarts without a call.
pub(super) fn see_restarts(reconcile: &mut Reconcile) {
    let Some(named) = &reconcile.spec.restart else { return };
    let recorded = reconcile.status.restart.clone().unwrap_or_default();
    let changed_at = changed_at(&recorded);
    let target = |spec| {
        let id = workload_id(spec);
        let behind = generation(&recorded, &id).is_some_and(|done| done < recorded.generation);
        RestartTarget { id, due: behind, view: None }
    };
    reconcile.observation.restarts = Restarts {
        targets: named.iter().map(target).collect(),
        outputs: reconcile.outputs.iter().filter(|o| o.needs_restart()).map(|o| o.id().clone()).collect(),
        wait: wait(changed_at, reconcile.now),
    };
}

/// The workload that an entry of a spec names.
pub(in crate::controller::technical_user) fn workload_id(spec: &Spec) -> WorkloadId {
    let kind = match spec.kind {
        Kind::Deployment => WorkloadKind::Deployment,
        Kind::StatefulSet => WorkloadKind::StatefulSet,
        Kind::DaemonSet => WorkloadKind::DaemonSet,
    };
    WorkloadId { kind, name: spec.name.clone() }
}

/// When the last change was recorded; `None` where that cannot be read.
pub(in crate::controller::technical_user) fn changed_at(recorded: &RecordedRestart) -> Option<Timestamp> {
    recorded.changed_at.as_ref()?.parse().ok()
}

/// The change for which the roll-out of a workload is complete; `None` where the status does not name the workload.
pub(in crate::controller::technical_user) fn generation(
    recorded: &RecordedRestart,
    id: &WorkloadId,
) -> Option<i64> {
    let is_it = |kind: &str, name: &str| kind == id.kind.as_str() && name == id.name;
    recorded.workloads.iter().find(|entry| is_it(&entry.kind, &entry.name)).map(|entry| entry.generation)
}

/// Whether a change has a time that a restart can be compared with. A time far in the future is of a process whose clock runs ahead:
/// two resources with such times would take each other's restart of a workload for one before the change, again and again.
pub(in crate::controller::technical_user) fn has_time(changed_at: Option<Timestamp>, now: Timestamp) -> bool {
    changed_at.is_some_and(|at| at.duration_since(now) <= SKEW)
}

/// The time until the restarts begin. Where the change has no time, the status gets one at the end of this reconcile.
fn wait(changed_at: Option<Timestamp>, now: Timestamp) -> Duration {
    let passed = changed_at.filter(|_| has_time(changed_at, now)).map(|at| now.duration_since(at));
    Duration::try_from(WINDOW.saturating_sub(passed.unwrap_or_default())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_begins_some_seconds_after_the_last_change() {
        let at: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        for (now, seconds) in [
            ("2026-11-27T12:00:00Z", 10),
            ("2026-11-27T12:00:04Z", 6),
            ("2026-11-27T12:00:10Z", 0),
            ("2026-11-27T18:00:00Z", 0),
            ("2026-11-27T11:59:59Z", 11),
            ("2026-11-27T11:59:00Z", 70),
            // The clock of the process that recorded the change was wrong: it is recorded again.
            ("2026-11-27T11:58:59Z", 10),
            ("2026-11-27T06:00:00Z", 10),
        ] {
            assert_eq!(wait(Some(at), now.parse().unwrap()), Duration::from_secs(seconds), "{now}");
        }
        assert_eq!(wait(None, at), Duration::from_secs(10));
    }
}
