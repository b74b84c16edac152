//! Which resources count as users of a Portal. A finalizer, a `portalRef` and a status can be written by anybody who may
//! write `TechnicalUser`s in some namespace, so they alone prove nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Api;
use kube::api::ListParams;
use tokio::time::Instant;

use super::sweep::{ListOrigin, is_pinned_to, portal_of};
use crate::api::keys;
use crate::api::portal::{PortalSpec, PortalStatus};
use crate::api::technical_user::{RecordedUser, TechnicalUserStatus};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, annotation, has_finalizer, lenient, part, technical_users};
use crate::controller::portal::connections::ConnectionState;
use crate::controller::portal::inventory::{Inventory, Need};
use crate::controller::portal::proofs::{is_expected, is_proved};
use crate::controller::technical_user::{grants, owner};
use crate::domain::attempt::Attempt;
use crate::domain::identity::Owner;
use crate::domain::inventory::Snapshot;
use crate::k8s::stored::StoredObject;

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
///
/// A Portal under deletion begins no create, so at `settled_at` every create has had its time.
pub async fn seen(
    ctx: &Context,
    key: &Key,
    portal: &StoredObject,
    settled_at: Instant,
) -> Result<Holders, KubeError> {
    let mut access = Access::of(ctx, key, portal);
    let mut holders = Vec::new();
    for namespace in &ctx.watched {
        let api: Api<StoredObject> = match namespace {
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
                && (access.serves(object).await || access.may_have_a_user(object, settled_at))
            {
                holders.push(Key::of(object).to_string());
            }
        }
    }
    Ok(Holders::Seen(holders))
}

/// What distinguishes the users of a Portal from resources that only name it.
pub struct Access<'a> {
    ctx: &'a Context,
    key: &'a Key,
    spec: Option<PortalSpec>,
    /// The Portal was connected once; before that it has created no user.
    was_connected: bool,
    inventory: Option<Arc<Inventory>>,
    /// Where the connection leads to.
    place: Option<ListOrigin>,
    served: BTreeMap<String, bool>,
}

impl<'a> Access<'a> {
    /// Of one Portal.
    pub fn of(ctx: &'a Context, key: &'a Key, portal: &StoredObject) -> Self {
        let status: PortalStatus = lenient(portal, "status");
        let (inventory, place) = match ctx.connections.get(key) {
            Some(ConnectionState::Up(connected) | ConnectionState::Down(_, Some(connected))) => {
                let place = ListOrigin { url: connected.url, companies: connected.login.companies };
                (Some(connected.inventory), Some(place))
            }
            _ => (None, None),
        };
        Self {
            ctx,
            key,
            spec: part(portal, "spec").ok(),
            was_connected: status.version.is_some() || inventory.is_some(),
            inventory,
            place,
            served: BTreeMap::new(),
        }
    }

