//! The status of a Portal, written where it changed. Those who retain users add them to its list, too.

mod can_delete;
mod conditions;
mod differences;
mod logins;
pub mod notices;

use std::sync::Arc;
use std::time::Duration;

use kube::Api;
use kube::Resource as _;
use kube::api::Patch;
use serde_json::json;

use super::check::{Checked, Shown};
use super::logins::login_secret;
use super::users_of;
use crate::api::bounds::Bounded as _;
use crate::api::conditions::READY;
use crate::api::portal::{Company, OfferedRole, PermissionsFound, PortalSpec, PortalStatus};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, lenient, part};
use crate::controller::portal::connections::{Connection, ConnectionState};
use crate::controller::portal::inventory::Inventory;
use crate::controller::status::grace;
use crate::controller::status::merge_patch;
use crate::controller::writes;
use crate::domain::blocker::Blocker;
use crate::domain::inventory::{Coverage, Snapshot};
use crate::domain::reason::Reason;
use crate::domain::user::RoleKind;
use crate::k8s::stored::StoredObject;
use can_delete::CanDelete;
use conditions::{conditions, standing_in_the_way};

/// How often a status is tried to be written …
const WRITE_TRIES: u32 = 5;
/// … and the wait between the tries, longer each time.
const WRITE_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Writes what a check of the portal found; whether anything changed.
pub async fn write(
    ctx: &Context,
    key: &Key,
    object: &StoredObject,
    checked: Result<Checked, Blocker>,
    leaving: Option<Blocker>,
) -> Result<bool, KubeError> {
    if checked.is_ok() {
        ctx.portal_memory.waiting.forget(key);
    }
    let checked = checked.map_err(|blocker| within_grace(ctx, key, object, blocker));
    let spec = part::<PortalSpec>(object, "spec").ok();
    let checked = checked.map_err(|blocker| login_secret::named(blocker, spec.as_ref()));
    let (mut before, mut tries) = (object.clone(), 1);
    loop {
        // The generation that was checked, whatever the object's is meanwhile.
        before.metadata.generation = object.metadata.generation;
        match write_over(ctx, key, &before, &checked, leaving.as_ref()).await {
            // Mostly a resource's entry in the list of retained users: no reason to read the portal a second time.
            Err(KubeError::Conflict) if tries < WRITE_TRIES => {
                tries += 1;
                tokio::time::sleep(ctx.process.random.spread(WRITE_AGAIN_AFTER * tries)).await;
                let api: Api<StoredObject> =
                    Api::namespaced_with(ctx.client.clone(), &key.namespace, &ctx.portals.api);
                before = api.get(&key.name).await?;
            }
            ended => return ended,
        }
    }
}

/// Writes over a status that was read.
async fn write_over(
    ctx: &Context,
    key: &Key,
    object: &StoredObject,
    checked: &Result<Checked, Blocker>,
    leaving: Option<&Blocker>,
) -> Result<bool, KubeError> {
    let old: PortalStatus = lenient(object, "status");
    let mut new = old.clone();
    new.observed_generation = object.metadata.generation;
    let leaving = leaving.cloned();
    let spec = part::<PortalSpec>(object, "spec").ok();
    logins::record(&mut new, ctx.portal_memory.logins.of(key).as_ref(), ctx.process.clock.now());
    let mut notices = notices::wanted(ctx, key, spec.as_ref());
    new.missing_users = missing_users(&old, inventory(ctx, key, checked).as_deref());
    let blocker = match checked {
        // What was found before a restart holds until the list was read.
        Ok(Checked { connection, .. })
            if !connection.inventory.is_judged() && is_ready_because(&old, Reason::UsersVanished) =>
        {
            return Ok(false);
        }
        Ok(Checked { connection, leftovers, dataspace, .. }) => {
            found(&mut new, connection);
            shown(&old, &mut new, dataspace.as_ref());
            notices.extend(differences::wanted(&old.conditions, &new, Some(connection), spec.as_ref()));
            if let Some(leftovers) = leftovers {
                leftovers.list(&mut new);
                count(ctx, key, connection, &mut new);
            }
            let suspended = spec.as_ref().is_some_and(|spec| spec.suspend.unwrap_or(false));
            let blocker = leaving.or_else(|| standing_in_the_way(connection, suspended, new.missing_users));
            new.conditions = conditions(
                &old,
                blocker.as_ref(),
                CanDelete::of(&connection.login, &connection.capabilities.permissions),
                &notices,
                &new,
                ctx.process.clock.now(),
            );
            blocker
        }
        Err(failure) => {
            let blocker = leaving.unwrap_or_else(|| failure.clone());
            notices.extend(differences::wanted(&old.conditions, &new, None, spec.as_ref()));
            new.conditions = conditions(
                &old,
                Some(&blocker),
                CanDelete::after(failure),
                &notices,
                &new,
                ctx.process.clock.now(),
            );
            Some(blocker)
        }
    };
    let new = new.bounded();
    let values = [&old, &new].map(|status| serde_json::to_value(status).unwrap_or_default());
    let Some(difference) = merge_patch::difference(&values[0], &values[1]) else { return Ok(false) };
    let api: Api<StoredObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, &ctx.portals.api);
    let body =
        json!({ "metadata": { "resourceVersion": object.metadata.resource_version }, "status": difference });
    api.patch_status(&key.name, &writes::patch(), &Patch::Merge(&body)).await?;
    announce(ctx, object, &old, blocker.as_ref());
    notices::announce(ctx, object, &old.conditions, &new.conditions);
    Ok(true)
}

