//! Values that the tests of several modules need.

use crate::domain::identity::Owner;
use crate::domain::permissions::PermissionNames;
use crate::domain::user::{
    Credential, ListedUser, Ownership, Role, RoleKind, UserDetails, UserId, UserKind, UserStatus,
};

/// The names of a portal whose role for logins may not delete.
pub const PERMISSION_NAMES: PermissionNames = PermissionNames {
    view: "view-users",
    create: "create-users",
    delete: "delete-users",
    roles: "list-roles",
    login_role: Some("user administrator"),
    deletion_role: None,
};

/// A resource of the installation `prod` in the namespace `connector`.
pub fn owner(name: &str) -> Owner {
    Owner { instance: "prod".into(), namespace: "connector".into(), name: name.into() }
}

/// A role that creates no users.
pub fn role(name: &str, kind: RoleKind, provider_only: bool) -> Role {
    Role { id: format!("id-{name}"), name: name.to_owned(), kind, provider_only, creates_users: false }
}

/// An active internal user in the list.
pub fn listed(id: &str, name: &str) -> ListedUser {
    ListedUser {
        id: UserId::new(id),
        client_id: Some(format!("sa-{id}")),
        name: name.to_owned(),
        kind: UserKind::Internal,
        status: UserStatus::Active,
        ownership: Ownership::Own,
        is_owner: true,
        connector: None,
        offer: None,
    }
}

/// The first user of a resource in the list.
pub fn listed_for(id: &str, owner: &Owner) -> ListedUser {
    listed(id, &owner.user_name(1, None))
}

/// The details of an active internal user.
pub fn details(id: &UserId, client_id: &str) -> UserDetails {
    UserDetails {
        id: id.clone(),
        client_id: Some(client_id.to_owned()),
        name: "name".into(),
        description: String::new(),
        mark: None,
        roles: Vec::new(),
        roles_in_tokens: true,
        kind: UserKind::Internal,
        status: UserStatus::Active,
        ownership: Ownership::Own,
        credential: None,
        connector: None,
        offer: None,
    }
}

/// A credential of the central identity provider.
pub fn credential(client_id: &str, secret: &str) -> Credential {
    Credential::with_secret(client_id.to_owned(), secret.into(), "https://idp.example.org/token".to_owned())
}
