//! What is below `sys/`: health, seal, mounts, methods, policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::approle::AppRole;
use super::kubernetes::Kubernetes;
use super::kv::Kv;
use super::policies::{self, Permitted};
use super::{Answer, Engine, Method, Request, Role, State, data, errors, missing, names, nothing};

/// The version that the real server of the tests has.
const VERSION: &str = "1.21.4";

impl State {
    /// How the server is. The status says it, too.
    pub(super) fn health(&self) -> Answer {
        let standby = self.sealed || self.role != Role::Active;
        let mut body =
            json!({ "initialized": true, "sealed": self.sealed, "standby": standby, "version": VERSION });
        if !self.sealed {
            body["cluster_id"] = json!(self.cluster_id);
        }
        let status = match (self.sealed, self.role) {
            (true, _) => 503,
            (false, Role::Active) => 200,
            (false, Role::Standby | Role::RedirectingStandby) => 429,
        };
        (status, body)
    }

    pub(super) fn system(&mut self, request: &Request<'_>, path: &str, permitted: &Permitted) -> Answer {
        let body = request.body;
        match (request.method, path.split_once('/').unwrap_or((path, ""))) {
            ("POST" | "PUT", ("seal", "")) => {
                self.sealed = true;
                nothing()
            }
            ("POST" | "PUT", ("capabilities-self", "")) => {
                let words = |path: &String| (path.clone(), json!(permitted.words(path)));
                let found: BTreeMap<String, Value> = names(&body["paths"]).iter().map(words).collect();
                data(&json!(found))
            }
            ("GET", ("internal", path)) => self.shown_mount(path, permitted),
            ("POST" | "PUT", ("mounts", path)) => self.mount(path, body),
            ("POST" | "PUT", ("auth", path)) => self.enable(path, body),
            ("POST" | "PUT", ("policies", path)) => {
                let name = path.strip_prefix("acl/").unwrap_or(path);
                let text = body["policy"].as_str().unwrap_or_default();
                self.policies.insert(name.to_owned(), policies::read(text));
                nothing()
            }
            ("POST" | "PUT", ("leases", path)) => {
                if let Some(prefix) = path.strip_prefix("revoke-prefix/") {
                    self.tokens.revoke_prefix(prefix);
                }
                nothing()
            }
            _ => missing(),
        }
    }

    fn shown_mount(&self, path: &str, permitted: &Permitted) -> Answer {
        let path = path.strip_prefix("ui/mounts/").unwrap_or(path);
        let below = format!("{path}/");
        let mount =
            self.engine_of(&below).map(|(mount, _)| mount).filter(|mount| permitted.names_mount(mount));
        let Some(engine) = mount.and_then(|mount| self.engines.get(&mount)) else {
            let words = format!(
                "preflight capability check returned 403, please ensure client's policies grant access to path \"{path}/\""
            );
            return errors(403, &words);
        };
        data(&match engine {
            Engine::Kv2(_) => json!({ "type": "kv", "options": { "version": "2" } }),
            Engine::Kv1 => json!({ "type": "kv", "options": { "version": "1" } }),
            Engine::Other(name) => json!({ "type": name, "options": null }),
        })
    }

    fn mount(&mut self, path: &str, body: &Value) -> Answer {
        if self.engines.contains_key(path) {
            return errors(400, &format!("path is already in use at {path}/"));
        }
        let engine = match (body["type"].as_str(), body["options"]["version"].as_str()) {
            (Some("kv"), Some("2")) => Engine::Kv2(Kv::default()),
            (Some("kv"), _) => Engine::Kv1,
            (name, _) => Engine::Other(name.unwrap_or_default().to_owned()),
        };
        self.engines.insert(path.to_owned(), engine);
        nothing()
    }

    fn enable(&mut self, path: &str, body: &Value) -> Answer {
        let method = match body["type"].as_str() {
            Some("approle") => Method::AppRole(AppRole::default()),
            Some("kubernetes") => Method::Kubernetes(Kubernetes::default()),
            _ => return errors(400, "plugin not found in the catalog"),
        };
        if self.methods.contains_key(path) {
            return errors(400, &format!("path is already in use at {path}/"));
        }
        self.methods.insert(path.to_owned(), method);
        nothing()
    }
}
