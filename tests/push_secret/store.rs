//! A namespace with the page's manifests in it, and a Vault for them.

use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use testbed::{ControlPlane, ExternalSecrets, Vault, VaultAnswer};
use tokio::sync::OnceCell;

use crate::PAGE;
use crate::edc::Page;
use crate::support::condition;

/// The name that the Secret, the `PushSecret`, the entry in Vault, the policy and the role have in the page.
pub const NAME: &str = "edc-wallet";
/// The page's `ServiceAccount` that the `SecretStore` logs in with.
const ACCOUNT: &str = "vault-writer";

/// External Secrets beside the control plane that the tests share.
async fn external_secrets(plane: &ControlPlane) -> &'static ExternalSecrets {
    static STARTED: OnceCell<ExternalSecrets> = OnceCell::const_new();
    STARTED.get_or_init(async || ExternalSecrets::start(plane).await.unwrap()).await
}

/// The page's manifests in a namespace, and a Vault that lets their `ServiceAccount` in with a policy.
pub struct Store {
    plane: &'static ControlPlane,
    client: Client,
    namespace: String,
    vault: Vault,
    external_secrets: &'static ExternalSecrets,
    page: Page,
}

impl Store {
    /// With the page's policy.
    pub async fn start(plane: &'static ControlPlane, namespace: &str) -> Self {
        Self::with_policy(plane, namespace, &Page::read(PAGE).file("edc-wallet.hcl")).await
    }

    /// With another policy.
    pub async fn with_policy(plane: &'static ControlPlane, namespace: &str, policy: &str) -> Self {
        let store = Self {
            plane,
            client: plane.admin_client().await.unwrap(),
            namespace: namespace.to_owned(),
            vault: Vault::start().await.unwrap(),
            external_secrets: external_secrets(plane).await,
            page: Page::read(PAGE),
        };
        plane.create_service_account(namespace, ACCOUNT).await.unwrap();
        store.let_log_in(policy).await;
        store.apply("secret-store.yaml").await;
        // It logs in. A login can fail at first: the apiserver learns of new rights a moment after they are written.
        let wait = ["wait", "-n", namespace, "--for=condition=Ready", "--timeout=3m", "secretstore/vault"];
        plane.kubectl(&wait).await.unwrap().success().unwrap();
        store
    }

    /// Gives Vault the policy, and the page's role with it.
    async fn let_log_in(&self, policy: &str) {
        self.root("PUT", &format!("sys/policies/acl/{NAME}"), &json!({ "policy": policy })).await;
        self.root("POST", "sys/auth/kubernetes", &json!({ "type": "kubernetes" })).await;
        let reviewer = self.reviewer_token().await;
        let cluster = json!({
            "kubernetes_host": self.plane.server(),
            "kubernetes_ca_cert": std::fs::read_to_string(self.plane.ca()).unwrap(),
            "token_reviewer_jwt": reviewer,
        });
        self.root("POST", "auth/kubernetes/config", &cluster).await;
        let role = json!({
            "bound_service_account_names": ACCOUNT,
            "bound_service_account_namespaces": self.namespace,
            "token_policies": NAME,
            "token_ttl": "10m",
        });
        self.root("POST", &format!("auth/kubernetes/role/{NAME}"), &role).await;
    }

    /// A token by which Vault asks the apiserver about the tokens of others.
    async fn reviewer_token(&self) -> String {
        let namespace = &self.namespace;
        self.plane.create_service_account(namespace, "vault").await.unwrap();
        let account = format!("--serviceaccount={namespace}:vault");
        let bind =
            ["create", "clusterrolebinding", namespace, "--clusterrole=system:auth-delegator", &account];
        self.plane.kubectl(&bind).await.unwrap().success().unwrap();
        self.plane.service_account_token(namespace, "vault").await.unwrap()
    }

    async fn root(&self, method: &str, path: &str, body: &Value) -> Value {
        self.vault.as_root(method, path, Some(body)).await.unwrap().success().unwrap()
    }

    /// Applies a file of the page, in this namespace and for this Vault.
    async fn apply(&self, file: &str) {
        let manifest = self.page.file(file);
        let replaced = manifest
            .replace("namespace: connector\n", &format!("namespace: {}\n", self.namespace))
            .replace("https://vault.example.org:8200", self.vault.address());
        let apply = self.plane.kubectl_with_input(&["apply", "-f", "-"], &replaced).await;
        apply.unwrap().success().unwrap();
    }

