//! Keeps the list of retained users of a Portal a view of the portal: users that the portal no longer knows leave it, users
//! whose mark was seen join it while there is room.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::api::portal::{FOUND_BY_MARK, PortalStatus, RETAINED_LIMIT, RetainedUser};
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::{Context, Installation};
use crate::controller::objects::{Key, is_deleting, lenient};
use crate::controller::portal::connections::Connection;
use crate::controller::portal::inventory::Inventory;
use crate::controller::technical_user::owner;
use crate::domain::address;
use crate::domain::identity::Mark;
use crate::domain::inventory::Snapshot;
use crate::domain::plan::LEFT_FOR_SUCCESSOR;
use crate::domain::user::{ListedUser, UserId, UserStatus};
use crate::portal::{Lane, PortalError};
use crate::process::{Process, Random};

/// The most entries that one sweep asks the portal about.
const READS_PER_SWEEP: usize = 5;

/// What a sweep found out about retained users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetainedChanges {
    /// The ids that the portal no longer knows.
    gone: BTreeSet<String>,
    /// The entries of users that a resource has taken over. One that is added meanwhile is another entry.
    used: Vec<RetainedUser>,
    /// Users that bear the mark of a retained user.
    found: Vec<RetainedUser>,
}

impl RetainedChanges {
    /// A user that a resource has taken over is retained no more. The mark proves that it has. One that is listed because it could not be
    /// deleted for its successor has the mark as well.
    pub fn are_used_again(&mut self, ctx: &Context, inventory: &Inventory, portal: &PortalStatus) {
        for object in ctx.caches.all_users().filter(|object| !is_deleting(object)) {
            let status: TechnicalUserStatus = lenient(&object, "status");
            let Some(id) = status.user.map(|user| UserId::new(&user.id)) else { continue };
            let of = owner(ctx, &Key::of(&object));
            let is_its = |mark: &Mark| mark.is_of(&of) && !mark.retained;
            if inventory.mark(&id).flatten().as_ref().is_some_and(is_its) {
                let is_it =
                    |user: &&RetainedUser| user.id == id.as_str() && user.reason != LEFT_FOR_SUCCESSOR;
                self.used.extend(portal.retained.iter().filter(is_it).cloned());
            }
        }
    }

    /// Applies the changes to the list.
    pub fn apply(&self, status: &mut PortalStatus) {
        status.retained.retain(|user| !self.gone.contains(&user.id) && !self.used.contains(user));
        for user in &self.found {
            let listed = status.retained.iter().any(|listed| listed.id == user.id);
            if !listed && status.retained.len() < RETAINED_LIMIT {
                status.retained.push(user.clone());
            }
        }
        if status.retained.len() < RETAINED_LIMIT {
            status.retained_omitted = None;
        }
    }
}

/// Compares the list with the portal. Only the details of an id prove that it is gone; a few of those that the user list
/// does not show are read per sweep, chosen at random so that each has its turn.
pub async fn compare(
    process: &Process,
    installation: &Installation,
    connection: &Connection,
    status: &PortalStatus,
) -> RetainedChanges {
    let judge = |list: &Snapshot| (absent(connection, status, list), unlisted(status, list));
    let (absent, unlisted) = connection.inventory.with(judge).unwrap_or_default();
    RetainedChanges {
        gone: gone(connection, absent, &process.random).await,
        found: found(installation, connection, status, unlisted, process.clock.now()),
        used: Vec::new(),
    }
}

/// The ids that a list which shows every user does not show as usable.
fn absent(connection: &Connection, status: &PortalStatus, list: &Snapshot) -> Vec<UserId> {
    if !list.is_complete() {
        return Vec::new();
    }
    let here = status.retained.iter().filter(|user| is_in_this_portal(user, connection, status));
    let ids = here.map(|user| UserId::new(&user.id));
    ids.filter(|id| {
        list.get(id).is_none_or(|user| matches!(user.status, UserStatus::Deleted | UserStatus::Inactive))
    })
    .collect()
}

async fn gone(connection: &Connection, mut absent: Vec<UserId>, random: &Random) -> BTreeSet<String> {
    let mut gone = BTreeSet::new();
    if connection.inventory.mass_disappearance().is_some() {
        return gone;
    }
    random.shuffle(&mut absent);
    for id in absent.into_iter().take(READS_PER_SWEEP) {
        match connection.portal.details(&id, Lane::Background).await {
            Err(PortalError::NotFound) => {
                gone.insert(id.to_string());
            }
            // Such a portal answers so for a deleted user; that its list does not show it decides.
            Err(PortalError::ClientMissing) if !connection.capabilities.reports_deleted => {
                gone.insert(id.to_string());
            }
            Ok(_) | Err(PortalError::ClientMissing) => {}
            // The portal fails: the next sweep continues.
            Err(_) => break,
        }
    }
    gone
}

/// A portal answers 404 for ids of other portals and companies, too. An entry of an earlier release does not name them; it
/// belongs to the company that the status named last.
fn is_in_this_portal(user: &RetainedUser, connection: &Connection, status: &PortalStatus) -> bool {
    let is_ours = |bpn: Option<&String>| {
        bpn.map_or(connection.login.companies.is_empty(), |bpn| connection.login.companies.contains(bpn))
    };
    match &user.url {
        Some(url) => address::portal(url) == connection.url && is_ours(user.bpn.as_ref()),
        None => is_ours(status.company.as_ref().map(|company| &company.bpn)),
    }
}

/// Users with a name of our form that are not in the list.
fn unlisted(status: &PortalStatus, list: &Snapshot) -> Vec<ListedUser> {
    if status.retained.len() >= RETAINED_LIMIT {
        return Vec::new();
    }
    let listed: BTreeSet<&str> = status.retained.iter().map(|user| user.id.as_str()).collect();
    list.of_our_form()
        .map(|(_, user)| user)
        .filter(|user| matches!(user.status, UserStatus::Active | UserStatus::Pending))
        .filter(|user| !listed.contains(user.id.as_str()))
        .cloned()
        .collect()
}

/// Those of them that are known to bear the mark of a retained user.
fn found(
    installation: &Installation,
    connection: &Connection,
    status: &PortalStatus,
    unlisted: Vec<ListedUser>,
    now: Timestamp,
) -> Vec<RetainedUser> {
    let room = RETAINED_LIMIT.saturating_sub(status.retained.len());
    let entry = |user: ListedUser| {
        let mark = connection.inventory.mark(&user.id).flatten()?;
        let ours = mark.retained
            && !mark.login
            && mark.owner.instance == installation.instance
            && mark.hint == installation.hint;
        ours.then(|| RetainedUser {
            id: user.id.to_string(),
            client_id: user.client_id,
            name: Some(user.name),
            technical_user: format!("{}/{}", mark.owner.namespace, mark.owner.name),
            reason: FOUND_BY_MARK.to_owned(),
            since: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            url: Some(connection.url.clone()),
            bpn: connection.company.clone(),
        })
    };
    unlisted.into_iter().filter_map(entry).take(room).collect()
}

#[cfg(test)]
mod tests;
