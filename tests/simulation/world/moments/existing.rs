//! Users that people created at the portal: what the operator does with them, whatever the list shows of them. A user that is
//! selected by its name is found by a list that shows every user, unless the status names it already; and while such a list shows a
//! second user of the name, nothing of either is written.

use portal_simulator::{Status, UserView};
use serde_json::Value;
use uuid::Uuid;

use super::secrets::owner;
use super::{Known, Moments, State};
use crate::apiserver::{ADMIN, Change};

/// What selects the user of a resource; `None` for one that creates its user.
pub fn selector(object: &Value) -> Option<&Value> {
    let selector = &object["spec"]["user"]["existing"];
    selector.is_object().then_some(selector)
}

/// What selects the user that a resource takes over.
pub fn adopts(object: &Value) -> Option<&Value> {
    let selector = &object["spec"]["user"]["create"]["adopt"];
    selector.is_object().then_some(selector)
}

/// Whether a user has what selects it. All users of an offer have its name.
pub fn is_selected(selector: &Value, user: &UserView) -> bool {
    let (offer, role) = (&selector["offer"], &selector["role"]);
    let is_of_offer = |(_, subscription): (Uuid, Uuid)| {
        offer["name"] == *user.name
            && (offer["subscriptionId"].is_null() || offer["subscriptionId"] == subscription.to_string())
            && (role.is_null() || user.roles.iter().any(|own| *role == **own))
    };
    selector["id"] == user.id.to_string()
        || selector["name"] == *user.name
        || user.client_id.as_ref().is_some_and(|id| selector["clientId"] == **id)
        || user.offer.is_some_and(is_of_offer)
}

/// Whether a list is needed to say which user is selected.
fn is_by_list(selector: &Value) -> bool {
    selector["name"].is_string() || selector["offer"].is_object()
}

impl Moments {
    /// The resource whose mark a user had first.
    pub fn owner_of(&self, id: Uuid) -> Option<String> {
        self.0.state.lock().users.get(&id).and_then(|user| user.owner.clone())
    }

    /// A process has written a Secret of a resource.
    pub(super) fn existing_published(
        &self,
        state: &mut State,
        caller: &str,
        client_id: &str,
        change: &Change,
    ) {
        let object = owner(&change.after).and_then(|owner| self.technical_user(owner)).unwrap_or_default();
        let same = change.before.as_ref().is_some_and(|before| before["data"] == change.after["data"]);
        let Some(selector) = selector(&object).filter(|_| !same) else { return };
        let of = |user: &&Known| user.view.client_id.as_deref() == Some(client_id);
        let user = state.users.values().filter(of).find(|user| is_selected(selector, &user.view));
        let id = user.map(|user| user.view.id);
        let other = id.is_none().then(|| format!("{} gets client {client_id}", change.id.name));
        self.check(state, "an existing user is published where it is selected", other);
        if let (Some(id), Some(selector)) = (id, Some(selector).filter(|selector| is_by_list(selector))) {
            let is_named = object["status"]["user"]["id"] == id.to_string();
            // The published user of an offer stays, whatever other users appear.
            if is_named && selector["offer"].is_object() && object["status"]["credential"].is_object() {
                return;
            }
            let broken = unproved(state, caller, (selector, id), is_named)
                .map(|why| format!("the Secret {} gets client {client_id}: {why}", change.id.name));
            self.check(state, "a name selects a user by a complete list that shows no other one", broken);
        }
    }

    /// A process has written a resource, perhaps the user that its name selects.
    pub(super) fn existing_named(&self, state: &mut State, caller: &str, change: &Change) {
        let id = |object: &Value| object["status"]["user"]["id"].as_str()?.parse::<Uuid>().ok();
        let (before, after) = (change.before.as_deref().and_then(id), id(&change.after));
        // One with a mark is a later one, or was taken over before.
        let is_unmarked = |id: &Uuid| state.users.get(id).is_some_and(|user| user.owner.is_none());
        let adopted =
            adopts(&change.after).filter(|_| before.is_none() && after.as_ref().is_some_and(is_unmarked));
        let selector = selector(&change.after).or(adopted).filter(|selector| is_by_list(selector));
        let after = after.filter(|_| before != after && caller != ADMIN);
        let (Some(selector), Some(after)) = (selector, after) else {
            return;
        };
        let published = before
            .filter(|_| change.before.as_ref().is_some_and(|of| of["status"]["credential"].is_object()));
        let stays = selector["offer"].is_object() && selector["offer"]["subscriptionId"].is_null();
        let other = published.filter(|_| stays).map(|before| {
            format!("the status of {} names user {after}, and {before} was published", change.id.name)
        });
        self.check(
            state,
            "the published user of an offer stays, or another one of its subscription follows",
            other,
        );
        let broken = unproved(state, caller, (selector, after), false)
            .map(|why| format!("the status of {} names user {after}: {why}", change.id.name));
        self.check(state, "a name selects a user by a complete list that shows no other one", broken);
    }
}

/// Why a process may not select a user by its name or its offer, by what the list has shown to it.
fn unproved(state: &State, process: &str, (selector, id): (&Value, Uuid), is_named: bool) -> Option<String> {
    let is_there = |id: &Uuid| state.users.get(id).is_some_and(|user| user.view.status != Status::Deleted);
    let lists = state.lists.of(process, state.paused.shortly());
    let role = selector["role"].as_str();
    let has_role =
        |id: &Uuid| role.is_none_or(|role| state.users.get(id).is_some_and(|user| user.roles.contains(role)));
    let fits = |other: &Uuid| other == &id || is_there(other) && has_role(other);
    let shown = |at: usize| lists[at].selected(selector).filter(fits).collect::<Vec<_>>();
    let proves = |at: usize| {
        let shown = shown(at);
        if lists[at].is_complete { shown == [id] } else { is_named && shown.iter().all(|other| *other == id) }
    };
    (!(0..lists.len()).any(proves)).then(|| {
        let lists: Vec<_> = (0..lists.len()).map(|at| (lists[at].is_complete, shown(at))).collect();
        format!("its lists, whether each is complete, and who fits {selector} there: {lists:?}")
    })
}
