//! What a person prepares in Vault: that it runs and is unsealed, the secrets engine, the policy.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::answer::data;
use super::caller::Call;
use super::{VaultClient, VaultError};
use crate::domain::text::printable;
use crate::domain::vault::path::{EntryPath, Mount};

/// Where Vault says how it is.
pub(super) const HEALTH: &str = "sys/health";

/// How a Vault is that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Its version, such as `1.21.4`.
    pub version: String,
    /// It is a standby. By default it forwards requests to the active server.
    pub standby: bool,
    /// The id of its cluster. Absent while it is sealed.
    pub cluster_id: Option<String>,
}

#[derive(Deserialize)]
struct HealthAnswer {
    initialized: bool,
    sealed: bool,
    #[serde(default)]
    version: String,
    cluster_id: Option<String>,
}

/// What the login may do at one path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<String>);

impl Capabilities {
    /// Whether it may do this: `create`, `read`, `update`, `delete`, `list` or another word of Vault's policies.
    #[must_use]
    pub fn allows(&self, capability: &str) -> bool {
        let has = |word: &str| self.0.iter().any(|known| known == word);
        !has("deny") && (has("root") || has(capability))
    }

    /// Which of these it lacks.
    #[must_use]
    pub fn lacks<'a>(&self, wanted: &[&'a str]) -> Vec<&'a str> {
        wanted.iter().copied().filter(|capability| !self.allows(capability)).collect()
    }
}

#[derive(Deserialize)]
struct MountAnswer {
    #[serde(rename = "type")]
    engine: String,
    options: Option<BTreeMap<String, String>>,
}

impl VaultClient {
    /// How the server is. Needs no login.
    pub async fn health(&self) -> Result<Health, VaultError> {
        let call = Call::get(HEALTH);
        let answer = self.call_without_token(&call).await?;
        let not_vault = || VaultError::NotVault { endpoint: self.endpoint() };
        // Vault says by the status how it is, and the same in the body.
        if !matches!(answer.status, 200 | 429 | 472 | 473 | 501 | 503) {
            return Err(self.failure(&call, &answer).unwrap_or_else(not_vault));
        }
        let health: HealthAnswer = match serde_json::from_slice(&answer.body) {
            Ok(health) => health,
            Err(_) if answer.status == 200 => return Err(not_vault()),
            // A proxy before it.
            Err(_) => return Err(self.failure(&call, &answer).unwrap_or_else(not_vault)),
        };
        if !health.initialized {
            return Err(VaultError::NotInitialized);
        }
        if health.sealed {
            return Err(VaultError::Sealed);
        }
        if answer.status == 472 {
            return Err(VaultError::Standby);
        }
        Ok(Health {
            version: printable(&health.version, 40),
            standby: answer.status != 200,
            cluster_id: health.cluster_id.map(|id| printable(&id, 40)),
        })
    }

    /// Fails where the secrets engine of this mount is not KV version 2. `entry` is any place in it that the login may read:
    /// Vault does not say of a mount without it whether it exists or is only forbidden.
    pub async fn require_kv2(&self, mount: &Mount, entry: &EntryPath) -> Result<(), VaultError> {
        let call = Call::get(format!("sys/internal/ui/mounts/{}", mount.as_str()));
        let answer = match self.call(&call).await {
            Ok(answer) if answer.status == 404 => return Err(no_mount(mount)),
            Err(VaultError::NoMount { .. }) => return Err(no_mount(mount)),
            // The answer for a mount that does not exist is the same as for one that is forbidden.
            Err(forbidden @ VaultError::Forbidden { .. }) => {
                return match self.read(entry).await {
                    Err(VaultError::NoMount { .. }) => Err(no_mount(mount)),
                    Err(VaultError::Forbidden { .. }) | Ok(_) => Err(forbidden),
                    Err(other) => Err(other),
                };
            }
            other => other?,
        };
        let MountAnswer { engine, options } = data(&answer)?;
        let version = options.and_then(|mut options| options.remove("version"));
        let found = match (engine.as_str(), version.as_deref()) {
            ("kv", Some("2")) => return Ok(()),
            ("kv" | "generic", _) => "KV version 1".to_owned(),
            (engine, _) => format!("of type {}", printable(engine, 40)),
        };
        Err(VaultError::NotKv2 { mount: mount.as_str().to_owned(), found })
    }

    /// What the login may do at these paths of the API, such as `secret/data/wallet`; one for each, in their order.
    pub async fn capabilities(&self, paths: &[String]) -> Result<Vec<Capabilities>, VaultError> {
        let call = Call::post("sys/capabilities-self", &json!({ "paths": paths }));
        let answer = self.call(&call).await?;
        let mut found: BTreeMap<String, Vec<String>> = data(&answer)?;
        Ok(paths.iter().map(|path| Capabilities(found.remove(path).unwrap_or_default())).collect())
    }
}

fn no_mount(mount: &Mount) -> VaultError {
    VaultError::NoMount { mount: mount.as_str().to_owned() }
}
