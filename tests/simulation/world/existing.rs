//! Users that people create, change and delete at the portal, and resources that publish them.

use std::collections::BTreeSet;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Kind, Status, UserSeed, UserView};
use serde_json::{Value, json};
use uuid::Uuid;

use super::moments::{adopts, is_selected, selector};
use super::offers::{keep_published, of_no_user};
use super::outputs::Places;
use super::swarm::Trouble;
use super::{COMPANY, World};

/// The client ID of a user of theirs. It has no digits, so it is found by no list that is narrowed to some.
const CLIENT_ID: &str = "by-hand";
/// The names of their users are between those of the neighbours.
const NAMES: [&str; 3] = ["m-name", "m-client", "m-id"];
/// The name of those that are taken over.
const ADOPTED: &str = "m-adopted";
/// The resources that take one over, by their deletion policies.
const ADOPTERS: [(&str, &str); 2] = [("adopt-delete", "Delete"), ("adopt-retain", "Retain")];
const WALLET_NAME: &str = "dim-m-name";
/// The most users of a name: with a third one the operator can do no other than with a second one.
const MOST: usize = 3;

impl World {
    /// The users of people, of which some are created later, and the resources that publish them.
    pub async fn install_existing(&self) {
        let rule = json!({ "namespaces": { "from": "Same" }, "existing": true, "adopt": true });
        self.change_portal(&json!({ "spec": { "access": [rule] } })).await;
        let name = self.one_of(&[NAMES[0], NAMES[0], WALLET_NAME]);
        let id = self.make_user(NAMES[2], None);
        for (selector, at_once) in [
            (json!({ "name": name }), self.below(3) != 0),
            (json!({ "clientId": CLIENT_ID }), self.below(3) != 0),
        ] {
            if at_once {
                self.make_selected(&selector);
            }
            let by = if selector["name"].is_string() { "name" } else { "client" };
            self.create_existing(&format!("by-{by}"), &selector).await;
        }
        self.create_existing("by-id", &json!({ "id": id })).await;
        self.install_offer().await;
        self.install_adopter().await;
    }

    /// A resource that takes over a user of people.
    async fn install_adopter(&self) {
        let (name, policy) = self.one_of(&ADOPTERS);
        let selector = match self.below(4) {
            0 => json!({ "id": self.make_user(ADOPTED, None) }),
            _ => json!({ "name": ADOPTED }),
        };
        if selector["name"].is_string() && self.below(2) == 0 {
            self.make_selected(&selector);
        }
        let user = json!({ "create": { "roles": [DATASPACE_DISCOVERY], "adopt": selector } });
        let more = json!({ "user": user, "deletionPolicy": policy });
        self.create_user_with(name, DATASPACE_DISCOVERY, &more).await;
    }

    pub(super) async fn create_existing(&self, name: &str, selector: &Value) {
        let spec = json!({ "portalRef": { "name": "portal" }, "user": { "existing": selector } });
        self.create(
            &super::objects::ours("technicalusers"),
            &json!({ "metadata": { "name": name }, "spec": spec }),
        )
        .await;
    }

    /// People create a user that fits.
    fn make_selected(&self, selector: &Value) {
        if selector["offer"].is_object() {
            return self.make_user_of_offer();
        }
        match selector["name"].as_str() {
            Some(name) => self.make_user(name, None),
            None => self.make_user(NAMES[1], Some(CLIENT_ID)),
        };
    }

    pub(super) fn make_user(&self, name: &str, client_id: Option<&str>) -> Uuid {
        self.record.add(format!("a person creates the user {name} in the portal"));
        let seed = UserSeed::new(COMPANY, name).description("by hand");
        let seed = client_id.into_iter().fold(seed, UserSeed::client_id);
        // The wallet has one user of a name. Another one is of the identity provider.
        let of_wallet = |user: &UserView| user.kind == Kind::External;
        let is_of_wallet = name == WALLET_NAME
            && !self.selected_at_the_portal(&json!({ "name": name })).iter().any(of_wallet);
        let seed = if is_of_wallet { seed.external() } else { seed };
        let user = self.portal.seed_user(seed).unwrap();
        let id = user.id;
        self.made.lock().insert(id, user);
        id
    }

    /// People create, reset and delete users of theirs, by chance.
    pub fn change_existing(&self, troubles: &BTreeSet<Trouble>) {
        if !troubles.contains(&Trouble::ExistingUsers) {
            return;
        }
        if self.below(2) == 0 {
            self.activate_subscriptions();
        }
        for object in self.users() {
            let Some(selector) = selected_by(&object).filter(|_| self.below(3) != 0) else { continue };
            let there = self.selected_at_the_portal(selector);
            let may_have_more =
                if selector["name"].is_string() || selector["offer"].is_object() { MOST } else { 1 };
            let is_made_again = selector["id"].is_null();
            let choice = if there.is_empty() { 0 } else { self.below(6) };
            let active: Vec<_> = there.iter().filter(|user| user.status == Status::Active).collect();
            match (choice, active.first()) {
                (0..=2, _) if is_made_again && there.len() < may_have_more && self.may_change() => {
                    self.make_selected(selector);
                }
                (3, Some(user)) if self.may_change() => self.reset_made(user),
                (4.., Some(_)) if self.may_change() => self.delete_made(self.one_of(&active)),
                _ => {}
            }
        }
    }

