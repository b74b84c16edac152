//! The permissions of the portal, and the role that has them.

use crate::domain::permissions::PermissionNames;
use crate::portal::observe::Operation;

pub(super) const VIEW: &str = "view_tech_user_management";
pub(super) const CREATE: &str = "add_tech_user_management";
pub(super) const DELETE: &str = "delete_tech_user_management";
pub(super) const ROLES: &str = "technical_roles_management";
/// Most people have it, and no role of technical users does.
pub(super) const DATASPACE: &str = "view_company_data";

/// The role of technical users, since 2.5, that has all permissions but [`DELETE`], which no such role has.
pub(super) const LOGIN_ROLE: &str = "Connector Management";

/// The names of a release that has [`LOGIN_ROLE`], or of one that does not.
pub(super) fn names(has_login_role: bool) -> PermissionNames {
    PermissionNames {
        view: VIEW,
        create: CREATE,
        delete: DELETE,
        roles: ROLES,
        login_role: has_login_role.then_some(LOGIN_ROLE),
        deletion_role: None,
    }
}

/// The permission that a call needs.
pub(super) fn needed_by(operation: Operation) -> &'static str {
    match operation {
        Operation::Create | Operation::Update | Operation::Reset => CREATE,
        Operation::Delete => DELETE,
        Operation::Roles => ROLES,
        Operation::Dataspace => DATASPACE,
        Operation::List | Operation::Details | Operation::Token | Operation::Version | Operation::Verify => {
            VIEW
        }
    }
}
