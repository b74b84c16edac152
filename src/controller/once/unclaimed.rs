//! The users with the operator's mark that no resource has: found, judged and deleted for a person.

use std::sync::Arc;
use std::time::Duration;

use crate::api::portal::{PortalSpec, PortalStatus};
use crate::controller::context::Context;
use crate::controller::objects::{Key, lenient, part};
use crate::controller::portal::connections::{Connection, ConnectionState};
use crate::controller::portal::leftovers::{self, Unclaimed};
use crate::controller::technical_user;
use crate::domain::inventory::{Coverage, Snapshot};
use crate::domain::user::{UserDetails, UserId};
use crate::k8s::stored::StoredObject;
use crate::portal::{Lane, PortalError};

/// How long the reading of a list may take. The command has a limit of its own.
const LIST_PATIENCE: Duration = Duration::from_hours(1);
/// How often a list is read that moves while it is read.
const LIST_TRIES: usize = 3;

/// A Portal that is connected, with a list that shows each name.
struct Connected {
    connection: Connection,
    object: Arc<StoredObject>,
}

/// The users of a Portal with a name and a mark of the operator that no resource has, each by its details; or why it is not certain
/// that nothing has it.
pub async fn unclaimed(
    ctx: &Arc<Context>,
    key: &Key,
) -> Result<Vec<(UserId, Result<Unclaimed, String>)>, String> {
    let Connected { connection, object } = connected(ctx, key).await?;
    let status: PortalStatus = lenient(&object, "status");
    let mut found = Vec::new();
    for user in leftovers::candidates(ctx, &connection, &status) {
        let judged = match connection.portal.details(&user.id, Lane::Interactive).await {
            Ok(details) if !details.mark.as_ref().is_some_and(|mark| !mark.retained && !mark.login) => {
                continue;
            }
            Ok(details) => leftovers::judge(ctx, &connection, &object, details),
            Err(PortalError::NotFound) => continue,
            Err(error) => Err(format!("User {} cannot be read: {error}", user.id)),
        };
        found.push((user.id, judged));
    }
    Ok(found)
}

/// The one user that is named by its id or its exact name, if nothing has it.
pub async fn unclaimed_user(ctx: &Arc<Context>, key: &Key, named: &str) -> Result<Unclaimed, String> {
    let Connected { connection, object } = connected(ctx, key).await?;
    technical_user::every_login_is_known(ctx).map_err(|blocker| blocker.message)?;
    let portals = ctx.portals.all();
    if let Some(other) = ctx.connections.logins.never_tried(portals.iter().map(|portal| Key::of(portal))) {
        return Err(format!("The user may be the login of Portal {other}, which could not be read"));
    }
    let id = connection.inventory.with(|list| find(list, named)).unwrap_or(Err(String::new()))?;
    let details = details(&connection, &id).await?;
    leftovers::judge(ctx, &connection, &object, details)
}

/// Deletes a user that was just judged. The list was long to read, so it is judged once more by `now`, which has the resources and the
/// Portals of this moment.
pub async fn delete(ctx: &Arc<Context>, now: &Context, key: &Key, user: &Unclaimed) -> Result<(), String> {
    let Connected { connection, .. } = connected(ctx, key).await?;
    let object = now.portals.get(key).ok_or_else(|| format!("There is no Portal {key}"))?;
    leftovers::judge(now, &connection, &object, details(&connection, &user.user.id).await?)?;
    let suspended = part::<PortalSpec>(&object, "spec")?.suspend.unwrap_or(false);
    if suspended {
        return Err(format!("Portal {key} has suspend: true, so nothing is deleted in the portal"));
    }
    if !connection.login.permissions.delete {
        let missing = connection.capabilities.permissions.delete;
        return Err(format!(
            "The login of Portal {key} may not delete users: {missing} is missing. Give the Portal a login that may, with \
             deleteAuth"
        ));
    }
    let id = &user.user.id;
    let sent = technical_user::send_deletion(&connection.inventory, &*connection.portal, key, id).await;
    match sent.map_err(|_| "The portal's user list is being read. Try again".to_owned())? {
        Ok(()) => Ok(()),
        Err(PortalError::Refused { refusal, code, .. }) => Err(format!(
            "The portal does not delete user {id}: {}",
            technical_user::why_not_deleted(refusal, code)
        )),
        Err(error) => Err(format!("User {id} could not be deleted: {error}")),
    }
}

async fn connected(ctx: &Arc<Context>, key: &Key) -> Result<Connected, String> {
    let object = ctx.portals.get(key).ok_or_else(|| format!("There is no Portal {key}"))?;
    let connection = match ctx.connections.get(key) {
        Some(ConnectionState::Up(connection)) => connection,
        Some(ConnectionState::Down(blocker, _)) => {
            return Err(format!(
                "Portal {key} is not ready ({}): {}",
                blocker.reason.as_str(),
                blocker.message
            ));
        }
        None => return Err(format!("Portal {key} is not connected")),
    };
    for _ in 0..LIST_TRIES {
        let shows_each_name = |list: &Snapshot| list.coverage() != Coverage::Partial;
        if connection.inventory.with(shows_each_name) == Some(true) {
            return Ok(Connected { connection, object });
        }
        if let Some(Err(error)) = connection.inventory.sweep(LIST_PATIENCE).await {
            return Err(format!("The user list of Portal {key} cannot be read: {error}"));
        }
    }
    Err(format!("The user list of Portal {key} changes while it is read, so it is not complete. Try again"))
}

/// The id of the user that is named by its id or by its name.
fn find(list: &Snapshot, named: &str) -> Result<UserId, String> {
    let id = UserId::new(named);
    if list.get(&id).is_some() {
        return Ok(id);
    }
    let with_name: Vec<&UserId> = list.with_name(named).collect();
    match with_name.as_slice() {
        [id] if list.is_complete() => Ok((*id).clone()),
        [_] => {
            Err(format!("The list may hide other users with the name \"{named}\". Name the user by its id"))
        }
        [] => Err(format!("The portal shows this company no user with the id or the name \"{named}\"")),
        several => {
            let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
            Err(format!(
                "{} users have the name \"{named}\": {}. Name one by its id",
                ids.len(),
                ids.join(", ")
            ))
        }
    }
}

async fn details(connection: &Connection, id: &UserId) -> Result<UserDetails, String> {
    match connection.portal.details(id, Lane::Interactive).await {
        Ok(details) => Ok(details),
        Err(PortalError::ClientMissing) => Err(format!(
            "The client of user {id} is missing in the identity provider, so the user can be neither used nor deleted"
        )),
        Err(error) => Err(format!("User {id} cannot be read: {error}")),
    }
}
