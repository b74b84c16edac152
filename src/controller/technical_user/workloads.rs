//! Workloads as Kubernetes stores them: whether one consents to its restart, whether it was restarted, and how far its roll-out
//! is, as `kubectl rollout status` reports it.

use std::time::Duration;

use jiff::Timestamp;
use kube::api::ApiResource;
use kube::core::GroupVersionKind;
use serde::Deserialize;

use crate::api::keys;
use crate::controller::objects::{annotation, part};
use crate::domain::plan::{RollOut, Workload, WorkloadKind};
use crate::k8s::stored::StoredObject;

/// The annotation of a pod template that `kubectl rollout restart` sets. A change of it starts a roll-out.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// The API resource of a kind.
#[must_use]
pub fn api_resource(kind: WorkloadKind) -> ApiResource {
    let plural = match kind {
        WorkloadKind::Deployment => "deployments",
        WorkloadKind::StatefulSet => "statefulsets",
        WorkloadKind::DaemonSet => "daemonsets",
    };
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("apps", "v1", kind.as_str()), plural)
}

/// The fields of the spec of all three kinds that decide.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    replicas: Option<i64>,
    paused: bool,
    update_strategy: Strategy,
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Strategy {
    r#type: String,
    rolling_update: Option<RollingUpdate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RollingUpdate {
    partition: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Template {
    metadata: kube::core::ObjectMeta,
}

/// The fields of the status of all three kinds that decide.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    replicas: i64,
    updated_replicas: i64,
    available_replicas: i64,
    ready_replicas: i64,
    desired_number_scheduled: i64,
    updated_number_scheduled: i64,
    number_available: i64,
    conditions: Vec<Progress>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Progress {
    r#type: String,
    reason: String,
    message: String,
}

/// What of a workload decides about its restart for a resource after a change.
///
/// # Errors
/// What does not parse, in words that name the field.
pub fn view(
    kind: WorkloadKind,
    object: &StoredObject,
    resource: &str,
    changed_at: Timestamp,
    now: Timestamp,
) -> Result<Workload, String> {
    let (spec, status): (Spec, Status) = (part(object, "spec")?, part(object, "status")?);
    let restarted_at = restarted_at(&spec, changed_at, now);
    let since = restarted_at.map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
    Ok(Workload {
        consents: consents(annotation(object, keys::RESTART), resource),
        restarted: restarted_at.is_some_and(|at| at >= changed_at),
        unfit: unfit(&spec),
        roll_out: roll_out(kind, object, &spec, &status, since.unwrap_or_default()),
    })
}

/// Whether an annotation names the resource.
fn consents(annotation: Option<&str>, resource: &str) -> bool {
    annotation.is_some_and(|names| names.split(',').any(|name| name.trim() == resource))
}

/// When it was restarted last, by the annotation. A time in the future is that of another clock and proves nothing, unless the
/// operator itself has set it for a change whose time is in the future.
fn restarted_at(spec: &Spec, changed_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let time = spec.template.metadata.annotations.as_ref()?.get(RESTARTED_AT)?;
    time.parse().ok().filter(|at| *at <= now.max(changed_at))
}

/// Why a restart would not replace the pods.
fn unfit(spec: &Spec) -> Option<&'static str> {
    if spec.paused {
        return Some("its roll-outs are paused. Resume them by kubectl rollout resume.");
    }
    let on_delete = spec.update_strategy.r#type == "OnDelete";
    on_delete.then_some(
        "its updateStrategy is OnDelete. Restart it by kubectl rollout restart, and delete its pods one after the other.",
    )
}

/// How far the roll-out is: the conditions of `kubectl rollout status`.
fn roll_out(
    kind: WorkloadKind,
    object: &StoredObject,
    spec: &Spec,
    status: &Status,
    since: Duration,
) -> RollOut {
    if object.metadata.generation.unwrap_or_default() > status.observed_generation {
        return RollOut::Progressing(since);
    }
    let wanted = spec.replicas.unwrap_or(1);
    let complete = match kind {
        WorkloadKind::Deployment => {
            let late = |condition: &&Progress| {
                condition.r#type == "Progressing" && condition.reason == "ProgressDeadlineExceeded"
            };
            if let Some(late) = status.conditions.iter().find(late) {
                return RollOut::Stuck(late.message.trim_end_matches('.').to_owned());
            }
            status.updated_replicas >= wanted
                && status.replicas <= status.updated_replicas
                && status.available_replicas >= status.updated_replicas
        }
        WorkloadKind::StatefulSet => {
            let rolling = spec.update_strategy.rolling_update.as_ref();
            let kept = rolling.and_then(|rolling| rolling.partition).unwrap_or_default();
            status.ready_replicas >= wanted && status.updated_replicas >= wanted.saturating_sub(kept)
        }
        WorkloadKind::DaemonSet => {
            status.updated_number_scheduled >= status.desired_number_scheduled
                && status.number_available >= status.desired_number_scheduled
        }
    };
    if complete { RollOut::Complete } else { RollOut::Progressing(since) }
}

#[cfg(test)]
mod tests;
