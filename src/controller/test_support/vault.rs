//! A Vault in memory, as far as an output uses it: data with `cas`, metadata, and capabilities. The end-to-end tests show that a
//! real one answers the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::runtime::{reflector, watcher};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::controller::context::Context;
use crate::controller::objects::{Key, vaults};
use crate::controller::vault::view::state;
use crate::domain::vault::place::Server;
use crate::transport::in_memory::{InMemory, response};
use crate::transport::{HttpRequest, HttpResponse, Payload};

/// A Vault that has only entries, in the mount `secret`.
#[derive(Debug, Clone, Default)]
pub struct Vault(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By path.
    entries: BTreeMap<String, Entry>,
    denies: bool,
    narrow: bool,
    sealed: bool,
}

/// An entry.
#[derive(Debug, Default, Clone)]
pub struct Entry {
    /// The number of the newest version.
    pub version: u64,
    /// What the newest version contains.
    pub data: Value,
    /// The custom metadata.
    pub custom: BTreeMap<String, String>,
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

    fn serve_all(&self, ctx: &mut Context, namespace: &str, names: &[&str], more: &Value) {
        let vault = self.clone();
        ctx.transports = Arc::new(InMemory::new(move |request| Some(vault.answer(request))));
        let mut writer = reflector::store::Writer::new(vaults());
        for (number, name) in names.iter().enumerate() {
            let key = Key { namespace: namespace.to_owned(), name: (*name).to_owned() };
            let mut object = json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Vault",
                "metadata": {"name": key.name, "namespace": key.namespace},
                "spec": {
                    "address": "https://vault.example.org", "mount": "secret",
                    "auth": {"tokenSecretRef": {"name": "vault-token"}},
                },
            });
            let more = more.as_object().unwrap().clone();
            object["spec"].as_object_mut().unwrap().extend(more);
            let object = serde_json::from_value(object).unwrap();
            let state = state(&object);
            writer.apply_watcher_event(&watcher::Event::Apply(object));
            if number == 0 {
                ctx.vault_memory.answered(&key, &state, &Server::new("cluster-1", None));
            }
            ctx.vault_memory.found(&key, &state, Ok(()));
        }
        ctx.caches.vaults = writer.as_reader();
    }

    /// An entry as another client writes it.
    pub fn put(&self, path: &str, entry: Entry) {
        self.0.lock().entries.insert(path.to_owned(), entry);
    }

    /// Changes an entry as another client does.
    pub fn change(&self, path: &str, data: Value) {
        let mut state = self.0.lock();
        let entry = state.entries.get_mut(path).unwrap();
        entry.version += 1;
        entry.data = data;
    }

    /// Removes an entry as another client does.
    pub fn remove(&self, path: &str) {
        self.0.lock().entries.remove(path);
    }

    /// An entry.
    pub fn get(&self, path: &str) -> Option<Entry> {
        self.0.lock().entries.get(path).cloned()
    }

    /// The policy permits nothing from now on.
    pub fn deny(&self) {
        self.0.lock().denies = true;
    }

    /// Vault says of the policy that it permits too little from now on.
    pub fn narrow(&self) {
        self.0.lock().narrow = true;
    }

    /// It is sealed from now on.
    pub fn seal(&self) {
        self.0.lock().sealed = true;
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        use secrecy::ExposeSecret as _;
        let body = match &request.payload {
            Payload::None => Value::Null,
            Payload::Json(json) => serde_json::from_slice(json).unwrap(),
            Payload::SecretJson(text) | Payload::Form(text) => {
                serde_json::from_str(text.expose_secret()).unwrap()
            }
        };
        let (status, body) = self.0.lock().respond(request.method.as_str(), request.url.path(), &body);
        response(status, &[], &body.to_string())
    }
}

impl State {
    fn respond(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = path.strip_prefix("/v1/").unwrap_or(path);
        if self.sealed {
            return (503, json!({"errors": ["Vault is sealed"]}));
        }
        if path == "auth/token/lookup-self" {
            return (200, json!({"data": {"ttl": 0}}));
        }
        if path == "sys/health" {
            return (200, json!({"initialized": true, "sealed": false, "version": "1.21.4"}));
        }
        if path == "sys/internal/ui/mounts/secret" {
            return (200, json!({"data": {"type": "kv", "options": {"version": "2"}}}));
        }
        if path == "sys/capabilities-self" {
            let permitted: &[&str] = if self.denies || self.narrow { &["deny"] } else { &["root"] };
            let paths = body["paths"].as_array().unwrap().iter();
            let answers: serde_json::Map<_, _> =
                paths.map(|path| (path.as_str().unwrap().to_owned(), json!(permitted))).collect();
            return (200, json!({ "data": answers }));
        }
        if self.denies && method != "GET" {
            return (403, json!({"errors": ["permission denied"]}));
        }
        match (method, path.strip_prefix("secret/data/"), path.strip_prefix("secret/metadata/")) {
            ("GET", Some(path), _) => self.read(path),
            ("POST", Some(path), _) => self.write(path, body),
            ("GET", _, Some(path)) => self.entries.get(path).map_or_else(missing, |entry| {
                let metadata = json!({"current_version": entry.version, "custom_metadata": entry.custom});
                (200, json!({ "data": metadata }))
            }),
            ("POST", _, Some(path)) => {
                let custom = serde_json::from_value(body["custom_metadata"].clone()).unwrap();
                self.entries.entry(path.to_owned()).or_default().custom = custom;
                (204, json!({}))
            }
            ("DELETE", _, Some(path)) => {
                self.entries.remove(path);
                (204, json!({}))
            }
            _ => missing(),
        }
    }

    fn read(&self, path: &str) -> (u16, Value) {
        let Some(entry) = self.entries.get(path).filter(|entry| entry.version > 0) else { return missing() };
        let metadata = json!({"version": entry.version, "custom_metadata": entry.custom});
        (200, json!({"data": {"data": entry.data, "metadata": metadata}}))
    }

    fn write(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let entry = self.entries.entry(path.to_owned()).or_default();
        if body["options"]["cas"].as_u64() != Some(entry.version) {
            let words = "check-and-set parameter did not match the current version";
            return (400, json!({"errors": [words]}));
        }
        entry.version += 1;
        entry.data = body["data"].clone();
        (200, json!({"data": {"version": entry.version}}))
    }
}

fn missing() -> (u16, Value) {
    (404, json!({"errors": []}))
}
