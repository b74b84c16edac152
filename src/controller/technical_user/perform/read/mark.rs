//! Whose a user is, by its mark.

use super::user::confirm_gone;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::observe::named;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{Confirmed, Named};
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
