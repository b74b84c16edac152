//! One check of a portal: whether the login works, who it is and what it sees, and the user list where that is due.

use std::sync::Arc;
use std::time::Duration;

use super::connect;
use super::leftovers::Leftovers;
use super::{logins, status, wake_all};
use crate::api::portal::{PortalSpec, PortalStatus};
use crate::controller::context::Context;
use crate::controller::objects::{Key, lenient, part};
use crate::controller::portal::connections::{Connection, ConnectionState};
use crate::controller::portal::logins::operator_logins::LoginPlace;
use crate::domain::blocker::Blocker;
use crate::domain::dataspace::DataspaceValues;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use crate::portal::Lane;
use crate::site::Site;

/// The longest wait of a reconcile for a sweep. The sweep continues, and wakes the Portal at its end.
const SWEEP_PATIENCE: Duration = Duration::from_mins(1);

/// What a check of the portal found.
pub struct Checked {
    /// The connection that works.
    pub connection: Connection,
    /// How long the sweep took; `None` while it is in progress, and if it is not due.
    pub swept: Option<Duration>,
    /// The users that no resource has, where they were looked for after the sweep.
    pub leftovers: Option<Leftovers>,
    /// What the portal shows of the data space, where it was asked.
    pub dataspace: Option<Shown>,
    /// The user list was not read: the check was requested before the next sweep is due.
    pub list_not_due: bool,
}

/// What a portal shows of the data space.
pub enum Shown {
    /// These values of the login's company.
    Values(DataspaceValues),
    /// Nothing to this login.
    Nothing,
}

/// Checks the portal, keeps the connection for those who use the Portal, and wakes them where it changed.
pub async fn check(
    ctx: &Arc<Context>,
    key: &Key,
    object: &StoredObject,
    sweep_is_due: bool,
) -> Result<Checked, Blocker> {
    let before = ctx.connections.get(key);
    let last = match &before {
        Some(ConnectionState::Up(connected)) => Some(connected.clone()),
        Some(ConnectionState::Down(_, connected)) => connected.clone(),
        None => None,
    };
    let was_up = matches!(before, Some(ConnectionState::Up(_)));
    match try_check(ctx, key, object, sweep_is_due).await {
        Ok(checked) => {
            let new = &checked.connection;
            let same = was_up
                && last.is_some_and(|last| {
                    // Another client may find other credentials in the same answers.
                    Arc::ptr_eq(&last.portal, &new.portal)
                        && last.pin == new.pin
                        && last.company == new.company
                        && last.token_url == new.token_url
                        && last.roles == new.roles
                        && last.login == new.login
                });
            ctx.connections.set(key, ConnectionState::Up(new.clone()));
            if !same {
                wake_all(ctx, key);
            }
            Ok(checked)
        }
        Err(blocker) => {
            // A client that serves another company by now cleans nothing up.
            let last =
                last.filter(|_| !matches!(ctx.connections.get(key), Some(ConnectionState::Down(_, None))));
            // A login whose company is in doubt cleans nothing up: what it is not shown may be there.
            let last = last.filter(|last| {
                !(blocker.reason.is_company_in_doubt() && ctx.connections.is_client(key, &last.portal))
            });
            ctx.connections.set(key, ConnectionState::Down(blocker.clone(), last));
            if was_up || before.is_none() {
                wake_all(ctx, key);
            }
            Err(blocker)
        }
    }
}

/// Reads the login Secrets of a Portal that leads to the same portal as another one, so that its logins are known there. It is not
/// connected.
pub async fn read_logins(ctx: &Arc<Context>, key: &Key, object: &StoredObject, other: &StoredObject) {
    let leads_there =
        place_of(object).is_some_and(|here| place_of(other).is_some_and(|there| here.is_same_portal(&there)));
    match part::<PortalSpec>(object, "spec") {
        Ok(spec) if leads_there => {
            // What cannot be read is missing among those that are known.
            let _ = connect::ingredients(ctx, key, object, &spec).await;
        }
        _ => logins::tried(ctx, key),
    }
}

/// Where the logins of a Portal lead to, by its spec.
pub fn place_of(portal: &StoredObject) -> Option<LoginPlace> {
    let site = Site::of(&part::<PortalSpec>(portal, "spec").ok()?)?;
    Some(LoginPlace::new(&site.url, &site.token_url))
}

async fn try_check(
    ctx: &Arc<Context>,
    key: &Key,
    object: &StoredObject,
    sweep_is_due: bool,
) -> Result<Checked, Blocker> {
    let spec: PortalSpec = part(object, "spec").map_err(|why| {
        logins::tried(ctx, key);
        Blocker::lasting(Reason::InvalidResource, format!("The Portal cannot be read: {why}"))
    })?;
    let ingredients = connect::ingredients(ctx, key, object, &spec).await?;
    let fingerprint = ingredients.fingerprint.clone();
    // The Secret is read often, the identity provider is not asked as often about the same login.
    if let Some(refused) = ctx.portal_memory.refused_logins.of(key, &fingerprint) {
        return Err(refused);
    }
    match connect_with(ctx, key, object, ingredients, sweep_is_due).await {
        Err(blocker) if blocker.reason == Reason::LoginRefused => {
            ctx.portal_memory.refused_logins.refused(key, &fingerprint, &blocker);
            Err(blocker)
        }
        Err(mut blocker) if blocker.reason == Reason::TlsFailed => {
            ctx.portal_memory.refused_logins.accepted(key);
            blocker.message = format!("{}; {}", blocker.message, status::notices::tls_hint(ctx, key));
            Err(blocker)
        }
        ended => {
            ctx.portal_memory.refused_logins.accepted(key);
            ended
        }
    }
}

/// Connects, or uses the connection that there is, and reads the user list where that is due.
async fn connect_with(
    ctx: &Arc<Context>,
    key: &Key,
    object: &StoredObject,
    ingredients: connect::Ingredients,
    sweep_is_due: bool,
) -> Result<Checked, Blocker> {
    let status: PortalStatus = lenient(object, "status");
    let last_known = status.company.as_ref().map(|company| company.bpn.as_str());
    let connection = connect::connect(ctx, key, ingredients, last_known).await?;
    if !sweep_is_due && connection.inventory.is_judged() && !connection.inventory.has_sweep() {
        return Ok(Checked { connection, swept: None, leftovers: None, dataspace: None, list_not_due: true });
    }
    let dataspace = dataspace(key, &connection).await;
    let Some(swept) = connection.inventory.sweep(SWEEP_PATIENCE).await else {
        return Ok(Checked { connection, swept: None, leftovers: None, dataspace, list_not_due: false });
    };
    let took = swept.map_err(|error| connect::blocker(&error, Some(&connection.capabilities.permissions)))?;
    Ok(Checked { connection, swept: Some(took), leftovers: None, dataspace, list_not_due: false })
}

/// Asks the portal for the values of the data space, where the token permits it. What was found before holds where it cannot be
/// read now.
async fn dataspace(key: &Key, connection: &Connection) -> Option<Shown> {
    if !connection.login.permissions.dataspace {
        return Some(Shown::Nothing);
    }
    let is_of_the_company =
        |company: Option<&String>| company.is_none_or(|company| connection.company.as_ref() == Some(company));
    match connection.portal.dataspace(Lane::Background).await {
        Ok(Some(shown)) if is_of_the_company(shown.company.as_ref()) => Some(Shown::Values(shown.values)),
        Ok(_) => Some(Shown::Nothing),
        Err(error) => {
            tracing::debug!(portal = %key, %error, "The values of the data space cannot be read now");
            None
        }
    }
}

#[cfg(test)]
mod tests;
