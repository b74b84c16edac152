//! Reads and restarts workloads. Nothing of it interrupts the plan: what fails is reported beside the conditions of the
//! credential.

use jiff::Timestamp;
use kube::Api;
use kube::api::Patch;
use serde_json::json;
use tokio::time::Instant;

use crate::controller::audit;
use crate::controller::kube_error::KubeError;
use crate::controller::technical_user::observe::changed_at;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::workloads::{self, RESTARTED_AT};
use crate::controller::writes;
use crate::domain::blocker::Blocker;
use crate::domain::plan::{WorkloadId, WorkloadView};
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;

/// Reads a workload.
pub async fn read(reconcile: &mut Reconcile, id: &WorkloadId) {
    let view = match api(reconcile, id).get(&id.name).await.map_err(KubeError::from) {
        Ok(object) => {
            let view = see(reconcile, id, &object);
            reconcile.workloads.insert(id.clone(), object);
            view
        }
        Err(KubeError::NotFound) => WorkloadView::Missing,
        Err(error) => WorkloadView::Refused(refused(id, &error)),
    };
    set(reconcile, id, Some(view));
}

/// Restarts a workload in the state that was read: it has consented in that state.
pub async fn restart(reconcile: &mut Reconcile, id: &WorkloadId) {
    let Some(object) = reconcile.workloads.remove(id) else { return set(reconcile, id, None) };
    let began = Instant::now();
    let patch = json!({
        "metadata": { "uid": object.metadata.uid, "resourceVersion": object.metadata.resource_version },
        "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: restarted_at(reconcile) } } } },
    });
    let answer = api(reconcile, id)
        .patch(&id.name, &writes::patch(), &Patch::Merge(&patch))
        .await
        .map_err(KubeError::from);
    audit::restarted(&reconcile.key, &id.to_string(), began, answer.as_ref().map(drop));
    let view = match answer {
        Ok(object) => {
            let note = format!("{id} was restarted, because an output that it reads has changed");
            reconcile.normal(Reason::WorkloadRestarted, "Restart", &note);
            Some(see(reconcile, id, &object))
        }
        // Another client has changed it: it is read again.
        Err(KubeError::Conflict) => None,
        Err(KubeError::NotFound) => Some(WorkloadView::Missing),
        Err(error) => Some(WorkloadView::Refused(refused(id, &error))),
    };
    set(reconcile, id, view);
}

fn api(reconcile: &Reconcile, id: &WorkloadId) -> Api<StoredObject> {
    let kind = workloads::api_resource(id.kind);
    Api::namespaced_with(reconcile.ctx.client.clone(), &reconcile.key.namespace, &kind)
}

fn set(reconcile: &mut Reconcile, id: &WorkloadId, view: Option<WorkloadView>) {
    if let Some(target) = reconcile.observation.restarts.target_mut(id) {
        target.view = view;
    }
}

/// The time of a restart: never before the change for which it is done, so that it is not done a second time.
fn restarted_at(reconcile: &Reconcile) -> String {
    let changed = change(reconcile);
    reconcile.ctx.process.clock.now().max(changed).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn change(reconcile: &Reconcile) -> Timestamp {
    reconcile.status.restart.as_ref().and_then(changed_at).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn see(reconcile: &Reconcile, id: &WorkloadId, object: &StoredObject) -> WorkloadView {
    let now = reconcile.ctx.process.clock.now();
    match workloads::view(id.kind, object, &reconcile.key.name, change(reconcile), now) {
        Ok(workload) => WorkloadView::Found(workload),
        Err(why) => {
            let message = format!("The operator cannot read the {id}: {why}");
            WorkloadView::Refused(Blocker::passing(Reason::KubernetesError, message))
        }
    }
}

/// Why a workload can be neither read nor restarted.
fn refused(id: &WorkloadId, error: &KubeError) -> Blocker {
    match error {
        KubeError::Denied { code: 401 | 403, message } if message.contains(" cannot ") => Blocker::passing(
            Reason::RestartForbidden,
            format!(
                "The operator has no right to restart the {id}. Set the chart value restart.enabled to true, or remove restart \
                 from the spec and restart the workload by hand."
            ),
        ),
        KubeError::Denied { message, .. } => Blocker::passing(
            Reason::RestartNotPossible,
            format!("The Kubernetes API refuses the restart of the {id}: {message}"),
        ),
        other => Blocker { message: format!("{id}: {}", other.blocker().message), ..other.blocker() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::WorkloadKind;

    #[test]
    fn a_missing_right_is_distinguished_from_a_policy_of_the_cluster() {
        let id = WorkloadId { kind: WorkloadKind::Deployment, name: "edc".into() };
        let denied = |message: &str| KubeError::Denied { code: 403, message: message.to_owned() };
        let rbac = "deployments.apps \"edc\" is forbidden: User \"x\" cannot get resource \"deployments\"";
        let failed = KubeError::Failed { code: 500, message: "etcd".to_owned() };
        for (error, reason, words) in [
            (denied(rbac), Reason::RestartForbidden, "restart.enabled"),
            (denied("the policy says no"), Reason::RestartNotPossible, "the policy says no"),
            (
                failed,
                Reason::KubernetesError,
                "Deployment \"edc\": The Kubernetes API failed with status 500",
            ),
        ] {
            let blocker = refused(&id, &error);
            assert_eq!(blocker.reason, reason, "{error}");
            assert!(blocker.message.contains(words), "{}", blocker.message);
        }
    }
}
