//! One reconcile of an object that the operator checks: its finalizer, the check where one is due, and what follows a failure.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::failure::{DEADLINE, ReconcileFailure};
use super::finalizer;
use super::kind::{CheckedKind, Kept};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, is_deleting};
use crate::controller::queue::dispatcher::Action;
use crate::controller::status::failure::{CONFLICTS_ARE_QUIET_FOR, Reported, report};
use crate::k8s::stored::StoredObject;
use crate::metrics::Reconciled;

/// How long another process is the active one at least, before this one asks again.
const STANDBY_INTERVAL: Duration = Duration::from_secs(5);
/// A timer must not end before the time that it is set for.
const AFTER_DUE: Duration = Duration::from_millis(50);

/// One reconcile of one object. Never fails: the status reports what goes wrong, and it is tried again.
pub async fn reconcile(kind: &dyn CheckedKind, ctx: &Arc<Context>, object: &StoredObject) -> Action {
    let key = Key::of(object);
    let began = Instant::now();
    let ended = tokio::time::timeout(DEADLINE, reconcile_once(kind, ctx, &key, object)).await;
    let objects = kind.objects(ctx);
    let (action, outcome) = match ended {
        Ok(Ok((action, changed))) => {
            objects.failing.forget(&key);
            (action, if changed { Reconciled::Changed } else { Reconciled::Unchanged })
        }
        Ok(Err(error)) => (after(kind, ctx, &key, &error.into()).await, Reconciled::Error),
        Err(_) => (after(kind, ctx, &key, &ReconcileFailure::Deadline).await, Reconciled::Error),
    };
    ctx.metrics.reconciled(objects.label, outcome, began.elapsed());
    ctx.count_backoffs();
    action
}

/// A reconcile of this object panicked: a fault of this program. It is tried again like any failure.
pub async fn panicked(kind: &dyn CheckedKind, ctx: &Context, key: &Key) -> Action {
    let action = after(kind, ctx, key, &ReconcileFailure::Panicked).await;
    ctx.metrics.reconciled(kind.objects(ctx).label, Reconciled::Error, Duration::ZERO);
    ctx.count_backoffs();
    action
}

/// Removes an object that does not exist any more from memory.
pub fn forget(kind: &dyn CheckedKind, ctx: &Context, key: &Key) {
    kind.forget(ctx, key);
    kind.objects(ctx).forget(key);
    ctx.count_backoffs();
}

/// The same for one that was deleted just now, and wakes its users.
pub fn gone(kind: &dyn CheckedKind, ctx: &Context, key: &Key) {
    forget(kind, ctx, key);
    kind.wake_users(ctx, key);
}

/// The next reconcile, and whether anything changed.
async fn reconcile_once(
    kind: &dyn CheckedKind,
    ctx: &Arc<Context>,
    key: &Key,
    object: &StoredObject,
) -> Result<(Action, bool), KubeError> {
    if !ctx.may_write() {
        return Ok((Action::requeue(STANDBY_INTERVAL), false));
    }
    let objects = kind.objects(ctx);
    let mut object = object.clone();
    let mut kept = None;
    if is_deleting(&object) {
        kept = leave(kind, ctx, key, &object).await?;
        if kept.is_none() {
            return Ok((Action::await_change(), true));
        }
    } else if !has_finalizer(&object) {
        object = finalizer::add(ctx, &objects.api, key, &object).await?;
    }
    let due_in = objects.checks.due_in(key, &kind.inputs(&object));
    let (next, changed) = if due_in.is_zero() {
        kind.check(ctx, key, &object, kept.as_ref().map(|kept| &kept.why)).await?
    } else {
        (due_in, false)
    };
    let next = kept.map_or(next, |kept| kept.next.min(next));
    Ok((Action::requeue(next + AFTER_DUE), changed))
}

/// Removes the finalizer of an object under deletion that nothing needs any more. `None`: the object is deleted.
async fn leave(
    kind: &dyn CheckedKind,
    ctx: &Arc<Context>,
    key: &Key,
    object: &StoredObject,
) -> Result<Option<Kept>, KubeError> {
    if has_finalizer(object) {
        let kept = kind.release(ctx, key, object).await?;
        if kept.is_some() {
            return Ok(kept);
        }
        finalizer::remove(ctx, &kind.objects(ctx).api, key, object).await?;
    }
    gone(kind, ctx, key);
    Ok(None)
}

/// Reports a reconcile that failed in the condition, and says when the next one is due.
async fn after(kind: &dyn CheckedKind, ctx: &Context, key: &Key, failure: &ReconcileFailure) -> Action {
    let (objects, blocker) = (kind.objects(ctx), failure.blocker());
    let failing_for = objects.failing.change(key, |since| since.elapsed(blocker.reason.as_str()));
    let next = Action::requeue(objects.backoffs.after_failure(key));
    if matches!(failure, ReconcileFailure::Kube(KubeError::Conflict)) {
        // What was found is not written: it is checked once more for it.
        objects.checks.repeat(key);
        if failing_for < CONFLICTS_ARE_QUIET_FOR {
            return next;
        }
    } else {
        kind.log_failure(key, failure);
    }
    if !ctx.may_write() {
        return next;
    }
    match report(ctx, &objects.api, key, &blocker, failing_for).await {
        Ok(Reported::Gone) => Action::await_change(),
        Ok(Reported::Written { .. } | Reported::Unchanged | Reported::Overtaken) | Err(_) => next,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::portal::kind::PortalKind;
    use crate::controller::test_support::apiserver::{Apiserver, context};

    /// Another client that writes at the same time is nothing that a person has to know, unless it does not end.
    #[tokio::test(start_paused = true)]
    async fn conflicts_are_reported_only_if_they_last() {
        let apiserver = Apiserver::default();
        let portal = json!({"apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal", "spec": {}});
        apiserver.put_object("portals", "dataspace", "portal", portal);
        let ctx = context(apiserver.client());
        let key = Key { namespace: "dataspace".into(), name: "portal".into() };
        let reported = || apiserver.object("portals", "dataspace", "portal").unwrap()["status"].clone();
        let conflict = ReconcileFailure::Kube(KubeError::Conflict);
        for _ in 0..3 {
            after(&PortalKind, &ctx, &key, &conflict).await;
            assert_eq!(reported(), Value::Null);
            tokio::time::advance(CONFLICTS_ARE_QUIET_FOR / 4).await;
        }
        tokio::time::advance(CONFLICTS_ARE_QUIET_FOR / 2).await;
        after(&PortalKind, &ctx, &key, &conflict).await;
        assert_eq!(reported()["conditions"][0]["reason"], "KubernetesError", "{}", reported());
    }
}
