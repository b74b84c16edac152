//! What other clients change meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Status, UserView};
use serde_json::{Value, json};

use super::objects::{path_of_user, send_as};
use super::swarm::Trouble;
use super::{BPN, World};

/// How often a busy client changes an object, and how many times.
const BUSY_EVERY: Duration = Duration::from_millis(60);
const BUSY_TIMES: u32 = 500;
/// The most busy clients of a run: they make most of its writes.
const MOST_BUSY: u32 = 3;

impl World {
    /// People change something, by chance.
    pub async fn interfere(&self, troubles: &BTreeSet<Trouble>) {
        let users = self.users();
        let names: Vec<_> = users.iter().filter_map(|user| user["metadata"]["name"].as_str()).collect();
        for name in names {
            if troubles.contains(&Trouble::People) {
                self.change_resource(name, troubles.contains(&Trouble::Quota)).await;
            }
            if troubles.contains(&Trouble::PeopleAtThePortal) {
                self.change_at_the_portal(name);
            }
            if troubles.contains(&Trouble::RefusedDeletes) {
                self.keep_second_users(name);
            }
            let may_be_busy = self.busy_clients.load(Ordering::Relaxed) < MOST_BUSY;
            let is_busy = troubles.contains(&Trouble::BusyClient) && self.below(2) == 0;
            if is_busy && may_be_busy && self.may_change() {
                self.is_busy_with(name);
            }
        }
        if troubles.contains(&Trouble::People)
            && !troubles.contains(&Trouble::Quota)
            && self.below(3) == 0
            && self.may_change()
        {
            self.create_user(&format!("more-{}", self.record.count()), DATASPACE_DISCOVERY).await;
        }
    }

    /// A Secret of another name needs a place beside the former one.
    async fn change_resource(&self, name: &str, has_quota: bool) {
        let has_secret = self.has_own_secret(name);
        match self.below(8) {
            choice if choice > 4 || !self.may_change() => {}
            0 if has_secret => self.delete_secret(name).await,
            1 if has_secret => {
                self.change_secret(name, &json!({ "data": { "client-secret": "eA==" } })).await;
            }
            2 => self.delete_user(name).await,
            3 if !has_quota => {
                self.rename_secret(name, &format!("{name}-{}", self.record.count())).await;
            }
            4 => self.forget_company(name).await,
            _ => {}
        }
    }

    /// The status of a resource names no company any more, as that of an operator which did not know it.
    async fn forget_company(&self, name: &str) {
        if self.user(name).is_some_and(|user| user["status"]["portal"]["bpn"].is_string()) {
            self.set_company(name, &Value::Null).await;
        }
    }

    /// Each status names the company. One without it, whose user is gone, asks people to say what holds.
    pub(super) async fn restore_companies(&self) {
        for user in self.users() {
            let portal = &user["status"]["portal"];
            if portal["url"].is_string() && portal["bpn"].is_null() {
                self.set_company(user["metadata"]["name"].as_str().unwrap_or_default(), &json!(BPN)).await;
            }
        }
    }

    async fn set_company(&self, name: &str, company: &Value) {
        self.record.add(format!("a person sets the company in the status of {name} to {company}"));
        let patch = json!({ "status": { "portal": { "bpn": company } } });
        let status = format!("{}/status", path_of_user(name));
        // The resource may be deleted meanwhile.
        let _answer = send_as(&self.apiserver.admin(), "PATCH", &status, &patch).await;
    }

    /// A person resets the secret of a user, deletes the user, or keeps a second user by removing its mark.
    fn change_at_the_portal(&self, name: &str) {
        let users = self.ours_at_the_portal().remove(name).unwrap_or_default();
        for user in users.iter().filter(|user| user.status == Status::Active) {
            match self.below(8) {
                choice if choice > 3 || !self.may_change() => {}
                0 if self.portal.reset_by_hand(user.id).is_some() => {
                    self.record.add(format!("a person resets the secret of {name} in the portal"));
                }
                1 => self.delete_by_hand(name, user),
                2 | 3 => self.keep_if_second(name, user, &users),
                _ => {}
            }
        }
    }

    /// A person deletes a user in the portal.
    pub fn delete_by_hand(&self, name: &str, user: &UserView) {
        self.record.add(format!("a person deletes the user of {name} in the portal"));
        self.is_not_kept(user.id);
        let _done = self.portal.delete_by_hand(user.id);
    }

    /// A person keeps users of a resource that has another one, while the operator cannot delete them.
    fn keep_second_users(&self, name: &str) {
        let users = self.ours_at_the_portal().remove(name).unwrap_or_default();
        for user in users.iter().filter(|user| user.status == Status::Active) {
            if self.below(2) == 0 && self.may_change() {
                self.keep_if_second(name, user, &users);
            }
        }
    }

    fn keep_if_second(&self, name: &str, user: &UserView, users: &[UserView]) {
        let published = self.secret(name).and_then(|secret| secret["client-id"].as_str().map(str::to_owned));
        if users.len() > 1 && published.is_some() && user.client_id != published {
            self.record.add(format!("a person removes the mark of the second user of {name}"));
            self.is_not_kept(user.id);
            let _done = self.portal.edit_by_hand(user.id, &user.name, "mine");
        }
    }

    /// Another controller changes an annotation of a resource again and again.
    pub fn is_busy_with(&self, name: &str) {
        self.busy_clients.fetch_add(1, Ordering::Relaxed);
        self.record.add(format!("another client is busy with {name}"));
        let (client, name) = (self.apiserver.admin(), name.to_owned());
        tokio::spawn(async move {
            for number in 0..BUSY_TIMES {
                let patch =
                    json!({ "metadata": { "annotations": { "other.example.org/n": number.to_string() } } });
                // The resource may be deleted meanwhile.
                let _answer = send_as(&client, "PATCH", &path_of_user(&name), &patch).await;
                tokio::time::sleep(BUSY_EVERY).await;
            }
        });
    }
}
