//! What can go wrong with a Vault, as classes that callers decide by.

use std::time::Duration;

use thiserror::Error;

use super::NoJwt;
use crate::transport::Cause;

/// A call to Vault failed.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum VaultError {
    /// Nothing answered: DNS, connect, reset, time-out.
    #[error("{endpoint} is not reachable: {reason}")]
    Unreachable {
        /// `host:port`.
        endpoint: String,
        /// What went wrong, in words.
        reason: String,
        /// Vault may have acted on the request.
        sent: bool,
    },
    /// The TLS handshake was refused by either side.
    #[error("TLS with {endpoint} failed: {reason}")]
    Tls {
        /// `host:port`.
        endpoint: String,
        /// What went wrong, in words.
        reason: String,
    },
    /// What answers is no Vault: a web page, or a redirect to another address.
    #[error("{endpoint} does not answer as Vault does")]
    NotVault {
        /// `host:port`.
        endpoint: String,
    },
    /// Vault is sealed.
    #[error("Vault is sealed")]
    Sealed,
    /// A standby or a secondary that neither answers the request nor forwards it.
    #[error("this server of Vault is a standby that does not forward requests to the active one")]
    Standby,
    /// Vault was never initialized.
    #[error("Vault is not initialized")]
    NotInitialized,
    /// A quota of Vault, or a proxy before it, asks for a pause.
    #[error("Vault asks for a pause")]
    Throttled {
        /// The pause asked for, where the answer names one.
        retry_after: Option<Duration>,
    },
    /// Vault does not accept the login.
    #[error("Vault refuses the login: {0}")]
    LoginRefused(LoginRefusal),
    /// The caller has no token of a service account to log in with.
    #[error("no token of the service account: {0}")]
    NoJwt(NoJwt),
    /// The policies of the login do not permit the call.
    #[error("the policies of the login do not permit {call}")]
    Forbidden {
        /// Method and path, such as `GET secret/data/wallet`.
        call: String,
    },
    /// There is no secrets engine at this path.
    #[error("there is no secrets engine at {mount}/")]
    NoMount {
        /// The path of the mount.
        mount: String,
    },
    /// The secrets engine is not KV version 2.
    #[error("the secrets engine at {mount}/ is not KV version 2 but {found}")]
    NotKv2 {
        /// The path of the mount.
        mount: String,
        /// What it is, in words.
        found: String,
    },
    /// Another client has written the entry since it was read.
    #[error("the entry has changed since it was read")]
    CasMismatch,
    /// The answer is too long or not what Vault's API says.
    #[error("Vault's answer cannot be used: {reason}")]
    BadAnswer {
        /// What is wrong with it, in words.
        reason: &'static str,
    },
    /// Any other refusal.
    #[error("{}", other(*status, words.as_deref()))]
    Other {
        /// The HTTP status.
        status: u16,
        /// Vault's words, where the request contained no secret.
        words: Option<String>,
    },
}

/// Why a login is refused.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum LoginRefusal {
    /// No auth method is enabled at the path.
    #[error("no auth method is enabled at this path")]
    NoMethod,
    /// The auth method has no such role.
    #[error("the auth method has no such role")]
    Role,
    /// AppRole: role ID or secret ID are wrong, spent or expired.
    #[error("the role ID or the secret ID is not valid")]
    AppRole,
    /// Kubernetes: the role is for other service accounts or namespaces.
    #[error("the role is not bound to this service account and its namespace")]
    ServiceAccount,
    /// Kubernetes: the role wants another audience.
    #[error("the role requires another audience of the service account's token")]
    Audience,
    /// The token of a person is not valid, or not any more.
    #[error("the token is not valid or has expired")]
    Token,
    /// Kubernetes: Vault answers the same where there is no method and where it cannot verify the token.
    #[error(
        "no Kubernetes auth method is enabled at this path, or it cannot verify the token of the service account with the \
         apiserver"
    )]
    NoMethodOrReview,
    /// Vault gives no reason that is known here.
    #[error("it gives no reason; its log may have one (status {status})")]
    Unknown {
        /// The HTTP status.
        status: u16,
    },
}

impl VaultError {
    pub(super) fn of_cause(cause: Cause, sent: bool) -> Self {
        match cause {
            Cause::Unreachable { endpoint, reason } => Self::Unreachable { endpoint, reason, sent },
            Cause::Tls { endpoint, reason } => Self::Tls { endpoint, reason },
            Cause::TooLong => Self::BadAnswer { reason: "it is too long" },
        }
    }

    /// Whether Vault is down or cannot be reached: says nothing of the login, the policies or the entry.
    #[must_use]
    pub fn is_down(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::Sealed
            | Self::Standby
            | Self::NotInitialized
            | Self::Throttled { .. } => true,
            Self::Other { status, .. } => *status >= 500,
            _ => false,
        }
    }
}

fn other(status: u16, words: Option<&str>) -> String {
    match words {
        Some(words) => format!("Vault answered {status}: {words}"),
        None => format!("Vault answered {status}"),
    }
}