    fn reset_made(&self, user: &UserView) {
        if let Some(secret) = self.portal.reset_by_hand(user.id) {
            self.record.add(format!("a person resets the secret of the user {} in the portal", user.name));
            if let Some(made) = self.made.lock().get_mut(&user.id) {
                made.secret = Some(secret);
            }
        }
    }

    fn delete_made(&self, user: &UserView) {
        self.record.add(format!("a person deletes the user {} in the portal", user.name));
        self.made.lock().remove(&user.id);
        let _done = self.portal.delete_by_hand(user.id);
    }

    /// The users that are there and fit.
    fn selected_at_the_portal(&self, selector: &Value) -> Vec<UserView> {
        let is_there = |_, _: &str, status| status != Status::Deleted;
        let mut users = self.portal.view(|view| view.users_that(COMPANY, is_there));
        users.retain(|user| is_selected(selector, user));
        users
    }

    /// Where a resource that publishes a user of people differs from what is at the portal, at rest.
    pub(super) fn existing_differs(
        &self,
        object: &Value,
        selector: &Value,
        places: &mut Places,
    ) -> Option<String> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let mut users = self.selected_at_the_portal(selector);
        keep_published(object, selector, &mut users);
        let is_taken_over = adopts(object).is_some();
        let reason = match users.as_slice() {
            [_] if is_taken_over => return Some(format!("{name} has not taken over its user")),
            [user] if user.status == Status::Active => return self.differs(name, object, user, places),
            [] if selector["id"].is_string() && !is_taken_over => "UserGone",
            [] if selector["offer"].is_object() => of_no_user(object, selector),
            [] => "UserNotFound",
            [user] => return Some(format!("the user of {name} is {:?}", user.status)),
            _ => "UserAmbiguous",
        };
        // What was published before is kept.
        for secret in self.apiserver.objects("secrets") {
            if secret["metadata"]["ownerReferences"][0]["uid"] == object["metadata"]["uid"] {
                places.keep_secret(secret["metadata"]["name"].as_str().unwrap_or_default());
            }
        }
        let conditions = object["status"]["conditions"].as_array();
        let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
        let is_reported = ready.is_some_and(|ready| {
            ready["status"] == "False"
                && ready["reason"] == reason
                && ready["observedGeneration"] == object["metadata"]["generation"]
        });
        (!is_reported).then(|| format!("{name} does not report {reason}: {ready:?}"))
    }

    /// A user of people that is not as they left it.
    pub(super) fn made_differs(&self) -> Option<String> {
        let made = self.made.lock();
        made.values().find_map(|made| {
            let now = self.portal.view(|view| view.user(made.id));
            let owner =
                Some(&made.name).filter(|name| *name == ADOPTED).and_then(|_| self.moments.owner_of(made.id));
            if let (Some(owner), Some(now)) = (owner, &now) {
                return self.left_differs(&owner, now);
            }
            (now.as_ref() != Some(made)).then(|| {
                let described = now.map(|user| (user.name, user.description, user.status));
                format!("the user {} of people is another one at the portal now: {described:?}", made.name)
            })
        })
    }

    /// Where a user that was taken over is not what the deletion policy of its former resource says.
    fn left_differs(&self, owner: &str, user: &UserView) -> Option<String> {
        let Some((_, policy)) = ADOPTERS.into_iter().find(|(name, _)| *name == owner) else {
            return Some(format!("the user {} of people has the mark of {owner}", user.name));
        };
        let is_kept =
            user.status == Status::Active && user.description.contains("technicaluser.dev/1 retained ");
        let is_right = if policy == "Retain" { is_kept } else { user.status == Status::Deleted };
        let differs = self.user(owner).is_none() && !is_right;
        differs.then(|| format!("the user of {owner} is {:?}: {}", user.status, user.description))
    }

    /// People leave a user to others.
    pub(super) fn is_not_kept(&self, id: Uuid) {
        self.made.lock().remove(&id);
    }
}

/// What selects the user of a resource that people create; none once it is taken over.
pub(super) fn selected_by(object: &Value) -> Option<&Value> {
    let adopts = || adopts(object).filter(|_| object["status"]["user"]["id"].is_null());
    selector(object).or_else(adopts)
}
