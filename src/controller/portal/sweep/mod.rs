//! One reading of a portal's user list, and what it means for the `TechnicalUser`s of the Portal.

pub mod listener;
mod vanished;

use std::sync::Arc;

use serde_json::Value;

use crate::api::technical_user::{TechnicalUserSpec, TechnicalUserStatus};
use crate::controller::context::Context;
use crate::controller::objects::{Key, lenient, part};
use crate::controller::technical_user::{is_ready, owner};
use crate::controller::users::CachedUser;
use crate::domain::address;
use crate::domain::inventory::Changes;
use crate::domain::user::UserId;
use crate::k8s::stored::StoredObject;

/// The resources that use a Portal, as the cache shows them.
#[must_use]
pub fn users_of(ctx: &Context, key: &Key) -> Vec<Arc<CachedUser>> {
    ctx.caches.users.all().into_iter().filter(|user| user.portal() == Some(key)).collect()
}

/// Which Portal a resource uses: by its status, else by its spec.
#[must_use]
pub fn portal_of(object: &StoredObject) -> Option<Key> {
    let status: TechnicalUserStatus = lenient(object, "status");
    if let Some(portal) = status.portal.filter(|portal| !portal.name.is_empty()) {
        return Some(Key { namespace: portal.namespace, name: portal.name });
    }
    portal_named_by(object)
}

/// Which Portal the spec of a resource names. The rest of the spec need not parse.
#[must_use]
pub fn portal_named_by(object: &StoredObject) -> Option<Key> {
    let reference: Value = object.at("/spec/portalRef")?;
    let text = |field: &str| reference.get(field).and_then(Value::as_str).map(str::to_owned);
    let namespace = text("namespace").or_else(|| object.metadata.namespace.clone())?;
    Some(Key { namespace, name: text("name")? })
}

/// Wakes the resources whose users changed.
pub fn wake_changed(ctx: &Context, key: &Key, changes: &Changes) {
    if changes.users.is_empty() {
        return;
    }
    for cached in users_of(ctx, key) {
        let (object, resource) = (cached.open(), cached.key());
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
fn selects_by_list(object: &StoredObject) -> bool {
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
pub fn is_pinned_to(object: &StoredObject, origin: &ListOrigin) -> bool {
    let status: TechnicalUserStatus = lenient(object, "status");
    status.portal.is_none_or(|pin| {
        let same_company = pin.bpn.is_none_or(|bpn| origin.companies.contains(&bpn));
        pin.url.is_empty() || (address::portal(&pin.url) == origin.url && same_company)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::test_support::apiserver::{Apiserver, context, technical_user, watch_users};

    /// A resource of the Portal, with this status and this user of its spec.
    fn of_portal(name: &str, user: &Value, status: &Value) -> Value {
        let spec = json!({"portalRef": {"name": "portal", "namespace": "ops"}, "user": user});
        technical_user(name, &json!({"spec": spec, "status": status}))
    }

    #[tokio::test]
    async fn a_change_of_the_list_concerns_who_has_the_user_or_may_have_it() {
        let create = json!({"create": {"roles": ["r"]}});
        let existing = json!({"existing": {"name": "by-hand"}});
        let with_user = |id: &str, ready: &str| {
            let ready = json!([{
                "type": "Ready", "status": ready, "reason": "x", "message": "",
                "lastTransitionTime": "2026-11-26T12:00:00Z",
            }]);
            json!({"user": {"id": id, "name": "n", "clientId": "c", "kind": "Internal"}, "conditions": ready})
        };
        let mut ctx = context(Apiserver::default().client());
        let mut woken = watch_users(
            &mut ctx,
            [
                of_portal("changed", &create, &with_user("u1", "True")),
                of_portal("named", &create, &json!({})),
                of_portal("other", &create, &with_user("u2", "False")),
                of_portal("selects", &existing, &json!({})),
                of_portal("selects-in-trouble", &existing, &with_user("u3", "False")),
                of_portal("selects-ready", &existing, &with_user("u4", "True")),
                technical_user(
                    "elsewhere",
                    &json!({"spec": {"portalRef": {"name": "another"}, "user": existing}}),
                ),
            ],
        );
        let key = Key { namespace: "ops".into(), name: "portal".into() };
        wake_changed(&ctx, &key, &Changes::default());
        assert!(woken.try_recv().is_err());
        let prefix = owner(&ctx, &Key { namespace: "connector".into(), name: "named".into() }).name_prefix();
        let users = [UserId::new("u1")].into();
        wake_changed(&ctx, &key, &Changes { users, prefixes: [prefix].into() });
        let woken = std::iter::from_fn(|| woken.try_recv().ok()).map(|key| key.name).collect::<Vec<_>>();
        assert_eq!(woken, ["changed", "named", "selects", "selects-in-trouble"]);
    }
}
