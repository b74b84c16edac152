//! The objects in a world: what people write, and what they see.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use kube::Client;
use portal_simulator::UserSeed;
use serde_json::{Value, json};
use technical_user_operator::api;
use technical_user_operator::api::portal::RETAINED_LIMIT;

use super::{COMPANY, LOGIN, NAMESPACE, World};

const PORTALS: &str = "portals.technicaluser.dev";
const USERS: &str = "technicalusers.technicaluser.dev";
const VAULTS: &str = "vaults.technicaluser.dev";

impl World {
    /// The namespace, the login and the Portal.
    pub(super) async fn install(&self) {
        self.create("/api/v1/namespaces", &json!({ "metadata": { "name": NAMESPACE } })).await;
        let (client_id, secret) = LOGIN;
        let login = json!({
            "metadata": { "name": "portal-login" }, "stringData": { "client-id": client_id, "client-secret": secret },
        });
        self.create(&format!("/api/v1/namespaces/{NAMESPACE}/secrets"), &login).await;
        let portal = json!({
            "metadata": { "name": "portal" },
            "spec": {
                "catenaX": {
                    "url": self.portal.portal_url(),
                    "tokenUrl": self.portal.token_url(),
                    "walletTokenUrl": format!("{}/oauth/token", self.portal.wallet_url()),
                    "auth": { "clientCredentials": { "secretRef": { "name": "portal-login" } } },
                },
                "resyncInterval": "3m",
            },
        });
        self.create(&ours("portals"), &portal).await;
    }

    /// Creates a `TechnicalUser` with this role.
    pub async fn create_user(&self, name: &str, role: &str) {
        self.create_user_with(name, role, &json!({})).await;
    }

    /// Creates a `TechnicalUser` with this role, and with more in its spec.
    pub async fn create_user_with(&self, name: &str, role: &str, more: &Value) {
        let mut spec =
            json!({ "portalRef": { "name": "portal" }, "user": { "create": { "roles": [role] } } });
        for (field, value) in more.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
        self.create(&ours("technicalusers"), &json!({ "metadata": { "name": name }, "spec": spec })).await;
    }

    /// Deletes a `TechnicalUser`.
    pub async fn delete_user(&self, name: &str) {
        self.send("DELETE", &path_of_user(name), &json!({})).await;
    }

    /// Changes the Secret of a `TechnicalUser` by a merge patch, as a person does.
    pub async fn change_secret(&self, name: &str, patch: &Value) {
        self.send("PATCH", &self.path_of_secret(name), patch).await;
    }

    /// Deletes the Secret of a `TechnicalUser`, as a person does.
    pub async fn delete_secret(&self, name: &str) {
        self.send("DELETE", &self.path_of_secret(name), &json!({})).await;
    }

    /// Gives the Secret of a `TechnicalUser` another name, as a person does.
    pub async fn rename_secret(&self, name: &str, to: &str) {
        self.record.add(format!("a person renames the Secret of {name}"));
        let spec = json!({ "spec": { "outputs": [{ "secret": { "name": to } }] } });
        let from = self.secret_named_by(name);
        self.send("PATCH", &path_of_user(name), &spec).await;
        self.read_another_secret(&from, to).await;
    }

    fn path_of_secret(&self, name: &str) -> String {
        format!("/api/v1/namespaces/{NAMESPACE}/secrets/{}", self.secret_named_by(name))
    }

    /// The name of the Secret of a `TechnicalUser`, which may be gone.
    fn secret_named_by(&self, name: &str) -> String {
        self.user(name).map_or_else(|| name.to_owned(), |user| secret_of(&user))
    }

    pub(super) async fn create(&self, path: &str, object: &Value) {
        self.send("POST", path, object).await;
    }

    async fn send(&self, method: &str, path: &str, body: &Value) {
        if let Err(error) = send_as(&self.apiserver.admin(), method, path, body).await {
            self.fail(&format!("{method} {path}: {error}"));
        }
    }

    /// Suspends the Portal, or ends that.
    pub async fn suspend(&self, suspend: bool) {
        self.record.add(format!("a person sets suspend of the Portal to {suspend}"));
        self.change_portal(&json!({ "spec": { "suspend": suspend } })).await;
    }

    /// Changes the Portal by a merge patch, as a person does.
    pub(super) async fn change_portal(&self, patch: &Value) {
        self.send("PATCH", &path_of_portal(), patch).await;
    }

    /// The namespace has room for this number of Secrets.
    pub async fn limit_secrets(&self, count: usize) {
        let quota = json!({
            "metadata": { "name": "secrets" }, "spec": { "hard": { "count/secrets": count.to_string() } },
        });
        self.create(&format!("/api/v1/namespaces/{NAMESPACE}/resourcequotas"), &quota).await;
    }

