//! Changes of which a late watch shows nothing: what is changed and changed back, or created and deleted, before the apiserver
//! forgets its changes.

use std::collections::BTreeSet;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use super::World;
use super::objects::{path_of_user, send_as};
use super::swarm::Trouble;

impl World {
    /// People change something and change it back at once, or create something and delete it. Then the apiserver forgets all changes
    /// so far: a watch that has not sent them yet begins again with a list.
    pub async fn change_unobserved(&self, troubles: &BTreeSet<Trouble>) {
        if !troubles.contains(&Trouble::Unobserved) || self.below(2) == 0 || !self.may_change() {
            return;
        }
        self.record.add("a person changes something and changes it back, and the changes are forgotten");
        match self.below(4) {
            0 => {
                let name = format!("brief-{}", self.record.count());
                self.create_user(&name, DATASPACE_DISCOVERY).await;
                self.delete_user(&name).await;
            }
            1 => {
                self.suspend(true).await;
                self.suspend(false).await;
            }
            2 => self.flip_overlap().await,
            _ => self.flip_secret().await,
        }
        self.apiserver.compact();
    }

    async fn flip_overlap(&self) {
        for user in self.users() {
            let before = user["spec"]["rotation"]["overlap"].clone();
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            for overlap in [json!("7m"), before] {
                let patch = json!({ "spec": { "rotation": { "overlap": overlap } } });
                // The resource may be deleted at this moment.
                let _answer = send_as(&self.apiserver.admin(), "PATCH", &path_of_user(name), &patch).await;
            }
        }
    }

    async fn flip_secret(&self) {
        for user in self.users() {
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            let Some(secret) = self.secret(name).filter(|secret| secret["client-secret"].is_string()) else {
                continue;
            };
            self.change_secret(name, &json!({ "stringData": { "client-secret": "changed" } })).await;
            self.change_secret(name, &json!({ "stringData": { "client-secret": secret["client-secret"] } }))
                .await;
        }
    }
}
