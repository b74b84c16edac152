//! A program that obtains tokens with what the operator publishes.

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use testbed::Vault;
use tokio::time::MissedTickBehavior;

use super::OVERLAP;
use crate::support::{Site, secret_value};

/// How often a program obtains a token: tokens that are obtained as fast as the machine can would slow down the operator.
const PACE: Duration = Duration::from_millis(50);

/// Where a program has its credential from.
pub enum Reads<'a> {
    /// From the Secret, for each token.
    Secret,
    /// Client ID and alias from the variables with which it was started, and the client secret from Vault for each token, as a
    /// connector does. It is started again shortly before the end of the time for which what it was started with is valid.
    Vault(&'a Vault),
}

/// A program that obtains tokens.
pub struct Reader<'a> {
    /// The resource whose credential it uses.
    pub name: &'a str,
    pub reads: Reads<'a>,
    attempts: Mutex<Vec<Attempt>>,
}

/// What came of one request.
#[derive(Clone)]
pub struct Attempt {
    /// When the program began to read the credential.
    pub read: Instant,
    /// When it had the answer.
    pub answered: Instant,
    client_id: String,
    client_secret: String,
    /// Why no token was obtained.
    refused: Option<String>,
}

/// A credential as it was read.
struct Credential {
    read: Instant,
    client_id: String,
    token_url: String,
}

/// The Secret with the variables of a connector.
pub fn variables(name: &str) -> String {
    format!("{name}-env")
}

impl<'a> Reader<'a> {
    pub fn new(name: &'a str, reads: Reads<'a>) -> Self {
        Self { name, reads, attempts: Mutex::default() }
    }

    /// Obtains tokens until it is dropped.
    pub async fn run(&self, site: &Site) {
        let http = site.http();
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut started = None;
        loop {
            pace.tick().await;
            let attempt = match &self.reads {
                Reads::Secret => {
                    let read = Instant::now();
                    let secret = site.get_secret(self.name).await.expect("the Secret is always there");
                    let value = |key| secret_value(&secret, key);
                    let credential =
                        Credential { read, client_id: value("client-id"), token_url: value("token-url") };
                    obtain(&http, &credential, Ok(value("client-secret"))).await
                }
                Reads::Vault(vault) => {
                    let valid = |(credential, _): &(Credential, String)| {
                        credential.read.elapsed() < OVERLAP.mul_f32(0.9)
                    };
                    let (credential, alias) = match started.take().filter(valid) {
                        Some(started) => started,
                        None => self.start(site).await,
                    };
                    let secret = client_secret(&http, vault, &alias).await;
                    let attempt = obtain(&http, &credential, secret).await;
                    started = Some((credential, alias));
                    attempt
                }
            };
            self.attempts.lock().push(attempt);
        }
    }

    /// What a connector is started with.
    async fn start(&self, site: &Site) -> (Credential, String) {
        let read = Instant::now();
        let secret = site.get_secret(&variables(self.name)).await.expect("the Secret is always there");
        let value = |key: &str| secret_value(&secret, &format!("EDC_IAM_STS_OAUTH_{key}"));
        let credential = Credential { read, client_id: value("CLIENT_ID"), token_url: value("TOKEN_URL") };
        (credential, value("CLIENT_SECRET_ALIAS"))
    }

    pub fn reads_vault(&self) -> bool {
        matches!(self.reads, Reads::Vault(_))
    }

    /// The requests for which no token was obtained.
    pub fn refused(&self) -> Vec<Attempt> {
        self.attempts.lock().iter().filter(|attempt| attempt.refused.is_some()).cloned().collect()
    }

    /// How many tokens it has obtained.
    pub fn obtained(&self) -> usize {
        self.attempts.lock().iter().filter(|attempt| attempt.refused.is_none()).count()
    }

    /// Whether it has obtained a token with a credential.
    pub fn has_used(&self, client_id: &str, client_secret: &str) -> bool {
        let is_it =
            |attempt: &Attempt| attempt.client_id == client_id && attempt.client_secret == client_secret;
        self.attempts.lock().iter().any(|attempt| attempt.refused.is_none() && is_it(attempt))
    }

    /// With how many credentials it has obtained tokens.
    pub fn credentials(&self) -> usize {
        let attempts = self.attempts.lock();
        let used = attempts.iter().filter(|attempt| attempt.refused.is_none());
        used.map(|attempt| (&attempt.client_id, &attempt.client_secret)).collect::<BTreeSet<_>>().len()
    }
}

impl Attempt {
    /// For how long the program has used the credential.
    pub fn used_for(&self) -> Duration {
        self.answered - self.read
    }
}

/// The client secret of an entry, or why there is none.
async fn client_secret(http: &reqwest::Client, vault: &Vault, alias: &str) -> Result<String, String> {
    let url = format!("{}/v1/secret/data/connectors/{alias}", vault.address());
    let token = vault.root_token().expose_secret();
    let answer = http.get(url).header("X-Vault-Token", token).send().await.unwrap();
    let status = answer.status();
    let entry: Value = answer.json().await.unwrap();
    let content = entry["data"]["data"]["content"].as_str();
    content.map(str::to_owned).ok_or_else(|| format!("Vault answered {status} to a request for {alias}"))
}

/// One request for a token.
async fn obtain(
    http: &reqwest::Client,
    credential: &Credential,
    client_secret: Result<String, String>,
) -> Attempt {
    let Credential { read, client_id, token_url } = credential;
    let mut refused = None;
    let client_secret = client_secret.unwrap_or_else(|why| {
        refused = Some(why);
        String::new()
    });
    if refused.is_none() {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client_id.as_str()),
            ("client_secret", client_secret.as_str()),
        ];
        let answer = http.post(token_url).form(&form).send().await.unwrap();
        let status = answer.status();
        let body = answer.text().await.unwrap();
        refused = (!status.is_success()).then(|| format!("{status}: {body}"));
    }
    Attempt { read: *read, answered: Instant::now(), client_id: client_id.clone(), client_secret, refused }
}

impl Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} used for {:?}: {:?}", self.client_id, self.used_for(), self.refused)
    }
}

impl Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match self.reads {
            Reads::Secret => "the Secret",
            Reads::Vault(_) => "Vault",
        };
        write!(f, "{} from {from}", self.name)
    }
}
