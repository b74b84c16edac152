//! What a condition says of a failure.

use super::Failure;
use crate::controller::kube_error::KubeError;
use crate::controller::status::failure::PANICKED;
use crate::domain::blocker::Blocker;
use crate::domain::permissions::{PermissionNames, role_with};
use crate::domain::reason::Reason;
use crate::portal::{PortalError, ServerKind};

/// The message while the list is read. It has no numbers: a value that changes all the time is a metric and a log line.
const LIST_AWAITED: &str = "This resource waits for the search of the portal's user list, which takes minutes if the \
                            portal has many thousand users. The operator continues at the end of the search.";

/// The message while creates that hang use the places of the limiter.
const TURN_AWAITED: &str = "The portal does not answer the creates in progress, which use half of the Portal's \
                            limits.concurrency. The operator sends this create as soon as one of them ends.";

impl Failure {
    /// What a condition says of it: the only place that words failures. Hosts, Secrets and permissions are named only
    /// where `disclosed` has the names of permissions; see [`Reconcile::disclosed`]. `None`: another process is the active one, and
    /// writes the status.
    #[must_use]
    pub fn blocker(&self, disclosed: Option<&PermissionNames>) -> Option<Blocker> {
        Some(match self {
            Self::Portal(error) => trouble_of(error, disclosed),
            Self::NotConnected => Blocker::passing(Reason::PortalError, self.to_string()),
            Self::ListAwaited => Blocker::passing(Reason::Searching, LIST_AWAITED),
            Self::Kube(error) => error.blocker(),
            Self::Overtaken => KubeError::Conflict.blocker(),
            Self::Format(error) => Blocker::lasting(Reason::OutputInvalid, error.to_string()),
            Self::OutputUnavailable(blocker) => blocker.clone(),
            Self::NotActive => return None,
            Self::Endless => Blocker::lasting(
                Reason::InternalError,
                format!("{self}; this is a fault of the operator: report it, with the operator's log"),
            ),
            Self::Panicked => Blocker::passing(Reason::InternalError, PANICKED),
            Self::Deadline { .. } => Blocker::passing(
                Reason::ReconcileTimeout,
                format!("The operator stopped the reconcile: {self}. It tries again."),
            ),
        })
    }
}

