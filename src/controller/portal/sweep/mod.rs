//! One reading of a portal's user list, and what it means for the `TechnicalUser`s of the Portal.

pub mod listener;
mod vanished;

use std::sync::Arc;

use kube::api::DynamicObject;

use crate::api::technical_user::{TechnicalUserSpec, TechnicalUserStatus};
use crate::controller::context::Context;
use crate::controller::objects::{Key, lenient, part};
use crate::controller::technical_user::{is_ready, owner};
use crate::domain::address;
use crate::domain::inventory::Changes;
use crate::domain::user::UserId;

/// The resources that use a Portal, as the cache shows them.
#[must_use]
pub fn users_of(ctx: &Context, key: &Key) -> Vec<Arc<DynamicObject>> {
    ctx.caches.all_users().into_iter().filter(|object| portal_of(object).as_ref() == Some(key)).collect()
}

/// Which Portal a resource uses: by its status, else by its spec.
#[must_use]
pub fn portal_of(object: &DynamicObject) -> Option<Key> {
    let status: TechnicalUserStatus = lenient(object, "status");
    if let Some(portal) = status.portal.filter(|portal| !portal.name.is_empty()) {
        return Some(Key { namespace: portal.namespace, name: portal.name });
    }
    let reference = object.data.get("spec")?.get("portalRef")?;
    let text = |field: &str| reference.get(field).and_then(serde_json::Value::as_str).map(str::to_owned);
    let namespace = text("namespace").or_else(|| object.metadata.namespace.clone())?;
    Some(Key { namespace, name: text("name")? })
}

/// Wakes the resources whose users changed.
pub fn wake_changed(ctx: &Context, key: &Key, changes: &Changes) {
    if changes.users.is_empty() {
        return;
    }
    for object in users_of(ctx, key) {
        let resource = Key::of(&object);
        let status: TechnicalUserStatus = lenient(&object, "status");
        let user = status.user.as_ref().map(|user| UserId::new(&user.id));
        let concerned = user.as_ref().is_some_and(|id| changes.users.contains(id))
            || changes.prefixes.contains(&owner(ctx, &resource).name_prefix())
            || ((user.is_none() || !is_ready(&status)) && selects_by_list(&object));
        if concerned {
            ctx.wake(&resource);
        }
    }
}

/// Whether its user is one that the operator did not create, so that no name shows which change of the list concerns it.
fn selects_by_list(object: &DynamicObject) -> bool {
    part::<TechnicalUserSpec>(object, "spec").is_ok_and(|spec| {
        spec.user.existing.is_some() || spec.user.create.is_some_and(|create| create.adopt.is_some())
    })
}

/// Which portal and company a list is of.
pub struct ListOrigin {
    /// The address of the portal, in one spelling.
    pub url: String,
    /// The companies of the login.
    pub companies: Vec<String>,
}

/// Whether a resource's status speaks of the portal and company that a connection leads to: where a Portal leads elsewhere
/// now, its users are missing for that reason.
pub fn is_pinned_to(object: &DynamicObject, origin: &ListOrigin) -> bool {
    let status: TechnicalUserStatus = lenient(object, "status");
    status.portal.is_none_or(|pin| {
        let same_company = pin.bpn.is_none_or(|bpn| origin.companies.contains(&bpn));
        pin.url.is_empty() || (address::portal(&pin.url) == origin.url && same_company)
    })
}
