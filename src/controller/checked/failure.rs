//! A reconcile of a Portal or a Vault that ended without a status.

use std::time::Duration;

use thiserror::Error;

use crate::controller::kube_error::KubeError;
use crate::controller::status::failure::PANICKED;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// The longest time of a reconcile. A list of 11,000 users takes about a minute.
pub const DEADLINE: Duration = Duration::from_mins(10);

/// Why a reconcile ended without a status.
#[derive(Debug, Error)]
pub enum ReconcileFailure {
    /// The apiserver.
    #[error(transparent)]
    Kube(#[from] KubeError),
    /// It exceeded its deadline.
    #[error("it did not end within {} s", DEADLINE.as_secs())]
    Deadline,
    /// A panic. Only the log has its message, which may quote anything.
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
