//! The Secret of the output, and what the token endpoint says of a credential.

use crate::domain::user::UserId;

/// The Secret of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretView {
    /// There is none.
    Absent,
    /// One that is not ours; whose, in words.
    Foreign(String),
    /// Ours.
    Ours {
        /// The user whose credential it says to hold.
        user: Option<UserId>,
        /// The digest of its content: as recorded where it was not written since, else once it was read.
        digest: Option<String>,
        /// Labels, annotations and owner are as they should be.
        metadata_as_wanted: bool,
    },
}

/// Which credential the token endpoint is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialAt {
    /// The one that the details of this user showed in this reconcile.
    Portal(UserId),
    /// The one in the output.
    Output,
}

/// What the token endpoint said.
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