    /// The namespace has room for any number of Secrets again.
    pub async fn remove_quota(&self) {
        self.send("DELETE", &format!("/api/v1/namespaces/{NAMESPACE}/resourcequotas/secrets"), &json!({}))
            .await;
    }

    /// The Portal lists as many retained users as it can.
    pub async fn fill_retained(&self) {
        let retained: Vec<Value> = (0..RETAINED_LIMIT).filter_map(|number| self.retain(number)).collect();
        let status = json!({ "status": { "retained": retained } });
        self.send("PATCH", &format!("{}/status", path_of_portal()), &status).await;
    }

    /// A user of a former resource that was kept in the portal, as the Portal lists it.
    fn retain(&self, number: usize) -> Option<Value> {
        let owner = format!("{NAMESPACE}/former-{number}");
        let mark = format!(
            "No longer managed from Kubernetes. [technicaluser.dev/1 retained sim/{owner} g1 a1b2c3]"
        );
        let user = UserSeed::new(COMPANY, &format!("former-{number}")).description(&mark);
        let user = self.portal.seed_user(user)?;
        Some(json!({
            "id": user.id, "clientId": user.client_id, "name": user.name, "technicalUser": owner,
            "reason": "deletionPolicy is Retain", "since": "2026-01-01T00:00:00Z",
        }))
    }

    /// The `TechnicalUsers`.
    pub fn users(&self) -> Vec<Arc<Value>> {
        self.apiserver.objects(USERS)
    }

    /// A `TechnicalUser`.
    pub fn user(&self, name: &str) -> Option<Arc<Value>> {
        self.apiserver.object(USERS, NAMESPACE, name)
    }

    /// Whether a `TechnicalUser` reports that it is ready, in its present generation.
    pub fn is_ready(&self, name: &str) -> bool {
        self.user(name).is_some_and(|user| is_ready(&user))
    }

    /// Whether the Portal is Ready.
    pub fn portal_is_ready(&self) -> bool {
        self.apiserver.object(PORTALS, NAMESPACE, "portal").is_some_and(|portal| is_ready(&portal))
    }

    /// The values of the Secret of a `TechnicalUser`.
    pub fn secret(&self, name: &str) -> Option<Value> {
        let secret = self.apiserver.object("secrets", NAMESPACE, &self.secret_named_by(name))?;
        let text = |value: &Value| {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
            json!(String::from_utf8_lossy(&bytes))
        };
        let data = secret["data"].as_object()?.iter().map(|(key, value)| (key.clone(), text(value)));
        Some(Value::Object(data.collect()))
    }

    /// Whether a `TechnicalUser` has a Secret that is not of another owner.
    pub fn has_own_secret(&self, name: &str) -> bool {
        let secret = self.apiserver.object("secrets", NAMESPACE, &self.secret_named_by(name));
        secret.is_some_and(|secret| secret["metadata"]["ownerReferences"][0]["name"] == name)
    }

    /// All that people may read: our resources and the events.
    pub fn resources(&self) -> String {
        let all =
            [PORTALS, USERS, VAULTS, "events.events.k8s.io"].map(|resource| self.apiserver.objects(resource));
        let lines: Vec<String> = all.into_iter().flatten().map(|object| object.to_string()).collect();
        lines.join("\n")
    }
}

/// Sends a request as this client, with a merge patch where it has a body.
pub async fn send_as(client: &Client, method: &str, path: &str, body: &Value) -> Result<String, kube::Error> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/merge-patch+json")
        .body(body.to_string().into_bytes())
        .unwrap();
    client.request_text(request).await
}

/// The path of a `TechnicalUser`.
pub fn path_of_user(name: &str) -> String {
    format!("{}/{name}", ours("technicalusers"))
}

fn path_of_portal() -> String {
    format!("{}/portal", ours("portals"))
}

/// Whether the condition Ready holds for the present generation.
pub fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "Ready"
            && condition["status"] == "True"
            && condition["observedGeneration"] == object["metadata"]["generation"]
    })
}

/// The path of our kinds.
pub fn ours(plural: &str) -> String {
    format!("/apis/{}/v1alpha1/namespaces/{NAMESPACE}/{plural}", api::GROUP)
}

/// The name of the Secret that the spec of a `TechnicalUser` names.
pub fn secret_of(user: &Value) -> String {
    let named = user["spec"]["outputs"][0]["secret"]["name"].as_str();
    named.or(user["metadata"]["name"].as_str()).unwrap_or_default().to_owned()
}
