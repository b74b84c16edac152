//! The operator's login: tokens for the portal, and the proof that a technical user's credential works.

mod answer;
mod claims;
mod refresh;
mod request;
mod token;
mod token_source;
mod verify;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

pub(crate) use claims::{Claims, TECHNICAL_ROLES_OF};
pub(crate) use token::AccessToken;
pub(crate) use token_source::TokenSource;
pub(crate) use verify::verify;

/// The public client that a person's refresh token was issued to (portal-iam, all versions).
pub const PORTAL_CLIENT: &str = "Cl2-CX-Portal";

/// Where the refresh token of a person's login is kept: the identity provider gives a new one with each use, and a
/// lost one ends the login.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The newest refresh token. The error is in words without secrets.
    async fn load(&self) -> Result<SecretString, String>;

    /// Keeps the new refresh token in place of the old one. The error is in words without secrets.
    async fn store(&self, new: &SecretString) -> Result<(), String>;
}

/// What the operator logs in with.
#[derive(Clone)]
pub enum Credentials {
    /// A technical user (RFC 6749 section 4.4), id and secret in the form.
    ClientCredentials {
        /// The OAuth client ID.
        client_id: String,
        /// The OAuth client secret.
        client_secret: SecretString,
    },
    /// A person's login (RFC 6749 section 6).
    RefreshToken {
        /// The public client that the token was issued to, usually [`PORTAL_CLIENT`].
        client_id: String,
        /// Where the token is kept.
        store: Arc<dyn TokenStore>,
    },
}
