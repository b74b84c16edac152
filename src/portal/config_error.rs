//! Why a client of a portal cannot be built.

use thiserror::Error;

use super::PlainHttp;

/// A client cannot be built from what is written. Holds no secret and not the URL itself.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ConfigError {
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
    #[error("{endpoint} must be called by https: {why}")]
    NotHttps {
        /// `host:port`.
        endpoint: String,
        /// Why plain http is refused.
        why: NotHttps,
    },
    /// The CA bundle does not work.
    #[error("{reason}")]
    Client {
        /// What is wrong, in words.
        reason: String,
    },
}

/// Why plain http is refused, and what permits it.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum NotHttps {
    /// Neither does the process permit it nor the Portal request it.
    #[error(
        "plain http is for test systems only, and needs both insecureHttp in the Portal and the chart's value allowInsecureHttp \
         (--allow-insecure-http)"
    )]
    NotWanted,
    /// The process does not permit what the Portal requests.
    #[error(
        "the Portal requests plain http (insecureHttp), and the operator does not permit it: set the chart's value \
         allowInsecureHttp (--allow-insecure-http), on test systems only"
    )]
    NotPermitted,
    /// The process permits it, and the Portal does not request it.
    #[error("the Portal does not request plain http: set insecureHttp in it, for test systems only")]
    NotAskedFor,
    /// It is permitted and requested, but the address is not a private one.
    #[error("plain http is permitted to loopback and private addresses only")]
    NotPrivate,
}

impl NotHttps {
    pub(super) fn of(permitted: PlainHttp, asked_for: bool) -> Self {
        match (permitted, asked_for) {
            (PlainHttp::Refused, false) => Self::NotWanted,
            (PlainHttp::Refused, true) => Self::NotPermitted,
            (PlainHttp::PrivateAddresses, false) => Self::NotAskedFor,
            (PlainHttp::PrivateAddresses, true) => Self::NotPrivate,
        }
    }
}
