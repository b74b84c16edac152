//! The Vault, as a process reaches it: the simulated server without a socket, and what can go wrong there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, Method, Request, Response, header};
use hyper::body::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};
use technical_user_operator::process::Random;
use testbed::{EntryView, SimulatedVault, VaultBackup, VaultRole};

use super::moments::Moments;

/// The name of the server.
pub const HOST: &str = "vault.example.org";
/// The mount of all entries.
pub const MOUNT: &str = "secret";
/// The folder of the entries.
pub const FOLDER: &str = "connectors";

/// The policy that the page about Vault names.
const POLICY: &str = r#"
path "secret/data/connectors/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/connectors/*" { capabilities = ["create", "read", "patch", "delete"] }
"#;
/// Policies that lack something.
const NARROW: [&str; 4] = [
    "",
    r#"
path "secret/data/connectors/*" { capabilities = ["read"] }
path "secret/metadata/connectors/*" { capabilities = ["read"] }
"#,
    r#"
path "secret/data/connectors/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/connectors/*" { capabilities = ["create", "read", "patch"] }
"#,
    r#"
path "secret/data/connectors/*" { capabilities = ["create", "read"] }
path "secret/metadata/connectors/*" { capabilities = ["create", "read", "patch", "delete"] }
"#,
];
/// The parts of the server that its policies and logins are set by.
const SETTINGS: [(&str, &str); 2] = [
    ("sys/auth/approle", r#"{ "type": "approle" }"#),
    (
        "auth/approle/role/operator",
        r#"{ "token_policies": "operator", "token_ttl": "20m", "token_max_ttl": "50m" }"#,
    ),
];

/// What can happen to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VaultFault {
    /// 500.
    Broken,
    /// The connection is cut before anything is done.
    Cut,
    /// It is done, and the connection is cut before the answer.
    Lost,
    /// Nothing is done and nothing is answered.
    Silent,
    /// It is done and nothing is answered.
    DoneSilent,
}

impl VaultFault {
    const ALL: [Self; 5] = [Self::Broken, Self::Cut, Self::Lost, Self::Silent, Self::DoneSilent];
}

/// The server, and the switches of its faults. Cheap to clone; clones are the same one.
#[derive(Clone)]
pub struct VaultServer {
    server: SimulatedVault,
    random: Random,
    faults: Arc<Mutex<Faults>>,
    changes: Arc<AtomicU64>,
}

#[derive(Default)]
struct Faults {
    /// The faults that calls meet, and the share of them that do.
    kinds: BTreeSet<VaultFault>,
    rate: f64,
    /// How often each was met.
    met: BTreeMap<VaultFault, u64>,
    /// The tokens that were issued to processes.
    tokens: Vec<String>,
}

impl VaultServer {
    /// A server with the login of the operator, which may do what it needs.
    pub fn start(seed: u64) -> Self {
        let server = SimulatedVault::default();
        for (path, body) in SETTINGS {
            let set = server.as_root("POST", path, &serde_json::from_str(body).unwrap());
            assert!(set.status.is_success(), "{path}");
        }
        let vault = Self {
            server,
            random: Random::seeded(seed ^ 0x7a17),
            faults: Arc::default(),
            changes: Arc::default(),
        };
        vault.permit(POLICY);
        vault
    }

    /// The login: a role ID and a new secret ID.
    pub fn login(&self) -> (String, String) {
        let role = self.server.as_root("GET", "auth/approle/role/operator/role-id", &Value::Null);
        let secret = self.server.as_root("POST", "auth/approle/role/operator/secret-id", &Value::Null);
        let text = |answer: &Value, name: &str| answer["data"][name].as_str().unwrap().to_owned();
        (text(&role.body, "role_id"), text(&secret.body, "secret_id"))
    }

    fn permit(&self, policy: &str) {
        let body = json!({ "policy": policy });
        assert!(self.as_person("PUT", "sys/policies/acl/operator", &body));
    }

    /// A person who may do everything sends a call. Whether it succeeded.
    pub fn as_person(&self, method: &str, path: &str, body: &Value) -> bool {
        self.may_change();
        self.server.as_root(method, path, body).status.is_success()
    }

    /// How often its entries may have changed.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    fn may_change(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// All entries, by mount and path.
    pub fn entries(&self) -> BTreeMap<String, EntryView> {
        self.server.entries()
    }

    /// The tokens that processes got.
    pub fn tokens(&self) -> Vec<String> {
        self.faults.lock().tokens.clone()
    }

    /// How often each fault was met.
    pub fn met(&self) -> BTreeMap<VaultFault, u64> {
        self.faults.lock().met.clone()
    }

