//! Logins by a role ID and a secret ID.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tokens::{Terms, Tokens};
use super::{Answer, Request, data, errors, missing, names, nothing, seconds};

/// The method.
#[derive(Clone, Default)]
pub(super) struct AppRole {
    roles: BTreeMap<String, Role>,
    issued: u64,
}

#[derive(Clone, Default)]
struct Role {
    id: String,
    settings: Value,
    /// How often each may still be used; `None`: without limit.
    secret_ids: BTreeMap<String, Option<u64>>,
}

impl AppRole {
    pub(super) fn call(&mut self, request: &Request<'_>, path: &str) -> Answer {
        let Some((name, what)) =
            path.strip_prefix("role/").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        else {
            return missing();
        };
        self.issued += 1;
        let text = format!("Simulated-{}-{:08}", name, self.issued.wrapping_mul(7_654_321) % 100_000_000);
        if let ("POST" | "PUT", "") = (request.method, what) {
            let role =
                self.roles.entry(name.to_owned()).or_insert_with(|| Role { id: text, ..Role::default() });
            role.settings = request.body.clone();
            return nothing();
        }
        let Some(role) = self.roles.get_mut(name) else { return missing() };
        match (request.method, what) {
            ("GET", "role-id") => data(&json!({ "role_id": role.id })),
            ("POST" | "PUT", "secret-id") => {
                let uses = role.settings["secret_id_num_uses"].as_u64().filter(|uses| *uses > 0);
                role.secret_ids.insert(text.clone(), uses);
                data(&json!({ "secret_id": text, "secret_id_num_uses": uses.unwrap_or_default() }))
            }
            _ => missing(),
        }
    }

    pub(super) fn log_in(&mut self, body: &Value, tokens: &mut Tokens, mount: &str) -> Answer {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let refused = || errors(400, "invalid role or secret ID");
        let Some(role) = self.roles.values_mut().find(|role| role.id == text("role_id")) else {
            return refused();
        };
        match role.secret_ids.get_mut(text("secret_id")) {
            None | Some(Some(0)) => return refused(),
            Some(Some(uses)) => *uses -= 1,
            Some(None) => {}
        }
        tokens.issue(terms(&role.settings), &format!("auth/{mount}"))
    }
}

/// The terms that the settings of a role have for its tokens.
pub(super) fn terms(settings: &Value) -> Terms {
    let mut policies = names(&settings["token_policies"]);
    policies.push("default".to_owned());
    Terms {
        policies,
        ttl: seconds(&settings["token_ttl"]).unwrap_or_default(),
        longest: seconds(&settings["token_max_ttl"]).unwrap_or_default(),
        renewable: true,
    }
}
