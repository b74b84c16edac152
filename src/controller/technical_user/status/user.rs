//! The user that the status names: its portal, its details as last read, and the proof that it belongs to the resource.

use super::{ACTIVE, INTERNAL, patch, retiring};
use crate::api::technical_user::{PinnedPortal, RecordedUser, TechnicalUserStatus};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::observe;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::identity::Hint;
use crate::domain::ownership::{self, Origin, Whose};
use crate::domain::plan::{self, Desired, Settled, UserFacts, UserRef, UserView};
use crate::domain::roles;
use crate::domain::user::{UserDetails, UserId, UserKind, UserStatus};

/// Records the users that the end of a reconcile names.
pub(super) fn record_users(reconcile: &Reconcile, new: &mut TechnicalUserStatus, settled: &Settled) {
    if let Some(current) = &settled.current {
        record_current(reconcile, new, current);
    }
}

fn record_current(reconcile: &Reconcile, new: &mut TechnicalUserStatus, current: &UserRef) {
    retiring::record_predecessors(reconcile, new, current);
    pin(reconcile, new, hint_of(reconcile, current));
    let generation = current.origin.generation();
    if let Some(details) = reconcile.details.get(&current.id) {
        new.user = Some(RecordedUser {
            requested_roles: requested_roles(reconcile, current),
            proof: proof(reconcile, current),
            ..shown(details, generation)
        });
        return;
    }
    if let Some(user) = new.user.as_mut().filter(|user| UserId::new(&user.id) == current.id) {
        // A status without a proof gets it as soon as the list shows the user as this resource's.
        if user.generation == generation {
            user.proof = proof(reconcile, current);
            user.requested_roles = requested_roles(reconcile, current);
        }
        return;
    }
    let listed = reconcile.connection.as_ref().and_then(|connection| connection.inventory.get(&current.id));
    let listed = listed.as_ref();
    new.user = Some(RecordedUser {
        id: current.id.to_string(),
        generation,
        client_id: listed.and_then(|user| user.client_id.clone()),
        name: listed.map(|user| user.name.clone()).unwrap_or_default(),
        kind: listed.map(|user| kind(user.kind).to_owned()).unwrap_or_default(),
        status: listed.map(|user| spelled(user.status).to_owned()).unwrap_or_default(),
        roles: Vec::new(),
        requested_roles: requested_roles(reconcile, current),
        proof: None,
    });
}

/// A user as its details show it.
fn shown(details: &UserDetails, generation: Option<i64>) -> RecordedUser {
    RecordedUser {
        id: details.id.to_string(),
        generation,
        client_id: details.client_id.clone(),
        name: details.name.clone(),
        kind: kind(details.kind).to_owned(),
        status: spelled(details.status).to_owned(),
        roles: details.roles.clone(),
        requested_roles: Vec::new(),
        proof: None,
    }
}

/// The roles that were asked for when the user was created. If nobody knows them, they count as those of the spec: a change is one
/// that comes later.
fn requested_roles(reconcile: &Reconcile, current: &UserRef) -> Vec<String> {
    let Desired::Create(desired) = &reconcile.observation.desired else { return Vec::new() };
    let asked = plan::roles_asked(&reconcile.observation, current);
    asked.unwrap_or_else(|| roles::set(&desired.roles)).into_iter().collect()
}

/// Writes down whose portal the user is in. Address and company are never replaced while the status names a user.
fn pin(reconcile: &Reconcile, new: &mut TechnicalUserStatus, hint: &Hint) {
    let Ok(portal) = &reconcile.observation.portal else { return };
    let recorded = new.portal.clone().filter(|portal| new.user.is_some() && !portal.url.is_empty());
    let pinned = recorded.unwrap_or_else(|| PinnedPortal {
        url: portal.url.clone(),
        token_url: Some(portal.token_url.clone()),
        bpn: plan::company(&reconcile.observation).map(str::to_owned),
        ..PinnedPortal::default()
    });
    // A status of an earlier release gets the token endpoint when the user is read.
    let was_read = pinned.token_url.is_none() && !reconcile.details.is_empty();
    new.portal = Some(PinnedPortal {
        namespace: reconcile.portal_key.namespace.clone(),
        name: reconcile.portal_key.name.clone(),
        token_url: if was_read { Some(portal.token_url.clone()) } else { pinned.token_url },
        hint: hint.to_string(),
        ..pinned
    });
}

/// Writes address and company again: the user was found there by its details.
pub async fn repin(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let Ok(portal) = &reconcile.observation.portal else { return Err(Failure::Overtaken) };
    let mut new = reconcile.status.clone();
    let recorded = new.portal.unwrap_or_default();
    new.portal = Some(PinnedPortal {
        url: portal.url.clone(),
        token_url: Some(portal.token_url.clone()),
        bpn: recorded.bpn.or_else(|| portal.bpn.clone()),
        ..recorded
    });
    patch(reconcile, new).await?;
    record_again(reconcile);
    Ok(())
}

