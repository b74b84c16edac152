//! The restarts of the workloads that the spec names: what the status records of them, and their condition.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::conditions::{CONSUMERS_RESTARTED, Wanted, brought_up_to_date};
use crate::api::technical_user::{
    PinnedPortal, RecordedOutput, RecordedRestart, RecordedWorkload, TechnicalUserStatus,
};
use crate::controller::technical_user::observe::{changed_at, generation, has_time};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::identity::Hint;
use crate::domain::plan::{self, OutputId, Restarted, WorkloadId};
use crate::domain::reason::Reason;

/// Records which workloads were restarted, and the change of an output for which a restart is due. A workload that the status did
/// not name before needs no restart for what changed before.
pub(super) fn record_restarts(
    reconcile: &Reconcile,
    new: &mut TechnicalUserStatus,
    restarted: Option<&Restarted>,
) {
    let restarts = &reconcile.observation.restarts;
    if restarts.targets.is_empty() {
        new.restart = None;
        return;
    }
    let before = reconcile.status.restart.clone().unwrap_or_default();
    let done = restarted.map(|restarted| restarted.done.as_slice()).unwrap_or_default();
    let workload = |id: &WorkloadId| RecordedWorkload {
        kind: id.kind.as_str().to_owned(),
        name: id.name.clone(),
        generation: match generation(&before, id) {
            Some(recorded) if !done.contains(id) => recorded,
            _ => before.generation,
        },
    };
    let mut record = RecordedRestart {
        workloads: restarts.targets.iter().map(|target| workload(&target.id)).collect(),
        ..before
    };
    let changed = has_one_key(reconcile.status.portal.as_ref(), &reconcile.observation.hint)
        && has_changed(
            &restarts.outputs,
            &reconcile.status.outputs,
            &new.outputs,
            &reconcile.written.replaced,
        );
    record.generation += i64::from(changed);
    let now = reconcile.ctx.process.clock.now();
    if changed || is_due(&record) && !has_time(changed_at(&record), now) {
        record.changed_at = Some(next_second(now));
    }
    new.restart = Some(record);
}

/// Whether the digests of the status are of this installation's key: others say nothing about a change.
fn has_one_key(recorded: Option<&PinnedPortal>, hint: &Hint) -> bool {
    recorded.is_none_or(|portal| portal.hint == hint.to_string())
}

/// Whether one of these outputs was published before with another content. That may not be in the status yet: a first publication
/// and its replacement by a successor are one write of it, and a process may end between the two.
fn has_changed(
    of: &[OutputId],
    before: &[RecordedOutput],
    after: &[RecordedOutput],
    replaced: &BTreeSet<OutputId>,
) -> bool {
    let digest = |outputs: &[RecordedOutput], id: &OutputId| {
        let entry = outputs.iter().find(|output| output.id() == *id);
        entry.map(|entry| entry.digest.clone()).filter(|digest| !digest.is_empty())
    };
    of.iter().any(|id| match (digest(before, id), digest(after, id)) {
        (Some(before), Some(after)) => before != after,
        (None, Some(_)) => replaced.contains(id),
        (_, None) => false,
    })
}

