//! Carries out what the plan wants changed, and puts what came of it into the observation. Every write can be repeated.

use kube::Api;
use kube::api::Patch;
use serde_json::{Value, json};

use super::{create, delete, publish, restart, retained, rotate_secret};
use crate::api::{FINALIZER, keys};
use crate::controller::kube_error::KubeError;
use crate::controller::objects::technical_users;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::status;
use crate::controller::writes;
use crate::domain::attempt::Attempt;
use crate::domain::identity::Mark;
use crate::domain::plan::{Done, Notice, OpenAttempt, UserRef, UserView, Write};
use crate::domain::reason::Reason;
use crate::domain::user::{ListedUser, UserId};
use crate::k8s::stored::StoredObject;
use crate::portal::PortalError;

/// Carries one write out.
pub async fn write(reconcile: &mut Reconcile, what: Write) -> Result<(), Failure> {
    if !reconcile.ctx.may_write() {
        return Err(Failure::NotActive);
    }
    match what {
        Write::RecordPortal => status::repin(reconcile).await,
        Write::AddFinalizer => put_finalizer(reconcile).await,
        Write::Create { generation, user } => create::create(reconcile, generation, user).await,
        Write::Adopt { user, differs } => adopt(reconcile, &user, differs).await,
        Write::CloseAttempt => close_attempt(reconcile).await,
        Write::Publish { user, output } => publish::publish(reconcile, &user, &output).await,
        Write::RecordOutput { user, output } => publish::announce(reconcile, &user, &output).await,
        Write::UsersAreDone(after) => {
            publish::users_are_done(reconcile, after);
            Ok(())
        }
        Write::RemoveOutput(output) => publish::remove(reconcile, &output).await,
        Write::AbandonOutput { output, why } => publish::abandon(reconcile, &output, &why).await,
        Write::Restart(id) => {
            restart::restart(reconcile, &id).await;
            Ok(())
        }
        Write::Describe { user, name, description } => describe(reconcile, &user.id, name, description).await,
        Write::ReportDeletion(words) => {
            status::report_deletion(reconcile, words).await;
            Ok(())
        }
        Write::Delete { id, notice } => delete::delete(reconcile, &id, &notice).await,
        Write::RotateSecret { user, credential } => {
            rotate_secret::rotate_secret(reconcile, &user, credential).await
        }
        Write::Reset(id) => reset(reconcile, &id).await,
        Write::MarkRetained { id, generation, name, description } => {
            mark_retained(reconcile, &id, generation, &name, &description).await
        }
        Write::RecordRetained { id, why } => retained::list(reconcile, &id, &why).await,
        Write::RemoveFinalizer => drop_finalizer(reconcile).await,
    }
}

