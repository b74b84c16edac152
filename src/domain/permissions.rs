//! How a portal names the permissions of a login. For messages: no decision depends on a name.

/// The names that a portal has for what a login may do, and for the roles of technical users that may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermissionNames {
    /// To list and read users, secrets included.
    pub view: &'static str,
    /// To create, update and reset users.
    pub create: &'static str,
    /// To delete users.
    pub delete: &'static str,
    /// To list the roles on offer.
    pub roles: &'static str,
    /// The role with which a technical user has all of them, except that `delete` may be missing; `None` where the portal
    /// has no such role.
    pub login_role: Option<&'static str>,
    /// The role with which a technical user may delete users; `None` where the portal has no such role.
    pub deletion_role: Option<&'static str>,
}

/// Which role of technical users has a permission, in words.
#[must_use]
pub fn role_with(names: &PermissionNames, permission: &str) -> String {
    let role = if permission == names.delete { names.deletion_role } else { names.login_role };
    match role {
        Some(role) => format!("the role \"{role}\" has it"),
        None => "no role of technical users has it".to_owned(),
    }
}

/// Which login has the permissions that the operator needs: a sentence without its period.
#[must_use]
pub fn login_advice(names: &PermissionNames) -> String {
    match names.login_role {
        Some(login_role) => format!("Use a technical user with the role \"{login_role}\" as login"),
        None => "This version of the portal has no role of technical users with all permissions: use the login of a person \
                 (refreshToken), or ask the portal's support to add them to a role"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_support::PERMISSION_NAMES;

    #[test]
    fn the_role_that_has_a_permission_is_named() {
        let names = PERMISSION_NAMES;
        assert_eq!(role_with(&names, names.create), "the role \"user administrator\" has it");
        assert_eq!(role_with(&names, names.delete), "no role of technical users has it");
        let names = PermissionNames { deletion_role: Some("cleaner"), ..names };
        assert_eq!(role_with(&names, names.delete), "the role \"cleaner\" has it");
    }

    #[test]
    fn without_a_role_that_has_the_permissions_the_advice_is_a_person() {
        assert!(login_advice(&PERMISSION_NAMES).contains("role \"user administrator\""));
        let names = PermissionNames { login_role: None, ..PERMISSION_NAMES };
        assert!(login_advice(&names).contains("login of a person"));
    }
}
