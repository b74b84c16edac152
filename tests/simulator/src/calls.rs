//! The log of calls that tests read.

use std::fmt;
use std::time::Instant;

use http::Method;
use serde_json::Value;

/// What was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// Token endpoint of the identity provider, any grant but the refresh grant.
    Token,
    /// Token endpoint of the identity provider, refresh grant.
    Refresh,
    /// Token endpoint of the wallet.
    WalletToken,
    /// List of technical users.
    List,
    /// Creation of technical users.
    Create,
    /// Details of one technical user.
    Details,
    /// Change of name and description.
    Update,
    /// Removal of one technical user.
    Delete,
    /// Reset of the credentials.
    Reset,
    /// Roles that the company may give its technical users.
    Roles,
    /// The table of error messages.
    ErrorMessage,
    /// Business partner numbers of the operators.
    OperatorBpn,
    /// Data of the caller's company.
    OwnCompany,
    /// Addresses of the decentral identity.
    WalletUrls,
    /// A list of connectors.
    ConnectorList,
    /// Details of one connector.
    ConnectorDetails,
    /// Registration of a connector.
    ConnectorCreate,
    /// Change of a connector's address.
    ConnectorUpdate,
    /// Removal of a connector.
    ConnectorDelete,
    /// Callback of the wallet service: user created.
    CallbackCreated,
    /// Callback of the wallet service: user removed.
    CallbackDeleted,
    /// Restart of a failed creation.
    RetriggerCreate,
    /// Restart of a failed removal.
    RetriggerDelete,
    /// Any other path, or a method that the path does not know.
    Other,
}

impl Endpoint {
    /// Whether it gives tokens: it is one of the identity provider or of the wallet, which are other servers than the portal.
    #[must_use]
    pub fn gives_tokens(self) -> bool {
        matches!(self, Self::Token | Self::Refresh | Self::WalletToken)
    }
}

/// One call, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Call {
    /// Number of the call, from 1.
    pub number: u64,
    /// When it arrived.
    pub arrived: Instant,
    /// What was called.
    pub endpoint: Endpoint,
    /// Method.
    pub method: Method,
    /// Path and query as sent.
    pub path: String,
    /// Client id of the caller, when the call names one: of its access token, or of its token request.
    pub caller: Option<String>,
    /// Body of a create or an update, which bears no secret.
    pub body: Option<Value>,
    /// What the caller was answered; nothing yet while the call is in progress.
    pub answer: Option<Answer>,
    /// When it was answered.
    pub answered: Option<Instant>,
    /// Status that the work itself came to. It differs from the answer where a fault hid it, and is absent where
    /// nothing was done.
    pub done: Option<u16>,
    /// The caller had gone before the answer.
    pub caller_gone: bool,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// The connection was cut without an answer.
    Cut,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, endpoint, method, path, answer, .. } = self;
        write!(f, "{number} {endpoint:?}: {method} {path}, answer {answer:?}")
    }
}
