//! The way of a `Portal`: connect, sweep, tell; and stay until nobody needs it any more.

mod company;
mod connect;
pub mod connections;
mod failure;
mod holders;
pub mod inventory;
mod listener;
mod login_secret;
mod logins;
pub mod memory;
mod notices;
pub mod operator_logins;
pub mod proofs;
mod retained;
mod session;
mod status;
mod sweep;
mod unclaimed;

use std::sync::Arc;
use std::time::Duration;

use kube::Api;
use kube::ResourceExt as _;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;
use tokio::time::Instant;

use crate::api::portal::{PortalSpec, PortalStatus, UnclaimedUser};
use crate::api::{FIELD_MANAGER, FINALIZER, ROLE_AGAIN, keys};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, annotation, has_finalizer, is_deleting, lenient, part, portals};
use crate::controller::portal::connections::{Connection, ConnectionState};
use crate::controller::queue::dispatcher::Action;
use crate::controller::status::grace::{LOOK_AGAIN, may_arrive};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::metrics::{Kind, Reconciled, Sweep};
use crate::portal::{CREATE_SETTLE_TIME, CREATE_TIMEOUT};
use holders::Holders;

use failure::ReconcileFailure;
pub use sweep::{portal_of, users_of};

/// A look at a portal takes no longer; the list of 11,000 users takes about a minute.
const DEADLINE: Duration = Duration::from_mins(10);

/// A sweep by the clock never takes more than a twentieth of the time.
const SHARE_OF_TIME: u32 = 20;

/// A reconcile waits no longer for a sweep. The sweep goes on, and wakes the Portal at its end.
const SWEEP_PATIENCE: Duration = Duration::from_mins(1);

const DEFAULT_RESYNC: Duration = Duration::from_mins(5);

/// One pass over one Portal. Never fails: what goes wrong is told in the status and tried again.
pub async fn reconcile(object: Arc<DynamicObject>, ctx: Arc<Context>) -> Action {
    let key = Key::of(&object);
    let began = Instant::now();
    let (action, outcome) = match tokio::time::timeout(DEADLINE, look(&ctx, &key, &object)).await {
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

/// Forgets a Portal that is gone, and tells those that used it.
pub fn gone(ctx: &Context, key: &Key) {
    ctx.connections.forget(key);
    logins::gone(ctx, key);
    ctx.portal_memory.forget(key);
    ctx.memory.roles.forget_portal(key);
    ctx.portal_backoffs.forget(key);
    ctx.metrics.portal_gone(&key.namespace, &key.name);
    ctx.count_backoffs();
    wake_all(ctx, key);
}

/// Has everyone looked at who uses a Portal.
pub fn wake_all(ctx: &Context, key: &Key) {
    for object in users_of(ctx, key) {
        ctx.wake(&Key::of(&object));
    }
}

async fn look(ctx: &Arc<Context>, key: &Key, object: &DynamicObject) -> Result<(Action, bool), KubeError> {
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
            let mut finalizers = object.finalizers().to_vec();
            finalizers.push(FINALIZER.to_owned());
            object = patch_finalizers(ctx, key, &object, &finalizers).await?;
        }
        None
    };
    let circumstances = circumstances(&object);
    let due_in = ctx.portal_memory.due_in(key, &circumstances);
    if !due_in.is_zero() {
        return Ok((next_action(due_in, leaving.is_some()), false));
    }
    let interval = interval(&object);
    let began = Instant::now();
    let sweep_due_in = ctx.portal_memory.sweep_due_in(key, &circumstances);
    ctx.portal_memory.begin(key);
    let looked = connect_and_sweep(ctx, key, &object, sweep_due_in.is_zero()).await;
    let waits_for_another = looked.as_ref().err().is_some_and(|blocker| may_arrive(blocker.reason));
    let list_not_due = looked.as_ref().is_ok_and(|looked| looked.list_not_due);
    let next = if let Ok(looked) = &looked {
        ctx.portal_backoffs.forget(key);
        if looked.swept.is_some() {
            ctx.metrics.portal_swept(&key.namespace, &key.name, Sweep::Ok, ctx.process.clock.now());
        }
        // While a sweep goes on its end wakes the Portal.
        let took = looked.swept.as_ref().map(|(_, took)| *took).unwrap_or_default();
        if list_not_due {
            sweep_due_in
        } else {
            ctx.process.random.spread(interval.max(took.max(began.elapsed()).saturating_mul(SHARE_OF_TIME)))
        }
    } else {
        ctx.metrics.portal_swept(&key.namespace, &key.name, Sweep::Error, ctx.process.clock.now());
        let backoff = ctx.portal_backoffs.after_failure(key).min(interval.max(LOOK_AGAIN));
        if waits_for_another { backoff.min(LOOK_AGAIN) } else { backoff }
    };
    ctx.portal_memory.looked(key, &circumstances, next, looked.is_ok() && !list_not_due);
    let changed = status::write(ctx, key, &object, looked, leaving.clone()).await?;
    Ok((next_action(next, leaving.is_some()), changed))
}

