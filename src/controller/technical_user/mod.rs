//! The way of a `TechnicalUser`: observe, plan, carry out, status.

pub mod attempts;
mod create;
pub mod memory;
mod observe;
mod output;
mod pass;
mod places;
mod read;
mod retained;
mod seen_secrets;
mod status;
mod token_roles;
mod write;

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::DynamicObject;
use kube::{Api, Resource as _};
use serde_json::Value;
use tokio::time::Instant;

use crate::api::technical_user::{
    CreateUser, DeletionPolicy, ExistingUser, PortalRef, TechnicalUserSpec, TechnicalUserStatus, User,
};
use crate::controller::backoff::spread;
use crate::controller::context::Context;
use crate::controller::dispatcher::Action;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, is_deleting, lenient, part, technical_users};
use crate::domain::identity::Mark;
use crate::domain::plan::{self, Desired, Observation, Report, Rest, Step, Wake};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::metrics::{Kind, Reconciled};
use crate::portal::PortalError;

pub(in crate::controller) use observe::grants;
pub use observe::owner;
use pass::{Failure, Pass};

/// A pass takes no longer; an attempt that is under way goes on all the same.
const DEADLINE: Duration = Duration::from_mins(3);

/// More steps than any plan needs; 300 users of one name are confirmed within one step.
const STEPS: usize = 100;

/// How long the cache takes, at most usually, to show a write.
const CACHE_LAG: Duration = Duration::from_millis(200);

/// What a condition says after a panic: what the panic says may quote anything.
pub(in crate::controller) const PANICKED: &str = "the operator ran into a fault of its own and tries again; please report \
     it with the operator's log";

/// How long the report of a panic may take.
pub(in crate::controller) const REPORT_WITHIN: Duration = Duration::from_secs(10);

/// A look without any sign that something changed, for what no watch tells (labels of namespaces).
const SLOW_LOOK: Duration = Duration::from_mins(2);

/// Said while the list is read. No numbers: what moves by itself is a metric and a log line.
const LIST_AWAITED: &str = "this resource waits for the search of the portal's user list, which takes minutes where \
                            the portal has many thousand users; it goes on at the end of the search";

/// One pass over one resource. Never fails: what goes wrong is told in the status and tried again.
pub async fn reconcile(object: Arc<DynamicObject>, ctx: Arc<Context>) -> Action {
    let key = Key::of(&object);
    if let Some(wait) = ctx.conflicts.wait(&key) {
        return Action::requeue(wait);
    }
    let began = Instant::now();
    let ended = tokio::time::timeout(DEADLINE, look(&ctx, &object)).await;
    if matches!(ended, Ok(Ok(_))) {
        ctx.conflicts.forget(&key);
    }
    let (action, outcome) = match ended {
        Ok(Ok((action, true))) => (action, Reconciled::Changed),
        Ok(Ok((action, false))) => (action, Reconciled::Unchanged),
        Ok(Err(failure)) => (after_failure(&ctx, &key, &failure), Reconciled::Error),
        Err(_) => {
            tracing::warn!(resource = %key, "a pass took too long and was given up for now");
            (Action::requeue(ctx.backoffs.after_failure(&key)), Reconciled::Error)
        }
    };
    ctx.metrics.reconciled(Kind::TechnicalUser, outcome, began.elapsed());
    ctx.count_backoffs();
    action
}

/// A reconcile of this resource panicked: a fault of this program. It is tried again like any failure.
pub async fn panicked(ctx: &Context, key: &Key) -> Action {
    let action = Action::requeue(ctx.backoffs.after_failure(key));
    ctx.metrics.reconciled(Kind::TechnicalUser, Reconciled::Error, Duration::ZERO);
    ctx.count_backoffs();
    tracing::error!(object = %key, "a reconcile panicked; it is tried again");
    if let Some(object) = ctx.cached_user(key).filter(|_| ctx.may_write()) {
        let blocker = Blocker::passing(Reason::InternalError, PANICKED);
        let written = status::write_blocker(ctx, &object, &blocker);
        if !matches!(tokio::time::timeout(REPORT_WITHIN, written).await, Ok(Ok(_))) {
            tracing::warn!(object = %key, "the status could not be written");
        }
    }
    action
}

