//! Users that the provider of an offer creates, after the company has subscribed to it.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT};
use portal_simulator::{OfferSeed, Status, UserSeed, UserView};
use serde_json::{Value, json};

use super::{COMPANY, PROVIDER, World};

/// The offer. All users of its subscriptions have its name.
const OFFER: &str = "m-offer";
const ROLES: [&str; 2] = [DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT];

impl World {
    /// A resource that publishes a user of an offer, which the provider may create later.
    pub(super) async fn install_offer(&self) {
        let (of_one, with_role) = (self.below(2) == 0, self.below(2) == 0);
        if of_one || self.below(3) == 0 {
            self.make_user_of_offer();
        }
        let mut selector = json!({ "offer": { "name": OFFER } });
        let first = self.users_of_offer().into_iter().find_map(|user| user.offer);
        if let Some((_, subscription)) = first.filter(|_| of_one) {
            selector["offer"]["subscriptionId"] = json!(subscription);
        }
        if with_role {
            selector["role"] = json!(ROLES[0]);
        }
        self.create_existing("by-offer", &selector).await;
    }

    /// The provider creates a user, for a subscription that has one already or for another one, which it may activate later. Sometimes
    /// it is a person who creates a user of the same name.
    pub(super) fn make_user_of_offer(&self) {
        let there = self.users_of_offer();
        if self.below(6) == 0 && !there.is_empty() {
            self.make_user(OFFER, None);
            return;
        }
        let seed = UserSeed::new(COMPANY, OFFER).description("of an offer").roles([self.one_of(&ROLES)]);
        let sibling = there.first().filter(|_| self.below(3) != 0);
        let seed = match sibling {
            Some(sibling) => seed.of_the_subscription_of(sibling.id),
            None => seed.managed(OfferSeed {
                provider: PROVIDER.to_owned(),
                name: OFFER.to_owned(),
                subscription_active: true,
            }),
        };
        let is_active = self.below(3) != 0;
        let user = self.portal.seed_user(if is_active { seed } else { seed.disabled() }).unwrap();
        self.record.add(format!("a person creates the user {} of an offer, active: {is_active}", user.id));
        if !is_active {
            self.inactive.lock().push(user.id);
        }
        self.made.lock().insert(user.id, user);
    }

    /// The provider activates the subscriptions.
    pub(super) fn activate_subscriptions(&self) {
        for id in std::mem::take(&mut *self.inactive.lock()) {
            let user = self.portal.view(|view| view.user(id));
            let client_id = user.filter(|user| user.status == Status::Active).and_then(|user| user.client_id);
            if let Some(client_id) = client_id {
                self.record.add(format!("a person activates the subscription of the user {id}"));
                let _done = self.portal.restore_idp_client(&client_id);
            }
        }
    }

    /// The users of the offer that are there.
    fn users_of_offer(&self) -> Vec<UserView> {
        let is_there = |_, name: &str, status| name == OFFER && status != Status::Deleted;
        let mut users = self.portal.view(|view| view.users_that(COMPANY, is_there));
        users.retain(|user| user.offer.is_some());
        users
    }
}

/// Only the user of an offer that a resource has published, while that is there. After that only another one of the subscription that
/// the spec names may follow.
pub(super) fn keep_published(object: &Value, selector: &Value, users: &mut Vec<UserView>) {
    if selector["offer"].is_null() || object["status"]["credential"].is_null() {
        return;
    }
    let is_published = |user: &UserView| object["status"]["user"]["id"] == user.id.to_string();
    if users.iter().any(is_published) || selector["offer"]["subscriptionId"].is_null() {
        users.retain(is_published);
    }
}

/// What a resource reports if no user of the offer is there.
pub(super) fn of_no_user(object: &Value, selector: &Value) -> &'static str {
    match (object["status"]["credential"].is_null(), selector["offer"]["subscriptionId"].is_null()) {
        (true, _) => "WaitingForProvider",
        (false, true) => "UserGone",
        (false, false) => "UserNotFound",
    }
}
