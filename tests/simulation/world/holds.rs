//! People who hold resources as they are: they suspend them, or prevent their deletion.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::World;
use super::objects::{path_of_user, send_as};
use super::swarm::Trouble;

impl World {
    /// People begin or end to hold a resource, by chance.
    pub async fn hold(&self, troubles: &BTreeSet<Trouble>) {
        for user in self.users() {
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            if troubles.contains(&Trouble::SuspendedUsers) && self.below(3) == 0 && self.may_change() {
                self.change_spec(name, &json!({ "suspend": self.below(2) == 0 })).await;
            }
            if troubles.contains(&Trouble::PreventedDeletions) && self.below(3) == 0 && self.may_change() {
                let value = self.one_of(&[json!("true"), json!("no"), json!("false"), Value::Null]);
                self.prevent_deletion(name, &value).await;
                if self.below(4) == 0 {
                    self.delete_user(name).await;
                }
            }
        }
    }

    /// Nobody holds a resource any more.
    pub async fn end_holds(&self) {
        for user in self.users() {
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            if user["spec"]["suspend"] == true {
                self.change_spec(name, &json!({ "suspend": false })).await;
            }
            if user["metadata"]["annotations"]["technicaluser.dev/prevent-deletion"].is_string() {
                self.prevent_deletion(name, &Value::Null).await;
            }
        }
    }

    pub async fn prevent_deletion(&self, name: &str, value: &Value) {
        self.record
            .add(format!("a person annotates {name} with technicaluser.dev/prevent-deletion: {value}"));
        let patch = json!({ "metadata": { "annotations": { "technicaluser.dev/prevent-deletion": value } } });
        // The resource may be deleted meanwhile.
        let _answer = send_as(&self.apiserver.admin(), "PATCH", &path_of_user(name), &patch).await;
    }
}
