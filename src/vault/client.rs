//! One login at one Vault.

use http::HeaderValue;
use url::Url;

use super::caller::{Call, Caller};
use super::config::origin;
use super::session::Session;
use super::{VaultConfig, VaultConfigError, VaultError};
use crate::domain::vault::path::Mount;
use crate::process::Process;
use crate::transport::{Answer, PlainHttp, Transports, endpoint};

/// One login at one Vault.
pub struct VaultClient {
    caller: Caller,
    session: Session,
}

impl VaultClient {
    /// Builds the client; nothing is called yet.
    pub fn new(
        config: VaultConfig,
        transports: &dyn Transports,
        process: Process,
    ) -> Result<Self, VaultConfigError> {
        let VaultConfig { address, namespace, auth, ca_bundle, insecure_http } = config;
        let plain_http = if insecure_http { transports.plain_http() } else { PlainHttp::Refused };
        let origin = origin(&address)?;
        if !plain_http.allows(&origin) {
            return Err(VaultConfigError::NotHttps { endpoint: endpoint(&origin) });
        }
        let transport = transports
            .open(ca_bundle.as_deref(), plain_http)
            .map_err(|reason| VaultConfigError::Client { reason })?;
        let namespace = namespace.as_deref().map(namespace_header).transpose()?;
        let caller = Caller { transport, origin, namespace, process };
        Ok(Self { caller, session: Session::new(auth) })
    }

    /// Where the server is.
    #[must_use]
    pub fn origin(&self) -> &Url {
        &self.caller.origin
    }

    /// Logs in, or uses the token in hand.
    pub async fn log_in(&self) -> Result<(), VaultError> {
        self.session.token(&self.caller).await.map(drop)
    }

    /// A call with the token of the login.
    pub(super) async fn call(&self, call: &Call) -> Result<Answer, VaultError> {
        self.session.call(&self.caller, call).await
    }

    /// A call without a token.
    pub(super) async fn call_without_token(&self, call: &Call) -> Result<Answer, VaultError> {
        self.caller.send(call, None).await
    }

    pub(super) fn failure(&self, call: &Call, answer: &Answer) -> Option<VaultError> {
        self.caller.failure(call, answer)
    }

    pub(super) fn endpoint(&self) -> String {
        self.caller.endpoint()
    }
}

/// A namespace has the same form as the path of a mount.
fn namespace_header(text: &str) -> Result<HeaderValue, VaultConfigError> {
    let path = Mount::parse(text).map_err(|_| VaultConfigError::Namespace)?;
    HeaderValue::from_str(path.as_str()).map_err(|_| VaultConfigError::Namespace)
}
