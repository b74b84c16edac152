//! The seed file of the binary: companies and callers as JSON.

use std::time::Duration;

use serde::Deserialize;

use crate::config::{Caller, Company, CompanyRole, Config, WalletDelay};
use crate::version::Version;

/// Why a seed file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// No JSON, or not of the seed's form.
    #[error("the seed is not of the right form: {0}")]
    Form(#[from] serde_json::Error),
    /// A duration that is neither like `2s` nor `never`.
    #[error("walletDelay {0:?} is neither a duration such as \"2s\" nor \"never\"")]
    Delay(String),
    /// A caller with both or neither of `role` and `permissions`.
    #[error("caller {0:?} needs exactly one of \"role\" and \"permissions\"")]
    Rights(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seed {
    #[serde(default)]
    companies: Vec<SeedCompany>,
    #[serde(default)]
    callers: Vec<SeedCaller>,
    wallet_delay: Option<String>,
    #[serde(default)]
    wallet_url_with_path: bool,
    token_lifetime_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedCompany {
    name: String,
    bpn: Option<String>,
    #[serde(default)]
    roles: Vec<CompanyRole>,
    #[serde(default)]
    own_wallet: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SeedCaller {
    client_id: String,
    secret: String,
    company: Option<String>,
    role: Option<String>,
    permissions: Option<Vec<String>>,
    #[serde(default)]
    human: bool,
}

/// Reads a seed file's text into a configuration. Whether the names in it fit together (companies, roles) is
/// checked when the simulator starts.
pub fn parse(version: Version, text: &str) -> Result<Config, SeedError> {
    let seed: Seed = serde_json::from_str(text)?;
    let mut config = Config::new(version).wallet_url_with_path(seed.wallet_url_with_path);
    if let Some(text) = seed.wallet_delay {
        config = config.wallet_delay(wallet_delay(&text)?);
    }
    if let Some(seconds) = seed.token_lifetime_seconds {
        config = config.token_lifetime(Duration::from_secs(seconds));
    }
    config.companies = seed
        .companies
        .into_iter()
        .map(|company| Company {
            name: company.name,
            bpn: company.bpn,
            roles: company.roles,
            own_wallet: company.own_wallet,
        })
        .collect();
    for caller in seed.callers {
        config.callers.push(self::caller(caller)?);
    }
    Ok(config)
}

fn wallet_delay(text: &str) -> Result<WalletDelay, SeedError> {
    if text == "never" {
        return Ok(WalletDelay::Never);
    }
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|delay| Duration::try_from(delay).ok())
        .map(WalletDelay::After)
        .ok_or_else(|| SeedError::Delay(text.to_owned()))
}

fn caller(seed: SeedCaller) -> Result<Caller, SeedError> {
    let mut caller = match (seed.role, seed.permissions) {
        (Some(role), None) => Caller::with_role(&seed.client_id, &seed.secret, &role),
        (None, Some(permissions)) => {
            Caller::with_permissions(&seed.client_id, &seed.secret, permissions.iter().map(String::as_str))
        }
        _ => return Err(SeedError::Rights(seed.client_id)),
    };
    caller.company = seed.company;
    caller.human = seed.human;
    Ok(caller)
}
