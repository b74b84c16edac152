//! What the client is built from.

use crate::portal::oauth::Credentials;
use crate::portal::resilient::Limits;

/// The addresses of a portal and the logins for it.
#[derive(Clone)]
pub struct CatenaXConfig {
    /// The origin of the portal's backend; a trailing `/api/administration` is accepted.
    pub api_url: String,
    /// The token endpoint of the portal's central identity provider.
    pub token_url: String,
    /// The token endpoint of external users (the wallet), if the portal does not report it.
    pub external_token_url: Option<String>,
    /// The login for all calls.
    pub login: Credentials,
    /// Another login, only for deletion.
    pub delete_login: Option<Credentials>,
    /// Certificates (PEM) to trust besides the public roots: for portal, identity provider and wallet alike.
    pub ca_bundle: Option<String>,
    /// Use plain http to loopback and private addresses, if the process permits it.
    pub insecure_http: bool,
    /// The rate of requests to the portal.
    pub limits: Limits,
}
