//! Users of the portal: as its list and a search show them, and as their details do.

use crate::domain::identity::{Hint, Mark};
use crate::domain::user::{UserId, UserKind, UserStatus};

/// What the last snapshot says of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// No snapshot, or one that missed some users.
    Unknown,
    /// Not in a snapshot that saw every user.
    Missing,
    /// There, in this state.
    There(UserStatus),
}

/// Whether all users that a selector fits are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// They are.
    Certain,
    /// The list hides users of equal names: there may be more.
    Uncertain,
    /// As `Uncertain`, and a list narrowed by the client ID was not read yet.
    Narrows,
}

/// A user whose name was made for this resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The portal's id.
    pub id: UserId,
    /// The generation that its name tells.
    pub generation: i64,
    /// Its state in the list.
    pub status: UserStatus,
    /// Internal or External.
    pub kind: UserKind,
    /// The OAuth client ID.
    pub client_id: Option<String>,
    /// Whose it is by its details.
    pub confirmed: Confirmed,
    /// There is no need to list it as retained in the Portal's status: it is there, or the list is full. Decides nothing
    /// else.
    pub listed_as_retained: bool,
}

/// Whose user it is by the mark in its details.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// Not read yet.
    Unread,
    /// Made for this resource, by the copy of the installation with this hint.
    Ours(Hint),
    /// Made for this resource, and left in the portal.
    Retained,
    /// No mark, or the mark of another resource.
    Foreign,
    /// Its client is gone from the identity provider: it cannot be read, nor used.
    Lost,
    /// It is no longer there.
    Gone,
}

/// A user's details.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a handful of them live for one pass")]
pub enum UserView {
    /// Read.
    Read(UserFacts),
    /// The portal knows no such user (any more).
    Gone,
    /// The identity provider has lost its client.
    Lost,
}

/// What the details say, as far as it decides. The credential itself stays with whoever read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// The name.
    pub name: String,
    /// The state.
    pub status: UserStatus,
    /// Internal or External.
    pub kind: UserKind,
    /// The OAuth client ID.
    pub client_id: Option<String>,
    /// The roles by name.
    pub roles: Vec<String>,
    /// A token of the user, where it is internal, names these roles in the same words.
    pub roles_in_tokens: bool,
    /// The mark in the description.
    pub mark: Option<Mark>,
    /// The description.
    pub description: String,
    /// The connector it is linked to.
    pub connector: Option<String>,
    /// The digest of what the output would hold with its credential; absent without one.
    pub digest: Option<String>,
}
