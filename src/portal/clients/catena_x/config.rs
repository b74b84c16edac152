//! What the client is built from.

use crate::portal::oauth::Credentials;
use crate::portal::resilient::Limits;

/// Where a portal is and how to get in.
#[derive(Clone)]
pub struct CatenaXConfig {
    /// The origin of the portal's backend; a trailing `/api/administration` is accepted.
    pub api_url: String,
    /// The token endpoint of the portal's central identity provider.
    pub token_url: String,
    /// The token endpoint of external users (the wallet), where the portal does not tell it.
    pub external_token_url: Option<String>,
    /// The login for everything.
    pub login: Credentials,
    /// Another login for deletion alone.
    pub delete_login: Option<Credentials>,
    /// Certificates (PEM) to trust besides the public roots: for portal, identity provider and wallet alike.
    pub ca_bundle: Option<String>,
    /// Plain http to loopback and private addresses is wanted, where the process permits it.
    pub insecure_http: bool,
    /// How fast the portal may be asked.
    pub limits: Limits,
}
