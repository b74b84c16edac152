//! Deletes a user in the portal, and finds out what an answer that it is not there means.

use super::read;
use crate::controller::objects::Key;
use crate::controller::portal::inventory::{Inventory, Kind, Unmet};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{Done, Notice, UserView};
use crate::domain::user::{UserId, UserKind, UserStatus};
use crate::portal::{Portal, PortalError, Refusal};

/// What is known of a user that the portal shows and does not know when it is deleted.
const SHOWN_BUT_NOT_DELETED: PortalError =
    PortalError::BadAnswer { reason: "it shows a user that it does not know when the user is deleted" };

/// Deletes a user in the portal, and reports it.
pub async fn delete(reconcile: &mut Reconcile, id: &UserId, notice: &Notice) -> Result<(), Failure> {
    let connection = reconcile.connected()?.clone();
    let done = match send(&connection.inventory, &*connection.portal, &reconcile.key, id).await? {
        Ok(()) => {
            reconcile.normal(notice.reason, "Delete", &notice.note);
            Done::Deleted
        }
        // The portal answers so for ids of other companies as well: its details and its list decide.
        Err(PortalError::NotFound) => {
            connection.inventory.doubt_pending(id);
            match read::user(reconcile, id).await? {
                UserView::Gone => {
                    connection.inventory.remove(id);
                    Done::Deleted
                }
                UserView::ClientMissing => {
                    reconcile.observation.users.entry(id).details = Some(UserView::ClientMissing);
                    return Ok(());
                }
                UserView::Read(_) => return Err(SHOWN_BUT_NOT_DELETED.into()),
            }
        }
        // A token that is not accepted at all may be so in passing.
        Err(PortalError::Forbidden { .. }) => Done::DeleteForbidden,
        Err(PortalError::Refused { refusal, code, .. }) if refusal != Refusal::Request => {
            Done::DeleteRefused(why_refused(refusal, code))
        }
        Err(PortalError::ClientMissing)
            if !connection.capabilities.deletes_external && is_external(reconcile, id) =>
        {
            Done::DeleteRefused(format!(
                "a portal of {} cannot delete wallet users",
                connection.capabilities.version
            ))
        }
        Err(PortalError::ClientMissing) => {
            reconcile.observation.users.entry(id).details = Some(UserView::ClientMissing);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    reconcile.observation.users.entry(id).done.push(done);
    Ok(())
}

/// The call, and what it changes in the list. The change of the company ends with the portal's answer: what a 404 leads to
/// waits for the list, which waits for the changes in progress.
pub(in crate::controller) async fn send(
    inventory: &Inventory,
    portal: &dyn Portal,
    who: &Key,
    id: &UserId,
) -> Result<Result<(), PortalError>, Unmet> {
    let _change = inventory.change(who, Kind::Delete).await?;
    let answer = portal.delete(id).await;
    if answer.is_ok() {
        match inventory.get(id) {
            Some(mut user) if user.kind == UserKind::External => {
                user.status = UserStatus::PendingDeletion;
                inventory.put(user);
            }
            _ => inventory.remove(id),
        }
    }
    Ok(answer)
}

fn is_external(reconcile: &Reconcile, id: &UserId) -> bool {
    reconcile.details.get(id).is_some_and(|details| details.kind == UserKind::External)
}

/// Why the portal refuses to delete a user, in words.
pub(in crate::controller) fn why_refused(refusal: Refusal, code: &str) -> String {
    match refusal {
        Refusal::ConnectorLinked => "it is linked to a connector".to_owned(),
        Refusal::SubscriptionLinked => "it is linked to an active subscription".to_owned(),
        Refusal::NotActive => "the portal says that it is not active".to_owned(),
        Refusal::RoleNotOffered | Refusal::ExternalNotAllowed | Refusal::State | Refusal::Request => {
            format!("the portal refuses ({code})")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use tokio::time::Instant;

    use serde_json::json;

    use super::*;
    use crate::controller::portal::inventory::Need;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::inventory_of;
    use crate::domain::reason::Reason;
    use crate::portal::test_support::{Answers, Fake};

    /// Takes a second for each deletion, and knows no user.
    struct KnowsNobody;

    #[async_trait]
    impl Answers for KnowsNobody {
        async fn write(&self) -> Result<(), PortalError> {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Err(PortalError::NotFound)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_proof_begins_as_soon_as_the_portal_answers_that_it_knows_no_such_user() {
        let portal = std::sync::Arc::new(Fake(KnowsNobody));
        let inventory = inventory_of(portal.clone());
        let key = |name: &str| Key { namespace: "connector".into(), name: name.into() };
        let (sent, id) = (Instant::now(), UserId::new("u1"));
        let leaving = key("leaving");
        let deletion = send(&inventory, &*portal, &leaving, &id);
        tokio::pin!(deletion);
        assert!(tokio::time::timeout(Duration::from_millis(500), &mut deletion).await.is_err());
        assert!(!inventory.is_met(&key("later"), Need::Proof(Some(sent))), "it waits for the deletion");
        assert_eq!(deletion.await, Ok(Err(PortalError::NotFound)));
        let answered = Instant::now();
        // What the answer leads to waits for the list, and so for the same proof.
        inventory.meet(&leaving, Need::Proof(Some(sent))).await.unwrap();
        assert!(answered.elapsed() < Duration::from_millis(100), "{:?}", answered.elapsed());
    }

    /// Answers each deletion with this.
    struct Refuses(PortalError);

    #[async_trait]
    impl Answers for Refuses {
        async fn write(&self) -> Result<(), PortalError> {
            Err(self.0.clone())
        }
    }

    /// What follows from this answer to a deletion.
    async fn after(answer: PortalError) -> Result<Vec<Done>, Failure> {
        let portal = std::sync::Arc::new(Fake(Refuses(answer)));
        let mut reconcile = Scene::new(portal, &json!({})).observed().await;
        let notice = Notice { reason: Reason::UserDeleted, note: "deleted".into() };
        delete(&mut reconcile, &UserId::new("u1"), &notice).await?;
        Ok(reconcile.observation.users.entry(&UserId::new("u1")).done.clone())
    }

    #[tokio::test]
    async fn a_user_counts_as_refused_only_where_the_portal_says_why_it_is_not_deleted() {
        let refused =
            |refusal| PortalError::Refused { refusal, status: 409, code: "SERVICE_ACCOUNT_CONFLICT" };
        let done = after(refused(Refusal::ConnectorLinked)).await.unwrap();
        assert_eq!(done, [Done::DeleteRefused("it is linked to a connector".into())]);
        let done = after(PortalError::Forbidden { permission: "delete" }).await.unwrap();
        assert_eq!(done, [Done::DeleteForbidden]);
        let failed = after(refused(Refusal::Request)).await;
        assert!(failed.is_err(), "the request was wrong, which says nothing of the user: {failed:?}");
    }
}
