//! The spec, as far as it decides.

use crate::domain::plan::selector::Selector;

/// The spec, as far as it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Desired {
    /// A user that the operator creates and owns.
    Create(DesiredUser),
    /// A user that exists already.
    Existing {
        /// How it is selected.
        selector: Selector,
    },
}

/// A user that the operator creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredUser {
    /// The roles by name.
    pub roles: Vec<String>,
    /// `create.name`.
    pub name: Option<String>,
    /// `create.description`.
    pub description: Option<String>,
    /// The user that is taken over in place of the first one that the operator would create.
    pub adopt: Option<Selector>,
    /// What happens to the user when its resource is deleted.
    pub deletion: Deletion,
}

/// What happens to a user when its resource is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is deleted.
    Delete,
    /// Its secret is reset, and the new one is not kept.
    Revoke,
    /// It is kept.
    Retain,
}
