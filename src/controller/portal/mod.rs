//! The reconcile of a `Portal`: connect, sweep, report; its finalizer is kept as long as a resource needs it.

mod check;
mod connect;
pub mod connections;
mod failure;
mod finalizer;
mod holders;
pub mod inventory;
mod leftovers;
pub mod logins;
pub mod memory;
pub mod proofs;
mod reconcile;
mod status;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;
use tokio::time::Instant;

use crate::controller::checked::failure::{DEADLINE, ReconcileFailure};
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::queue::dispatcher::Action;
use crate::metrics::{Kind, Reconciled};

pub use sweep::{portal_of, users_of};

/// One reconcile of one Portal. Never fails: the status reports what goes wrong, and it is tried again.
pub async fn reconcile(object: Arc<DynamicObject>, ctx: Arc<Context>) -> Action {
    let key = Key::of(&object);
    let began = Instant::now();
    let (action, outcome) =
        match tokio::time::timeout(DEADLINE, reconcile::reconcile_once(&ctx, &key, &object)).await {
            Ok(Ok((action, changed))) => {
                ctx.portal_memory.failing.forget(&key);
                (action, if changed { Reconciled::Changed } else { Reconciled::Unchanged })
            }
            Ok(Err(error)) => (failure::after(&ctx, &key, &error.into()).await, Reconciled::Error),
            Err(_) => (failure::after(&ctx, &key, &ReconcileFailure::Deadline).await, Reconciled::Error),
        };
    ctx.metrics.reconciled(Kind::Portal, outcome, began.elapsed());
    ctx.count_backoffs();
    action
}

/// A reconcile of this Portal panicked: a fault of this program. It is tried again like any failure.
pub async fn panicked(ctx: &Context, key: &Key) -> Action {
    let action = failure::after(ctx, key, &ReconcileFailure::Panicked).await;
    ctx.metrics.reconciled(Kind::Portal, Reconciled::Error, Duration::ZERO);
    ctx.count_backoffs();
    action
}

/// Removes a Portal that is deleted from memory, and wakes the resources that used it.
pub fn gone(ctx: &Context, key: &Key) {
    ctx.connections.forget(key);
    logins::gone(ctx, key);
    ctx.portal_memory.forget(key);
    ctx.memory.named_roles.forget(key);
    ctx.portal_backoffs.forget(key);
    ctx.metrics.portal_gone(&key.namespace, &key.name);
    ctx.count_backoffs();
    wake_all(ctx, key);
}

/// Queues every resource that uses a Portal.
pub fn wake_all(ctx: &Context, key: &Key) {
    for object in users_of(ctx, key) {
        ctx.wake(&Key::of(&object));
    }
}
