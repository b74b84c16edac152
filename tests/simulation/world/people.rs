//! What other clients change meanwhile.

use portal_simulator::Status;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use super::World;

impl World {
    /// A person changes something, by chance.
    pub async fn interfere(&self) {
        let users = self.users();
        let names = users.iter().filter_map(|user| user["metadata"]["name"].as_str());
        for name in names {
            let has_secret = self.secret(name).is_some();
            match self.below(10) {
                0 if has_secret => self.delete_secret(name).await,
                1 if has_secret => {
                    self.change_secret(name, &json!({ "data": { "client-secret": "eA==" } })).await;
                }
                2 => self.reset_by_hand(name),
                3 => self.delete_user(name).await,
                _ => {}
            }
        }
        if self.below(4) == 0 {
            self.create_user(&format!("more-{}", self.record.lines().len()), DATASPACE_DISCOVERY).await;
        }
    }

    /// A person resets the secret of a user in the portal.
    fn reset_by_hand(&self, name: &str) {
        for user in self.ours_at_the_portal().remove(name).unwrap_or_default() {
            if user.status == Status::Active && self.portal.reset_by_hand(user.id).is_some() {
                self.record.add(format!("a person resets the secret of {name} in the portal"));
            }
        }
    }
}
