//! A reconcile that failed: the condition that says so, for all kinds.
//!
//! What stops a plan goes through the plan. Here is the rest: what fails before there is a plan, and a status that cannot
//! be written. The object is read again, as what was known of it may be the reason for the failure.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Api;
use kube::Resource as _;
use kube::api::{ApiResource, DynamicObject, Patch};
use serde::Deserialize;
use serde_json::json;

use crate::api::conditions::{READY, RECONCILING, STALLED, Wanted, brought_up_to_date};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, is_deleting, lenient};
use crate::controller::writes;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use jiff::Timestamp;

/// A resource that is ready is kept ready during failures of this time: the next reconcile may succeed.
const READY_IS_KEPT_FOR: Duration = Duration::from_mins(2);

/// Conflicts with other clients are routine, unless they continue for this time.
pub const CONFLICTS_ARE_QUIET_FOR: Duration = Duration::from_secs(30);

/// What a condition says after a panic: what the panic says may quote anything.
pub const PANICKED: &str =
    "The operator has a fault of its own. It tries again. Please report it with the operator's log.";

/// How long the report may take.
const REPORT_WITHIN: Duration = Duration::from_secs(10);

/// The part of a status that all kinds have.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Conditions {
    observed_generation: Option<i64>,
    conditions: Vec<Condition>,
}

/// What became of the report.
#[derive(Debug)]
pub enum Reported {
    /// The condition is written.
    Written {
        /// The resourceVersion before.
        before: Option<String>,
        /// And after it.
        after: Option<String>,
    },
    /// The conditions say so already, or the resource stays ready.
    Unchanged,
    /// Another client has written meanwhile: the next reconcile reports.
    Overtaken,
    /// The object is gone.
    Gone,
}

/// Writes the condition for a failure that has lasted for `failing_for`.
///
/// # Errors
/// The condition could not be written either. That is a Warning event, a metric and a log line.
pub async fn report(
    ctx: &Context,
    kind: &ApiResource,
    key: &Key,
    blocker: &Blocker,
    failing_for: Duration,
) -> Result<Reported, KubeError> {
    let reported = try_report(ctx, kind, key, blocker, failing_for);
    let late = || Err(KubeError::Unclear { reason: "no answer in time".to_owned() });
    match tokio::time::timeout(REPORT_WITHIN, reported).await.unwrap_or_else(|_| late()) {
        Err(KubeError::Conflict) => Ok(Reported::Overtaken),
        Err(error) => {
            not_written(ctx, kind, key, blocker, &error);
            Err(error)
        }
        reported => reported,
    }
}

async fn try_report(
    ctx: &Context,
    kind: &ApiResource,
    key: &Key,
    blocker: &Blocker,
    failing_for: Duration,
) -> Result<Reported, KubeError> {
    let api: Api<StoredObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, kind);
    let Some(object) = api.get_opt(&key.name).await? else { return Ok(Reported::Gone) };
    let old: Conditions = lenient(&object, "status");
    let ready = old.conditions.iter().find(|condition| condition.type_ == READY);
    let stays_ready = ready.is_some_and(|condition| condition.status == "True")
        && old.observed_generation == object.metadata.generation
        && !is_deleting(&object);
    if stays_ready {
        if failing_for >= READY_IS_KEPT_FOR {
            let reference = object.object_ref(kind);
            ctx.events.warning(reference, blocker.reason.as_str(), "Reconcile", &blocker.message);
        }
        return Ok(Reported::Unchanged);
    }
    let new = conditions(&old.conditions, blocker, object.metadata.generation, ctx.process.clock.now());
    if new == old.conditions && old.observed_generation == object.metadata.generation {
        return Ok(Reported::Unchanged);
    }
    let body = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version },
        "status": { "observedGeneration": object.metadata.generation, "conditions": new },
    });
    let written = api.patch_status(&key.name, &writes::patch(), &Patch::Merge(&body)).await?;
    if ready.is_none_or(|condition| condition.reason != blocker.reason.as_str()) {
        let reference = object.object_ref(kind);
        ctx.events.warning(reference, blocker.reason.as_str(), "Reconcile", &blocker.message);
    }
    Ok(Reported::Written {
        before: object.metadata.resource_version,
        after: written.metadata.resource_version,
    })
}

/// Ready, and what kstatus reads, by the failure; the others stay as they are: nothing new is known of them.
fn conditions(
    old: &[Condition],
    blocker: &Blocker,
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let wanted = |type_, status| Wanted {
        type_,
        status: Some(status),
        reason: blocker.reason.as_str(),
        message: blocker.message.clone(),
    };
    let progress = if blocker.stalled { STALLED } else { RECONCILING };
    let wanted = [wanted(READY, false), wanted(progress, true)];
    let mut new = brought_up_to_date(old, &wanted, generation, now);
    let ours = [READY, RECONCILING, STALLED];
    new.extend(old.iter().filter(|condition| !ours.contains(&condition.type_.as_str())).cloned());
    new
}

/// The status cannot be written, so no condition can say it.
fn not_written(ctx: &Context, kind: &ApiResource, key: &Key, blocker: &Blocker, error: &KubeError) {
    ctx.metrics.status_not_written();
    tracing::warn!(
        resource = %key, reason = blocker.reason.as_str(), error = %error,
        "The status of a {} could not be written: {}", kind.kind, blocker.message
    );
    // An apiserver that does not answer takes no events either.
    if matches!(error, KubeError::Denied { .. } | KubeError::Failed { .. }) {
        let object = DynamicObject::new(&key.name, kind).within(&key.namespace);
        let note = format!("The status could not be written: {error}. It would say: {}", blocker.message);
        ctx.events.warning(object.object_ref(kind), Reason::StatusNotWritten.as_str(), "Reconcile", &note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::conditions::PUBLISHED;

    #[test]
    fn other_conditions_are_kept() {
        let wanted =
            |type_, status| Wanted { type_, status: Some(status), reason: "Was", message: "Was".into() };
        let before = [wanted(READY, true), wanted(PUBLISHED, true)];
        let old = brought_up_to_date(&[], &before, Some(1), Timestamp::UNIX_EPOCH);
        let blocker = Blocker::passing(Reason::KubernetesError, "words");
        let new = conditions(&old, &blocker, Some(2), Timestamp::UNIX_EPOCH);
        let found: Vec<_> =
            new.iter().map(|c| (c.type_.as_str(), c.status.as_str(), c.reason.as_str())).collect();
        assert_eq!(
            found,
            [
                (READY, "False", "KubernetesError"),
                (RECONCILING, "True", "KubernetesError"),
                (PUBLISHED, "True", "Was")
            ]
        );
        assert_eq!(
            conditions(&new, &blocker, Some(2), Timestamp::UNIX_EPOCH),
            new,
            "the same failure changes nothing"
        );
    }
}
