//! A reconcile of a Portal that failed: its condition, and when it is tried again.

use thiserror::Error;

pub use super::DEADLINE;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, portals};
use crate::controller::queue::dispatcher::Action;
use crate::controller::status::failure::{CONFLICTS_ARE_QUIET_FOR, PANICKED, Reported, report};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// Why a reconcile of a Portal ended without a status.
#[derive(Debug, Error)]
pub enum ReconcileFailure {
    /// The apiserver.
    #[error(transparent)]
    Kube(#[from] KubeError),
    /// It took too long.
    #[error("it did not end within {} s", DEADLINE.as_secs())]
    Deadline,
    /// A fault of this program. What the panic says is in the log alone: it may quote anything.
    #[error("the operator has a fault of its own")]
    Panicked,
}

impl ReconcileFailure {
    /// What a condition says of it.
    #[must_use]
    pub fn blocker(&self) -> Blocker {
        match self {
            Self::Kube(error) => error.blocker(),
            Self::Panicked => Blocker::passing(Reason::InternalError, PANICKED),
            Self::Deadline => Blocker::passing(
                Reason::ReconcileTimeout,
                format!("The operator stopped the reconcile: {self}. It tries again."),
            ),
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_a_reason_and_words() {
        let words = "the apiserver's words";
        for (failure, reason, words) in [
            (ReconcileFailure::Kube(KubeError::NotFound), Reason::KubernetesError, "no longer finds"),
            (ReconcileFailure::Kube(KubeError::Conflict), Reason::KubernetesError, "Another client"),
            (
                ReconcileFailure::Kube(KubeError::Denied { code: 403, message: words.into() }),
                Reason::KubernetesError,
                words,
            ),
            (
                ReconcileFailure::Kube(KubeError::Failed { code: 429, message: words.into() }),
                Reason::KubernetesError,
                words,
            ),
            (
                ReconcileFailure::Kube(KubeError::Unclear { reason: "the connection failed".into() }),
                Reason::KubernetesError,
                "the connection failed",
            ),
            (ReconcileFailure::Deadline, Reason::ReconcileTimeout, "600 s"),
            (ReconcileFailure::Panicked, Reason::InternalError, "report it"),
        ] {
            let blocker = failure.blocker();
            assert_eq!((blocker.reason, blocker.stalled), (reason, false));
            assert!(blocker.message.contains(words), "{}", blocker.message);
        }
    }
}
