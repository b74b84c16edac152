//! A reconcile of a Portal that failed: its condition, and when it is tried again.

use crate::controller::checked::failure::ReconcileFailure;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, portals};
use crate::controller::queue::dispatcher::Action;
use crate::controller::status::failure::{CONFLICTS_ARE_QUIET_FOR, Reported, report};

/// Writes the condition, and says when the next reconcile is due.
pub async fn after(ctx: &Context, key: &Key, failure: &ReconcileFailure) -> Action {
    let blocker = failure.blocker();
    let failing_for = ctx.portal_memory.failing.change(key, |since| since.elapsed(blocker.reason.as_str()));
    let next = Action::requeue(ctx.portal_backoffs.after_failure(key));
    if matches!(failure, ReconcileFailure::Kube(KubeError::Conflict)) {
        // What was found is not written: the portal is checked once more for it.
        ctx.portal_memory.checks.repeat(key);
        if failing_for < CONFLICTS_ARE_QUIET_FOR {
            return next;
        }
    } else {
        tracing::warn!(portal = %key, error = %failure, "A reconcile failed");
    }
    if !ctx.may_write() {
        return next;
    }
    let object = Key { namespace: key.namespace.clone(), name: key.name.clone() };
    match report(ctx, &portals(), &object, &blocker, failing_for).await {
        Ok(Reported::Gone) => Action::await_change(),
        Ok(Reported::Written { .. } | Reported::Unchanged) | Err(_) => next,
    }
}
