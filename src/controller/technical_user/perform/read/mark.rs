//! Whose a user is, by its mark.

use kube::Api;

use super::user::confirm_gone;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::technical_users;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::observe::named;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::identity::Mark;
use crate::domain::plan::{Confirmed, Desired, DesiredUser, Named, Selector};
use crate::domain::user::{ListedUser, UserId};
use crate::k8s::stored::StoredObject;
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
    let api: Api<StoredObject> =
        Api::namespaced_with(reconcile.ctx.client.clone(), &mark.owner.namespace, &technical_users());
    match api.get_opt(&mark.owner.name).await.map_err(KubeError::from) {
        Ok(found) => Ok(found.is_none()),
        Err(KubeError::Denied { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::Users;
    use crate::domain::identity::{Hint, Owner};
    use crate::domain::test_support::owner;

    fn mark(owner: Owner) -> Mark {
        Mark { owner, generation: 1, hint: Hint::read("here"), retained: false, login: false }
    }

    /// Whether the owner of this mark is gone, where the spec takes over the user `u1` and the apiserver has one other resource.
    async fn is_gone(id: &str, mark: &Mark, change: impl FnOnce(&Scene)) -> bool {
        let spec = json!({"user": {"create": {"adopt": {"id": "u1"}}}});
        let scene = Scene::new(Users::none(PortalError::NotFound), &json!({ "spec": spec }));
        scene.apiserver.put_object(
            "technicalusers",
            "connector",
            "other",
            json!({"kind": "TechnicalUser",
            "apiVersion": "technicaluser.dev/v1alpha1"}),
        );
        change(&scene);
        owner_is_gone(&scene.observed().await, &UserId::new(id), mark).await.unwrap()
    }

    #[tokio::test]
    async fn a_user_is_without_its_owner_only_where_the_apiserver_says_that_the_resource_is_gone() {
        let gone = mark(owner("gone"));
        assert!(is_gone("u1", &gone, |_| {}).await);
        assert!(!is_gone("u1", &mark(owner("other")), |_| {}).await, "it is there");
        let hidden = |scene: &Scene| scene.apiserver.hide("technicalusers");
        assert!(!is_gone("u1", &gone, hidden).await, "nobody knows whether it is there");
    }

    #[tokio::test]
    async fn only_a_user_of_this_installation_that_the_spec_names_by_its_id_is_without_its_owner() {
        let gone = || mark(owner("gone"));
        assert!(!is_gone("u2", &gone(), |_| {}).await, "nobody asks for it");
        assert!(!is_gone("u1", &mark(owner("edc")), |_| {}).await, "it is this very resource's");
        assert!(!is_gone("u1", &Mark { login: true, ..gone() }, |_| {}).await, "a login");
        let elsewhere = Mark { hint: Hint::read("there"), ..gone() };
        assert!(!is_gone("u1", &elsewhere, |_| {}).await, "of another cluster");
        let of_another = mark(Owner { instance: "stage".into(), ..owner("gone") });
        assert!(!is_gone("u1", &of_another, |_| {}).await, "of another installation");
    }
}
