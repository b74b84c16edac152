//! A Vault in memory for outputs: the one of the testbed, and Vault resources that lead to it. Each token may do everything, or as
//! much as a test permits.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use testbed::{EntryView, SimulatedVault};

use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::vault::view::state;
use crate::domain::vault::place::Server;
use crate::k8s::stored::StoredObject;
use crate::k8s::watch::Cache;
use crate::transport::in_memory::{InMemory, response};
use crate::transport::{HttpRequest, HttpResponse, Payload};

/// The mount of all entries.
const MOUNT: &str = "secret";

/// A Vault that has only entries, in the mount `secret`.
#[derive(Clone)]
pub struct Vault {
    server: SimulatedVault,
    /// The token that the server sees; `None`: that of the request.
    token: Arc<Mutex<Option<String>>>,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
    logins: Arc<Mutex<Logins>>,
}

/// The logins so far.
#[derive(Default)]
struct Logins {
    count: usize,
    /// They are answered by a fault of the server.
    fail: bool,
}

/// What another client does right before a request arrives.
struct Meanwhile {
    /// Method and path of the request.
    before: String,
    /// The path of the entry.
    path: String,
    act: Act,
}

enum Act {
    /// It adds custom metadata, and may write data.
    Write { marks: BTreeMap<String, String>, data: Option<Value> },
    /// It deletes the entry.
    Remove,
}

/// An entry.
#[derive(Debug, Default, Clone)]
pub struct Entry {
    /// The number of the newest version.
    pub version: u64,
    /// What the newest version contains; null for a deleted one.
    pub data: Value,
    /// The custom metadata.
    pub custom: BTreeMap<String, String>,
}

impl Default for Vault {
    fn default() -> Self {
        let server = SimulatedVault::default();
        let token = Arc::new(Mutex::new(Some(server.root_token().expose_secret().to_owned())));
        Self { server, token, meanwhile: Arc::default(), logins: Arc::default() }
    }
}

impl Vault {
    /// The Vault resource `vault` of a namespace leads here: it was checked, and can be used.
    pub fn serve(&self, ctx: &mut Context, namespace: &str) {
        self.serve_with(ctx, namespace, &json!({}));
    }

    /// The same with more in its spec.
    pub fn serve_with(&self, ctx: &mut Context, namespace: &str, more: &Value) {
        self.serve_all(ctx, namespace, &["vault"], more);
    }

    /// Vault resources of these names lead here. Of the first one it is known which server answered.
    pub fn serve_named(&self, ctx: &mut Context, namespace: &str, names: &[&str]) {
        self.serve_all(ctx, namespace, names, &json!({}));
    }

