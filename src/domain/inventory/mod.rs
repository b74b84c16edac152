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
    /// The prefixes of changed users with names of the operator's form.
    pub prefixes: BTreeSet<String>,
}

impl Changes {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

/// Whether the number of missing users is a mass disappearance: more than three, and more than a fifth of the known users.
#[must_use]
pub fn is_mass_disappearance(known: usize, missing: usize) -> bool {
    missing > 3.max(known / 5)
}