fn is_ready_because(status: &PortalStatus, reason: Reason) -> bool {
    status.conditions.iter().any(|c| c.type_ == READY && c.reason == reason.as_str())
}

/// What another object may still bring is not `Stalled` at first.
fn within_grace(ctx: &Context, key: &Key, object: &StoredObject, blocker: Blocker) -> Blocker {
    let old: PortalStatus = lenient(object, "status");
    let now = ctx.process.clock.now();
    let waiting = ctx.portal_memory.waiting.change(key, |since| {
        let waiting = grace::waiting(since, &object.metadata, &old.conditions, now);
        grace::remember(since, &waiting, Some(&blocker));
        waiting
    });
    Blocker { stalled: blocker.stalled && waiting.left(&blocker).is_none(), ..blocker }
}

fn announce(ctx: &Context, object: &StoredObject, old: &PortalStatus, blocker: Option<&Blocker>) {
    let Some(blocker) = blocker else { return };
    let before = old.conditions.iter().find(|c| c.type_ == READY).map(|c| c.reason.as_str());
    if before != Some(blocker.reason.as_str()) {
        let reference = object.object_ref(&ctx.portals.api);
        ctx.events.warning(reference, blocker.reason.as_str(), "Reconcile", &blocker.message);
    }
}

fn found(status: &mut PortalStatus, connection: &Connection) {
    // Where the login has several companies, the one that it had before is kept.
    if connection.company.is_some() || connection.login.companies.is_empty() {
        status.company = connection.company.clone().map(|bpn| Company { bpn });
    }
    status.version = Some(connection.capabilities.version.to_owned());
    let permissions = connection.login.permissions;
    let known_before = status.permissions.is_some_and(|found| found.delete);
    status.permissions = Some(PermissionsFound {
        view: permissions.view,
        create: permissions.create,
        delete: if connection.login.deletion_trouble.is_some() { known_before } else { permissions.delete },
        roles: permissions.roles,
    });
    status.roles = connection
        .roles
        .iter()
        .map(|role| OfferedRole {
            name: role.name.clone(),
            kind: match role.kind {
                RoleKind::Internal => "Internal".to_owned(),
                RoleKind::External => "External".to_owned(),
            },
            provider_only: role.provider_only,
        })
        .collect();
    status.roles.sort_by(|a, b| a.name.cmp(&b.name));
}

/// The values of the data space. Those of before hold where the portal was not asked, or did not answer, for the same company.
fn shown(old: &PortalStatus, new: &mut PortalStatus, shown: Option<&Shown>) {
    new.dataspace = match shown {
        Some(Shown::Values(values)) => Some(values.clone().into()),
        Some(Shown::Nothing) => None,
        None => old.dataspace.clone().filter(|_| old.company == new.company),
    };
}

/// Counts resources and users, once for each reading of the list. A list that changed while it was read counts no user.
fn count(ctx: &Context, key: &Key, connection: &Connection, status: &mut PortalStatus) {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    status.technical_users = Some(number(users_of(ctx, key).len()));
    let listed = |list: &Snapshot| (list.coverage() != Coverage::Partial).then(|| list.len());
    status.users = connection.inventory.with(listed).flatten().map(number).or(status.users);
}

/// The user list of the login that works, or that worked last.
fn inventory(ctx: &Context, key: &Key, checked: &Result<Checked, Blocker>) -> Option<Arc<Inventory>> {
    if let Ok(Checked { connection, .. }) = checked {
        return Some(Arc::clone(&connection.inventory));
    }
    match ctx.connections.get(key)? {
        ConnectionState::Up(connection) | ConnectionState::Down(_, Some(connection)) => {
            Some(connection.inventory)
        }
        ConnectionState::Down(_, None) => None,
    }
}

/// How many users are missing at once, by the list; what was found before holds until one was judged.
fn missing_users(old: &PortalStatus, inventory: Option<&Inventory>) -> Option<i64> {
    match inventory.filter(|inventory| inventory.is_judged()) {
        Some(inventory) => {
            inventory.mass_disappearance().map(|count| i64::try_from(count).unwrap_or(i64::MAX))
        }
        None => old.missing_users,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspicion_is_kept_while_no_list_can_be_read() {
        let suspected = PortalStatus { missing_users: Some(5), ..PortalStatus::default() };
        assert_eq!(missing_users(&suspected, None), Some(5), "the portal fails, or this process restarted");
        assert_eq!(missing_users(&PortalStatus::default(), None), None);
    }

    #[test]
    fn only_ready_says_why_a_portal_is_not_ready() {
        let status = |type_: &str, reason: &str| -> PortalStatus {
            let condition = json!({
                "type": type_, "status": "False", "reason": reason, "message": "",
                "lastTransitionTime": "2026-11-26T12:00:00Z",
            });
            serde_json::from_value(json!({"conditions": [condition]})).unwrap()
        };
        assert!(is_ready_because(&status("Ready", "UsersVanished"), Reason::UsersVanished));
        assert!(!is_ready_because(&status("Ready", "LoginRefused"), Reason::UsersVanished));
        assert!(!is_ready_because(&status("Stalled", "UsersVanished"), Reason::UsersVanished));
        assert!(!is_ready_because(&PortalStatus::default(), Reason::UsersVanished));
    }
}
