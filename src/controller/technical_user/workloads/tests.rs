use serde_json::{Value, json};

use super::*;

const CHANGED: &str = "2026-11-27T12:00:00Z";
const NOW: &str = "2026-11-27T12:05:00Z";

fn seen(kind: WorkloadKind, object: &Value) -> Workload {
    let object: StoredObject = serde_json::from_value(object.clone()).unwrap();
    view(kind, &object, "edc", CHANGED.parse().unwrap(), NOW.parse().unwrap()).unwrap()
}

/// A workload whose roll-out is complete, with this restart.
fn restarted_at(time: &str) -> Value {
    json!({
        "metadata": {"name": "cp", "generation": 2},
        "spec": {"replicas": 1, "template": {"metadata": {"annotations": {RESTARTED_AT: time}}}},
        "status": {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
    })
}

#[test]
fn a_workload_consents_to_the_resources_that_its_annotation_names() {
    for (annotation, consents) in [
        (Some("edc"), true),
        (Some("other, edc"), true),
        (Some(" edc ,other"), true),
        (Some("edc-2"), false),
        (Some("other"), false),
        (Some("*"), false),
        (Some(""), false),
        (None, false),
    ] {
        assert_eq!(super::consents(annotation, "edc"), consents, "{annotation:?}");
    }
}

#[test]
fn a_workload_was_restarted_if_its_annotation_has_a_time_after_the_change() {
    for (time, restarted) in [
        ("2026-11-27T12:00:00Z", true),
        ("2026-11-27T14:04:00+02:00", true),
        ("2026-11-27T11:59:59Z", false),
        // The time of another clock.
        ("2026-11-27T12:05:01Z", false),
        ("2099-01-01T00:00:00Z", false),
        ("yesterday", false),
    ] {
        assert_eq!(seen(WorkloadKind::Deployment, &restarted_at(time)).restarted, restarted, "{time}");
    }
}

/// The clock was set back after the change was recorded: the restart for it has the time of the change.
#[test]
fn a_change_in_the_future_leads_to_one_restart() {
    let object: StoredObject = serde_json::from_value(restarted_at("2026-11-28T00:00:00Z")).unwrap();
    let (changed, now) = ("2026-11-28T00:00:00Z".parse().unwrap(), NOW.parse().unwrap());
    assert!(view(WorkloadKind::Deployment, &object, "edc", changed, now).unwrap().restarted);
}

#[test]
fn a_restart_that_would_replace_no_pod_is_not_begun() {
    let unfit = |kind, spec: Value| seen(kind, &json!({"metadata": {}, "spec": spec})).unfit.is_some();
    assert!(unfit(WorkloadKind::Deployment, json!({"paused": true})));
    assert!(!unfit(WorkloadKind::Deployment, json!({"strategy": {"type": "Recreate"}})));
    for kind in [WorkloadKind::StatefulSet, WorkloadKind::DaemonSet] {
        assert!(unfit(kind, json!({"updateStrategy": {"type": "OnDelete"}})));
        assert!(!unfit(kind, json!({"updateStrategy": {"type": "RollingUpdate"}})));
    }
}

/// The status of a workload of generation 2 with these fields, and whether its roll-out is complete.
type Row = (WorkloadKind, Value, Value, bool);

#[test]
fn a_roll_out_is_complete_when_kubectl_says_so() {
    let (deployment, set, daemons) =
        (WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet);
    let rows: Vec<Row> = vec![
        (deployment, json!({}), json!({"updatedReplicas": 1, "replicas": 1, "availableReplicas": 1}), true),
        (
            deployment,
            json!({"replicas": 2}),
            json!({"updatedReplicas": 2, "replicas": 2, "availableReplicas": 2}),
            true,
        ),
        (
            deployment,
            json!({"replicas": 2}),
            json!({"updatedReplicas": 1, "replicas": 2, "availableReplicas": 2}),
            false,
        ),
        (
            deployment,
            json!({"replicas": 2}),
            json!({"updatedReplicas": 2, "replicas": 3, "availableReplicas": 3}),
            false,
        ),
        (
            deployment,
            json!({"replicas": 2}),
            json!({"updatedReplicas": 2, "replicas": 2, "availableReplicas": 1}),
            false,
        ),
        (deployment, json!({"replicas": 0}), json!({}), true),
        (set, json!({"replicas": 2}), json!({"updatedReplicas": 2, "readyReplicas": 2}), true),
        (set, json!({"replicas": 2}), json!({"updatedReplicas": 1, "readyReplicas": 2}), false),
        (set, json!({"replicas": 2}), json!({"updatedReplicas": 2, "readyReplicas": 1}), false),
        (
            set,
            json!({"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}),
            json!({"updatedReplicas": 1, "readyReplicas": 3}),
            true,
        ),
        (
            daemons,
            json!({}),
            json!({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}),
            true,
        ),
        (
            daemons,
            json!({}),
            json!({"desiredNumberScheduled": 3, "updatedNumberScheduled": 2, "numberAvailable": 3}),
            false,
        ),
        (
            daemons,
            json!({}),
            json!({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2}),
            false,
        ),
        (daemons, json!({}), json!({"desiredNumberScheduled": 0}), true),
    ];
    for (kind, spec, status, complete) in rows {
        let observed = |generation: i64| {
            let mut status = status.clone();
            status["observedGeneration"] = json!(generation);
            let object = json!({"metadata": {"generation": 2}, "spec": spec, "status": status});
            seen(kind, &object).roll_out
        };
        assert_eq!(observed(2) == RollOut::Complete, complete, "{kind:?} {spec} {status}");
        // The controller has not seen the restart yet.
        assert_eq!(observed(1), RollOut::Progressing(Duration::ZERO), "{kind:?} {spec} {status}");
    }
}

#[test]
fn a_roll_out_reports_how_long_it_takes_and_what_its_controller_says() {
    let mut object = restarted_at("2026-11-27T12:01:00Z");
    object["status"]["availableReplicas"] = json!(0);
    let four_minutes = RollOut::Progressing(Duration::from_mins(4));
    assert_eq!(seen(WorkloadKind::Deployment, &object).roll_out, four_minutes);
    object["status"]["conditions"] = json!([{
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
        "message": "ReplicaSet \"cp-1\" has timed out progressing.",
    }]);
    let stuck = RollOut::Stuck("ReplicaSet \"cp-1\" has timed out progressing".to_owned());
    assert_eq!(seen(WorkloadKind::Deployment, &object).roll_out, stuck);
}
