//! A user as the portal in memory keeps it, and what the portal shows of it.

use technical_user_operator::domain::identity::Mark;
use technical_user_operator::domain::user::{
    Credential, Linked, ListedUser, Ownership, RoleKind, UserDetails, UserId, UserKind, UserStatus,
};

const TOKEN_URL: &str = "https://memory.example.org/token";

/// Id, name and kind of each role on offer.
pub(super) const ROLES: [(&str, &str, RoleKind); 2] =
    [("role-1", "Reader", RoleKind::Internal), ("role-2", "Wallet", RoleKind::External)];

/// A user as it is kept.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) role: usize,
    /// Absent while the user is pending.
    pub(super) client_id: Option<String>,
    pub(super) secret: String,
    pub(super) connector: Option<Linked>,
}

pub(super) fn role_of(stored: &Stored) -> (&'static str, &'static str, RoleKind) {
    ROLES[stored.role]
}

pub(super) fn kind_of(stored: &Stored) -> UserKind {
    match role_of(stored).2 {
        RoleKind::Internal => UserKind::Internal,
        RoleKind::External => UserKind::External,
    }
}

pub(super) fn status_of(stored: &Stored) -> UserStatus {
    if stored.client_id.is_some() { UserStatus::Active } else { UserStatus::Pending }
}

pub(super) fn details_of(id: &UserId, stored: &Stored) -> UserDetails {
    UserDetails {
        id: id.clone(),
        client_id: stored.client_id.clone(),
        name: stored.name.clone(),
        description: stored.description.clone(),
        mark: Mark::find(&stored.description),
        roles: vec![role_of(stored).1.to_owned()],
        roles_in_tokens: true,
        kind: kind_of(stored),
        status: status_of(stored),
        ownership: Ownership::Own,
        credential: credential_of(stored),
        connector: stored.connector.clone(),
        offer: None,
    }
}

pub(super) fn credential_of(stored: &Stored) -> Option<Credential> {
    let client_id = stored.client_id.clone()?;
    Some(Credential::with_secret(client_id, stored.secret.clone().into(), TOKEN_URL.to_owned()))
}

pub(super) fn listed((id, stored): (&UserId, &Stored)) -> ListedUser {
    ListedUser {
        id: id.clone(),
        client_id: stored.client_id.clone(),
        name: stored.name.clone(),
        kind: kind_of(stored),
        status: status_of(stored),
        ownership: Ownership::Own,
        is_owner: true,
        connector: stored.connector.clone(),
        offer: None,
    }
}
