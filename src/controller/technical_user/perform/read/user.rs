//! One user, with its credential, and what follows from a user that the portal or its identity provider does not know.

use super::mark;
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::Need;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{Desired, UserFacts, UserView};
use crate::domain::user::{UserDetails, UserId, UserStatus};
use crate::portal::{Lane, PortalError};

/// Reads one user. That the portal does not know it counts once its list confirms that.
pub(in crate::controller::technical_user) async fn user(
    reconcile: &mut Reconcile,
    id: &UserId,
) -> Result<UserView, Failure> {
    let connection = reconcile.connected()?.clone();
    let details = if let Some(pending) = connection.inventory.still_pending(&reconcile.key, id) {
        Ok(pending)
    } else {
        let details = connection.portal.details(id, Lane::Interactive).await;
        details.inspect(|details| connection.inventory.details_read(&reconcile.key, details))
    };
    match details {
        Ok(details) => {
            if is_the_resources(reconcile, id) {
                reconcile.ctx.memory.change(&reconcile.key, |user| user.missing_client.there());
            }
            reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.there(id));
            connection.inventory.remember(id, details.mark.clone());
            connection.inventory.put_active(&details);
            keep(reconcile, &details);
            let owner_is_gone = match &details.mark {
                Some(mark) => mark::owner_is_gone(reconcile, id, mark).await?,
                None => false,
            };
            Ok(UserView::Read(UserFacts { owner_is_gone, ..facts(reconcile, id, &details) }))
        }
        Err(PortalError::NotFound) => {
            missing(reconcile, &connection, id).await?;
            Ok(UserView::Gone)
        }
        Err(PortalError::ClientMissing) if !connection.capabilities.reports_deleted => {
            deleted_or_client_missing(reconcile, &connection, id).await
        }
        Err(PortalError::ClientMissing) => Ok(client_missing(reconcile, id)),
        Err(error) => Err(error.into()),
    }
}

/// A user as the answer to its create shows it: what its details show is read at the next verification.
pub(in crate::controller::technical_user) fn created(reconcile: &mut Reconcile, details: &UserDetails) {
    keep(reconcile, details);
    if let Some(connection) = &reconcile.connection {
        connection.inventory.details_read(&reconcile.key, details);
    }
    let facts = facts(reconcile, &details.id, details);
    reconcile.observation.users.entry(&details.id).details = Some(UserView::Read(facts));
}

/// The secret is beside what the plan sees.
fn keep(reconcile: &mut Reconcile, details: &UserDetails) {
    reconcile.details.insert(details.id.clone(), details.clone());
}

/// Memory has the missing client of the resource's own user only, not that of another user that is read: one of several that may be
/// selected.
fn is_the_resources(reconcile: &Reconcile, id: &UserId) -> bool {
    let o = &reconcile.observation;
    let is_selected = o.users.get(id).is_some_and(|known| known.selected);
    o.recorded.user.as_ref().map_or(!is_selected, |user| user.id == *id)
}

fn client_missing(reconcile: &Reconcile, id: &UserId) -> UserView {
    if is_the_resources(reconcile, id) {
        client_is_missing(reconcile, false);
    }
    UserView::ClientMissing
}

/// `refused`: the user's token endpoint said `invalid_client` just now.
pub(super) fn client_is_missing(reconcile: &Reconcile, refused: bool) {
    reconcile
        .ctx
        .memory
        .change(&reconcile.key, |user| user.missing_client.missing(&reconcile.portal_key, refused));
}

