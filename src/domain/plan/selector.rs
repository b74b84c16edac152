//! How an existing user is selected.

use std::fmt;

use super::observation::UserFacts;
use crate::domain::user::UserId;

/// What the user must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The portal's id.
    Id(UserId),
    /// The OAuth client ID.
    ClientId(String),
    /// The exact name in the portal.
    Name(String),
}

impl Selector {
    /// Whether the user with this id and these details is selected.
    #[must_use]
    pub fn fits(&self, id: &UserId, user: &UserFacts) -> bool {
        match self {
            Self::Id(wanted) => wanted == id,
            Self::ClientId(wanted) => user.client_id.as_ref() == Some(wanted),
            Self::Name(wanted) => user.name == *wanted,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id \"{id}\""),
            Self::ClientId(client) => write!(f, "client ID \"{client}\""),
            Self::Name(name) => write!(f, "name \"{name}\""),
        }
    }
}
