//! The users of a resource, by the portal's user list.

use super::mark::{confirm, named_in};
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::Need;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::inventory::Snapshot;
use crate::domain::plan::{AttemptState, Confirmed, Desired, DesiredUser, Named, OutputState, Selection};
use crate::domain::user::{ListedUser, UserId, UserStatus};
use crate::portal::{Lane, PortalError};

/// Every user with a name of this resource, each confirmed by its mark. A name that is not found is proved absent.
pub(super) async fn search(reconcile: &Reconcile) -> Result<Vec<(UserId, Named)>, Failure> {
    let connection = reconcile.connected()?;
    let settled = match &reconcile.observation.attempt {
        Some(open) if open.state == AttemptState::Settled => {
            reconcile.ctx.memory.with(&reconcile.key, |user| user.attempts.settled_at())
        }
        _ => None,
    };
    let owner = &reconcile.observation.owner;
    if may_have_a_known_user(reconcile, connection) {
        connection.inventory.meet(&reconcile.key, Need::Proof(settled)).await?;
    } else {
        connection.inventory.prove_absent(&reconcile.key, &owner.name_prefix(), settled).await?;
    }
    let of_our_name = |list: &Snapshot| {
        let cloned = |users: Vec<&ListedUser>| users.into_iter().cloned().collect::<Vec<_>>();
        (cloned(list.named_for(owner)), cloned(list.unseen_for(owner)), list.is_complete())
    };
    let (seen, unseen, complete) = connection.inventory.with(of_our_name).unwrap_or_default();
    let mut found = Vec::new();
    for (user, is_seen) in seen.iter().map(|user| (user, true)).chain(unseen.iter().map(|user| (user, false)))
    {
        let mut named = named_in(reconcile, user)?;
        if !is_seen {
            // Its entry is from an earlier reading.
            named.confirmed = Confirmed::Unread;
        }
        if named.confirmed == Confirmed::Unread && named.status != UserStatus::PendingDeletion {
            let confirmed = confirm(reconcile, &user.id).await?;
            named = Named { confirmed, ..named_in(reconcile, user)? };
        }
        found.push((user.id.clone(), named));
    }
    for user in renamed(reconcile, connection, &found) {
        confirm(reconcile, &user.id).await?;
        let named = named_in(reconcile, &user)?;
        if matches!(named.confirmed, Confirmed::Ours(_) | Confirmed::Retained) {
            found.push((user.id, named));
        }
    }
    // Foreign users of the same name may hide ours on a list that did not show all users.
    let foreign = found.iter().any(|(_, named)| named.confirmed == Confirmed::Foreign);
    if foreign && !complete {
        return Err(
            PortalError::BadAnswer { reason: "users of equal names hide each other in the list" }.into()
        );
    }
    Ok(found)
}

/// Whether anything but the list says that there may be a user of the resource: then all that the list shows of it is needed.
fn may_have_a_known_user(reconcile: &Reconcile, connection: &Connection) -> bool {
    let o = &reconcile.observation;
    let is_published = o.outputs.iter().any(|output| matches!(output.state, OutputState::Ours { .. }));
    let adopts = matches!(&o.desired, Desired::Create(DesiredUser { adopt: Some(_), .. }));
    let is_listed = connection.inventory.with(|list| list.has_prefix(&o.owner.name_prefix()));
    is_published
        || adopts
        || is_listed.unwrap_or_default()
        || o.recorded_users().next().is_some()
        || !connection.inventory.marked(|mark| mark.is_of(&o.owner)).is_empty()
}

/// Users of the list that are not found by their names and may bear the mark of this resource all the same: where it was
/// seen before, and the one whose credential is published.
fn renamed(reconcile: &Reconcile, connection: &Connection, found: &[(UserId, Named)]) -> Vec<ListedUser> {
    let owner = &reconcile.observation.owner;
    let published = reconcile.observation.outputs.iter().filter_map(|output| match &output.state {
        OutputState::Ours { user: Some(id), .. } => connection.inventory.get(id),
        _ => None,
    });
    let mut users = connection.inventory.marked(|mark| mark.is_of(owner));
    users.extend(published);
    users.sort_by(|a, b| a.id.cmp(&b.id));
    users.dedup_by(|a, b| a.id == b.id);
    users.retain(|user| found.iter().all(|(id, _)| *id != user.id));
    users
}

/// The users with the client ID that `existing` selects, by a list that shows them all.
pub(super) async fn narrow(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let wanted = reconcile.spec.user.existing.as_ref().and_then(|existing| existing.client_id.clone());
    let wanted = wanted.unwrap_or_default();
    let scan = reconcile.connected()?.portal.narrow(&wanted, Lane::Interactive).await?;
    let fits = |user: &ListedUser| user.client_id.as_deref() == Some(wanted.as_str());
    let selected: Vec<UserId> =
        scan.users.iter().filter(|user| fits(user)).map(|user| user.id.clone()).collect();
    for id in &selected {
        reconcile.observation.users.entry(id).client_ids.insert(wanted.clone());
    }
    reconcile.observation.users.select_only(selected);
    reconcile.observation.selection = if scan.complete { Selection::Certain } else { Selection::Uncertain };
    Ok(())
}
