//! The users of the last snapshot of the portal's list that concern a resource.

use crate::api::portal::{PortalStatus, RETAINED_LIMIT};
use crate::controller::portal::connections::Connection;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::identity::Owner;
use crate::domain::inventory::Snapshot;
use crate::domain::ownership;
use crate::domain::plan::{Confirmed, Desired, Listed, Named, OfferSelector, Selection, Selector, Users};
use crate::domain::user::{ListedUser, Ownership, UserId, UserStatus};

/// What the last snapshot says of the resource's users.
pub(super) fn see_inventory(reconcile: &mut Reconcile, portal_status: Option<&PortalStatus>) {
    let o = &mut reconcile.observation;
    let recorded = o.recorded.user.as_ref().map(|user| user.id.clone());
    let by_status = reconcile.status.user.as_ref().and_then(|user| user.client_id.clone());
    if let (Some(id), Some(client)) = (&recorded, by_status) {
        o.users.entry(id).client_ids.insert(client);
    }
    let Some(connection) = &reconcile.connection else { return };
    if let Some(id) = &recorded {
        see_client_id(&mut o.users, connection, id);
    }
    let name = reconcile.status.user.as_ref().map(|user| user.name.clone()).unwrap_or_default();
    let selector = match &o.desired {
        Desired::Existing { selector } => Some(selector),
        // Only until the status names the user.
        Desired::Create(desired) => desired.adopt.as_ref().filter(|_| recorded.is_none()),
    };
    let owner = &o.owner;
    let seen = |list: &Snapshot| Seen {
        listed: recorded.as_ref().map_or(Listed::Unknown, |id| listed(list, id, &name)),
        name: recorded.as_ref().and_then(|id| Some(list.get(id)?.name.clone())),
        named: list.named_for(owner).into_iter().cloned().collect(),
        selected: selector.map(|selector| select(list, selector)),
    };
    let Some(seen) = connection.inventory.with(seen) else { return };
    if let Some(id) = &recorded {
        o.users.entry(id).listed = seen.listed;
    }
    let generation = o.recorded_generation();
    o.name_doubted = generation > 0 && seen.name.is_some_and(|name| !o.is_named(&name, generation));
    if let Some((selected, selection)) = seen.selected {
        for id in &selected {
            see_client_id(&mut o.users, connection, id);
        }
        o.users.select_only(selected);
        o.selection = selection;
    }
    let retained: Vec<&str> =
        portal_status.iter().flat_map(|status| &status.retained).map(|user| user.id.as_str()).collect();
    // Where the list is full, an entry would only push another one out, which would be listed again, and so on.
    let full = retained.len() >= RETAINED_LIMIT;
    for user in &seen.named {
        let listed_as_retained = full || retained.contains(&user.id.as_str());
        o.users.entry(&user.id).named =
            Some(named(connection, &o.owner, generation, user, listed_as_retained));
    }
}

fn see_client_id(users: &mut Users, connection: &Connection, id: &UserId) {
    if let Some(client) = connection.inventory.get(id).and_then(|user| user.client_id) {
        users.entry(id).client_ids.insert(client);
    }
}

/// What the list shows of a resource.
struct Seen {
    listed: Listed,
    /// The name of the recorded user.
    name: Option<String>,
    named: Vec<ListedUser>,
    selected: Option<(Vec<UserId>, Selection)>,
}

fn listed(list: &Snapshot, id: &UserId, name: &str) -> Listed {
    match list.get(id) {
        Some(user) => Listed::There(user.status),
        None if list.misses(id, name) => Listed::Missing,
        None => Listed::Unknown,
    }
}

/// The users that `existing` selects. An id needs no list; equal names may hide users of a name, client ID or offer.
fn select(list: &Snapshot, selector: &Selector) -> (Vec<UserId>, Selection) {
    let selected = match selector {
        Selector::Id(id) => return (vec![id.clone()], Selection::Certain),
        Selector::ClientId(client_id) => list.with_client_id(client_id).cloned().collect(),
        Selector::Name(name) => list.with_name(name).cloned().collect(),
        Selector::Offer(wanted) => of_offer(list, wanted),
    };
    let selection = match (list.is_complete(), selector) {
        (true, _) => Selection::Certain,
        (false, Selector::ClientId(_)) => Selection::Narrows,
        (false, _) => Selection::Uncertain,
    };
    (selected, selection)
}

/// The users of an offer. Those of a subscription that has ended stay in the list, and do not count beside others.
fn of_offer(list: &Snapshot, wanted: &OfferSelector) -> Vec<UserId> {
    // The provider of an offer may own users in the subscriptions of its customers.
    let is_own =
        |user: &&ListedUser| wanted.subscription.is_some() || user.ownership != Ownership::ProviderOwned;
    let of_offer = list.of_offer(&wanted.offer).filter(|user| wanted.fits(user.offer.as_deref()));
    let users: Vec<&ListedUser> = of_offer.filter(is_own).collect();
    let is_in_use = |user: &&&ListedUser| match user.status {
        UserStatus::Active | UserStatus::Pending | UserStatus::Other => true,
        UserStatus::PendingDeletion | UserStatus::Inactive | UserStatus::Deleted => false,
    };
    let in_use: Vec<UserId> = users.iter().filter(is_in_use).map(|user| user.id.clone()).collect();
    if in_use.is_empty() { users.into_iter().map(|user| user.id.clone()).collect() } else { in_use }
}

/// A user of our name, with what is remembered of its mark.
pub(in crate::controller::technical_user) fn named(
    connection: &Connection,
    owner: &Owner,
    recorded_generation: i64,
    user: &ListedUser,
    listed_as_retained: bool,
) -> Named {
    let mark = connection.inventory.mark(&user.id);
    let read = mark.as_ref().and_then(Option::as_ref);
    let shown = ownership::generation_shown(owner, &user.name, read, recorded_generation);
    let confirmed = match mark {
        None => Confirmed::Unread,
        Some(Some(mark)) if mark.is_of(owner) && mark.retained => Confirmed::Retained,
        Some(Some(mark)) if mark.is_of(owner) => Confirmed::Ours(mark.hint),
        Some(_) => Confirmed::Foreign,
    };
    Named {
        generation: shown.unwrap_or(0),
        status: user.status,
        kind: user.kind,
        client_id: user.client_id.clone(),
        confirmed,
        listed_as_retained,
    }
}
