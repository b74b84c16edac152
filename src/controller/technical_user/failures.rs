//! Reconciles that end without a plan's rest: what the condition says, and when it is tried again.

use std::time::Duration;

use parking_lot::Mutex;

use super::memory::turns;
use super::pass::{Failure, Pass};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, technical_users};
use crate::controller::queue::dispatcher::Action;
use crate::controller::status::failure::{CONFLICTS_ARE_QUIET_FOR, PANICKED, Reported, report};
use crate::domain::permissions::{PermissionNames, role_with};
use crate::domain::plan::Requeue;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::metrics::{Kind, Reconciled};
use crate::portal::PortalError;

/// Which step a reconcile is in.
#[derive(Debug)]
pub struct Progress(Mutex<String>);

impl Default for Progress {
    fn default() -> Self {
        Self(Mutex::new("observing the resource, its Secret and its Portal".to_owned()))
    }
}

impl Progress {
    /// It is in this step now.
    pub fn at(&self, step: &impl ToString) {
        *self.0.lock() = step.to_string();
    }

    /// The step that it is in.
    #[must_use]
    pub fn step(&self) -> String {
        self.0.lock().clone()
    }
}

/// Said while the list is read. No numbers: what moves by itself is a metric and a log line.
const LIST_AWAITED: &str = "This resource waits for the search of the portal's user list, which takes minutes if the \
                            portal has many thousand users. The operator continues at the end of the search.";

/// Said while creates that hang hold the places of the limiter.
const TURN_AWAITED: &str = "The portal does not answer the creates in progress, which use half of the Portal's \
                            limits.concurrency. The operator sends this create as soon as one of them ends.";

impl Failure {
    /// What a condition says of it: the one place where a failure becomes words. Hosts, Secrets and permissions are named only
    /// where `disclosed` has the names of permissions; see [`Pass::disclosed`]. `None`: another process is the active one, and
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
        (PortalError::CircuitOpen { .. }, _) => {
            (Reason::PortalError, "The portal fails at the moment. The operator tries again.".to_owned())
        }
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

/// A failure interrupted a plan: when to try again. The Portal is told where its login may have changed.
pub fn requeue_after(pass: &Pass, failure: &Failure) -> Requeue {
    let error = match failure {
        Failure::Portal(error) => error,
        // Its end wakes the resource.
        Failure::ListAwaited => return pass.observation.timers.recheck(),
        failure => {
            tracing::warn!(resource = %pass.key, error = %failure, "A reconcile was interrupted");
            return Requeue::Backoff;
        }
    };
    if matches!(
        error,
        PortalError::Unauthorized
            | PortalError::LoginRefused { .. }
            | PortalError::Forbidden { .. }
            | PortalError::DeletionLogin { .. }
            | PortalError::OtherCompany
    ) {
        // The login may have changed: the Portal reads it again.
        pass.ctx.wake_portal(&pass.portal_key);
    }
    let random = &pass.ctx.process.random;
    match error {
        PortalError::CircuitOpen { retry_after } => Requeue::In(random.spread(*retry_after)),
        PortalError::Throttled { retry_after: Some(time) } => Requeue::In(random.spread(*time)),
        _ => Requeue::Backoff,
    }
}

/// A reconcile failed: writes the condition, and says when it is tried again.
pub async fn after(ctx: &Context, key: &Key, failure: &Failure) -> Action {
    // The active process writes the status.
    let Some(blocker) = failure.blocker(None) else { return Action::requeue(Duration::from_secs(5)) };
    let failing_for = ctx.memory.change(key, |user| user.failing.elapsed(blocker.reason.as_str()));
    let next = if matches!(failure, Failure::Overtaken) {
        let next = Action::requeue(ctx.conflicts.after_conflict(key));
        if failing_for < CONFLICTS_ARE_QUIET_FOR {
            return next;
        }
        next
    } else {
        tracing::warn!(resource = %key, error = %failure, "A reconcile failed");
        Action::requeue(ctx.backoffs.after_failure(key))
    };
    if !ctx.may_write() {
        return next;
    }
    match report(ctx, &technical_users(), key, &blocker, failing_for).await {
        Ok(Reported::Gone) => Action::await_change(),
        Ok(Reported::Written { before, after }) => {
            ctx.memory.change(key, |user| user.overwritten.wrote(before.as_deref(), after.as_deref()));
            next
        }
        Ok(Reported::Unchanged) | Err(_) => next,
    }
}

/// A reconcile of this resource panicked: a fault of this program. It is tried again like any failure.
pub async fn panicked(ctx: &Context, key: &Key) -> Action {
    let action = after(ctx, key, &Failure::Panicked).await;
    turns::pass_on(ctx, key);
    ctx.metrics.reconciled(Kind::TechnicalUser, Reconciled::Error, Duration::ZERO);
    ctx.count_backoffs();
    action
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::format::FormatError;
    use crate::domain::test_support::PERMISSION_NAMES;

    /// One failure of each variant; a new variant is a failure to compile.
    fn next(after: Option<&Failure>) -> Option<Failure> {
        let kube = |error| Some(Failure::Kube(error));
        match after {
            None => Some(Failure::Portal(PortalError::Server { status: 502 })),
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
