//! When a reconcile that failed is tried again, and what its status reports until then.

use std::time::Duration;

use super::Failure;
use crate::controller::context::Context;
use crate::controller::objects::{Key, technical_users};
use crate::controller::queue::dispatcher::Action;
use crate::controller::status::failure::{CONFLICTS_ARE_QUIET_FOR, Reported, report};
use crate::controller::technical_user::memory::turns;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::Requeue;
use crate::metrics::{Kind, Reconciled};
use crate::portal::PortalError;

/// A failure interrupted a plan: when to try again. Wakes the Portal if its login may have changed.
pub fn requeue_after(reconcile: &Reconcile, failure: &Failure) -> Requeue {
    let error = match failure {
        Failure::Portal(error) => error,
        // Its end wakes the resource.
        Failure::ListAwaited => return reconcile.observation.timers.recheck(),
        failure => {
            tracing::warn!(resource = %reconcile.key, error = %failure, "A reconcile was interrupted");
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
        reconcile.ctx.portals.check_soon(&reconcile.portal_key);
    }
    let random = &reconcile.ctx.process.random;
    match error {
        PortalError::CircuitOpen { retry_after, .. } => Requeue::In(random.spread(*retry_after)),
        PortalError::Throttled { retry_after: Some(time), .. } => Requeue::In(random.spread(*time)),
        _ => Requeue::Backoff,
    }
}

/// A reconcile failed: writes the condition, and says when it is tried again.
pub async fn after(ctx: &Context, key: &Key, failure: &Failure) -> Action {
    // The active process writes the status.
    let Some(blocker) = failure.blocker(None) else { return Action::requeue(Duration::from_secs(5)) };
    let failing_for = ctx.memory.change(key, |user| user.failing.elapsed(blocker.reason.as_str()));
    let is_overtaken = matches!(failure, Failure::Overtaken);
    let next = if is_overtaken {
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
        Ok(Reported::Gone) => {
            // Else the watch reports its end, which forgets it.
            if ctx.cached_user(key).is_none() {
                ctx.forget_user(key);
            }
            Action::await_change()
        }
        Ok(Reported::Written { before, after }) => {
            ctx.memory.change(key, |user| user.overwritten.wrote(before.as_deref(), after.as_deref()));
            next
        }
        // That client may write all the time: what it wakes waits too.
        Ok(Reported::Overtaken) if !is_overtaken => Action::requeue(ctx.conflicts.after_conflict(key)),
        Ok(Reported::Unchanged | Reported::Overtaken) | Err(_) => next,
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
    use serde_json::json;

    use super::*;
    use crate::controller::test_support::apiserver::{Apiserver, context, technical_user, watch_users};

    fn is_remembered(ctx: &Context, key: &Key) -> bool {
        let mut is_remembered = ctx.backoffs.waiting() + ctx.conflicts.waiting() > 0;
        ctx.memory.change_known(key, |_| is_remembered = true);
        is_remembered
    }

    #[tokio::test]
    async fn nothing_is_remembered_of_a_failure_whose_resource_is_gone() {
        let key = Key { namespace: "connector".into(), name: "edc".into() };
        let mut ctx = context(Apiserver::default().client());
        after(&ctx, &key, &Failure::NotConnected).await;
        assert!(!is_remembered(&ctx, &key));
        let _woken = watch_users(&mut ctx, [technical_user("edc", &json!({}))]);
        after(&ctx, &key, &Failure::NotConnected).await;
        assert!(is_remembered(&ctx, &key), "the watch has not shown its end yet");
    }
}
