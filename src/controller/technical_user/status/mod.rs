//! The status: what was found and done, written where it changed.

mod announce;
mod credential;
mod outputs;
mod removals;
mod restart;
mod retiring;
mod rotation;
mod suspension;
mod user;
mod wanted;

use kube::Api;
use kube::api::Patch;
use serde_json::{Value, json};

pub use removals::removal_failed_for;
pub use user::spelled;
pub use user::{adopt, repin};

use super::failure::Failure;
use super::reconcile::Reconcile;
use crate::api::bounds::Bounded as _;
use crate::api::conditions::{self, READY};
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, technical_users};
use crate::controller::status::grace;
use crate::controller::status::merge_patch;
use crate::controller::writes;
use crate::domain::blocker::Blocker;
use crate::domain::plan::{OutputId, Report, Requeue, Settled, UserView};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;
use crate::k8s::stored::StoredObject;
use announce::{announce, answer};
use credential::{put, record_credential};
use outputs::report_outputs;
use removals::report_removals;
use restart::{record_restarts, report_restarts};
use retiring::record_retiring;
use rotation::{record_rotation, report_rotation, report_unverified};
use suspension::report_suspension;
use user::record_users;
use wanted::{blocked, wanted};

/// How `status.user.status` spells an active user.
pub const ACTIVE: &str = "Active";
/// How `status.user.kind` spells a user of the central identity provider.
pub const INTERNAL: &str = "Internal";

/// Writes the status at the end of a reconcile. Returns whether anything changed.
pub async fn write(reconcile: &mut Reconcile, settled: &Settled) -> Result<bool, Failure> {
    let new = compute(reconcile, settled);
    let handled = new.handled != reconcile.status.handled;
    let changed = patch(reconcile, new).await?;
    rotation::remember_compared(reconcile, settled);
    if let Some(notice) = &settled.rotation.answer {
        let answered =
            reconcile.ctx.memory.change(&reconcile.key, |user| user.answered.replace(notice.reason));
        if handled || answered != Some(notice.reason) {
            answer(reconcile, notice);
        }
    }
    Ok(changed)
}

/// Records what was written before a failure that says nothing of it, so that it is not written again. The conditions are kept: a
/// conflict is temporary.
pub async fn record_written(reconcile: &mut Reconcile, settled: &Settled) {
    let new = recorded(reconcile, settled);
    if let Err(failure) = patch(reconcile, new).await {
        tracing::warn!(resource = %reconcile.key, error = %failure, "The outputs that were written cannot be recorded");
    }
}

/// Writes that a user is being deleted. What goes wrong keeps no user from being deleted.
pub async fn report_deletion(reconcile: &mut Reconcile, words: String) {
    let report = Report::Deleting(Blocker::passing(Reason::Deleting, words));
    let settled = Settled::new(report, Requeue::Never);
    if let Err(failure) = write(reconcile, &settled).await {
        tracing::warn!(resource = %reconcile.key, error = %failure, "The status of a deletion cannot be written");
    }
    // Also where it could not be written: it is not tried again in this reconcile.
    reconcile.observation.reported = true;
    reconcile.observation.reported_reason = Some(Reason::Deleting);
}

/// Names an output in the status before it is written for the first time.
pub async fn record_output(reconcile: &mut Reconcile, user: &UserId, id: &OutputId) -> Result<(), Failure> {
    let Some(values) = reconcile.values(user) else { return Err(Failure::Overtaken) };
    let before = reconcile.recorded_output(id).cloned();
    let entry = reconcile.output(id)?.announced(before.as_ref(), &values)?;
    let mut new = reconcile.status.clone();
    put(&mut new.outputs, entry);
    patch(reconcile, new).await?;
    if let Some(output) = reconcile.observation.output_mut(id) {
        output.in_status = true;
    }
    if let Some(UserView::Read(facts)) = &mut reconcile.observation.users.entry(user).details {
        facts.elsewhere.remove(id);
    }
    Ok(())
}

