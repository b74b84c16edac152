//! Logins by a token of a service account.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::approle::terms;
use super::tokens::Tokens;
use super::{Answer, Request, errors, missing, names, nothing};

/// The method.
#[derive(Clone, Default)]
pub(super) struct Kubernetes {
    roles: BTreeMap<String, Value>,
}

/// A token of a service account, as the apiserver issues it whose tokens this Vault verifies.
#[must_use]
pub fn service_account_token(namespace: &str, name: &str, audience: &str) -> String {
    let claims = json!({ "sub": format!("system:serviceaccount:{namespace}:{name}"), "aud": [audience] });
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("simulated.{payload}.{}", signature(&payload))
}

fn signature(payload: &str) -> String {
    let sum = payload.bytes().fold(17_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    format!("signed-{sum:x}")
}

impl Kubernetes {
    pub(super) fn call(&mut self, request: &Request<'_>, path: &str) -> Answer {
        match (request.method, path.split_once('/')) {
            ("POST" | "PUT", None) if path == "config" => nothing(),
            ("POST" | "PUT", Some(("role", name))) => {
                self.roles.insert(name.to_owned(), request.body.clone());
                nothing()
            }
            _ => missing(),
        }
    }

    pub(super) fn log_in(&self, body: &Value, tokens: &mut Tokens, mount: &str) -> Answer {
        let name = body["role"].as_str().unwrap_or_default();
        let Some(role) = self.roles.get(name) else {
            return errors(400, &format!("invalid role name \"{name}\""));
        };
        let Some((claims, is_signed)) = claims(body["jwt"].as_str().unwrap_or_default()) else {
            return errors(500, "error parsing the token");
        };
        let wanted = role["audience"].as_str();
        if wanted.is_some_and(|wanted| !names(&claims["aud"]).iter().any(|audience| audience == wanted)) {
            let words = "invalid audience (aud) claim: audience claim does not match any expected audience";
            return errors(403, words);
        }
        let subject = claims["sub"].as_str().unwrap_or_default();
        let mut parts = subject.split(':').skip(2);
        let (namespace, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let is_bound = |setting: &str, name: &str| {
            names(&role[setting]).iter().any(|bound| bound == name || bound == "*")
        };
        if !is_bound("bound_service_account_namespaces", namespace) {
            return errors(403, "namespace not authorized");
        }
        if !is_bound("bound_service_account_names", account) {
            return errors(403, "service account name not authorized");
        }
        if !is_signed {
            return errors(403, "permission denied");
        }
        tokens.issue(terms(role), &format!("auth/{mount}"))
    }
}

/// What a token says, and whether the apiserver signed it.
fn claims(jwt: &str) -> Option<(Value, bool)> {
    let mut parts = jwt.split('.').skip(1);
    let (payload, signed) = (parts.next()?, parts.next()?);
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    Some((claims, signed == signature(payload)))
}
