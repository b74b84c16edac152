//! A reconcile of a Vault that failed: its condition, and when it is tried again.

use super::reconcile::again;
use crate::controller::checked::failure::ReconcileFailure;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, vaults};
use crate::controller::queue::dispatcher::Action;
use crate::controller::status::failure::{CONFLICTS_ARE_QUIET_FOR, Reported, report};

/// Writes the condition, and says when the next reconcile is due.
pub async fn after(ctx: &Context, key: &Key, failure: &ReconcileFailure) -> Action {
    let blocker = failure.blocker();
    let failing_for = ctx.vault_memory.failing.change(key, |since| since.elapsed(blocker.reason.as_str()));
    let next = Action::requeue(ctx.vault_backoffs.after_failure(key));
    if matches!(failure, ReconcileFailure::Kube(KubeError::Conflict)) {
        // What was found is not written: it is found once more.
        again(ctx, key);
        if failing_for < CONFLICTS_ARE_QUIET_FOR {
            return next;
        }
    } else {
        tracing::warn!(vault = %key, error = %failure, "A reconcile failed");
    }
    if !ctx.may_write() {
        return next;
    }
    match report(ctx, &vaults(), key, &blocker, failing_for).await {
        Ok(Reported::Gone) => Action::await_change(),
        Ok(Reported::Written { .. } | Reported::Unchanged) | Err(_) => next,
    }
}
