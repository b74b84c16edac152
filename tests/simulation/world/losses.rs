//! People who confirm that users are lost: many that disappear at once are taken for a fault of the portal. A cluster that is
//! restored from a backup names users that were deleted since, perhaps many.

use serde_json::json;

use super::{NAMESPACE, World};

/// The annotation of a Portal that confirms it.
const ACCEPT_LOSS: &str = "technicaluser.dev/accept-loss";

impl World {
    /// A person does what the Portal asks for, if it says that users disappeared.
    pub(super) async fn confirm_a_loss(&self) {
        let portal = self.apiserver.object("portals.technicaluser.dev", NAMESPACE, "portal");
        let portal = portal.unwrap_or_default();
        let messages = portal["status"]["conditions"].as_array().into_iter().flatten();
        let asked = messages.filter_map(|condition| condition["message"].as_str()?.split_once(ACCEPT_LOSS));
        let Some((_, count)) = { asked }.next() else { return };
        let count: String = count.chars().skip(1).take_while(char::is_ascii_digit).collect();
        if portal["metadata"]["annotations"][ACCEPT_LOSS] == count.as_str() {
            return;
        }
        self.record.add(format!("a person confirms that {count} users are lost"));
        let patch = json!({ "metadata": { "annotations": { ACCEPT_LOSS: count } } });
        self.change_portal(&patch).await;
    }
}
