//! One reconcile of a Portal: its finalizer, a check of the portal where one is due, and its status.

use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;
use tokio::time::Instant;

use super::check::check;
use super::finalizer::leave;
use super::status;
use crate::api::keys;
use crate::api::portal::PortalSpec;
use crate::controller::checked::finalizer::{self, Leaving};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, annotation, has_finalizer, is_deleting, part, portals};
use crate::controller::queue::dispatcher::Action;
use crate::domain::grace::RETRY_INTERVAL;
use crate::metrics::Sweep;

/// A periodic sweep never takes more than a twentieth of the time.
const SHARE_OF_TIME: u32 = 20;

const DEFAULT_RESYNC: Duration = Duration::from_mins(5);

/// Checks the portal where that is due and writes what was found; the next reconcile, and whether anything changed.
pub async fn reconcile_once(
    ctx: &Arc<Context>,
    key: &Key,
    object: &DynamicObject,
) -> Result<(Action, bool), KubeError> {
    if !ctx.may_write() {
        return Ok((Action::requeue(Duration::from_secs(5)), false));
    }
    let mut object = object.clone();
    let leaving = if is_deleting(&object) {
        match leave(ctx, key, &object).await? {
            Leaving::Gone => return Ok((Action::await_change(), true)),
            Leaving::Held(blocker) => Some(blocker),
        }
    } else {
        if !has_finalizer(&object) {
            object = finalizer::add(ctx, &portals(), key, &object).await?;
        }
        None
    };
    let inputs = inputs(&object);
    let due_in = ctx.portal_memory.checks.due_in(key, &inputs);
    if !due_in.is_zero() {
        return Ok((next_action(due_in, leaving.is_some()), false));
    }
    let interval = interval(&object);
    let began = Instant::now();
    let sweep_due_in = ctx.portal_memory.checks.sweep_due_in(key, &inputs);
    ctx.portal_memory.checks.begin(key);
    let checked = check(ctx, key, &object, sweep_due_in.is_zero()).await;
    let waits_for_another = checked.as_ref().err().is_some_and(|blocker| blocker.reason.may_appear());
    let list_not_due = checked.as_ref().is_ok_and(|checked| checked.list_not_due);
    let next = if let Ok(checked) = &checked {
        ctx.portal_backoffs.forget(key);
        if checked.swept.is_some() {
            ctx.metrics.portal_swept(&key.namespace, &key.name, Sweep::Ok, ctx.process.clock.now());
        }
        // The end of a sweep in progress wakes the Portal.
        let took = checked.swept.as_ref().map(|(_, took)| *took).unwrap_or_default();
        if list_not_due {
            sweep_due_in
        } else {
            ctx.process.random.spread(interval.max(took.max(began.elapsed()).saturating_mul(SHARE_OF_TIME)))
        }
    } else {
        ctx.metrics.portal_swept(&key.namespace, &key.name, Sweep::Error, ctx.process.clock.now());
        let backoff = ctx.portal_backoffs.after_failure(key).min(interval.max(RETRY_INTERVAL));
        if waits_for_another { backoff.min(RETRY_INTERVAL) } else { backoff }
    };
    ctx.portal_memory.checks.ended(key, &inputs, next, checked.is_ok() && !list_not_due);
    let changed = status::write(ctx, key, &object, checked, leaving.clone()).await?;
    Ok((next_action(next, leaving.is_some()), changed))
}

/// A Portal under deletion is reconciled often: the last resource that needs it may be deleted at any moment.
fn next_action(next: Duration, leaving: bool) -> Action {
    Action::requeue(if leaving { next.min(Duration::from_secs(5)) } else { next } + Duration::from_millis(50))
}

/// What a check of the portal depends on; our own writes of the status are no part of it.
fn inputs(object: &DynamicObject) -> String {
    format!(
        "{:?} {:?} {:?} {:?}",
        object.metadata.uid,
        object.metadata.generation,
        annotation(object, keys::ACCEPT_LOSS),
        annotation(object, keys::TAKE_OVER),
    )
}

fn interval(object: &DynamicObject) -> Duration {
    part::<PortalSpec>(object, "spec")
        .ok()
        .and_then(|spec| spec.resync_interval)
        .map_or(DEFAULT_RESYNC, Duration::from)
}
