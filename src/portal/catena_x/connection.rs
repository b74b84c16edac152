//! What a [`CatenaXPortal`](super::CatenaXPortal) is made from.

use thiserror::Error;

use crate::portal::oauth::Credentials;
use crate::portal::resilient::Limits;

/// Where a portal is and how to get in.
#[derive(Clone)]
pub struct Connection {
    /// The origin of the portal's backend; a trailing `/api/administration` is accepted.
    pub api_url: String,
    /// The token endpoint of the portal's central identity provider.
    pub token_url: String,
    /// The login for everything.
    pub login: Credentials,
    /// Another login for deletion alone.
    pub delete_login: Option<Credentials>,
    /// Certificates (PEM) to trust besides the public roots: for portal, identity provider and wallet alike.
    pub ca_bundle: Option<String>,
    /// How fast the portal may be asked.
    pub limits: Limits,
}

/// The connection cannot be used as written. Holds no secret and not the URL itself.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ConnectionError {
    /// The portal's URL is wrong.
    #[error("the portal's URL cannot be used: {reason}")]
    ApiUrl {
        /// What is wrong with it, in words.
        reason: &'static str,
    },
    /// The token URL is wrong.
    #[error("the token URL cannot be used: {reason}")]
    TokenUrl {
        /// What is wrong with it, in words.
        reason: &'static str,
    },
    /// http where https is needed.
    #[error(
        "{endpoint} must be called by https; plain http is for loopback and private addresses of test systems, where the operator runs with --allow-insecure-http"
    )]
    NotHttps {
        /// `host:port`.
        endpoint: String,
    },
    /// The CA bundle, or the environment's proxy settings, do not work.
    #[error("{reason}")]
    Client {
        /// What is wrong, in words.
        reason: String,
    },
}