/// What a failed call means for the resource, and what to do.
fn trouble_of(error: &PortalError, disclosed: Option<&PermissionNames>) -> Blocker {
    let (reason, words) = match (error, disclosed) {
        (PortalError::CircuitOpen { server: ServerKind::Portal, .. }, _) => {
            (Reason::PortalError, "The portal fails at the moment. The operator tries again.".to_owned())
        }
        // No call of the portal needs a wallet.
        (PortalError::CircuitOpen { .. }, _) => (
            Reason::PortalError,
            "The portal's identity provider fails at the moment. The operator tries again.".to_owned(),
        ),
        (PortalError::CreatesInProgress, _) => (Reason::Creating, TURN_AWAITED.to_owned()),
        (PortalError::OtherCompany, _) => (
            Reason::CompanyUnknown,
            format!("{error}. The operator changes nothing in the portal until the login is accepted again"),
        ),
        (PortalError::DeletionLogin { .. }, None) => (
            Reason::DeletionLoginFailing,
            "The Portal's deletion login (deleteAuth) cannot be used".to_owned(),
        ),
        (_, None) => {
            (Reason::PortalError, "The portal, or its identity provider, answered with an error".to_owned())
        }
        (PortalError::Forbidden { permission }, Some(names)) => (
            Reason::PermissionMissing,
            format!(
                "The Portal's login may not do what is needed next: {permission} is missing, or the portal does not know this \
                 login. Give the login that permission ({}), or give the Portal another login",
                role_with(names, permission)
            ),
        ),
        (PortalError::DeletionLogin { .. }, Some(_)) => (
            Reason::DeletionLoginFailing,
            format!(
                "{error}. The operator deletes the user as soon as the login works. If the login is wrong, correct the Secret that the Portal's \
                 deleteAuth names, or remove deleteAuth from the Portal"
            ),
        ),
        (other, Some(_)) => (Reason::PortalError, other.to_string()),
    };
    Blocker::passing(reason, words)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::format::FormatError;
    use crate::domain::test_support::PERMISSION_NAMES;

    /// One failure of each variant; a new variant is a failure to compile.
    fn next(after: Option<&Failure>) -> Option<Failure> {
        let kube = |error| Some(Failure::Kube(error));
        match after {
            None => Some(Failure::Portal(PortalError::Server { server: ServerKind::Portal, status: 502 })),
            Some(Failure::Portal(_)) => Some(Failure::NotConnected),
            Some(Failure::NotConnected) => Some(Failure::ListAwaited),
            Some(Failure::ListAwaited) => kube(KubeError::NotFound),
            Some(Failure::Kube(KubeError::NotFound)) => kube(KubeError::Conflict),
            Some(Failure::Kube(KubeError::Conflict)) => {
                kube(KubeError::Denied { code: 403, message: "the apiserver's words".into() })
            }
            Some(Failure::Kube(KubeError::Denied { .. })) => {
                kube(KubeError::Failed { code: 500, message: "the apiserver's words".into() })
            }
            Some(Failure::Kube(KubeError::Failed { .. })) => {
                kube(KubeError::Unclear { reason: "the connection failed".into() })
            }
            Some(Failure::Kube(KubeError::Unclear { .. })) => Some(Failure::Overtaken),
            Some(Failure::Overtaken) => Some(Failure::NotActive),
            Some(Failure::NotActive) => Some(Failure::Endless),
            Some(Failure::Endless) => Some(Failure::Format(FormatError::Empty)),
            Some(Failure::Format(_)) => {
                Some(Failure::OutputUnavailable(Blocker::passing(Reason::OutputNotWritable, "It is sealed")))
            }
            Some(Failure::OutputUnavailable(_)) => Some(Failure::Deadline {
                step: "reading the user".to_owned(),
                within: Duration::from_mins(3),
            }),
            Some(Failure::Deadline { .. }) => Some(Failure::Panicked),
            Some(Failure::Panicked) => None,
        }
    }

    #[test]
    fn every_failure_has_a_reason_and_words() {
        let mut last = None;
        let mut count = 0;
        while let Some(failure) = next(last.as_ref()) {
            count += 1;
            match (failure.blocker(Some(&PERMISSION_NAMES)), &failure) {
                (None, failure) => {
                    assert!(matches!(failure, Failure::NotActive), "{failure} has no condition");
                }
                (Some(blocker), failure) => {
                    let (reason, words) = match failure {
                        Failure::Portal(_) => (Reason::PortalError, "502"),
                        Failure::NotConnected => (Reason::PortalError, "The Portal is not connected"),
                        Failure::ListAwaited => (Reason::Searching, "search of the portal's user list"),
                        Failure::Kube(KubeError::Denied { .. } | KubeError::Failed { .. }) => {
                            (Reason::KubernetesError, "the apiserver's words")
                        }
                        Failure::Kube(KubeError::Unclear { .. }) => {
                            (Reason::KubernetesError, "did not answer: the connection failed")
                        }
                        Failure::Kube(KubeError::NotFound) => (Reason::KubernetesError, "no longer finds"),
                        Failure::Kube(KubeError::Conflict) | Failure::Overtaken => {
                            (Reason::KubernetesError, "Another client")
                        }
                        Failure::Deadline { .. } => {
                            (Reason::ReconcileTimeout, "180 s, in the step: reading the user")
                        }
                        Failure::Format(_) => (Reason::OutputInvalid, "No key is left"),
                        Failure::OutputUnavailable(_) => (Reason::OutputNotWritable, "It is sealed"),
                        Failure::Endless | Failure::Panicked | Failure::NotActive => {
                            (Reason::InternalError, "report it")
                        }
                    };
                    assert_eq!(blocker.reason, reason, "{failure}");
                    assert!(blocker.message.contains(words), "{}", blocker.message);
                    assert_eq!(
                        blocker.stalled,
                        matches!(failure, Failure::Endless | Failure::Format(_)),
                        "{failure}"
                    );
                }
            }
            last = Some(failure);
        }
        assert_eq!(count, 15);
    }
}