    /// The same with more in their specs.
    pub fn serve_all(&self, ctx: &mut Context, namespace: &str, names: &[&str], more: &Value) {
        let vault = self.clone();
        ctx.transports = Arc::new(InMemory::new(move |request| Some(vault.answer(request))));
        let mut objects: Vec<StoredObject> = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let key = Key { namespace: namespace.to_owned(), name: (*name).to_owned() };
            let mut object = json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault",
                "metadata": {"name": key.name, "namespace": key.namespace},
                "spec": {
                    "address": "https://vault.example.org", "mount": MOUNT,
                    "auth": {"tokenSecretRef": {"name": "vault-token"}},
                },
            });
            let more = more.as_object().unwrap().clone();
            object["spec"].as_object_mut().unwrap().extend(more);
            let object = serde_json::from_value(object).unwrap();
            let state = state(&object);
            objects.push(object);
            if number == 0 {
                ctx.vault_memory.answered(&key, &state, &Server::new("cluster-1", None));
            }
            ctx.vault_memory.found(&key, &state, Ok(()));
        }
        ctx.vaults.cache = Cache::of(objects);
    }

    /// An entry as another client writes it.
    pub fn put(&self, path: &str, entry: Entry) {
        let Entry { version, data, custom } = entry;
        let data = (version > 0).then_some(data).filter(|data| !data.is_null());
        self.server.put(&format!("{MOUNT}/{path}"), &EntryView { version, data, custom_metadata: custom });
    }

    /// Changes an entry as another client does.
    pub fn change(&self, path: &str, data: Value) {
        let entry = self.get(path).unwrap();
        self.put(path, Entry { version: entry.version + 1, data, ..entry });
    }

    /// Another client marks an entry, and may write its data, right before a request such as `POST data` for it.
    pub fn meanwhile(&self, before: &str, path: &str, marks: BTreeMap<String, String>, data: Option<Value>) {
        self.act_before(before, path, Act::Write { marks, data });
    }

    /// Another client removes an entry right before a request such as `PATCH metadata` for it.
    pub fn removed_meanwhile(&self, before: &str, path: &str) {
        self.act_before(before, path, Act::Remove);
    }

    fn act_before(&self, request: &str, path: &str, act: Act) {
        let (method, api) = request.split_once(' ').unwrap();
        let before = format!("{method} {MOUNT}/{api}/{path}");
        *self.meanwhile.lock() = Some(Meanwhile { before, path: path.to_owned(), act });
    }

    fn act_meanwhile(&self, request: &str) {
        let act = self.meanwhile.lock().take_if(|meanwhile| meanwhile.before == request);
        let Some(Meanwhile { path, act, .. }) = act else { return };
        let Act::Write { marks, data } = act else { return self.remove(&path) };
        let mut entry = self.get(&path).unwrap_or_default();
        entry.custom.extend(marks);
        if let Some(data) = data {
            (entry.version, entry.data) = (entry.version + 1, data);
        }
        self.put(&path, entry);
    }

    /// Removes an entry as another client does.
    pub fn remove(&self, path: &str) {
        self.call("DELETE", &format!("metadata/{path}"), &Value::Null);
    }

    /// Sends a call below the mount as another client does.
    pub fn call(&self, method: &str, path: &str, body: &Value) {
        let answer = self.server.as_root(method, &format!("{MOUNT}/{path}"), body);
        assert!(answer.status.is_success());
    }

    /// An entry.
    pub fn get(&self, path: &str) -> Option<Entry> {
        let EntryView { version, data, custom_metadata } =
            self.server.entries().remove(&format!("{MOUNT}/{path}"))?;
        Some(Entry { version, data: data.unwrap_or_default(), custom: custom_metadata })
    }

    /// The policy permits no write from now on.
    pub fn deny(&self) {
        self.permit(r#"path "secret/*" { capabilities = ["read"] }"#);
    }

    /// The policy permits to delete entries, and no other write, from now on.
    pub fn narrow(&self) {
        self.permit(r#"path "secret/*" { capabilities = ["read", "delete"] }"#);
    }

    /// The policy permits everything except at this path from now on.
    pub fn forbid(&self, path: &str) {
        let all = r#"path "secret/*" { capabilities = ["create", "read", "update", "patch", "delete"] }"#;
        let none = |part: &str| format!("path \"{MOUNT}/{part}/{path}\" {{ capabilities = [\"deny\"] }}");
        self.permit(&[all, &none("data"), &none("metadata")].join("\n"));
    }

    /// The role `operator` of the Kubernetes auth method gives this policy to the operator's `ServiceAccount`, for tokens of this
    /// audience or, without one, of any. Each request counts with its own token from now on.
    pub fn accept_service_account(&self, policy: &str, audience: Option<&str>) {
        for (path, body) in [
            ("sys/policies/acl/operator", json!({ "policy": policy })),
            ("sys/auth/kubernetes", json!({"type": "kubernetes"})),
        ] {
            assert!(self.server.as_root("POST", path, &body).status.is_success());
        }
        self.require_audience(audience);
        *self.token.lock() = None;
    }

    /// The role `operator` accepts tokens of this audience or, without one, of any from now on.
    pub fn require_audience(&self, audience: Option<&str>) {
        let role = json!({
            "bound_service_account_names": "*", "bound_service_account_namespaces": "*",
            "token_policies": "operator", "audience": audience,
        });
        let written = self.server.as_root("POST", "auth/kubernetes/role/operator", &role);
        assert!(written.status.is_success());
    }

    /// How often a login was requested.
    pub fn logins(&self) -> usize {
        self.logins.lock().count
    }

    /// Each login fails by a fault of the server from now on, or none does.
    pub fn fail_logins(&self, fail: bool) {
        self.logins.lock().fail = fail;
    }

    /// Whether a request is a login that fails.
    fn is_failed_login(&self, path: &str) -> bool {
        let is_login = path.starts_with("auth/") && path.ends_with("/login");
        let mut logins = self.logins.lock();
        logins.count += usize::from(is_login);
        is_login && logins.fail
    }

    /// It is sealed from now on.
    pub fn seal(&self) {
        let sealed = self.server.as_root("PUT", "sys/seal", &Value::Null);
        assert!(sealed.status.is_success());
    }

    fn permit(&self, policy: &str) {
        let created = self.server.as_root("PUT", "sys/policies/acl/few", &json!({ "policy": policy }));
        assert!(created.status.is_success());
        let issued = self.server.as_root("POST", "auth/token/create", &json!({ "policies": ["few"] }));
        *self.token.lock() = issued.body["auth"]["client_token"].as_str().map(str::to_owned);
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let body = match &request.payload {
            Payload::None => Value::Null,
            Payload::Json(json) | Payload::MergePatch(json) => serde_json::from_slice(json).unwrap(),
            Payload::SecretJson(text) | Payload::Form(text) => {
                serde_json::from_str(text.expose_secret()).unwrap()
            }
        };
        let path = request.url.path().trim_start_matches("/v1/");
        self.act_meanwhile(&format!("{} {path}", request.method));
        if self.is_failed_login(path) {
            return response(500, &[], r#"{"errors": ["1 error occurred"]}"#);
        }
        let of_request = || request.bearer.as_ref().map(|token| token.expose_secret().to_owned());
        let token = self.token.lock().clone().or_else(of_request).unwrap_or_default();
        let answer = self.server.answer(&token, request.method.as_str(), path, &body);
        let text = if answer.body.is_null() { String::new() } else { answer.body.to_string() };
        response(answer.status.as_u16(), &[], &text)
    }
}