/// A Portal under deletion is looked at often: the last resource that needs it may go at any moment.
fn next_action(next: Duration, leaving: bool) -> Action {
    Action::requeue(if leaving { next.min(Duration::from_secs(5)) } else { next } + Duration::from_millis(50))
}

/// What a look at the portal depends on; our own writes of the status are no part of it.
fn circumstances(object: &DynamicObject) -> String {
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

/// What a look at the portal found.
struct Looked {
    link: Connection,
    /// What the sweep found, and how long it took; `None` while it goes on, and where it is not due.
    swept: Option<(Leftovers, Duration)>,
    /// The user list was not read: somebody asked for the look before the next sweep is due.
    list_not_due: bool,
}

/// Users of ours in the portal that no resource stands for.
struct Leftovers {
    unclaimed: Vec<UnclaimedUser>,
    retained: retained::RetainedChanges,
}

async fn connect_and_sweep(
    ctx: &Arc<Context>,
    key: &Key,
    object: &DynamicObject,
    sweep_is_due: bool,
) -> Result<Looked, Blocker> {
    let before = ctx.connections.get(key);
    let last = match &before {
        Some(ConnectionState::Up(connected)) => Some(connected.clone()),
        Some(ConnectionState::Down(_, connected)) => connected.clone(),
        None => None,
    };
    let was_up = matches!(before, Some(ConnectionState::Up(_)));
    match try_connect_and_sweep(ctx, key, object, sweep_is_due).await {
        Ok(looked) => {
            let new = &looked.link;
            let same = was_up
                && last.is_some_and(|last| {
                    // Another client may find other credentials in the same answers.
                    Arc::ptr_eq(&last.portal, &new.portal)
                        && last.pin == new.pin
                        && last.company == new.company
                        && last.token_url == new.token_url
                        && last.roles == new.roles
                        && last.login == new.login
                });
            ctx.connections.set(key, ConnectionState::Up(new.clone()));
            if !same {
                wake_all(ctx, key);
            }
            Ok(looked)
        }
        Err(blocker) => {
            // A client that serves another company by now cleans nothing up.
            let last =
                last.filter(|_| !matches!(ctx.connections.get(key), Some(ConnectionState::Down(_, None))));
            // A login whose company is in doubt cleans nothing up: what it is not shown may be there.
            let last = last.filter(|last| {
                !(company::is_in_doubt(&blocker) && ctx.connections.is_client(key, &last.portal))
            });
            ctx.connections.set(key, ConnectionState::Down(blocker.clone(), last));
            if was_up || before.is_none() {
                wake_all(ctx, key);
            }
            Err(blocker)
        }
    }
}

async fn try_connect_and_sweep(
    ctx: &Arc<Context>,
    key: &Key,
    object: &DynamicObject,
    sweep_is_due: bool,
) -> Result<Looked, Blocker> {
    let spec: PortalSpec = part(object, "spec").map_err(|why| {
        logins::tried(ctx, key);
        Blocker::lasting(Reason::InvalidResource, format!("the Portal cannot be read: {why}"))
    })?;
    let ingredients = connect::ingredients(ctx, key, object, &spec).await?;
    let fingerprint = ingredients.fingerprint.clone();
    // The Secret is read often, the identity provider is not asked as often about the same login.
    if let Some(refused) = ctx.portal_memory.refusal_of(key, &fingerprint) {
        return Err(refused);
    }
    match connect_with(ctx, key, object, ingredients, sweep_is_due).await {
        Err(blocker) if blocker.reason == Reason::LoginRefused => {
            ctx.portal_memory.login_refused(key, &fingerprint, &blocker);
            Err(blocker)
        }
        Err(mut blocker) if blocker.reason == Reason::TlsFailed => {
            ctx.portal_memory.login_accepted(key);
            blocker.message = format!("{}; {}", blocker.message, notices::tls_hint(ctx, key));
            Err(blocker)
        }
        ended => {
            ctx.portal_memory.login_accepted(key);
            ended
        }
    }
}

/// Connects, or looks again with the connection that there is, and reads the user list where that is due.
async fn connect_with(
    ctx: &Arc<Context>,
    key: &Key,
    object: &DynamicObject,
    ingredients: connect::Ingredients,
    sweep_is_due: bool,
) -> Result<Looked, Blocker> {
    let status: PortalStatus = lenient(object, "status");
    let last_known = status.company.as_ref().map(|company| company.bpn.as_str());
    let link = connect::connect(ctx, key, ingredients, last_known).await?;
    if !sweep_is_due && link.inventory.is_judged() && !link.inventory.has_sweep() {
        return Ok(Looked { link, swept: None, list_not_due: true });
    }
    let Some(swept) = link.inventory.sweep(SWEEP_PATIENCE).await else {
        return Ok(Looked { link, swept: None, list_not_due: false });
    };
    let took = swept.map_err(|error| connect::blocker(&error))?;
    let unclaimed = unclaimed::unclaimed(ctx, &link, &status).await;
    let retained = retained::compare(&ctx.process, &ctx.installation, &link, &status).await;
    Ok(Looked { link, swept: Some((Leftovers { unclaimed, retained }, took)), list_not_due: false })
}

enum Leaving {
    Gone,
    Held(Blocker),
}

/// Lets a Portal under deletion go once no resource that holds our finalizer uses it. A create that was under way when
/// its deletion began has had its time by then.
async fn leave(ctx: &Context, key: &Key, object: &DynamicObject) -> Result<Leaving, KubeError> {
    if !has_finalizer(object) {
        gone(ctx, key);
        return Ok(Leaving::Gone);
    }
    // By our own clock since we know of the deletion: the object's time is the apiserver's, and clocks differ.
    let known_since = ctx.portal_memory.deleting_since(key, object.metadata.uid.as_deref());
    let holders = match holders::seen(ctx, key, object, known_since + CREATE_SETTLE_TIME).await? {
        Holders::Seen(holders) => holders,
        Holders::Hidden { namespace, why } => {
            return Ok(Leaving::Held(Blocker::passing(
                Reason::InUse,
                format!(
                    "whether TechnicalUsers of {namespace} still need this Portal cannot be seen ({why}); \
                     {ROLE_AGAIN}"
                ),
            )));
        }
    };
    if !holders.is_empty() {
        let shown: Vec<_> = holders.iter().take(10).map(ToString::to_string).collect();
        let more = if holders.len() > 10 { ", …" } else { "" };
        return Ok(Leaving::Held(Blocker::passing(
            Reason::InUse,
            format!("{} TechnicalUsers still need this Portal: {}{more}", holders.len(), shown.join(", ")),
        )));
    }
    if known_since.elapsed() < CREATE_TIMEOUT {
        return Ok(Leaving::Held(Blocker::passing(
            Reason::InUse,
            "creates that were under way when the deletion began are waited for",
        )));
    }
    let finalizers: Vec<_> =
        object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).cloned().collect();
    match patch_finalizers(ctx, key, object, &finalizers).await {
        Ok(_) | Err(KubeError::NotFound) => {
            gone(ctx, key);
            Ok(Leaving::Gone)
        }
        Err(error) => Err(error),
    }
}

async fn patch_finalizers(
    ctx: &Context,
    key: &Key,
    object: &DynamicObject,
    finalizers: &[String],
) -> Result<DynamicObject, KubeError> {
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, &portals());
    let patch = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version, "finalizers": finalizers }
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    Ok(api.patch(&key.name, &params, &Patch::Merge(&patch)).await?)
}
