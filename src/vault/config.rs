//! What a client is built from.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use thiserror::Error;
use url::Url;

use crate::domain::vault::path::Mount;

/// Where a Vault is and how to log in.
#[derive(Clone)]
pub struct VaultConfig {
    /// The origin of the server, such as `https://vault.example.org:8200`.
    pub address: String,
    /// The namespace of Vault Enterprise or OpenBao, such as `team/blue`.
    pub namespace: Option<String>,
    /// How to log in.
    pub auth: Auth,
    /// Certificates (PEM) to trust besides the public roots.
    pub ca_bundle: Option<String>,
    /// Plain http to loopback and private addresses is wanted, where the process permits it.
    pub insecure_http: bool,
}

/// How to log in.
#[derive(Clone)]
pub enum Auth {
    /// By a token of a Kubernetes service account.
    Kubernetes {
        /// The path of the auth method, such as `kubernetes`.
        mount: Mount,
        /// The role.
        role: String,
        /// Where a fresh token comes from.
        jwt: Arc<dyn JwtSource>,
    },
    /// By a role ID and a secret ID.
    AppRole {
        /// The path of the auth method, such as `approle`.
        mount: Mount,
        /// The role ID.
        role_id: String,
        /// The secret ID.
        secret_id: SecretString,
    },
    /// By a token that a person issued.
    Token(SecretString),
}

/// Issues tokens of a service account. Each login requests one, because they expire.
#[async_trait]
pub trait JwtSource: Send + Sync {
    /// A token that is valid now.
    async fn jwt(&self) -> Result<SecretString, NoJwt>;
}

/// Why there is no token of a service account.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct NoJwt {
    /// What went wrong, in words without secrets.
    pub reason: String,
    /// The caller may not request one.
    pub denied: bool,
}

/// A client cannot be built from what is written. Contains no secret and not the address itself.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum VaultConfigError {
    /// The address is wrong.
    #[error("the address cannot be used: {reason}")]
    Address {
        /// What is wrong with it, in words.
        reason: &'static str,
    },
    /// http where https is needed.
    #[error(
        "{endpoint} must be called by https: plain http is for test systems with loopback and private addresses only, and needs \
         both insecureHttp and the chart's value allowInsecureHttp (--allow-insecure-http)"
    )]
    NotHttps {
        /// `host:port`.
        endpoint: String,
    },
    /// The namespace is no path of segments.
    #[error("the Vault namespace cannot be used: it is no path such as team/blue")]
    Namespace,
    /// The CA bundle does not work.
    #[error("{reason}")]
    Client {
        /// What is wrong, in words.
        reason: String,
    },
}

/// The origin in an address.
pub(super) fn origin(text: &str) -> Result<Url, VaultConfigError> {
    let wrong = |reason| VaultConfigError::Address { reason };
    let url = Url::parse(text.trim()).map_err(|_| wrong("it is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("it is no web address"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it holds a user name or a password"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(
            "it is no origin such as https://vault.example.org:8200: leave out what follows the port",
        ));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin() {
        for text in ["https://vault:8200", " https://vault.example.org/ ", "http://127.0.0.1:8200"] {
            assert!(origin(text).is_ok(), "{text}");
        }
        for text in [
            "vault:8200",
            "vault",
            "ftp://vault",
            "https://me:pw@vault",
            "https://vault/v1",
            "https://vault/?a",
            "https://vault/#a",
        ] {
            let error = origin(text).unwrap_err().to_string();
            assert!(
                !error.contains("pw") && error.starts_with("the address cannot be used"),
                "{text}: {error}"
            );
        }
    }
}