    /// Whether the Portal's rules serve the resource's namespace, for whatever roles. Yes where that is not known.
    pub async fn serves(&mut self, object: &StoredObject) -> bool {
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
    pub fn may_have_a_user(&self, object: &StoredObject, settled_at: Instant) -> bool {
        let resource = Key::of(object);
        if self.ctx.memory.with(&resource, |user| user.attempts.in_flight()) {
            return true;
        }
        let owner = owner(self.ctx, &resource);
        let proved = proved_user(self.ctx, object, self.inventory.as_deref());
        let attempt_is_open = is_open(annotation(object, keys::CREATING), proved.as_ref());
        // Where the list was not read, the portal cannot be asked.
        let may_have = self.was_connected && (proved.is_some() || attempt_is_open);
        let Some(inventory) = &self.inventory else { return may_have };
        // The list of another portal or company does not show the user.
        let is_elsewhere = self.place.as_ref().is_some_and(|place| !is_pinned_to(object, place));
        if is_elsewhere && proved.is_some() {
            return true;
        }
        if attempt_is_open && !is_settled(inventory, &resource, settled_at) {
            return true;
        }
        let shown = |list: &Snapshot| is_in(list, &owner, proved.is_some());
        inventory.with(shown).unwrap_or(may_have)
    }
}

/// The user that the status of a resource names, where it is proved to be the resource's: anybody can write down an id.
pub fn proved_user(
    ctx: &Context,
    object: &StoredObject,
    inventory: Option<&Inventory>,
) -> Option<RecordedUser> {
    let status: TechnicalUserStatus = lenient(object, "status");
    let owner = owner(ctx, &Key::of(object));
    status.user.filter(|user| is_proved(&ctx.installation, &owner, user, inventory))
}

/// The user that the status of a resource names, where the portal should have it.
pub fn expected_user(ctx: &Context, object: &StoredObject, inventory: &Inventory) -> Option<RecordedUser> {
    let status: TechnicalUserStatus = lenient(object, "status");
    let owner = owner(ctx, &Key::of(object));
    status.user.filter(|user| is_expected(&ctx.installation, &owner, user, Some(inventory)))
}

/// Whether an attempt is open that is written down on a resource whose user is proved to be this one.
fn is_open(annotation: Option<&str>, proved: Option<&RecordedUser>) -> bool {
    let settled = |attempt: &Attempt| proved.is_some_and(|user| user.generation == Some(attempt.generation));
    annotation.is_some_and(|text| Attempt::parse(text).is_none_or(|attempt| !settled(&attempt)))
}

/// Whether every create has had its time, and a proof that began after that shows what they created. Where none does, the
/// list is read. This does not depend on what is written on the resource, which anybody can change again and again.
fn is_settled(inventory: &Arc<Inventory>, resource: &Key, settled_at: Instant) -> bool {
    Instant::now() >= settled_at && inventory.is_met(resource, Need::Proof(Some(settled_at)))
}

/// Whether the list of the portal shows a user whose name was created for this resource. A list that missed some users says
/// nothing of one that is proved to be the resource's.
fn is_in(snapshot: &Snapshot, owner: &Owner, has_user: bool) -> bool {
    !snapshot.named_for(owner).is_empty()
        || !snapshot.unseen_for(owner).is_empty()
        || (has_user && !snapshot.is_complete())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use serde_json::json;

    use crate::controller::test_support::apiserver::{Apiserver, context, technical_user};
    use crate::controller::test_support::inventory_with;
    use crate::domain::test_support::{listed, listed_for, owner as owner_named};

    fn owner() -> Owner {
        owner_named("edc")
    }

    #[test]
    fn a_resource_without_access_counts_only_where_the_portal_shows_a_user_created_for_it() {
        let of_it = || vec![listed_for("u1", &owner())];
        let of_another = || vec![listed_for("u1", &owner_named("other")), listed("u2", "made-by-hand")];
        assert!(is_in(&Snapshot::new(of_it(), true), &owner(), true));
        assert!(is_in(&Snapshot::new(of_it(), true), &owner(), false), "an attempt that no status names yet");
        assert!(!is_in(&Snapshot::new(of_another(), true), &owner(), true), "whatever its status says");
        assert!(!is_in(&Snapshot::new(Vec::new(), true), &owner(), true));
        assert!(is_in(&Snapshot::new(of_another(), false), &owner(), true), "the list missed some users");
        assert!(!is_in(&Snapshot::new(of_another(), false), &owner(), false));
    }

    #[test]
    fn an_attempt_is_open_until_the_status_names_a_user_of_its_generation() {
        assert!(!is_open(None, None));
        let user = |generation| RecordedUser { generation: Some(generation), ..RecordedUser::default() };
        assert!(is_open(Some("2 a pin"), None) && is_open(Some("2 a pin"), Some(&user(1))));
        assert!(!is_open(Some("2 a pin"), Some(&user(2))));
        assert!(is_open(Some("?"), Some(&user(2))), "one that cannot be read");
    }

    #[tokio::test(start_paused = true)]
    async fn a_resource_that_is_served_no_longer_has_a_user_where_an_attempt_or_the_portal_shows_one() {
        let ctx = context(Apiserver::default().client());
        let key = Key { namespace: "ops".into(), name: "portal".into() };
        let portal = |status: &str| {
            let object = json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
                "metadata": {"namespace": "ops", "name": "portal"}, "status": {"version": status},
            });
            serde_json::from_value::<StoredObject>(object).unwrap()
        };
        let attempt = json!({"metadata": {"annotations": {keys::CREATING: "1 attempt pin"}}});
        let [plain, tried] = [json!({}), attempt]
            .map(|more| serde_json::from_value::<StoredObject>(technical_user("edc", &more)).unwrap());
        // The list was not read yet. A Portal that was never connected has created no user.
        let access = Access::of(&ctx, &key, &portal("2.6"));
        let now = Instant::now();
        assert!(!access.may_have_a_user(&plain, now) && access.may_have_a_user(&tried, now));
        let never = Access { was_connected: false, ..Access::of(&ctx, &key, &portal("")) };
        assert!(!never.may_have_a_user(&tried, now));
        // The list shows that there is none, once the creates have had their time.
        let inventory = inventory_with(Vec::new()).await;
        let access = Access { inventory: Some(Arc::clone(&inventory)), ..access };
        assert!(!access.may_have_a_user(&plain, now) && access.may_have_a_user(&tried, now));
        inventory.meet(&Key::of(&tried), Need::Proof(Some(now))).await.unwrap();
        assert!(!access.may_have_a_user(&tried, now));
        let listed = listed_for("u1", &crate::controller::technical_user::owner(&ctx, &Key::of(&plain)));
        let access = Access { inventory: Some(inventory_with(vec![listed]).await), ..access };
        assert!(access.may_have_a_user(&plain, now));
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_attempt_counts_until_a_proof_covers_the_time_of_every_create() {
        let inventory = inventory_with(Vec::new()).await;
        let resource = Key { namespace: "tenant".into(), name: "edc".into() };
        inventory.meet(&resource, Need::Proof(None)).await.unwrap();
        let settled_at = Instant::now() + Duration::from_mins(1);
        assert!(!is_settled(&inventory, &resource, settled_at), "an earlier proof does not count");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert!(!is_settled(&inventory, &resource, settled_at), "the list is read first");
        inventory.meet(&resource, Need::Proof(Some(settled_at))).await.unwrap();
        assert!(is_settled(&inventory, &resource, settled_at));
    }
}
