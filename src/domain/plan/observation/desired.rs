//! The spec, as far as it decides.

use crate::domain::plan::selector::Selector;

/// The spec, as far as it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// A user that we make and own.
    Create(DesiredUser),
    /// A user that is there already.
    Existing {
        /// How it is selected.
        selector: Selector,
    },
}

/// A user that we make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredUser {
    /// The roles by name.
    pub roles: Vec<String>,
    /// `create.name`.
    pub name: Option<String>,
    /// `create.description`.
    pub description: Option<String>,
    /// What becomes of the user in the end.
    pub deletion: Deletion,
}

/// What becomes of a user when its resource is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is deleted.
    Delete,
    /// Its secret is reset and forgotten.
    Revoke,
    /// It stays.
    Retain,
}