async fn look(ctx: &Arc<Context>, object: &DynamicObject) -> Result<(Action, bool), Failure> {
    let live;
    let object = if ctx.conflicts.unsettled(&Key::of(object)) {
        live = read_live(ctx, object).await?;
        &live
    } else {
        object
    };
    if ctx.memory.is_behind(&Key::of(object), object.metadata.resource_version.as_deref()) {
        // The watch brings our own write in a moment.
        return Ok((Action::requeue(CACHE_LAG), false));
    }
    let spec = match part::<TechnicalUserSpec>(object, "spec") {
        Ok(spec) => spec,
        // Cleaning up needs no valid spec.
        Err(_) if is_deleting(object) => lenient_spec(object),
        Err(why) => {
            let changed = status::write_invalid(&status::InvalidResource { ctx, object, why: &why }).await?;
            return Ok((Action::await_change(), changed));
        }
    };
    let mut pass = observe::observe(ctx, object.clone(), spec).await?;
    let ended = match run(&mut pass).await {
        // Before the status forgets them.
        Ok(rest) if rest.report == Report::Ready => output::remove_former(&pass).await.map(|()| rest),
        ended => ended,
    };
    let rest = match ended {
        Ok(rest) => rest,
        Err(Failure::Portal(error)) => after_portal_error(&pass, &error),
        Err(Failure::ListAwaited) => plan::interrupted(
            &pass.observation,
            &Blocker::passing(Reason::Searching, LIST_AWAITED),
            Wake::OnChange,
        ),
        Err(Failure::Kube(KubeError::Denied { message, .. })) => plan::interrupted(
            &pass.observation,
            &Blocker::passing(Reason::KubernetesError, format!("the Kubernetes API refuses: {message}")),
            Wake::Backoff,
        ),
        Err(failure) => return Err(failure),
    };
    if rest.report == Report::Gone {
        ctx.memory.forget(&pass.key);
        return Ok((Action::await_change(), true));
    }
    // What was found before a restart holds until the Portal is connected again.
    if pass.connecting && pass.observation.portal.is_err() && status::speaks_of_this(&pass) {
        return Ok((next_look(&pass, &rest), false));
    }
    let changed = status::write(&mut pass, &rest).await?;
    Ok((next_look(&pass, &rest), changed))
}

/// The object as the apiserver has it: after a conflict the cache may still show what led to it.
async fn read_live(ctx: &Context, object: &DynamicObject) -> Result<DynamicObject, Failure> {
    let key = Key::of(object);
    let api: Api<DynamicObject> =
        Api::namespaced_with(ctx.client.clone(), &key.namespace, &technical_users());
    Ok(api.get(&key.name).await.map_err(KubeError::from)?)
}

/// Plans and carries out until the plan comes to rest.
async fn run(pass: &mut Pass) -> Result<Rest, Failure> {
    for _ in 0..STEPS {
        match plan::plan(&pass.observation) {
            Step::Read(what) => {
                tracing::debug!(resource = %pass.key, step = ?what, "read");
                read::read(pass, what).await?;
            }
            Step::Write(what) => {
                tracing::debug!(resource = %pass.key, step = ?what, "write");
                status::announce_deletion(pass, &what).await;
                write::write(pass, what).await?;
            }
            Step::Rest(rest) => return Ok(rest),
        }
    }
    Err(Failure::Endless)
}

fn after_portal_error(pass: &Pass, error: &PortalError) -> Rest {
    if matches!(
        error,
        PortalError::Unauthorized
            | PortalError::LoginRefused { .. }
            | PortalError::Forbidden { .. }
            | PortalError::DeletionLogin { .. }
    ) {
        // The login may have changed: the Portal reads it again.
        pass.ctx.wake_portal(&pass.portal_key);
    }
    let wake = match error {
        PortalError::CircuitOpen { retry_after } => Wake::After(spread(*retry_after)),
        PortalError::Throttled { retry_after: Some(time) } => Wake::After(spread(*time)),
        _ => Wake::Backoff,
    };
    plan::interrupted(&pass.observation, &trouble_of(error, pass.discloses), wake)
}

