//! Portals as a kind that the operator checks: when a check of the portal and a reading of its user list are due.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kube::api::ApiResource;
use serde_json::Value;
use tokio::time::Instant;

use super::check::{Checked, check};
use super::leftovers::Leftovers;
use super::{finalizer, logins, status, wake_all};
use crate::api::portal::PortalSpec;
use crate::api::{Portal, keys};
use crate::controller::checked::failure::ReconcileFailure;
use crate::controller::checked::kind::{CheckedKind, Kept};
use crate::controller::checked::objects::CheckedObjects;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, annotation, lenient, part};
use crate::domain::blocker::Blocker;
use crate::domain::grace::RETRY_INTERVAL;
use crate::k8s::stored::StoredObject;
use crate::metrics::{Kind, Sweep};

/// A periodic sweep never takes more than a twentieth of the time.
const SHARE_OF_TIME: u32 = 20;

const DEFAULT_RESYNC: Duration = Duration::from_mins(5);

/// The kind.
pub struct PortalKind;

#[async_trait]
impl CheckedKind for PortalKind {
    fn api(&self) -> ApiResource {
        ApiResource::erase::<Portal>(&())
    }

    fn label(&self) -> Kind {
        Kind::Portal
    }

    fn queue_name(&self) -> &'static str {
        "queue of Portals"
    }

    fn workers(&self) -> u16 {
        4
    }

    fn objects<'a>(&self, ctx: &'a Context) -> &'a CheckedObjects {
        &ctx.portals
    }

    fn inputs(&self, object: &StoredObject) -> String {
        format!(
            "{:?} {:?} {:?} {:?}",
            object.metadata.uid,
            object.metadata.generation,
            annotation(object, keys::ACCEPT_LOSS),
            annotation(object, keys::TAKE_OVER),
        )
    }

    /// The values of the data space. The outcome of a check wakes the users itself.
    fn concerns_users(&self, object: &StoredObject) -> Option<Value> {
        object.at("/status/dataspace")
    }

    async fn check(
        &self,
        ctx: &Arc<Context>,
        key: &Key,
        object: &StoredObject,
        kept_because: Option<&Blocker>,
    ) -> Result<(Duration, bool), KubeError> {
        let (checks, inputs) = (&ctx.portals.checks, self.inputs(object));
        let began = Instant::now();
        let sweep_due_in = checks.sweep_due_in(key, &inputs);
        checks.begin(key);
        let mut checked = check(ctx, key, object, sweep_due_in.is_zero()).await;
        if let Ok(Checked { connection, swept: Some(_), leftovers, .. }) = &mut checked {
            *leftovers = Some(Leftovers::find(ctx, connection, &lenient(object, "status")).await);
        }
        let list_not_due = checked.as_ref().is_ok_and(|checked| checked.list_not_due);
        let next = next_check(ctx, key, interval(object), &checked, (began.elapsed(), sweep_due_in));
        checks.ended(key, &inputs, next, checked.is_ok() && !list_not_due);
        let changed = status::write(ctx, key, object, checked, kept_because.cloned()).await?;
        Ok((next, changed))
    }

    async fn release(
        &self,
        ctx: &Arc<Context>,
        key: &Key,
        object: &StoredObject,
    ) -> Result<Option<Kept>, KubeError> {
        finalizer::release(ctx, key, object).await
    }

    fn wake_users(&self, ctx: &Context, key: &Key) {
        wake_all(ctx, key);
    }

    fn forget(&self, ctx: &Context, key: &Key) {
        ctx.connections.forget(key);
        logins::gone(ctx, key);
        ctx.portal_memory.forget(key);
        ctx.memory.named_roles.forget(key);
        ctx.metrics.portal_gone(&key.namespace, &key.name);
    }

    fn log_failure(&self, key: &Key, failure: &ReconcileFailure) {
        tracing::warn!(portal = %key, error = %failure, "A reconcile failed");
    }
}

/// When the next check is due after one that took this time.
fn next_check(
    ctx: &Context,
    key: &Key,
    interval: Duration,
    checked: &Result<Checked, Blocker>,
    (elapsed, sweep_due_in): (Duration, Duration),
) -> Duration {
    let now = ctx.process.clock.now();
    let checked = match checked {
        Ok(checked) => checked,
        Err(blocker) => {
            ctx.metrics.portal_swept(&key.namespace, &key.name, Sweep::Error, now);
            let backoff = ctx.portals.backoffs.after_failure(key).min(interval.max(RETRY_INTERVAL));
            return if blocker.reason.may_appear() { backoff.min(RETRY_INTERVAL) } else { backoff };
        }
    };
    ctx.portals.backoffs.forget(key);
    if checked.swept.is_some() {
        ctx.metrics.portal_swept(&key.namespace, &key.name, Sweep::Ok, now);
    }
    if checked.list_not_due {
        return sweep_due_in;
    }
    // The end of a sweep in progress wakes the Portal.
    let took = checked.swept.unwrap_or_default();
    ctx.process.random.spread(interval.max(took.max(elapsed).saturating_mul(SHARE_OF_TIME)))
}

fn interval(object: &StoredObject) -> Duration {
    part::<PortalSpec>(object, "spec")
        .ok()
        .and_then(|spec| spec.resync_interval)
        .map_or(DEFAULT_RESYNC, Duration::from)
}