/// Such a portal answers the same for a deleted user as for one whose client is missing. Its list distinguishes them: a
/// deleted one is inactive.
async fn deleted_or_client_missing(
    reconcile: &mut Reconcile,
    connection: &Connection,
    id: &UserId,
) -> Result<UserView, Failure> {
    let since = reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.since(id));
    let is_inactive = || connection.inventory.get(id).is_some_and(|user| user.status == UserStatus::Inactive);
    if is_inactive() {
        missing(reconcile, connection, id).await?;
        return Ok(UserView::Gone);
    }
    connection.inventory.meet(&reconcile.key, Need::Judgement(since)).await?;
    let is_listed = connection.inventory.get(id).is_some();
    if !is_inactive() && !is_listed {
        connection.inventory.meet(&reconcile.key, Need::Proof(Some(since))).await?;
    }
    let absent = connection.inventory.with(|list| list.is_complete() && !list.knows(id)).unwrap_or(false);
    if is_inactive() || absent {
        see_loss(reconcile);
        return Ok(UserView::Gone);
    }
    Ok(client_missing(reconcile, id))
}

/// The portal knows no such user (any more). What follows from that waits for a reading of the list that began later,
/// and on which it was judged whether many users are missing at once: that is a fault of the portal.
async fn missing(reconcile: &mut Reconcile, connection: &Connection, id: &UserId) -> Result<(), Failure> {
    if matches!(reconcile.observation.desired, Desired::Existing { .. }) {
        return Ok(());
    }
    confirm_gone(reconcile, connection, id).await?;
    see_loss(reconcile);
    Ok(())
}

/// Waits for a reading of the list that began after the portal first answered that it knows no such user. A list that
/// shows the user all the same contradicts the answer: nothing follows from it then, and both are read again.
pub(super) async fn confirm_gone(
    reconcile: &Reconcile,
    connection: &Connection,
    id: &UserId,
) -> Result<(), Failure> {
    let since = reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.since(id));
    if connection.inventory.confirms_gone(&reconcile.key, id, since).await? {
        return Ok(());
    }
    reconcile.ctx.memory.change(&reconcile.key, |user| user.absent_users.there(id));
    Err(PortalError::BadAnswer { reason: "its user list shows a user that it does not know" }.into())
}

/// Takes over whether a mass disappearance is suspected now: the reconcile may have begun before a reading showed it.
pub(super) fn see_loss(reconcile: &mut Reconcile) {
    let suspected =
        reconcile.connection.as_ref().and_then(|connection| connection.inventory.mass_disappearance());
    if let Ok(portal) = &mut reconcile.observation.portal {
        portal.mass_disappearance = suspected;
    }
}

fn facts(reconcile: &Reconcile, id: &UserId, details: &UserDetails) -> UserFacts {
    UserFacts {
        name: details.name.clone(),
        status: details.status,
        kind: details.kind,
        client_id: details.client_id.clone(),
        roles: details.roles.clone(),
        roles_in_tokens: details.roles_in_tokens,
        mark: details.mark.clone(),
        owner_is_gone: false,
        description: details.description.clone(),
        offer: details.offer.clone(),
        connector: details.connector.as_ref().map(|c| c.name.clone().unwrap_or_else(|| c.id.clone())),
        contents: reconcile.contents(id),
        other_credential: is_other_credential(reconcile, id),
        elsewhere: reconcile.elsewhere(id),
    }
}

/// Whether the details show another credential than the status names.
fn is_other_credential(reconcile: &Reconcile, id: &UserId) -> bool {
    let recorded = reconcile.status.credential.as_ref().and_then(|credential| credential.digest.as_ref());
    let shown = reconcile.credential_digest(id);
    recorded.is_some() && shown.is_some() && shown.as_ref() != recorded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::{Users, connection_to};
    use crate::portal::Capabilities;

    /// What is known of a user that a portal shows without a client, while its list does not show the user at all.
    async fn unlisted(reports_deleted: bool) -> UserView {
        let connection = connection_to(Users::none(PortalError::ClientMissing));
        let capabilities = Capabilities { reports_deleted, ..connection.capabilities };
        let scene = Scene::connected(Connection { capabilities, ..connection }, &json!({}));
        user(&mut scene.observed().await, &UserId::new("u1")).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_list_decides_whether_a_user_without_a_client_is_gone_where_the_portal_does_not_say_it() {
        assert_eq!(unlisted(true).await, UserView::ClientMissing);
        assert_eq!(unlisted(false).await, UserView::Gone);
    }
}
