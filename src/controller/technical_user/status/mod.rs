//! The status: what was found and done, written where it changed.

mod announce;
mod credential;
mod outputs;
mod restart;
mod user;
mod wanted;

use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

pub use user::repin;

use super::observe::handled;
use super::pass::{Failure, Pass};
use crate::api::FIELD_MANAGER;
use crate::api::bounds::Bounded as _;
use crate::api::conditions::{self, READY};
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, technical_users};
use crate::controller::status::grace;
use crate::controller::status::merge;
use crate::domain::plan::{OutputId, Report, Requeue, Settled, UserView};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::UserId;
use announce::{announce, answer};
use credential::{put, record_credential};
use outputs::report_outputs;
use restart::{record_restarts, report_restarts};
use user::record_users;
use wanted::{blocked, wanted};

/// How `status.user.status` spells an active user.
pub const ACTIVE: &str = "Active";
/// How `status.user.kind` spells a user of the central identity provider.
pub const INTERNAL: &str = "Internal";

/// Writes the status of a pass that came to rest; whether anything changed.
pub async fn write(pass: &mut Pass, rest: &Settled) -> Result<bool, Failure> {
    let new = compute(pass, rest);
    let handled = new.handled != pass.status.handled;
    let changed = patch(pass, new).await?;
    if let Some(notice) = rest.rotation.answer.as_ref().filter(|_| handled) {
        answer(pass, notice);
    }
    Ok(changed)
}

/// Records what was written before a failure that says nothing of it, so that it is not written again. The conditions are kept: a
/// conflict passes.
pub async fn record_written(pass: &mut Pass, rest: &Settled) {
    let new = recorded(pass, rest);
    if let Err(failure) = patch(pass, new).await {
        tracing::warn!(resource = %pass.key, error = %failure, "The outputs that were written cannot be recorded");
    }
}

/// Writes that a user is being deleted. What goes wrong keeps no user from being deleted.
pub async fn report_deletion(pass: &mut Pass, words: String) {
    let report = Report::Deleting(Blocker::passing(Reason::Deleting, words));
    let settled = Settled::new(report, Requeue::Never);
    if let Err(failure) = write(pass, &settled).await {
        tracing::warn!(resource = %pass.key, error = %failure, "The status of a deletion cannot be written");
    }
    pass.observation.reported = true;
}

/// Names an output in the status before it is written for the first time.
pub async fn record_output(pass: &mut Pass, user: &UserId, id: &OutputId) -> Result<(), Failure> {
    let Some(values) = pass.values(user) else { return Err(Failure::Overtaken) };
    let before = pass.recorded_output(id).cloned();
    let entry = pass.output(id)?.announced(before.as_ref(), &values)?;
    let mut new = pass.status.clone();
    put(&mut new.outputs, entry);
    patch(pass, new).await?;
    if let Some(output) = pass.observation.output_mut(id) {
        output.in_status = true;
    }
    if let Some(UserView::Read(facts)) = &mut pass.observation.users.entry(user).details {
        facts.elsewhere.remove(id);
    }
    Ok(())
}

/// Remembers for what that may still arrive the resource waits.
pub fn remember_wait(pass: &Pass, rest: &Settled) {
    let blocker = match &rest.report {
        Report::Blocked { blocker, .. } => Some(blocker),
        Report::Ready | Report::StillReady | Report::Unchanged | Report::Deleting(_) | Report::Gone => None,
    };
    let waiting = &pass.observation.waiting;
    pass.ctx.memory.change(&pass.key, |user| grace::remember(&mut user.waiting, waiting, blocker));
}

/// Writes that a stored resource cannot be read.
pub async fn write_invalid(pass_like: &InvalidResource<'_>) -> Result<bool, Failure> {
    let InvalidResource { ctx, object, why } = pass_like;
    let blocker = Blocker::lasting(
        Reason::InvalidResource,
        format!("This version of the operator cannot read this resource, so it does nothing for it: {why}"),
    );
    let old: TechnicalUserStatus = crate::controller::objects::lenient(object, "status");
    let mut new = old.clone();
    new.observed_generation = object.metadata.generation;
    new.conditions = conditions::brought_up_to_date(
        &old.conditions,
        &blocked(READY, &blocker),
        object.metadata.generation,
        ctx.process.clock.now(),
    );
    let new = new.bounded();
    let Some(difference) = merge::difference(&to_value(&old), &to_value(&new)) else { return Ok(false) };
    send(ctx, object, &difference).await?;
    Ok(true)
}

/// A stored resource that does not parse.
pub struct InvalidResource<'a> {
    /// What the process shares.
    pub ctx: &'a crate::controller::context::Context,
    /// The object.
    pub object: &'a DynamicObject,
    /// What does not parse.
    pub why: &'a str,
}

async fn patch(pass: &mut Pass, new: TechnicalUserStatus) -> Result<bool, Failure> {
    let new = new.bounded();
    let Some(difference) = merge::difference(&to_value(&pass.status), &to_value(&new)) else {
        return Ok(false);
    };
    let object = send(&pass.ctx, &pass.object, &difference).await?;
    announce(pass, &new);
    pass.object_is_now(object.metadata);
    pass.status = new;
    Ok(true)
}

async fn send(
    ctx: &crate::controller::context::Context,
    object: &DynamicObject,
    difference: &Value,
) -> Result<DynamicObject, Failure> {
    let key = Key::of(object);
    let api: Api<DynamicObject> =
        Api::namespaced_with(ctx.client.clone(), &key.namespace, &technical_users());
    // A uid is no precondition of a patch of the status (Kubernetes 1.36); the resourceVersion is.
    let body = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version },
        "status": difference,
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let written =
        api.patch_status(&key.name, &params, &Patch::Merge(&body)).await.map_err(KubeError::from)?;
    let versions = [object, &written].map(|object| object.metadata.resource_version.as_deref());
    ctx.memory.change(&key, |user| user.overwritten.wrote(versions[0], versions[1]));
    Ok(written)
}

fn to_value(status: &TechnicalUserStatus) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

/// The status with the users, the credential and the outputs as they are now, and the restarts that follow from a change of these.
fn recorded(pass: &Pass, rest: &Settled) -> TechnicalUserStatus {
    let mut new = pass.status.clone();
    record_users(pass, &mut new, rest);
    record_credential(pass, &mut new, rest);
    new.outputs.retain(|output| !pass.removed.contains(&output.id()));
    if !ends(rest) {
        record_restarts(pass, &mut new, rest.restarted.as_deref());
    }
    new
}

fn ends(rest: &Settled) -> bool {
    matches!(rest.report, Report::Deleting(_) | Report::Gone)
}

fn compute(pass: &Pass, rest: &Settled) -> TechnicalUserStatus {
    let mut new = recorded(pass, rest);
    let restored = pass.status.user.is_none() && new.user.is_some();
    if rest.rotation.handled || restored {
        new.handled = handled(&pass.object).or(new.handled);
    }
    new.observed_generation = pass.object.metadata.generation;
    match &rest.report {
        Report::Unchanged => {}
        Report::StillReady => report_outputs(pass, &mut new),
        report => {
            let wanted = wanted(pass, report);
            new.conditions =
                conditions::brought_up_to_date(&new.conditions, &wanted, new.observed_generation, pass.now);
            if !ends(rest) {
                report_outputs(pass, &mut new);
            }
        }
    }
    if !ends(rest) {
        report_restarts(pass, &mut new, rest.restarted.as_deref());
    }
    new
}
