//! What is known of a portal's user list, and what its readings prove.

mod index;
mod snapshot;
#[cfg(test)]
mod tests;

pub use snapshot::{Coverage, Reading, Snapshot};

use std::collections::BTreeSet;

use crate::domain::user::UserId;

/// What a reading of the list changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The users whose entry is new, different or missing now.
    pub users: BTreeSet<UserId>,
    /// What the names of changed users of our form begin with.
    pub prefixes: BTreeSet<String>,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

/// Whether so many of the known users are missing at once that it is a fault of the portal, not of the users: more than
/// the larger of three and a fifth.
#[must_use]
pub fn is_mass_disappearance(known: usize, missing: usize) -> bool {
    missing > 3.max(known / 5)
}
