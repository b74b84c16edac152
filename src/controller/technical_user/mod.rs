//! The reconcile of a `TechnicalUser`: observe, plan, carry out, status.

pub(in crate::controller) mod failure;
pub mod look;
pub mod memory;
mod observe;
mod outputs;
mod perform;
mod preview;
mod progress;
mod reconcile;
mod refusal;
mod spec;
mod status;
#[cfg(test)]
mod test_support;
mod token_roles;
mod workloads;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Api, Resource as _};
use tokio::time::Instant;

use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, is_deleting, technical_users};
use crate::controller::queue::dispatcher::Action;
use crate::domain::plan::{self, Observation, Report, Requeue, Settled, Step};
use crate::k8s::stored::StoredObject;
use crate::metrics::{Kind, Reconciled};

use failure::Failure;
pub use failure::panicked;
pub use memory::turns::pass_on as pass_turn_on;
pub(in crate::controller) use observe::{every_login_is_known, grants, taken_over};
pub use observe::{is_ready, owner};
pub(in crate::controller) use perform::{send_deletion, why_not_deleted};
use progress::Progress;
use reconcile::Reconcile;
pub use status::spelled;

/// The longest time of a reconcile. An attempt that is in progress continues after it.
const DEADLINE: Duration = Duration::from_mins(3);

/// More steps than any plan needs; 300 users of one name are confirmed within one step.
const STEPS: usize = 100;

/// What waits for a moment is reconciled after it, not a little before.
const AFTER: Duration = Duration::from_millis(50);

/// How long the cache takes, at most usually, to show a write.
const CACHE_LAG: Duration = Duration::from_millis(200);

/// Reconciles one resource. Never fails: the status reports what failed, and it is tried again.
pub async fn reconcile(object: StoredObject, ctx: Arc<Context>) -> Action {
    let action = reconcile_in_time(&object, &ctx).await;
    memory::turns::pass_on(&ctx, &Key::of(&object));
    action
}

async fn reconcile_in_time(object: &StoredObject, ctx: &Arc<Context>) -> Action {
    let key = Key::of(object);
    if let Some(wait) = ctx.conflicts.wait(&key) {
        return Action::requeue(wait);
    }
    let began = Instant::now();
    let progress = Progress::default();
    // Boxed, because it holds all that is observed: the futures around it would be as large.
    let ended = tokio::time::timeout(DEADLINE, Box::pin(reconcile_once(ctx, object, &progress)))
        .await
        .unwrap_or_else(|_| Err(Failure::Deadline { step: progress.step(), within: DEADLINE }));
    if ended.is_ok() {
        ctx.conflicts.forget(&key);
    }
    let (action, outcome) = match ended {
        Ok((action, changed)) => {
            ctx.memory.change_known(&key, |user| user.failing.forget());
            (action, if changed { Reconciled::Changed } else { Reconciled::Unchanged })
        }
        Err(failure) => (failure::after(ctx, &key, &failure).await, Reconciled::Error),
    };
    ctx.metrics.reconciled(Kind::TechnicalUser, outcome, began.elapsed());
    ctx.count_backoffs();
    action
}

async fn reconcile_once(
    ctx: &Arc<Context>,
    object: &StoredObject,
    progress: &Progress,
) -> Result<(Action, bool), Failure> {
    let live;
    let object = if ctx.conflicts.unsettled(&Key::of(object)) {
        live = read_live(ctx, object).await?;
        &live
    } else {
        object
    };
    let version = object.metadata.resource_version.as_deref();
    if ctx.memory.change(&Key::of(object), |user| user.overwritten.is_behind(version)) {
        // The watch reports our own write in a moment.
        return Ok((Action::requeue(CACHE_LAG), false));
    }
    let spec = match spec::of(object) {
        Ok(spec) => spec,
        Err(why) => {
            let changed = status::write_invalid(&status::InvalidResource { ctx, object, why: &why }).await?;
            return Ok((Action::await_change(), changed));
        }
    };
    let unreadable = outputs::unreadable(&Key::of(object), spec.outputs.as_deref());
    if let Some(why) = unreadable.filter(|_| !is_deleting(object)) {
        let changed = status::write_invalid(&status::InvalidResource { ctx, object, why: &why }).await?;
        return Ok((Action::await_change(), changed));
    }
    let mut reconcile = observe::observe(ctx, object.clone(), spec).await?;
    let settled = settle(&mut reconcile, progress).await?;
    if settled.report == Report::Gone {
        // Else the watch reports its end, which forgets it.
        if ctx.cached_user(&reconcile.key).is_none() {
            ctx.forget_user(&reconcile.key);
        }
        return Ok((Action::await_change(), true));
    }
    // The status says nothing new of what would be done where that cannot be found out now.
    let _ = preview::preview(&mut reconcile, progress).await;
    status::remember_wait(&reconcile, &settled);
    progress.at(&"writing the status");
    let changed = status::write(&mut reconcile, &settled).await?;
    token_roles::settle(&reconcile, &settled);
    Ok((next_reconcile(&reconcile, &settled), changed))
}