/// Remembers which object that may still appear the resource waits for.
pub fn remember_wait(reconcile: &Reconcile, settled: &Settled) {
    let blocker = match &settled.report {
        Report::Blocked { blocker, .. } => Some(blocker),
        Report::Ready | Report::StillReady | Report::Unchanged | Report::Deleting(_) | Report::Gone => None,
    };
    let waiting = &reconcile.observation.waiting;
    reconcile.ctx.memory.change(&reconcile.key, |user| grace::remember(&mut user.waiting, waiting, blocker));
}

/// Writes that a stored resource cannot be read.
pub async fn write_invalid(invalid: &InvalidResource<'_>) -> Result<bool, Failure> {
    let InvalidResource { ctx, object, why } = invalid;
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
    let Some(difference) = merge_patch::difference(&to_value(&old), &to_value(&new)) else {
        return Ok(false);
    };
    send(ctx, object, &difference).await?;
    Ok(true)
}

/// A stored resource that does not parse.
pub struct InvalidResource<'a> {
    /// What the process shares.
    pub ctx: &'a crate::controller::context::Context,
    /// The object.
    pub object: &'a StoredObject,
    /// What does not parse.
    pub why: &'a str,
}

async fn patch(reconcile: &mut Reconcile, new: TechnicalUserStatus) -> Result<bool, Failure> {
    let new = new.bounded();
    let Some(difference) = merge_patch::difference(&to_value(&reconcile.status), &to_value(&new)) else {
        return Ok(false);
    };
    let object = send(&reconcile.ctx, &reconcile.object, &difference).await?;
    announce(reconcile, &new);
    reconcile.object_is_now(object.metadata);
    reconcile.status = new;
    Ok(true)
}

async fn send(
    ctx: &crate::controller::context::Context,
    object: &StoredObject,
    difference: &Value,
) -> Result<StoredObject, Failure> {
    let key = Key::of(object);
    let api: Api<StoredObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, &technical_users());
    // A uid is no precondition of a patch of the status (Kubernetes 1.36); the resourceVersion is.
    let body = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version },
        "status": difference,
    });
    let written =
        api.patch_status(&key.name, &writes::patch(), &Patch::Merge(&body)).await.map_err(KubeError::from)?;
    let versions = [object, &written].map(|object| object.metadata.resource_version.as_deref());
    ctx.memory.change(&key, |user| user.overwritten.wrote(versions[0], versions[1]));
    Ok(written)
}

fn to_value(status: &TechnicalUserStatus) -> Value {
    serde_json::to_value(status).unwrap_or_default()
}

/// The status with the users, the credential and the outputs as they are now, and the restarts that follow from a change of these.
fn recorded(reconcile: &Reconcile, settled: &Settled) -> TechnicalUserStatus {
    let mut new = reconcile.status.clone();
    record_users(reconcile, &mut new, settled);
    record_credential(reconcile, &mut new, settled);
    record_retiring(reconcile, &mut new, settled);
    record_rotation(reconcile, &mut new, settled);
    new.outputs.retain(|output| !reconcile.removed.contains(&output.id()));
    if !ends(settled) {
        record_restarts(reconcile, &mut new, settled.restarted.as_deref());
    }
    new
}

fn ends(settled: &Settled) -> bool {
    matches!(settled.report, Report::Deleting(_) | Report::Gone)
}

fn compute(reconcile: &Reconcile, settled: &Settled) -> TechnicalUserStatus {
    let mut new = recorded(reconcile, settled);
    new.observed_generation = reconcile.object.metadata.generation;
    match &settled.report {
        Report::Unchanged => {}
        Report::StillReady => report_outputs(reconcile, &mut new),
        report => {
            let wanted = wanted(reconcile, report);
            new.conditions = conditions::brought_up_to_date(
                &new.conditions,
                &wanted,
                new.observed_generation,
                reconcile.now,
            );
            if ends(settled) {
                report_removals(reconcile, &mut new);
            } else {
                report_outputs(reconcile, &mut new);
            }
        }
    }
    report_unverified(reconcile, &mut new, settled);
    report_rotation(reconcile, &mut new, settled);
    report_suspension(reconcile, &mut new);
    if !ends(settled) {
        report_restarts(reconcile, &mut new, settled.restarted.as_deref());
    }
    new
}
