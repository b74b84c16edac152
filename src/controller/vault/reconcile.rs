//! One reconcile of a Vault: its finalizer, the checks where they are due, and its status.

use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;

use super::checks::{Found, check};
use super::finalizer::leave;
use super::view::state;
use super::{status, wake_all};
use crate::api::vault::{VaultSpec, VaultStatus};
use crate::controller::checked::finalizer;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, is_deleting, lenient, part, vaults};
use crate::controller::queue::dispatcher::Action;
use crate::domain::blocker::Blocker;
use crate::domain::grace::RETRY_INTERVAL;
use crate::domain::reason::Reason;

/// How often a Vault that works is checked. It is also how often a token can be renewed that is used for nothing else.
const INTERVAL: Duration = Duration::from_mins(5);
/// How long another process is the active one at least, before this one asks again.
const STANDBY_INTERVAL: Duration = Duration::from_secs(5);

/// Checks the Vault where that is due and writes what was found; the next reconcile, and whether anything changed.
pub async fn reconcile_once(
    ctx: &Arc<Context>,
    key: &Key,
    object: &DynamicObject,
) -> Result<(Action, bool), KubeError> {
    if !ctx.may_write() {
        return Ok((Action::requeue(STANDBY_INTERVAL), false));
    }
    let mut object = object.clone();
    let leaving = if is_deleting(&object) {
        match leave(ctx, key, &object).await? {
            None => return Ok((Action::await_change(), true)),
            held => held,
        }
    } else {
        if !has_finalizer(&object) {
            object = finalizer::add(ctx, &vaults(), key, &object).await?;
        }
        None
    };
    let leaving_next = leaving.as_ref().map(|held| held.next);
    let depends_on = depends_on(&object);
    let due_in = ctx.vault_memory.checks.due_in(key, &depends_on);
    if !due_in.is_zero() {
        return Ok((next_action(due_in, leaving_next), false));
    }
    ctx.vault_memory.checks.begin(key);
    let abandoned = lenient::<VaultStatus>(&object, "status").abandoned;
    let found = match part::<VaultSpec>(&object, "spec") {
        Ok(spec) => check(ctx, key, (&spec, &state(&object)), abandoned).await,
        Err(why) => Found { version: Err(Blocker::lasting(Reason::InvalidResource, why)), abandoned },
    };
    if ctx.vault_memory.found(key, &state(&object), found.version.as_ref().map(drop).map_err(Clone::clone)) {
        wake_all(ctx, key);
    }
    let next = next_check(ctx, key, found.version.as_ref().err());
    ctx.vault_memory.checks.ended(key, &depends_on, next, found.version.is_ok());
    let changed = status::write(ctx, key, &object, found, leaving.as_ref().map(|held| &held.why)).await?;
    Ok((next_action(next, leaving_next), changed))
}

/// What was found is not written: the next reconcile checks once more.
pub fn again(ctx: &Context, key: &Key) {
    ctx.vault_memory.checks.repeat(key);
}

fn next_check(ctx: &Context, key: &Key, blocker: Option<&Blocker>) -> Duration {
    let Some(blocker) = blocker else {
        ctx.vault_backoffs.forget(key);
        return ctx.process.random.spread(INTERVAL);
    };
    let backoff = ctx.vault_backoffs.after_failure(key).min(INTERVAL);
    if blocker.reason.may_appear() { backoff.min(RETRY_INTERVAL) } else { backoff }
}

fn next_action(next: Duration, leaving: Option<Duration>) -> Action {
    Action::requeue(leaving.map_or(next, |leaving| leaving.min(next)) + Duration::from_millis(50))
}

/// What a check depends on.
fn depends_on(object: &DynamicObject) -> String {
    format!("{} {}", state(object), is_deleting(object))
}