/// Changes the metadata of the object in the state that was decided on.
async fn patch_metadata(reconcile: &mut Reconcile, field: &str, value: Value) -> Result<(), Failure> {
    let api: Api<StoredObject> =
        Api::namespaced_with(reconcile.ctx.client.clone(), &reconcile.key.namespace, &technical_users());
    let patch = json!({ "metadata": { "resourceVersion": reconcile.resource_version(), field: value } });
    match api
        .patch(&reconcile.key.name, &writes::patch(), &Patch::Merge(&patch))
        .await
        .map_err(KubeError::from)
    {
        Ok(object) => {
            let after = object.metadata.resource_version.as_deref();
            reconcile
                .ctx
                .memory
                .change(&reconcile.key, |user| user.overwritten.wrote(reconcile.resource_version(), after));
            reconcile.object_is_now(object.metadata);
            Ok(())
        }
        // Gone with its last finalizer.
        Err(KubeError::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn patch_finalizers(reconcile: &mut Reconcile, finalizers: Vec<String>) -> Result<(), Failure> {
    patch_metadata(reconcile, "finalizers", json!(finalizers)).await
}

/// A process that is started later does not wait for the attempt. If its user appears all the same, the list shows it as a
/// duplicate.
async fn close_attempt(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let open = reconcile.observation.attempt.as_ref().and_then(|open| open.attempt.clone());
    let Some(open) = open else { return Err(Failure::Overtaken) };
    let closed = Attempt { closed: true, ..open };
    patch_metadata(reconcile, "annotations", json!({ keys::CREATING: closed.to_string() })).await?;
    reconcile.observation.attempt.iter_mut().for_each(OpenAttempt::close);
    Ok(())
}

async fn put_finalizer(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let mut finalizers = reconcile.object.metadata.finalizers.clone().unwrap_or_default();
    finalizers.push(FINALIZER.to_owned());
    patch_finalizers(reconcile, finalizers).await?;
    reconcile.observation.finalizer = true;
    Ok(())
}

async fn drop_finalizer(reconcile: &mut Reconcile) -> Result<(), Failure> {
    publish::report_unknown_outputs(reconcile);
    let last = reconcile.resource_version().map(str::to_owned);
    let finalizers = reconcile.object.metadata.finalizers.clone().unwrap_or_default();
    patch_finalizers(reconcile, finalizers.into_iter().filter(|finalizer| finalizer != FINALIZER).collect())
        .await?;
    reconcile.observation.finalizer = false;
    reconcile.ctx.memory.released(&reconcile.key, last.as_deref());
    Ok(())
}

async fn adopt(reconcile: &mut Reconcile, user: &UserRef, differs: Option<Notice>) -> Result<(), Failure> {
    status::adopt(reconcile, user).await?;
    let note = format!("The operator has taken over user {}", user.id);
    reconcile.normal(Reason::UserAdopted, "Adopt", &note);
    if let Some(notice) = differs {
        reconcile.warn(notice.reason, "Adopt", &notice.note);
    }
    Ok(())
}

async fn describe(
    reconcile: &mut Reconcile,
    id: &UserId,
    name: String,
    description: String,
) -> Result<(), Failure> {
    let connection = reconcile.connected()?.clone();
    connection.portal.update(id, &name, &description).await?;
    let mark = Mark::find(&description);
    connection.inventory.remember(id, mark.clone());
    if let Some(listed) = connection.inventory.get(id).filter(|listed| listed.name != name) {
        connection.inventory.put(ListedUser { name: name.clone(), ..listed });
    }
    if let Some(details) = reconcile.details.get_mut(id) {
        details.name.clone_from(&name);
        details.description.clone_from(&description);
        details.mark.clone_from(&mark);
    }
    if let Some(UserView::Read(facts)) = &mut reconcile.observation.users.entry(id).details {
        facts.name = name;
        facts.mark = mark;
        facts.description = description;
    }
    Ok(())
}

async fn reset(reconcile: &mut Reconcile, id: &UserId) -> Result<(), Failure> {
    let connection = reconcile.connected()?.clone();
    connection.portal.reset(id).await?;
    let note = format!("The operator reset the secret of user {id} and did not read the new one");
    reconcile.normal(Reason::UserRevoked, "Revoke", &note);
    reconcile.observation.users.entry(id).done.push(Done::Reset);
    Ok(())
}

/// Nobody takes the user for ours again. Where the user cannot be read or changed at the moment, or the login lacks a
/// permission, it is tried again: no user is listed as retained while its mark says that it is managed.
async fn mark_retained(
    reconcile: &mut Reconcile,
    id: &UserId,
    generation: i64,
    name: &str,
    description: &str,
) -> Result<(), Failure> {
    let connection = reconcile.connected()?.clone();
    match connection.portal.update(id, name, description).await {
        Ok(()) => {}
        // It is gone, or the portal changes no such user: the Portal's list names it, and this process tries it no more.
        Err(error) if cannot_be_marked(&error) => {
            tracing::warn!(resource = %reconcile.key, user_id = %id, %error, "A retained user cannot be marked");
        }
        Err(error) => return Err(error.into()),
    }
    let (owner, hint) = (reconcile.observation.owner.clone(), reconcile.observation.hint.clone());
    connection.inventory.remember(id, Some(Mark { owner, generation, hint, retained: true, login: false }));
    reconcile.observation.users.entry(id).done.push(Done::MarkedRetained);
    Ok(())
}

/// Whether the portal changes no such user, as opposed to a temporary failure.
fn cannot_be_marked(error: &PortalError) -> bool {
    matches!(error, PortalError::NotFound | PortalError::Refused { .. } | PortalError::ClientMissing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::{Refusal, ServerKind};

    #[test]
    fn a_user_is_listed_without_its_mark_only_where_the_portal_never_changes_it() {
        for error in [
            PortalError::NotFound,
            PortalError::Refused { refusal: Refusal::State, status: 409, code: "other" },
            PortalError::ClientMissing,
        ] {
            assert!(cannot_be_marked(&error), "{error}");
        }
        for error in [
            PortalError::Server { server: ServerKind::Portal, status: 500 },
            PortalError::Unauthorized,
            PortalError::Forbidden { permission: "add_tech_user_management" },
            PortalError::BadAnswer { reason: "it is odd" },
        ] {
            assert!(!cannot_be_marked(&error), "tried again: {error}");
        }
    }
}