/// Plans and carries out until the plan settles, also after a failure that interrupts it.
async fn settle(reconcile: &mut Reconcile, progress: &Progress) -> Result<Settled, Failure> {
    match run(reconcile, progress).await {
        Ok(settled) => Ok(settled),
        Err(failure) if failure.interrupts() => {
            let Some(blocker) = failure.blocker(reconcile.disclosed()) else { return Err(failure) };
            let requeue = failure::requeue_after(reconcile, &failure);
            carry_out(reconcile, progress, |o| plan::interrupted(o, &blocker, requeue)).await
        }
        Err(failure) => Err(failure),
    }
}

/// The object as the apiserver has it: after a conflict the cache may still show what led to it.
async fn read_live(ctx: &Context, object: &StoredObject) -> Result<StoredObject, Failure> {
    let key = Key::of(object);
    let api: Api<StoredObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, &technical_users());
    Ok(api.get(&key.name).await.map_err(KubeError::from)?)
}

/// Plans and carries out until the plan settles. A failure that concerns one output ends it after the others are served.
async fn run(reconcile: &mut Reconcile, progress: &Progress) -> Result<Settled, Failure> {
    let settled = carry_out(reconcile, progress, plan::plan).await?;
    let Some(failure) = reconcile.failed.take() else { return Ok(settled) };
    status::record_written(reconcile, &settled).await;
    Err(failure)
}

/// Carries out what a plan decides until it settles.
async fn carry_out(
    reconcile: &mut Reconcile,
    progress: &Progress,
    plan: impl Fn(&Observation) -> Step,
) -> Result<Settled, Failure> {
    for _ in 0..STEPS {
        match plan(&reconcile.observation) {
            Step::Read(what) => {
                tracing::debug!(resource = %reconcile.key, step = ?what, "Reading");
                progress.at(&what);
                perform::read::read(reconcile, what).await?;
            }
            Step::Write(what) => {
                tracing::debug!(resource = %reconcile.key, step = ?what, "Writing");
                progress.at(&what);
                perform::write::write(reconcile, what).await?;
            }
            Step::Settled(settled) => return Ok(settled),
        }
    }
    Err(Failure::Endless)
}

/// When the resource is reconciled again.
fn next_reconcile(reconcile: &Reconcile, settled: &Settled) -> Action {
    let (ctx, key) = (&reconcile.ctx, &reconcile.key);
    match settled.requeue {
        Requeue::Never => {
            ctx.backoffs.forget(key);
            Action::await_change()
        }
        Requeue::In(time) => {
            ctx.backoffs.forget(key);
            Action::requeue(time + AFTER)
        }
        Requeue::Backoff => after_failure(reconcile),
        Requeue::BackoffAt(time) => {
            after_failure(reconcile);
            Action::requeue(time + AFTER)
        }
    }
}

/// When what failed is tried again. A refusal has a back-off of its own, which does not grow with each reconcile that something
/// wakes meanwhile.
fn after_failure(reconcile: &Reconcile) -> Action {
    let (ctx, key) = (&reconcile.ctx, &reconcile.key);
    match ctx.memory.with(key, |user| user.attempts.refused_for(reconcile.fingerprint)) {
        Some(left) => Action::requeue(left + AFTER),
        None => Action::requeue(ctx.backoffs.after_failure(key)),
    }
}

/// What events of a resource regard.
fn reference(ctx: &Context, key: &Key) -> ObjectReference {
    ctx.cached_user(key).map_or_else(
        || ObjectReference {
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()),
            ..ObjectReference::default()
        },
        |object| object.object_ref(&technical_users()),
    )
}