/// The next whole second. A restart in the same second may have come before the change.
fn next_second(now: Timestamp) -> String {
    let next = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
    next.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn is_due(record: &RecordedRestart) -> bool {
    record.workloads.iter().any(|workload| workload.generation < record.generation)
}

/// Replaces the condition among the others.
pub(super) fn report_restarts(
    reconcile: &Reconcile,
    new: &mut TechnicalUserStatus,
    restarted: Option<&Restarted>,
) {
    let others = |condition: &&Condition| condition.type_ != CONSUMERS_RESTARTED;
    let mut conditions: Vec<Condition> = new.conditions.iter().filter(others).cloned().collect();
    if let Some(record) = &new.restart {
        let wanted = [wanted(reconcile, record, restarted)];
        let old = &reconcile.status.conditions;
        conditions.extend(brought_up_to_date(old, &wanted, new.observed_generation, reconcile.now));
    }
    new.conditions = conditions;
}

fn wanted(reconcile: &Reconcile, record: &RecordedRestart, restarted: Option<&Restarted>) -> Wanted {
    let type_ = CONSUMERS_RESTARTED;
    if !is_due(record) {
        let message = "No workload of spec.restart has to be restarted".to_owned();
        return Wanted { type_, status: Some(true), reason: Reason::NoRestartDue.as_str(), message };
    }
    let due = reconcile.observation.restarts.targets.iter().map(|target| &target.id);
    let due = due.filter(|id| generation(record, id).is_some_and(|done| done < record.generation));
    let waiting = restarted.and_then(|restarted| restarted.waiting.clone());
    let notice = waiting.unwrap_or_else(|| plan::restart_pending(due));
    Wanted { type_, status: Some(false), reason: notice.reason.as_str(), message: notice.note }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::test_support::Scene;

    fn outputs(digests: &[(&str, &str)]) -> Vec<RecordedOutput> {
        let entry = |(name, digest): &(&str, &str)| RecordedOutput {
            kind: "Secret".to_owned(),
            name: (*name).to_owned(),
            digest: (*digest).to_owned(),
            ..RecordedOutput::default()
        };
        digests.iter().map(entry).collect()
    }

    #[test]
    fn only_another_content_of_an_output_that_was_published_before_is_a_change() {
        let id = |name: &str| OutputId { kind: "Secret".to_owned(), name: name.to_owned() };
        let of = [id("one"), id("two")];
        for (about, before, after, changed) in [
            ("first publication", &[][..], &[("one", "d1")][..], false),
            ("not written yet", &[("one", "")], &[("one", "d1")], false),
            ("the same", &[("one", "d1")], &[("one", "d1")], false),
            ("another output", &[("one", "d1")], &[("one", "d1"), ("two", "d1")], false),
            ("an output is removed", &[("one", "d1"), ("two", "d1")], &[("two", "d1")], false),
            ("another content", &[("one", "d1"), ("two", "d1")], &[("one", "d1"), ("two", "d2")], true),
            ("of an output whose reader sees it", &[("vault", "d1")], &[("vault", "d2")], false),
        ] {
            let none = BTreeSet::new();
            assert_eq!(has_changed(&of, &outputs(before), &outputs(after), &none), changed, "{about}");
        }
        // The status does not know of the first of two publications.
        let replaced = |name: &str| BTreeSet::from([id(name)]);
        let after = outputs(&[("one", "d2")]);
        assert!(has_changed(&of, &[], &after, &replaced("one")));
        assert!(has_changed(&of, &outputs(&[("one", "")]), &after, &replaced("one")));
        assert!(!has_changed(&of, &[], &after, &replaced("two")));
        assert!(!has_changed(&of, &after, &after, &replaced("one")), "what a person changed is restored");
    }

    /// A status that was restored into another cluster has digests of another key.
    #[test]
    fn digests_of_another_installation_show_no_change() {
        let hint = Hint::read("here");
        let recorded = |hint: &str| PinnedPortal { hint: hint.to_owned(), ..PinnedPortal::default() };
        assert!(has_one_key(None, &hint) && has_one_key(Some(&recorded("here")), &hint));
        assert!(!has_one_key(Some(&recorded("there")), &hint));
    }

    #[test]
    fn a_change_is_recorded_after_every_restart_of_its_second() {
        let now: Timestamp = "2026-11-27T12:00:00.9Z".parse().unwrap();
        assert_eq!(next_second(now), "2026-11-27T12:00:01Z");
    }

    #[tokio::test]
    async fn the_condition_names_the_workloads_whose_restart_is_due() {
        let workload = |name: &str| json!({"kind": "Deployment", "name": name});
        let recorded = |name: &str, generation: i64| json!({"kind": "Deployment", "name": name, "generation": generation});
        for (done, status, named) in [(2, Some(true), vec![]), (1, Some(false), vec!["dp"])] {
            let restart = json!({"generation": 2, "workloads": [recorded("cp", 2), recorded("dp", done)]});
            let scene = Scene::without_portal(&json!({
                "spec": {"restart": [workload("cp"), workload("dp")]}, "status": {"restart": restart},
            }));
            let reconcile = scene.observed().await;
            let wanted = wanted(&reconcile, reconcile.status.restart.as_ref().unwrap(), None);
            assert_eq!(wanted.status, status);
            let all = ["cp", "dp"].into_iter();
            let shown: Vec<_> = all.filter(|name| wanted.message.contains(&format!("\"{name}\""))).collect();
            assert_eq!(shown, named, "{}", wanted.message);
        }
    }
}
