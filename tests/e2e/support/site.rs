//! A namespace with a simulated portal, and what a person writes and reads there.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use parking_lot::Mutex;
use portal_simulator::Simulator;
use serde_json::{Value, json};
use technical_user_operator::api::{Portal, TechnicalUser, Vault};
use testbed::{ControlPlane, Transcript};

use super::logins::Login;
use super::manifests::PORTAL;

/// A namespace of a cluster, and the portal that its resources lead to.
pub struct Site {
    pub plane: &'static ControlPlane,
    pub client: Client,
    pub namespace: String,
    pub simulator: Arc<Simulator>,
    logs: Mutex<Vec<Transcript>>,
    /// The secrets that the test itself wrote.
    written: Mutex<Vec<String>>,
}

impl Site {
    /// A namespace that is there, and a portal for it.
    pub async fn new(plane: &'static ControlPlane, namespace: String, simulator: Simulator) -> Self {
        let client = plane.admin_client().await.unwrap();
        Self {
            plane,
            client,
            namespace,
            simulator: Arc::new(simulator),
            logs: Mutex::default(),
            written: Mutex::default(),
        }
    }

    /// Adds the output of one more process of the operator to the log.
    pub fn add_log_of(&self, operator: Transcript) {
        self.logs.lock().push(operator);
    }

    /// The secrets that may occur nowhere: those that the simulator returned, and those that the test wrote.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.written.lock().clone();
        secrets.extend(self.simulator.secrets_handed_out());
        secrets
    }

    /// Everything that the processes of the operator wrote so far.
    pub fn log(&self) -> String {
        let logs = self.logs.lock();
        logs.iter().flat_map(Transcript::lines).collect::<Vec<_>>().join("\n")
    }

    /// Writes the login Secret of the Portal.
    pub async fn login(&self, login: Login<'_>) {
        self.login_secret("portal-login", login).await;
    }

    /// Writes a Secret with a login.
    pub async fn login_secret(&self, name: &str, login: Login<'_>) {
        self.secret(name, &[("client-id", login.client_id), ("client-secret", login.secret)]).await;
    }

    /// Writes the Secret `person` with a refresh token, and has the Portal log in with it.
    pub async fn login_by_refresh_token(&self, token: &str) {
        self.secret("person", &[("refresh-token", token)]).await;
        let auth = json!({"clientCredentials": null, "refreshToken": {"secretRef": {"name": "person"}}});
        self.patch_portal(&json!({"spec": {"catenaX": {"auth": auth}}})).await;
    }

    /// Writes a Secret as a person would.
    pub async fn secret(&self, name: &str, values: &[(&str, &str)]) {
        let secrets = values
            .iter()
            .filter(|(key, _)| ["client-secret", "refresh-token", "secret-id", "token"].contains(key));
        self.written.lock().extend(secrets.map(|(_, secret)| secret.trim().to_owned()));
        let data: BTreeMap<_, _> = values.iter().copied().collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": self.namespace }, "stringData": data,
        });
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        api.patch(name, &PatchParams::apply("a-person").force(), &Patch::Apply(&secret)).await.unwrap();
    }

    pub(super) fn resource(kind: &str) -> ApiResource {
        match kind {
            "Portal" => ApiResource::erase::<Portal>(&()),
            "Vault" => ApiResource::erase::<Vault>(&()),
            _ => ApiResource::erase::<TechnicalUser>(&()),
        }
    }

    pub fn api(&self, kind: &str, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &Self::resource(kind))
    }

    /// The `Portal`s of the namespace.
    pub fn portals_api(&self) -> Api<DynamicObject> {
        self.api("Portal", &self.namespace)
    }

    /// The `TechnicalUser`s of the namespace.
    pub fn users_api(&self) -> Api<DynamicObject> {
        self.api("TechnicalUser", &self.namespace)
    }

    /// `kubectl apply`.
    pub async fn apply(&self, manifest: &Value) -> DynamicObject {
        self.try_apply(manifest).await.unwrap()
    }

    /// `kubectl apply` that may be refused.
    pub async fn try_apply(&self, manifest: &Value) -> Result<DynamicObject, kube::Error> {
        let kind = manifest["kind"].as_str().unwrap();
        let namespace = manifest["metadata"]["namespace"].as_str().unwrap_or(&self.namespace);
        let name = manifest["metadata"]["name"].as_str().unwrap();
        let params = PatchParams::apply("a-person").force();
        self.api(kind, namespace).patch(name, &params, &Patch::Apply(manifest)).await
    }

    /// Changes the Portal's spec, or its metadata.
    pub async fn patch_portal(&self, patch: &Value) {
        let api = self.api("Portal", &self.namespace);
        api.patch(PORTAL, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// Splits `name`: `<namespace>/<name>` is a resource of another namespace.
    fn place<'a>(&'a self, name: &'a str) -> (Api<DynamicObject>, &'a str) {
        let (namespace, name) = name.split_once('/').unwrap_or((&self.namespace, name));
        (self.api("TechnicalUser", namespace), name)
    }

    /// Changes a resource.
    pub async fn patch_user(&self, name: &str, patch: &Value) {
        let (api, name) = self.place(name);
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    /// A resource as it is.
    pub async fn user(&self, name: &str) -> Option<DynamicObject> {
        let (api, name) = self.place(name);
        api.get_opt(name).await.unwrap()
    }

    /// The Portal as it is.
    pub async fn portal(&self) -> Option<DynamicObject> {
        self.api("Portal", &self.namespace).get_opt(PORTAL).await.unwrap()
    }

    /// Deletes a resource, without waiting.
    pub async fn delete(&self, name: &str) {
        let (api, name) = self.place(name);
        api.delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// A Secret of the namespace.
    pub async fn get_secret(&self, name: &str) -> Option<Secret> {
        let (namespace, name) = name.split_once('/').unwrap_or((&self.namespace, name));
        Api::<Secret>::namespaced(self.client.clone(), namespace).get_opt(name).await.unwrap()
    }

    /// The Secrets of the namespace, for writes by hand.
    pub fn secrets_api(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Makes any object of a core or other group by `kubectl apply`.
    pub async fn kubectl_apply(&self, manifest: &Value) {
        self.plane
            .kubectl_with_input(&["apply", "-f", "-"], &manifest.to_string())
            .await
            .unwrap()
            .success()
            .unwrap();
    }
}
