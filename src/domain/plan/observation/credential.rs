//! What the token endpoint answers to a credential.

use super::output::OutputId;
use crate::domain::user::UserId;

/// Which credential the token endpoint is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialAt {
    /// The one that the details of this user showed in this reconcile.
    Portal(UserId),
    /// The one in this output.
    Output(OutputId),
}

/// What the token endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// A token was issued.
    Accepted,
    /// Refused.
    Refused {
        /// `invalid_client`: the client is unknown (or disabled).
        unknown_client: bool,
    },
    /// Not reachable: why, in words, host and port named.
    Unreachable(String),
}
