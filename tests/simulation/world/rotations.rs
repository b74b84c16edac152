//! Rotations and changes of roles that people ask for.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use portal_simulator::role_names::{
    DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT, SEMANTIC_MODEL_MANAGEMENT,
};
use serde_json::{Value, json};

use super::World;
use super::objects::{path_of_user, send_as};
use super::swarm::Trouble;
use super::windows::opens_after;

/// The roles that a spec may name.
const ROLES: [&[&str]; 4] = [
    &[DATASPACE_DISCOVERY],
    &[DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT],
    &[SEMANTIC_MODEL_MANAGEMENT],
    &[IDENTITY_WALLET_MANAGEMENT],
];
const STRATEGIES: [Option<&str>; 4] = [None, Some("Auto"), Some("Replace"), Some("InPlace")];
const OVERLAPS: [&str; 4] = ["0s", "2m", "20m", "45m"];
/// The shortest interval that the schema permits.
const INTERVAL: &str = "1h";
const HOUR: Duration = Duration::from_hours(1);
/// A second change of the roles follows the first one within this time: often before the next user is published.
const CHANGED_AGAIN_WITHIN: Duration = Duration::from_mins(2);
/// Within this time a rotation without faults is done, that of a wallet user too.
const DONE_WITHIN: Duration = Duration::from_mins(20);

const ROTATE: &str = "technicaluser.dev/rotate";
const COMPROMISED: &str = "technicaluser.dev/compromised";

impl World {
    /// How a resource rotates its credential.
    pub fn rotation(&self) -> Value {
        json!({ "strategy": self.one_of(&STRATEGIES), "overlap": self.one_of(&OVERLAPS) })
    }

    /// People ask for rotations and change roles, by chance.
    pub async fn rotate(&self, troubles: &BTreeSet<Trouble>) {
        let kinds: Vec<_> =
            Trouble::OF_ROTATIONS.into_iter().filter(|kind| troubles.contains(kind)).collect();
        for user in self.users() {
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            let is_deleted = user["metadata"]["deletionTimestamp"].is_string();
            if kinds.is_empty() || is_deleted || self.below(3) == 0 || !self.may_change() {
                continue;
            }
            match self.one_of(&kinds) {
                Trouble::Compromises => self.compromise(name).await,
                Trouble::Intervals => {
                    let interval = self.one_of(&[json!(INTERVAL), json!(INTERVAL), Value::Null]);
                    let windows = if interval.is_null() { Value::Null } else { self.windows() };
                    let rotation = json!({ "interval": interval, "windows": windows });
                    self.change_spec(name, &json!({ "rotation": rotation })).await;
                }
                Trouble::RoleChanges => self.change_roles(name, &user["spec"]).await,
                Trouble::Strategies => {
                    self.change_spec(name, &json!({ "rotation": self.rotation() })).await;
                }
                _ => self.request(name, ROTATE).await,
            }
        }
    }

    /// A person asks for a rotation by an annotation that has another value each time.
    async fn request(&self, name: &str, annotation: &str) {
        self.record.add(format!("a person annotates {name} with {annotation}"));
        let value = self.record.count().to_string();
        let patch = json!({ "metadata": { "annotations": { annotation: value } } });
        // The resource may be deleted meanwhile.
        let _answer = send_as(&self.apiserver.admin(), "PATCH", &path_of_user(name), &patch).await;
    }

    /// A person finds out that others may know a credential.
    async fn compromise(&self, name: &str) {
        self.moments.is_compromised(name);
        self.request(name, COMPROMISED).await;
    }

    /// The roles are changed, perhaps changed again before the next user is published, or changed back.
    async fn change_roles(&self, name: &str, spec: &Value) {
        let before = spec["user"]["create"]["roles"].clone();
        self.set_roles(name, &json!(self.one_of(&ROLES))).await;
        if self.below(2) == 0 {
            tokio::time::sleep(self.part_of(CHANGED_AGAIN_WITHIN)).await;
            let again = if self.below(2) == 0 { before } else { json!(self.one_of(&ROLES)) };
            self.set_roles(name, &again).await;
        }
    }

    async fn set_roles(&self, name: &str, roles: &Value) {
        self.change_spec(name, &json!({ "user": { "create": { "roles": roles } } })).await;
    }

    /// No credential becomes too old any more, and roles may be changed.
    pub async fn end_rotations(&self) {
        for user in self.users() {
            let rotation = &user["spec"]["rotation"];
            let goes_on = rotation["interval"].is_string() || rotation["strategy"] == "InPlace";
            if goes_on && user["metadata"]["deletionTimestamp"].is_null() {
                let name = user["metadata"]["name"].as_str().unwrap_or_default();
                let rotation = json!({ "interval": null, "windows": null, "strategy": null });
                self.change_spec(name, &json!({ "rotation": rotation })).await;
            }
        }
    }