    /// Some kinds of faults meet a share of the calls from now on. Returns them in words.
    pub fn fail_calls(&self) -> String {
        let kinds: BTreeSet<_> =
            VaultFault::ALL.into_iter().filter(|_| self.random.fraction() < 0.5).collect();
        let rate = 0.35 * self.random.fraction();
        let words = format!("{kinds:?} for {rate:.2} of the calls of the Vault");
        let mut faults = self.faults.lock();
        (faults.kinds, faults.rate) = (kinds, rate);
        words
    }

    /// It is sealed, or a standby with or without forwarding, from now on.
    pub fn go_down(&self) -> &'static str {
        match self.random.fraction() {
            choice if choice < 0.5 => {
                self.as_person("PUT", "sys/seal", &Value::Null);
                "the Vault is sealed"
            }
            choice if choice < 0.8 => {
                self.server.set_role(VaultRole::RedirectingStandby);
                "a standby answers that redirects"
            }
            _ => {
                self.server.set_role(VaultRole::Standby);
                "a standby answers that forwards"
            }
        }
    }

    /// It is the active server and unsealed from now on.
    pub fn come_up(&self) {
        self.server.unseal();
        self.server.set_role(VaultRole::Active);
    }

    /// The policy of the operator's role lacks something from now on.
    pub fn narrow_policy(&self) {
        let number = (self.random.fraction() * 4.0).floor();
        let policy = NARROW.iter().zip([0.0, 1.0, 2.0, 3.0]).find(|(_, at)| *at >= number);
        let body = json!({ "policy": policy.map_or("", |(policy, _)| policy) });
        // Nobody can while it is sealed.
        let _done = self.as_person("PUT", "sys/policies/acl/operator", &body);
    }

    /// All tokens but the root token are revoked.
    pub fn revoke_tokens(&self) {
        self.server.revoke_tokens();
    }

    /// What it has now.
    pub fn back_up(&self) -> VaultBackup {
        self.server.back_up()
    }

    /// It has what it had at the time of a backup.
    pub fn restore(&self, backup: &VaultBackup) {
        self.may_change();
        self.server.restore(backup);
    }

    /// Nothing fails any more, and the policy is whole.
    pub fn end_troubles(&self) {
        {
            let mut faults = self.faults.lock();
            faults.kinds.clear();
            faults.rate = 0.0;
        }
        self.come_up();
        self.permit(POLICY);
    }

    /// The answer to a request of a process; `None` where the connection is cut.
    pub async fn exchange(
        &self,
        caller: &str,
        request: &Request<Bytes>,
        moments: &Moments,
    ) -> Option<Response<Bytes>> {
        let fault = self.draw();
        match fault {
            Some(VaultFault::Broken) => {
                return Some(response(500, &json!({ "errors": ["internal error"] })));
            }
            Some(VaultFault::Cut) => return None,
            Some(VaultFault::Silent) => std::future::pending().await,
            Some(VaultFault::Lost | VaultFault::DoneSilent) | None => {}
        }
        let reads = request.method() == Method::GET;
        let before = if reads { BTreeMap::new() } else { self.entries() };
        let path = request.uri().path().trim_start_matches("/v1/");
        let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
        let token = bearer(request.headers());
        let answer = self.server.answer(token, request.method().as_str(), path, &body);
        let after = if reads { BTreeMap::new() } else { self.entries() };
        let changed = before.keys().chain(after.keys()).find(|path| before.get(*path) != after.get(*path));
        if let Some(path) = changed {
            self.may_change();
            moments.entry_changed(caller, path, before.get(path), after.get(path));
        }
        if let Some(token) = answer.body["auth"]["client_token"].as_str() {
            self.faults.lock().tokens.push(token.to_owned());
        }
        match fault {
            Some(VaultFault::Lost) => None,
            Some(VaultFault::DoneSilent) => std::future::pending().await,
            _ => Some(response(answer.status.as_u16(), &answer.body)),
        }
    }

    fn draw(&self) -> Option<VaultFault> {
        let mut faults = self.faults.lock();
        if faults.kinds.is_empty() || self.random.fraction() >= faults.rate {
            return None;
        }
        let mut kinds: Vec<_> = faults.kinds.iter().copied().collect();
        self.random.shuffle(&mut kinds);
        let fault = kinds.first().copied()?;
        *faults.met.entry(fault).or_default() += 1;
        Some(fault)
    }
}

fn bearer(headers: &HeaderMap) -> &str {
    let header = headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    header.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default()
}

fn response(status: u16, body: &Value) -> Response<Bytes> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    response
}
