//! A namespace with a portal that is played: what a person does there, and what is to be seen.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use parking_lot::Mutex;
use portal_simulator::{Simulator, UserView};
use serde_json::{Value, json};
use technical_user_operator::controller::objects::{portals, technical_users};
use testbed::{ControlPlane, Transcript};

use super::leaks::assert_no_secret;
use super::manifests::PORTAL;
use super::objects::{condition, message, reason};

/// A namespace of a cluster, and the portal that its resources lead to.
pub struct Site {
    pub plane: &'static ControlPlane,
    pub client: Client,
    pub namespace: String,
    pub simulator: Arc<Simulator>,
    said: Mutex<Vec<Transcript>>,
}

impl Site {
    /// A namespace that is there, and a portal for it.
    pub async fn new(plane: &'static ControlPlane, namespace: String, simulator: Simulator) -> Self {
        let client = plane.admin_client().await.unwrap();
        Self { plane, client, namespace, simulator: Arc::new(simulator), said: Mutex::default() }
    }

    /// Remembers what one more operator says.
    pub fn heard(&self, operator: Transcript) {
        self.said.lock().push(operator);
    }

    /// Everything that the operators said so far.
    pub fn log(&self) -> String {
        let said = self.said.lock();
        said.iter().flat_map(Transcript::lines).collect::<Vec<_>>().join("\n")
    }

    /// Writes the login Secret.
    pub async fn login(&self, client_id: &str, secret: &str) {
        self.secret("portal-login", &[("client-id", client_id), ("client-secret", secret)]).await;
    }

    /// Writes a Secret as a person would.
    pub async fn secret(&self, name: &str, values: &[(&str, &str)]) {
        let data: BTreeMap<_, _> = values.iter().copied().collect();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": self.namespace }, "stringData": data,
        });
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        api.patch(name, &PatchParams::apply("a-person").force(), &Patch::Apply(&secret)).await.unwrap();
    }

    fn resource(kind: &str) -> ApiResource {
        if kind == "Portal" { portals() } else { technical_users() }
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

    /// Takes `name` apart: `<namespace>/<name>` is a resource of another namespace.
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

    /// Waits until a resource is as it should be.
    pub async fn until(
        &self,
        name: &str,
        what: &str,
        mut check: impl FnMut(&DynamicObject) -> bool,
    ) -> DynamicObject {
        let (api, short) = self.place(name);
        let mut last = None;
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            if let Some(object) = api.get_opt(short).await.unwrap() {
                if check(&object) {
                    return object;
                }
                last = Some(object);
            }
            self.fail_late(limit, what, &last);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    pub(super) fn fail_late(&self, limit: tokio::time::Instant, what: &str, last: &impl Debug) {
        if tokio::time::Instant::now() > limit {
            let log = self.log();
            let tail =
                log.lines().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(
                    "
",
                );
            panic!(
                "waited in vain until {what}; last seen: {last:#?}
the operator's last lines:
{tail}"
            );
        }
    }

    /// Waits until a resource is ready.
    pub async fn ready(&self, name: &str) -> DynamicObject {
        self.until(name, &format!("{name} is ready"), |object| {
            condition(object, "Ready").is_some_and(|ready| {
                ready["status"] == "True" && ready["observedGeneration"] == json!(object.metadata.generation)
            })
        })
        .await
    }

    /// Waits until a resource gives this reason for not being ready, and tells its message.
    pub async fn because(&self, name: &str, wanted: &str) -> String {
        let object =
            self.until(name, &format!("{name} says {wanted}"), |object| reason(object) == wanted).await;
        message(&object)
    }

    /// Waits until the Portal gives this reason, and tells its message.
    pub async fn portal_because(&self, wanted: &str) -> String {
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            let portal = self.portal().await;
            if let Some(portal) = portal.as_ref().filter(|portal| reason(portal) == wanted) {
                return message(portal);
            }
            self.fail_late(limit, &format!("the Portal says {wanted}"), &portal);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Asks for a resource's deletion.
    pub async fn delete(&self, name: &str) {
        let (api, name) = self.place(name);
        api.delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Waits until a resource is gone.
    pub async fn gone(&self, name: &str) {
        let limit = tokio::time::Instant::now() + testbed::LIMIT;
        loop {
            let found = self.user(name).await;
            if found.is_none() {
                return;
            }
            self.fail_late(limit, &format!("{name} is gone"), &found);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
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

    /// The users of company One that bear a live mark of ours.
    pub fn ours(&self) -> Vec<UserView> {
        let live = |user: &UserView| {
            user.description.contains("[technicaluser.dev/1 e2e/")
                && matches!(user.status, portal_simulator::Status::Active | portal_simulator::Status::Pending)
        };
        self.simulator.users("One").into_iter().filter(live).collect()
    }

    /// Obtains a token with what a Secret holds, as a connector would.
    pub async fn token_with(&self, secret: &str) -> u16 {
        let secret = self.get_secret(secret).await.expect("the Secret is there");
        let value = |key| super::secret_value(&secret, key);
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", value("client-id")),
            ("client_secret", value("client-secret")),
        ];
        self.http().post(value("token-url")).form(&form).send().await.unwrap().status().as_u16()
    }

    /// Creates an object by POST.
    pub async fn post(&self, manifest: &Value) -> Result<DynamicObject, kube::Error> {
        let object: DynamicObject = serde_json::from_value(manifest.clone()).unwrap();
        self.users_api().create(&PostParams::default(), &object).await
    }

    /// An HTTP client that trusts the simulator.
    pub fn http(&self) -> reqwest::Client {
        let mut http = reqwest::Client::builder().no_proxy();
        let authority = self.simulator.ca_pem();
        if !authority.is_empty() {
            http = http.tls_certs_merge(reqwest::Certificate::from_pem_bundle(authority.as_bytes()).unwrap());
        }
        http.build().unwrap()
    }

    /// Fails where a secret of the simulator occurs in a text.
    pub fn assert_no_secret_in(&self, what: &str, text: &str) {
        assert_no_secret(&self.simulator, what, text);
    }

    /// Fails where a secret of the simulator occurs in events, or in our resources.
    pub async fn assert_no_secret_in_objects(&self) {
        let events: Api<k8s_openapi::api::events::v1::Event> =
            Api::namespaced(self.client.clone(), &self.namespace);
        let events = events.list(&ListParams::default()).await.unwrap();
        self.assert_no_secret_in("the events", &serde_json::to_string(&events).unwrap());
        for kind in ["Portal", "TechnicalUser"] {
            let objects = self.api(kind, &self.namespace).list(&ListParams::default()).await.unwrap();
            self.assert_no_secret_in(kind, &serde_json::to_string(&objects).unwrap());
        }
    }
}
