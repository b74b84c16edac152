//! The reconcile of a `Vault`: log in, check what a person has prepared there, report; its finalizer is kept as long as an
//! output needs it.

pub mod abandoned;
pub mod access;
mod blocker;
mod checks;
mod failure;
mod finalizer;
mod holders;
mod login;
pub mod mark;
pub mod memory;
pub mod policy;
mod reconcile;
mod status;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;
use tokio::time::Instant;

use crate::controller::checked::failure::{DEADLINE, ReconcileFailure};
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::queue::dispatcher::Action;
use crate::metrics::{Kind, Reconciled};

/// One reconcile of one Vault. Never fails: what goes wrong is reported in the status and tried again.
pub async fn reconcile(object: Arc<DynamicObject>, ctx: Arc<Context>) -> Action {
    let key = Key::of(&object);
    let began = Instant::now();
    let ended = tokio::time::timeout(DEADLINE, reconcile::reconcile_once(&ctx, &key, &object)).await;
    let (action, outcome) = match ended {
        Ok(Ok((action, changed))) => {
            ctx.vault_memory.failing.forget(&key);
            (action, if changed { Reconciled::Changed } else { Reconciled::Unchanged })
        }
        Ok(Err(error)) => (failure::after(&ctx, &key, &error.into()).await, Reconciled::Error),
        Err(_) => (failure::after(&ctx, &key, &ReconcileFailure::Deadline).await, Reconciled::Error),
    };
    ctx.metrics.reconciled(Kind::Vault, outcome, began.elapsed());
    ctx.count_backoffs();
    action
}

/// A reconcile of this Vault panicked: a fault of this program. It is tried again like any failure.
pub async fn panicked(ctx: &Context, key: &Key) -> Action {
    let action = failure::after(ctx, key, &ReconcileFailure::Panicked).await;
    ctx.metrics.reconciled(Kind::Vault, Reconciled::Error, Duration::ZERO);
    ctx.count_backoffs();
    action
}

/// Requests a reconcile of each `TechnicalUser` that has or names an entry in a Vault.
pub fn wake_all(ctx: &Context, key: &Key) {
    for object in ctx.caches.all_users().iter().filter(|object| holders::names(object, key)) {
        ctx.wake(&Key::of(object));
    }
}

/// Removes a Vault that is deleted from memory.
pub fn gone(ctx: &Context, key: &Key) {
    wake_all(ctx, key);
    ctx.vault_memory.forget(key);
    ctx.vault_backoffs.forget(key);
    ctx.count_backoffs();
}
