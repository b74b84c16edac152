//! Which resources count as users of a Portal. A finalizer, a `portalRef` and a status can be written by anybody who may
//! write `TechnicalUser`s in some namespace, so they alone prove nothing.

use std::collections::HashMap;
use std::sync::Arc;

use kube::Api;
use kube::api::{DynamicObject, ListParams};

use super::sweep::portal_of;
use crate::api::portal::{PortalSpec, PortalStatus};
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::inventory::Inventory;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, lenient, part, technical_users};
use crate::controller::registry::{Link, PortalKey};
use crate::controller::technical_user::{grants, owner};
use crate::domain::identity::Owner;
use crate::domain::inventory::Snapshot;

/// The resources that keep a Portal.
pub enum Holders {
    /// All of them.
    Seen(Vec<String>),
    /// Not all namespaces may be listed.
    Hidden {
        /// Which, in words.
        namespace: String,
        /// What the apiserver says.
        why: String,
    },
}

/// The resources that hold our finalizer and use the Portal, read from the apiserver.
pub async fn seen(ctx: &Context, key: &PortalKey, portal: &DynamicObject) -> Result<Holders, KubeError> {
    let mut access = Access::of(ctx, key, portal);
    let mut holders = Vec::new();
    for namespace in &ctx.watched {
        let api: Api<DynamicObject> = match namespace {
            Some(namespace) => Api::namespaced_with(ctx.client.clone(), namespace, &technical_users()),
            None => Api::all_with(ctx.client.clone(), &technical_users()),
        };
        let list = match api.list(&ListParams::default()).await.map_err(KubeError::from) {
            Ok(list) => list,
            Err(KubeError::Denied { message, .. }) => {
                let place = |name: &String| format!("namespace {name}");
                let namespace = namespace.as_ref().map_or_else(|| "all namespaces".to_owned(), place);
                return Ok(Holders::Hidden { namespace, why: message });
            }
            Err(error) => return Err(error),
        };
        for object in list.iter().filter(|object| has_finalizer(object)) {
            if portal_of(object).as_ref() == Some(key)
                && (access.serves(object).await || access.may_have_a_user(object))
            {
                holders.push(Key::of(object).to_string());
            }
        }
    }
    Ok(Holders::Seen(holders))
}

/// What tells the users of a Portal from resources that only name it.
pub struct Access<'a> {
    ctx: &'a Context,
    key: &'a PortalKey,
    spec: Option<PortalSpec>,
    /// The Portal was connected once; before that it has made no user.
    was_connected: bool,
    inventory: Option<Arc<Inventory>>,
    served: HashMap<String, bool>,
}

impl<'a> Access<'a> {
    /// Of one Portal.
    pub fn of(ctx: &'a Context, key: &'a PortalKey, portal: &DynamicObject) -> Self {
        let status: PortalStatus = lenient(portal, "status");
        let inventory = match ctx.registry.link(key) {
            Some(Link::Up(connected) | Link::Down(_, Some(connected))) => Some(connected.inventory),
            _ => None,
        };
        Self {
            ctx,
            key,
            spec: part(portal, "spec").ok(),
            was_connected: status.version.is_some() || inventory.is_some(),
            inventory,
            served: HashMap::new(),
        }
    }

    /// Whether the Portal's rules serve the resource's namespace, for whatever roles. Yes where that cannot be told.
    pub async fn serves(&mut self, object: &DynamicObject) -> bool {
        let namespace = Key::of(object).namespace;
        if namespace == self.key.namespace {
            return true;
        }
        if let Some(served) = self.served.get(&namespace) {
            return *served;
        }
        let Some(spec) = &self.spec else { return true };
        let served =
            grants(self.ctx, spec, self.key, &namespace).await.map_or(true, |found| !found.0.is_empty());
        self.served.insert(namespace, served);
        served
    }

    /// Whether a resource that is served no longer may have a user in the portal all the same.
    pub fn may_have_a_user(&self, object: &DynamicObject) -> bool {
        let resource = Key::of(object);
        if self.ctx.memory.attempts.in_flight(&resource) {
            return true;
        }
        let status: TechnicalUserStatus = lenient(object, "status");
        let recorded = status.user.is_some_and(|user| !user.id.is_empty());
        let seen = self
            .inventory
            .as_ref()
            .and_then(|inventory| inventory.look(|list| is_in(list, &owner(self.ctx, &resource), recorded)));
        // Where the list was not read, the portal cannot be asked.
        seen.unwrap_or(self.was_connected)
    }
}

/// Whether the list of the portal shows a user whose name was made for this resource. A list that missed some users says
/// nothing of a recorded one.
fn is_in(snapshot: &Snapshot, owner: &Owner, recorded: bool) -> bool {
    !snapshot.named_for(owner).is_empty()
        || !snapshot.unseen_for(owner).is_empty()
        || (recorded && !snapshot.is_complete())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::{ListedUser, Ownership, UserId, UserKind, UserStatus};

    fn owner() -> Owner {
        Owner { instance: "prod".into(), namespace: "tenant".into(), name: "edc".into() }
    }

    fn named(name: String) -> ListedUser {
        ListedUser {
            id: UserId::new("u1"),
            client_id: Some("sa1".into()),
            name,
            kind: UserKind::Internal,
            status: UserStatus::Active,
            ownership: Ownership::Own,
            is_owner: true,
            connector: None,
            offer: None,
        }
    }

    #[test]
    fn a_resource_without_access_counts_only_where_the_portal_shows_a_user_made_for_it() {
        let of_it = || vec![named(owner().user_name(1, None))];
        let of_another = || {
            let other = Owner { name: "other".into(), ..owner() };
            vec![named(other.user_name(1, None)), named("made-by-hand".into())]
        };
        assert!(is_in(&Snapshot::new(of_it(), true), &owner(), true));
        assert!(is_in(&Snapshot::new(of_it(), true), &owner(), false), "an attempt that no status names yet");
        assert!(!is_in(&Snapshot::new(of_another(), true), &owner(), true), "whatever its status says");
        assert!(!is_in(&Snapshot::new(Vec::new(), true), &owner(), true));
        assert!(is_in(&Snapshot::new(of_another(), false), &owner(), true), "the list missed some users");
        assert!(!is_in(&Snapshot::new(of_another(), false), &owner(), false));
    }
}
