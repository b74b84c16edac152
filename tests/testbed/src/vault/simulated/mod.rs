//! A Vault in memory, with the answers of a Vault server to the calls that the operator and its tests send.
//!
//! The tests in `tests/vault_client` ask each fact of a real server and of this one. It has no sockets: a test calls it, or puts it
//! behind a transport of its own. Tokens expire by tokio's clock, which a test may pause.
#![allow(clippy::indexing_slicing, reason = "a name that a JSON value does not have is null")]

mod approle;
mod kubernetes;
mod kv;
mod policies;
mod router;
mod system;
mod tokens;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Value, json};

use self::approle::AppRole;
use self::kubernetes::Kubernetes;
use self::kv::Kv;
use self::policies::Policy;
use self::tokens::Tokens;
use super::VaultAnswer;

pub use self::kubernetes::service_account_token;
pub use self::views::{EntryChange, EntryView, VaultBackup};

/// Which server of a cluster answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// The active server.
    #[default]
    Active,
    /// A standby that forwards all requests to the active server.
    Standby,
    /// A standby that answers each request with a redirect.
    RedirectingStandby,
}

/// A Vault server in memory, unsealed, with KV version 2 at `secret/`. Cheap to clone; clones are the same server.
#[derive(Clone)]
pub struct SimulatedVault {
    state: Arc<Mutex<State>>,
}

/// All that the server knows.
#[derive(Clone)]
struct State {
    sealed: bool,
    role: Role,
    cluster_id: String,
    engines: BTreeMap<String, Engine>,
    methods: BTreeMap<String, Method>,
    policies: BTreeMap<String, Policy>,
    tokens: Tokens,
    changes: Vec<EntryChange>,
}

/// What is mounted at a path.
#[derive(Clone)]
enum Engine {
    Kv2(Kv),
    Kv1,
    Other(String),
}

/// What logs in at a path.
#[derive(Clone)]
enum Method {
    Token,
    AppRole(AppRole),
    Kubernetes(Kubernetes),
}

/// A call, as the parts of the server see it.
struct Request<'a> {
    method: &'a str,
    /// What follows `/v1/`.
    path: &'a str,
    token: &'a str,
    body: &'a Value,
}

/// Status and body of an answer.
type Answer = (u16, Value);

impl Default for SimulatedVault {
    fn default() -> Self {
        Self::new("cluster-1")
    }
}

impl SimulatedVault {
    /// An empty server of this cluster.
    #[must_use]
    pub fn new(cluster_id: &str) -> Self {
        let state = State {
            sealed: false,
            role: Role::Active,
            cluster_id: cluster_id.to_owned(),
            engines: BTreeMap::from([
                ("secret".to_owned(), Engine::Kv2(Kv::default())),
                ("cubbyhole".to_owned(), Engine::Other("cubbyhole".to_owned())),
            ]),
            methods: BTreeMap::from([("token".to_owned(), Method::Token)]),
            policies: BTreeMap::from([("default".to_owned(), policies::of_default())]),
            tokens: Tokens::with_root(),
            changes: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The answer to a call; `path` is what follows `/v1/`.
    #[must_use]
    pub fn answer(&self, token: &str, method: &str, path: &str, body: &Value) -> VaultAnswer {
        let request = Request { method, path, token, body };
        let (status, body) = self.state.lock().answer(&request);
        let status = StatusCode::from_u16(status).unwrap_or_default();
        VaultAnswer { call: format!("{method} /v1/{path}"), status, body }
    }

    /// A call with the root token.
    #[must_use]
    pub fn as_root(&self, method: &str, path: &str, body: &Value) -> VaultAnswer {
        self.answer(tokens::ROOT, method, path, body)
    }

    /// A token that may do everything.
    #[must_use]
    pub fn root_token(&self) -> SecretString {
        tokens::ROOT.into()
    }

    /// Unseals it.
    pub fn unseal(&self) {
        self.state.lock().sealed = false;
    }

    /// It answers as this server of its cluster from now on.
    pub fn set_role(&self, role: Role) {
        self.state.lock().role = role;
    }
}

fn errors(status: u16, words: &str) -> Answer {
    (status, json!({ "errors": [words] }))
}

fn data(value: &Value) -> Answer {
    (200, json!({ "data": value }))
}

fn missing() -> Answer {
    (404, json!({ "errors": [] }))
}

fn nothing() -> Answer {
    (204, Value::Null)
}

/// A duration in a setting: seconds as a number, or a text such as `2s`, `5m` or `1h`.
fn seconds(value: &Value) -> Option<u64> {
    let Some(text) = value.as_str() else { return value.as_u64() };
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(number.parse::<u64>().ok()? * factor)
}

/// Names in a setting: a list, or a text with commas.
fn names(value: &Value) -> Vec<String> {
    let list = |values: &Vec<Value>| values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let split = |text: &str| text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    value.as_array().map(list).or_else(|| value.as_str().map(split)).unwrap_or_default()
}
