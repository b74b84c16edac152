//! Tokens: issued, looked up, renewed, revoked, and expired.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Answer, Request, State, data, errors, missing, names, nothing, seconds};

/// The token that may do everything.
pub(super) const ROOT: &str = "hvs.SimulatedRoot";
/// How long a token lives by default, in seconds: 768 hours.
const DEFAULT_TTL: u64 = 768 * 3600;

/// What is known of a token.
#[derive(Clone)]
struct Token {
    policies: Vec<String>,
    ttl: Duration,
    /// `None`: it does not expire.
    expires: Option<Instant>,
    /// It is renewed to this time at most.
    ends: Option<Instant>,
    renewable: bool,
    /// The path of the method that issued it, such as `auth/approle`.
    source: String,
}

/// How a token is issued.
pub(super) struct Terms {
    pub(super) policies: Vec<String>,
    /// Seconds; 0: the default.
    pub(super) ttl: u64,
    /// Seconds; 0: the default.
    pub(super) longest: u64,
    pub(super) renewable: bool,
}

/// All tokens.
#[derive(Clone)]
pub(super) struct Tokens {
    live: BTreeMap<String, Token>,
    issued: u64,
}

impl Tokens {
    pub(super) fn with_root() -> Self {
        let root = Token {
            policies: vec!["root".to_owned()],
            ttl: Duration::ZERO,
            expires: None,
            ends: None,
            renewable: false,
            source: "auth/token".to_owned(),
        };
        Self { live: BTreeMap::from([(ROOT.to_owned(), root)]), issued: 0 }
    }

    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        self.live.retain(|_, token| token.expires.is_none_or(|expires| now < expires));
    }

    /// The policies of a token that is valid.
    pub(super) fn policies(&self, token: &str) -> Option<Vec<String>> {
        self.live.get(token).map(|token| token.policies.clone())
    }

    /// A token that was never issued before, in the same order in each run.
    pub(super) fn next_text(&mut self, prefix: &str) -> String {
        self.issued += 1;
        format!("{prefix}Simulated{:08}", self.issued.wrapping_mul(7_654_321) % 100_000_000)
    }

    pub(super) fn issue(&mut self, terms: Terms, source: &str) -> Answer {
        let or_default = |seconds: u64| if seconds == 0 { DEFAULT_TTL } else { seconds };
        let longest = Duration::from_secs(or_default(terms.longest));
        let ttl = Duration::from_secs(or_default(terms.ttl)).min(longest);
        let now = Instant::now();
        let token = Token {
            policies: terms.policies,
            ttl,
            expires: Some(now + ttl),
            ends: Some(now + longest),
            renewable: terms.renewable,
            source: source.to_owned(),
        };
        let text = self.next_text("hvs.");
        let answer = auth(&text, &token, ttl);
        self.live.insert(text, token);
        answer
    }

    /// These tokens, without the texts that were issued meanwhile: none is issued twice.
    pub(super) fn restored(&self, now: &Self) -> Self {
        Self { live: self.live.clone(), issued: now.issued }
    }

    /// Revokes what a method has issued.
    pub(super) fn revoke_prefix(&mut self, prefix: &str) {
        self.live.retain(|_, token| !token.source.starts_with(prefix));
    }

    /// Revokes all but the root token.
    pub(super) fn revoke_all(&mut self) {
        self.live.retain(|text, _| text == ROOT);
    }

    fn renew(&mut self, text: &str) -> Answer {
        let now = Instant::now();
        let Some(token) = self.live.get_mut(text) else { return missing() };
        let (Some(_), Some(ends), true) = (token.expires, token.ends, token.renewable) else {
            return errors(400, "lease is not renewable");
        };
        let ttl = token.ttl.min(ends.saturating_duration_since(now));
        token.expires = Some(now + ttl);
        auth(text, token, ttl)
    }

    fn look_up(&self, text: &str) -> Answer {
        let Some(token) = self.live.get(text) else { return missing() };
        let left =
            token.expires.map_or(0, |expires| rounded(expires.saturating_duration_since(Instant::now())));
        data(&json!({ "ttl": left, "renewable": token.renewable, "policies": token.policies }))
    }
}

/// Vault counts whole seconds and rounds them up.
fn rounded(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn auth(text: &str, token: &Token, ttl: Duration) -> Answer {
    let auth = json!({
        "client_token": text, "accessor": format!("accessor-of-{}", text.len()), "policies": token.policies,
        "lease_duration": rounded(ttl), "renewable": token.renewable, "token_type": "service",
    });
    (200, json!({ "auth": auth }))
}

impl State {
    /// The calls below `auth/token/`.
    pub(super) fn token_call(&mut self, request: &Request<'_>, path: &str) -> Answer {
        match (request.method, path) {
            ("GET", "lookup-self") => self.tokens.look_up(request.token),
            ("POST" | "PUT", "renew-self") => self.tokens.renew(request.token),
            ("POST" | "PUT", "revoke-self") => {
                self.tokens.live.remove(request.token);
                nothing()
            }
            ("POST" | "PUT", "create") => self.tokens.issue(terms(request.body), "auth/token"),
            ("LIST", "accessors") => {
                let keys: Vec<String> =
                    (0..self.tokens.live.len()).map(|number| number.to_string()).collect();
                data(&json!({ "keys": keys }))
            }
            _ => missing(),
        }
    }
}

fn terms(body: &Value) -> Terms {
    let mut policies = names(&body["policies"]);
    if body["no_default_policy"] != true {
        policies.push("default".to_owned());
    }
    Terms {
        policies,
        ttl: seconds(&body["ttl"]).unwrap_or_default(),
        longest: seconds(&body["explicit_max_ttl"]).unwrap_or_default(),
        renewable: body["renewable"] != false,
    }
}