/// The observation has the status that was just written.
fn record_again(reconcile: &mut Reconcile) {
    let (ctx, o) = (&reconcile.ctx, &reconcile.observation);
    let status = (&reconcile.status, reconcile.object.metadata.generation);
    let recorded = observe::recorded(ctx, &o.owner, status, &o.desired, reconcile.connection.as_ref());
    reconcile.observation.recorded = recorded;
}

/// Names a user that is taken over, with the proof that it is this resource's: before its mark is written.
pub async fn adopt(reconcile: &mut Reconcile, user: &UserRef) -> Result<(), Failure> {
    let Some(generation) = user.origin.generation() else { return Err(Failure::Overtaken) };
    let mut new = reconcile.status.clone();
    pin(reconcile, &mut new, &reconcile.observation.hint);
    let Some(details) = reconcile.details.get(&user.id) else { return Err(Failure::Overtaken) };
    let key = &reconcile.ctx.installation.digest_key;
    new.user = Some(RecordedUser {
        requested_roles: requested_roles(reconcile, user),
        proof: Some(ownership::proof(key, &reconcile.observation.owner, &user.id, generation)),
        ..shown(details, Some(generation))
    });
    patch(reconcile, new).await?;
    record_again(reconcile);
    Ok(())
}

/// The proof that the user of this generation is this resource's: written once its details or the list say so, and kept as
/// long as the same user is recorded. An existing user belongs to no resource, so it gets none.
fn proof(reconcile: &Reconcile, current: &UserRef) -> Option<String> {
    let o = &reconcile.observation;
    let (portal, generation) = (o.portal.as_ref().ok()?, current.origin.generation()?);
    let recorded =
        o.recorded.user.as_ref().filter(|user| user.id == current.id && user.origin == current.origin);
    let ours = match o.view(&current.id) {
        Some(UserView::Read(user)) => {
            matches!(o.whose(portal, &current.id, user), Whose::Ours(_) | Whose::OursWithoutMark)
        }
        _ => recorded.is_some_and(|user| user.proved),
    };
    if ours {
        let key = &reconcile.ctx.installation.digest_key;
        return Some(ownership::proof(key, &o.owner, &current.id, generation));
    }
    let before = recorded.and(reconcile.status.user.as_ref())?;
    before.proof.clone()
}

/// Which copy of the installation a user's mark names: that of another cluster until it was replaced.
fn hint_of<'a>(reconcile: &'a Reconcile, current: &UserRef) -> &'a Hint {
    match reconcile.observation.view(&current.id) {
        Some(UserView::Read(UserFacts { mark: Some(mark), .. })) if current.origin != Origin::Existing => {
            &mark.hint
        }
        _ => &reconcile.observation.hint,
    }
}

fn kind(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Internal => INTERNAL,
        UserKind::External => "External",
    }
}

/// The state in the words of a status.
#[must_use]
pub fn spelled(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => ACTIVE,
        UserStatus::Pending => "Pending",
        UserStatus::PendingDeletion => "PendingDeletion",
        UserStatus::Inactive => "Inactive",
        UserStatus::Deleted => "Deleted",
        UserStatus::Other => "Other",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::{BPN, URL, Users};
    use crate::domain::plan::{Report, Requeue};
    use crate::portal::PortalError;

    /// A resource is cleaned up by it where its spec cannot be read.
    #[tokio::test]
    async fn a_user_is_recorded_with_its_portal_whose_address_stays_as_it_was() {
        let pinned = |url: &str, token_url: &str| PinnedPortal {
            namespace: "connector".into(),
            name: "portal".into(),
            url: url.into(),
            token_url: Some(token_url.into()),
            bpn: Some(BPN.into()),
            hint: "here".into(),
        };
        let former = json!({"url": "https://former.example.org", "tokenUrl": "https://idp", "bpn": BPN});
        for (status, expected) in [
            (json!({}), pinned(URL, "")),
            (
                json!({"user": {"id": "u1"}, "portal": former}),
                pinned("https://former.example.org", "https://idp"),
            ),
        ] {
            let scene = Scene::new(Users::none(PortalError::NotFound), &json!({ "status": status }));
            let reconcile = scene.observed().await;
            let current = UserRef::created(UserId::new("u1"), 1);
            let settled = Settled { current: Some(current), ..Settled::new(Report::Ready, Requeue::Never) };
            let mut new = reconcile.status.clone();
            record_users(&reconcile, &mut new, &settled);
            assert_eq!(new.portal, Some(expected));
        }
    }
}
