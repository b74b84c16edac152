//! Whose a user is, by its mark.

use kube::Api;
use kube::api::DynamicObject;

use super::user::confirm_gone;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::technical_users;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::observe::named;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::identity::Mark;
use crate::domain::plan::{Confirmed, Desired, DesiredUser, Named, Selector};
use crate::domain::user::{ListedUser, UserId};
use crate::portal::{Lane, PortalError};

/// A user of the list with what is remembered of its mark.
pub(super) fn named_in(reconcile: &Reconcile, user: &ListedUser) -> Result<Named, Failure> {
    let o = &reconcile.observation;
    Ok(named(reconcile.connected()?, &o.owner, o.recorded_generation(), user, false))
}

/// Reads the mark of a user, and remembers it in the list.
pub(super) async fn confirm(reconcile: &Reconcile, id: &UserId) -> Result<Confirmed, Failure> {
    let (connection, owner) = (reconcile.connected()?, &reconcile.observation.owner);
    match connection.portal.details(id, Lane::Interactive).await {
        Ok(details) => {
            reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.there(id));
            connection.inventory.remember(id, details.mark.clone());
            Ok(match details.mark {
                Some(mark) if mark.is_of(owner) && mark.retained => Confirmed::Retained,
                Some(mark) if mark.is_of(owner) => Confirmed::Ours(mark.hint),
                _ => Confirmed::Foreign,
            })
        }
        Err(PortalError::NotFound) => {
            confirm_gone(reconcile, connection, id).await?;
            Ok(Confirmed::Gone)
        }
        Err(PortalError::ClientMissing) => Ok(Confirmed::ClientMissing),
        Err(error) => Err(error.into()),
    }
}

/// Whether the spec asks to take over exactly this user, and the resource that its mark names is one of this installation that does
/// not exist any more. The cache shows that of no namespace that is not watched, so the apiserver is asked; where it does not answer
/// that, the resource counts as one that exists.
pub(super) async fn owner_is_gone(reconcile: &Reconcile, id: &UserId, mark: &Mark) -> Result<bool, Failure> {
    let o = &reconcile.observation;
    let is_asked_for = matches!(
        &o.desired,
        Desired::Create(DesiredUser { adopt: Some(Selector::Id(wanted)), .. }) if wanted == id
    );
    let is_of_another = !mark.login && mark.owner != o.owner;
    let is_ours = mark.owner.instance == o.owner.instance
        && (mark.hint == o.hint
            || o.portal.as_ref().is_ok_and(|portal| portal.taken_over.contains(&mark.hint)));
    if !(is_asked_for && is_of_another && is_ours) {
        return Ok(false);
    }
    let api: Api<DynamicObject> =
        Api::namespaced_with(reconcile.ctx.client.clone(), &mark.owner.namespace, &technical_users());
    match api.get_opt(&mark.owner.name).await.map_err(KubeError::from) {
        Ok(found) => Ok(found.is_none()),
        Err(KubeError::Denied { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