    /// A credential that becomes older than its interval is replaced in time, in a window if there are any, while nothing fails. The
    /// judge of each moment sees that this is not before.
    pub async fn rotates_by_interval(&self) {
        let users = self.users();
        let may_rotate = |user: &&std::sync::Arc<Value>| {
            user["metadata"]["deletionTimestamp"].is_null() && !self.has_fixed_alias(user)
        };
        let Some(user) = users.iter().find(may_rotate).filter(|_| self.below(3) == 0) else { return };
        let name = user["metadata"]["name"].as_str().unwrap_or_default();
        let windows = self.hourly_windows();
        let rotation = json!({ "interval": INTERVAL, "windows": windows });
        self.change_spec(name, &json!({ "rotation": rotation })).await;
        let (now, credential) = (self.clock.clock().now(), user["status"]["credential"].clone());
        let issued: Timestamp = credential["issuedAt"].as_str().unwrap_or_default().parse().unwrap();
        let due = (issued + HOUR).max(now);
        let left = Duration::try_from(due.duration_since(now)).unwrap_or_default();
        // A window may end before the operator has looked.
        let next = if windows.is_null() { Duration::ZERO } else { HOUR };
        let within = left + opens_after(&windows, due) + next + DONE_WITHIN;
        let is_replaced = |world: &Self| {
            let now = world.user(name).unwrap_or_default();
            now["status"]["credential"]["generation"].as_i64() > credential["generation"].as_i64()
        };
        self.until(&format!("the credential of {name} is replaced by its interval"), within, is_replaced)
            .await;
        self.end_rotations().await;
    }

    /// A user is replaced while nothing fails: its resource is Ready all the time.
    pub async fn replaces_without_faults(&self) {
        for user in self.users() {
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            if user["metadata"]["deletionTimestamp"].is_string() || self.has_fixed_alias(&user) {
                continue;
            }
            let before = user["status"]["user"]["id"].clone();
            let overlap = self.one_of(&OVERLAPS);
            self.change_spec(name, &json!({ "rotation": { "strategy": "Replace", "overlap": overlap } }))
                .await;
            self.moments.stays_ready(name, true);
            let roles = &user["spec"]["user"]["create"]["roles"];
            match ROLES.iter().find(|others| json!(others) != *roles) {
                Some(others) if self.below(2) == 0 => self.set_roles(name, &json!(others)).await,
                _ => self.request(name, ROTATE).await,
            }
            let is_replaced =
                |world: &Self| world.user(name).is_none_or(|user| user["status"]["user"]["id"] != before);
            self.until(&format!("the user of {name} is replaced"), DONE_WITHIN, is_replaced).await;
            if self.below(2) == 0 {
                self.ends_its_overlaps(name).await;
            }
        }
        self.comes_to_rest().await;
        self.users().iter().filter_map(|user| user["metadata"]["name"].as_str()).for_each(|name| {
            self.moments.stays_ready(name, false);
        });
    }

    /// Where what was asked for differs from what is there, for a resource at rest whose user has these roles.
    pub(super) fn rotation_differs(&self, name: &str, object: &Value, roles: &[String]) -> Option<String> {
        let set = |value: &Value| -> BTreeSet<String> {
            let items = value.as_array().into_iter().flatten();
            items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
        };
        let wanted = set(&object["spec"]["user"]["create"]["roles"]);
        let rotating = { object["status"]["conditions"].as_array().into_iter().flatten() }
            .find(|condition| condition["type"] == "Rotating");
        let is_as_wanted = roles.iter().cloned().collect::<BTreeSet<_>>() == wanted
            && set(&object["status"]["user"]["requestedRoles"]) == wanted;
        match rotating {
            // The user cannot be replaced.
            Some(rotating) if rotating["reason"] == "AliasFixed" && self.has_fixed_alias(object) => {}
            Some(rotating) => return Some(format!("{name} is still rotating: {rotating}")),
            None if !is_as_wanted => {
                return Some(format!(
                    "{name} wants the roles {wanted:?}, its user has {roles:?}, and the status names {}",
                    object["status"]["user"]["requestedRoles"]
                ));
            }
            None => {}
        }
        if let Some(retiring) = object["status"]["retiring"].as_array().filter(|users| !users.is_empty()) {
            return Some(format!("{name} still has retiring users: {retiring:?}"));
        }
        let requests = [(ROTATE, "rotate"), (COMPROMISED, "compromised")];
        let open = requests.into_iter().find(|(annotation, field)| {
            let asked = &object["metadata"]["annotations"][*annotation];
            asked.is_string() && *asked != object["status"]["handled"][*field]
        });
        open.map(|(annotation, _)| format!("{name}: the request by {annotation} is not handled"))
    }

    /// Whether a resource has an output in the Vault whose alias is the same for all users.
    fn has_fixed_alias(&self, object: &Value) -> bool {
        let vaults = self.apiserver.objects("vaults.technicaluser.dev");
        let is_fixed = vaults.iter().any(|vault| vault["spec"]["aliasMode"] == "Fixed");
        let outputs = object["spec"]["outputs"].as_array();
        outputs.into_iter().flatten().any(|output| {
            output["vault"].is_object() && (is_fixed || output["vault"]["creationPolicy"] == "Merge")
        })
    }
}