/// What a failed call means for the resource, and what to do. Hosts and Secrets are named only to namespaces with a grant.
fn trouble_of(error: &PortalError, discloses: bool) -> Blocker {
    let (reason, words) = match error {
        PortalError::CircuitOpen { .. } => {
            (Reason::PortalError, "the portal fails at the moment and is tried again".to_owned())
        }
        PortalError::DeletionLogin { .. } if !discloses => (
            Reason::DeletionLoginFailing,
            "the Portal's deletion login (deleteAuth) cannot be used".to_owned(),
        ),
        _ if !discloses => {
            (Reason::PortalError, "the portal, or its identity provider, answered with an error".to_owned())
        }
        PortalError::Forbidden { permission } => (
            Reason::PermissionMissing,
            format!(
                "the Portal's login may not do what is needed next: {permission} is missing, or the portal does not know this \
                 login. Give the login that permission (the role \"Connector Management\" has all but \
                 delete_tech_user_management), or another login to the Portal"
            ),
        ),
        PortalError::DeletionLogin { .. } => (
            Reason::DeletionLoginFailing,
            format!(
                "{error}. The user is deleted once it works. If the login is wrong, correct the Secret that the Portal's \
                 deleteAuth names, or remove deleteAuth from the Portal"
            ),
        ),
        other => (Reason::PortalError, other.to_string()),
    };
    Blocker::passing(reason, words)
}

fn after_failure(ctx: &Context, key: &Key, failure: &Failure) -> Action {
    match failure {
        Failure::Overtaken => Action::requeue(ctx.conflicts.after_conflict(key)),
        Failure::NotActive => Action::requeue(Duration::from_secs(5)),
        Failure::Kube(KubeError::NotFound) => Action::await_change(),
        failure => {
            tracing::warn!(resource = %key, error = %failure, "a pass failed");
            Action::requeue(ctx.backoffs.after_failure(key))
        }
    }
}

fn next_look(pass: &Pass, rest: &Rest) -> Action {
    let (ctx, key) = (&pass.ctx, &pass.key);
    if rest.wake != Wake::Backoff {
        ctx.backoffs.forget(key);
    }
    if rest.wake != Wake::Poll {
        ctx.memory.stop_polling(key);
    }
    match rest.wake {
        Wake::OnChange => Action::requeue(spread(SLOW_LOOK)),
        Wake::After(time) => Action::requeue(time + Duration::from_millis(50)),
        Wake::Backoff => {
            // A refusal has a back-off of its own, which does not grow with each reconcile that something wakes meanwhile.
            match ctx.memory.attempts.refused_for(key, pass.circumstances) {
                Some(left) => Action::requeue(left + Duration::from_millis(50)),
                None => Action::requeue(ctx.backoffs.after_failure(key)),
            }
        }
        Wake::Poll => Action::requeue(ctx.memory.next_poll(key, pass.observation.pending_for)),
        Wake::Verification => {
            let due = ctx.memory.verification_due_in(key, pass.verification_interval);
            let due = pass.secret_unread_for.map_or(due, |left| due.min(left));
            Action::requeue(due.max(Duration::from_secs(1)))
        }
    }
}

/// What cleaning up needs of a spec that does not parse.
fn lenient_spec(object: &DynamicObject) -> TechnicalUserSpec {
    let status: TechnicalUserStatus = lenient(object, "status");
    let spec = object.data.get("spec").cloned().unwrap_or_default();
    let field = |name: &str| spec.get(name).cloned().unwrap_or_default();
    let portal_ref: Option<PortalRef> = serde_json::from_value(field("portalRef")).ok();
    let recorded =
        status.portal.map(|portal| PortalRef { name: portal.name, namespace: Some(portal.namespace) });
    let policy: Option<DeletionPolicy> = serde_json::from_value(field("deletionPolicy")).ok();
    let existing = field("user").get("existing").is_some_and(Value::is_object);
    TechnicalUserSpec {
        portal_ref: portal_ref.or(recorded).unwrap_or(PortalRef { name: String::new(), namespace: None }),
        user: User {
            create: (!existing).then(|| CreateUser { roles: Vec::new(), name: None, description: None }),
            existing: existing.then_some(ExistingUser { id: None, client_id: None, name: None }),
        },
        deletion_policy: policy,
        outputs: None,
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

/// The description of a living user of ours.
fn live_description(o: &Observation, generation: i64) -> String {
    let text = match &o.desired {
        Desired::Create(desired) => desired.description.as_deref(),
        Desired::Existing { .. } => None,
    };
    Mark { owner: o.owner.clone(), generation, hint: o.hint.clone(), retained: false }.describe(text)
}
