//! The objects in a world: what people write, and what they see.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::{Value, json};
use technical_user_operator::api;

use super::{LOGIN, NAMESPACE, World};

const PORTALS: &str = "portals.technicaluser.dev";
const USERS: &str = "technicalusers.technicaluser.dev";

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
        let user = json!({
            "metadata": { "name": name },
            "spec": { "portalRef": { "name": "portal" }, "user": { "create": { "roles": [role] } } },
        });
        self.create(&ours("technicalusers"), &user).await;
    }

    /// Deletes a `TechnicalUser`.
    pub async fn delete_user(&self, name: &str) {
        self.send("DELETE", &format!("{}/{name}", ours("technicalusers")), &json!({})).await;
    }

    /// Changes the Secret of a `TechnicalUser` by a merge patch, as a person does.
    pub async fn change_secret(&self, name: &str, patch: &Value) {
        self.send("PATCH", &format!("/api/v1/namespaces/{NAMESPACE}/secrets/{name}"), patch).await;
    }

    /// Deletes the Secret of a `TechnicalUser`, as a person does.
    pub async fn delete_secret(&self, name: &str) {
        self.send("DELETE", &format!("/api/v1/namespaces/{NAMESPACE}/secrets/{name}"), &json!({})).await;
    }

    async fn create(&self, path: &str, object: &Value) {
        self.send("POST", path, object).await;
    }

    async fn send(&self, method: &str, path: &str, body: &Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/merge-patch+json")
            .body(body.to_string().into_bytes())
            .unwrap();
        if let Err(error) = self.apiserver.admin().request_text(request).await {
            self.fail(&format!("{method} {path}: {error}"));
        }
    }

    /// The `TechnicalUsers`.
    pub fn users(&self) -> Vec<Value> {
        self.apiserver.objects(USERS)
    }

    /// A `TechnicalUser`.
    pub fn user(&self, name: &str) -> Option<Value> {
        self.apiserver.object(USERS, NAMESPACE, name)
    }

    /// Whether a `TechnicalUser` reports that it is ready, in its present generation.
    pub fn is_ready(&self, name: &str) -> bool {
        self.user(name).is_some_and(|user| is_ready(&user))
    }

    /// The values of a Secret.
    pub fn secret(&self, name: &str) -> Option<Value> {
        let secret = self.apiserver.object("secrets", NAMESPACE, name)?;
        let text = |value: &Value| {
            let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
            json!(String::from_utf8_lossy(&bytes))
        };
        let data = secret["data"].as_object()?.iter().map(|(key, value)| (key.clone(), text(value)));
        Some(Value::Object(data.collect()))
    }

    /// All that people may read: our resources and the events.
    pub fn resources(&self) -> String {
        let all = [PORTALS, USERS, "events.events.k8s.io"].map(|resource| self.apiserver.objects(resource));
        let lines: Vec<String> = all.into_iter().flatten().map(|object| object.to_string()).collect();
        lines.join("\n")
    }
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

fn ours(plural: &str) -> String {
    format!("/apis/{}/v1alpha1/namespaces/{NAMESPACE}/{plural}", api::GROUP)
}