    /// Applies the page's `PushSecret`.
    pub async fn push(&self) {
        self.apply("push-secret.yaml").await;
    }

    fn push_secrets(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("external-secrets.io", "v1alpha1", "PushSecret");
        Api::namespaced_with(self.client.clone(), &self.namespace, &ApiResource::from_gvk(&kind))
    }

    /// Has the `PushSecret` reconciled now and not at the end of its interval.
    pub async fn push_again(&self) {
        let annotation = Patch::Merge(json!({ "metadata": { "annotations": { "again": "now" } } }));
        self.push_secrets().patch(NAME, &PatchParams::default(), &annotation).await.unwrap();
    }

    /// The message of the `PushSecret`'s condition Ready, if it has this status.
    async fn ready(&self, status: &str) -> Option<String> {
        let found = self.push_secrets().get_opt(NAME).await.unwrap()?;
        let ready = condition(&found, "Ready").filter(|ready| ready.status == status)?;
        Some(ready.message)
    }

    /// Waits until the `PushSecret`'s condition Ready has this status; its message.
    pub async fn becomes(&self, status: &str) -> String {
        self.until(&format!("Ready is {status}"), async || self.ready(status).await).await
    }

    /// Waits until the entry has this content, or the `PushSecret` says why not.
    pub async fn pushed_or_refused(&self, content: &str) -> Result<(), String> {
        let wanted = json!({ "content": content });
        self.until("it is pushed or refused", async || {
            if let Some(refusal) = self.ready("False").await {
                return Some(Err(refusal));
            }
            (self.data().await == wanted).then_some(Ok(()))
        })
        .await
    }

    /// Waits until the `PushSecret` is gone and with it the entry, or one of them says why not.
    pub async fn deleted_or_refused(&self) -> Result<(), String> {
        let refused = self.until("it is deleted or refused", async || {
            if self.push_secrets().get_opt(NAME).await.unwrap().is_none() {
                return Some(Ok(()));
            }
            self.ready("False").await.filter(|words| words.starts_with("Failed to Delete")).map(Err)
        });
        refused.await?;
        if self.metadata().await.status == 404 { Ok(()) } else { Err("the entry is still there".to_owned()) }
    }

    /// Deletes the `PushSecret`, without waiting.
    pub async fn delete(&self) {
        self.push_secrets().delete(NAME, &DeleteParams::default()).await.unwrap();
    }

    /// Writes the Secret by hand.
    pub async fn write_secret(&self, value: &str) {
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": NAME },
            "stringData": { "client-secret": value },
        });
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        api.patch(NAME, &PatchParams::apply("a-person"), &Patch::Apply(&secret)).await.unwrap();
    }

    /// The value `vault.hashicorp` of the connector's chart. The token may do everything.
    pub fn as_value(&self) -> Value {
        let token = self.vault.root_token().expose_secret();
        let paths = json!({ "secret": "/v1/secret", "folder": "" });
        json!({ "url": self.vault.address(), "token": token, "paths": paths })
    }

    /// What Vault answers to the connector's question for the entry.
    pub async fn entry(&self) -> VaultAnswer {
        self.vault.as_root("GET", &format!("secret/data/{NAME}"), None).await.unwrap()
    }

    /// The data of the entry; null where there is none.
    pub async fn data(&self) -> Value {
        self.entry().await.body["data"]["data"].clone()
    }

    /// The metadata of the entry.
    pub async fn metadata(&self) -> VaultAnswer {
        self.vault.as_root("GET", &format!("secret/metadata/{NAME}"), None).await.unwrap()
    }

    /// Writes the entry by hand.
    pub async fn write_entry(&self, data: &Value) {
        self.root("POST", &format!("secret/data/{NAME}"), &json!({ "data": data })).await;
    }

    /// Deletes the entry by hand, as `vault kv metadata delete` does.
    pub async fn delete_entry(&self) {
        let path = format!("secret/metadata/{NAME}");
        self.vault.as_root("DELETE", &path, None).await.unwrap().success().unwrap();
    }

    /// Waits for something. If it does not come, what External Secrets logged is shown.
    pub async fn until<T>(&self, what: &str, check: impl AsyncFnMut() -> Option<T>) -> T {
        match testbed::eventually(what, check).await {
            Ok(found) => found,
            Err(error) => {
                let found = self.push_secrets().get_opt(NAME).await;
                panic!("{error}; {found:#?}\n{}", self.external_secrets.log());
            }
        }
    }
}
