//! What can go wrong with a portal, as classes that callers decide by. No variant holds text of an answer's body.

use std::time::Duration;

use thiserror::Error;

use super::{Refusal, ServerKind};
use crate::transport::Cause;

/// A call to the portal or its identity provider failed, or was not sent.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum PortalError {
    /// Nothing answered: DNS, connect, reset, time-out.
    #[error("{endpoint} is not reachable: {reason}")]
    Unreachable {
        /// `host:port`, or `the store of the refresh token` where a person's login cannot be read.
        endpoint: String,
        /// What went wrong, in words.
        reason: String,
    },
    /// The TLS handshake was refused by either side.
    #[error("TLS with {endpoint} failed: {reason}")]
    Tls {
        /// `host:port`.
        endpoint: String,
        /// What went wrong, in words.
        reason: String,
    },
    /// The circuit breaker of a server is open: the server failed a moment ago and gets no request yet.
    #[error("{server} failed repeatedly and is tried again in {} s", retry_after.as_secs())]
    CircuitOpen {
        /// The server.
        server: ServerKind,
        /// When the next probe may go out.
        retry_after: Duration,
    },
    /// A server, or a proxy before it, answered 429 (or 503 with `Retry-After`).
    #[error("{server} requests a pause")]
    Throttled {
        /// The server.
        server: ServerKind,
        /// The requested pause, if the answer names one.
        retry_after: Option<Duration>,
    },
    /// Other creates hold all places in the limiter that creates may have, and none of them ends. Nothing was sent.
    #[error("other creates are in progress at the portal, and it does not answer them")]
    CreatesInProgress,
    /// The identity provider refuses the operator's login.
    #[error("the identity provider refuses the login ({code})")]
    LoginRefused {
        /// The OAuth error code, a closed set: `invalid_client`, `unauthorized_client`, `invalid_grant`, `other`.
        code: &'static str,
    },
    /// The new refresh token could not be stored, so the access token was not used.
    #[error("the new refresh token could not be stored: {reason}")]
    TokenNotStored {
        /// What went wrong, in words without secrets.
        reason: String,
    },
    /// The deletion login (`deleteAuth`) cannot be used at the moment. Whether it may delete is not known.
    #[error("the deletion login (deleteAuth) cannot be used: {reason}")]
    DeletionLogin {
        /// What went wrong, in words without secrets and without moving numbers.
        reason: String,
    },
    /// A token of the login does not name the company whose users the Portal manages. Nothing was sent.
    #[error(
        "the token of the Portal's login no longer names the company that it named when the login was last accepted"
    )]
    OtherCompany,
    /// 401 also with a fresh token: the token carries no permission of the portal.
    #[error("the portal does not accept the login's token: it carries none of the portal's permissions")]
    Unauthorized,
    /// 403: the permission is missing, or the login is not known to the portal.
    #[error("the login may not do this: {permission} is missing, or the portal does not know this login")]
    Forbidden {
        /// The permission that the call needs.
        permission: &'static str,
    },
    /// A web page or a redirect where the portal's backend would answer JSON: probably the web page's address.
    #[error("{endpoint} is not the portal's backend")]
    NotThePortalBackend {
        /// `host:port`.
        endpoint: String,
    },
    /// What answers at the token URL is no token endpoint.
    #[error("the address in tokenUrl does not answer as a token endpoint")]
    NotATokenEndpoint,
    /// 404, or the 409 that updates and resets answer instead: unknown, deleted or foreign id.
    #[error("the portal knows no such user")]
    NotFound,
    /// Refused, for a reason that lasts: repeating the request changes nothing.
    #[error("{}", refused(*status, code))]
    Refused {
        /// What it was refused for.
        refusal: Refusal,
        /// The HTTP status.
        status: u16,
        /// The portal's own word for it, from a closed set, else `other`. For messages alone.
        code: &'static str,
    },
    /// The user's client is missing in the identity provider.
    #[error("the user's client is missing in the identity provider")]
    ClientMissing,
    /// 5xx, and 408, 425, 499 of a proxy that stopped waiting. Temporary and permanent failures cannot be distinguished.
    #[error("{server} answered {status}")]
    Server {
        /// The server.
        server: ServerKind,
        /// The HTTP status.
        status: u16,
    },
    /// The answer was too long or not what the contract says.
    #[error("the portal's answer cannot be used: {reason}")]
    BadAnswer {
        /// What is wrong with it, in words.
        reason: &'static str,
    },
}

impl From<Cause> for PortalError {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Unreachable { endpoint, reason } => Self::Unreachable { endpoint, reason },
            Cause::Tls { endpoint, reason } => Self::Tls { endpoint, reason },
            Cause::TooLong => Self::BadAnswer { reason: "it is too long" },
        }
    }
}

fn refused(status: u16, code: &str) -> String {
    match status {
        409 => format!("the portal refuses: {code}"),
        status => format!("the portal rejects the request with {status} ({code})"),
    }
}

/// Whether a failed create may have created a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// No user was created: nothing was sent, or the portal refused with a 4xx.
    None,
    /// Unknown: time-out, cut connection, 5xx, an answer that cannot be read.
    Unknown,
}

/// A create that did not yield an answer.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("{error}")]
pub struct CreateFailure {
    /// What went wrong.
    pub error: PortalError,
    /// Whether a user may still exist.
    pub effect: Effect,
}
