//! What errors and permissions mean, and what to do.

use super::report::{Step, Verdict};
use crate::domain::permissions::PermissionNames;
use crate::portal::hints::{CHECK_TOKEN_URL, unreachable_hint};
use crate::portal::{Capabilities, Login, Permissions, PortalError};

/// What the hint on a failure depends on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LoginContext {
    /// The login is a person's.
    pub(super) is_person: bool,
    /// The manifest names certificates of the cluster, which the check cannot read.
    pub(super) ca_in_cluster: bool,
    /// How the portal names permissions, once it answered.
    pub(super) names: Option<PermissionNames>,
}

/// How bad a failure is while things are only read.
pub(super) fn verdict(error: &PortalError) -> Verdict {
    match error {
        PortalError::Unreachable { .. }
        | PortalError::Tls { .. }
        | PortalError::CircuitOpen { .. }
        | PortalError::Throttled { .. }
        | PortalError::CreatesInProgress
        | PortalError::NotThePortalBackend { .. }
        | PortalError::NotATokenEndpoint
        | PortalError::Server { .. }
        | PortalError::BadAnswer { .. } => Verdict::Unreached,
        PortalError::LoginRefused { .. }
        | PortalError::TokenNotStored { .. }
        | PortalError::DeletionLogin { .. }
        | PortalError::OtherCompany
        | PortalError::Unauthorized
        | PortalError::Forbidden { .. }
        | PortalError::NotFound
        | PortalError::Refused { .. }
        | PortalError::ClientMissing => Verdict::Failed,
    }
}

/// What happened, and what to do about it.
pub(super) fn trouble(error: &PortalError, context: LoginContext) -> String {
    let hint = match error {
        PortalError::Unreachable { reason, .. } => unreachable_hint(reason),
        PortalError::NotATokenEndpoint => CHECK_TOKEN_URL,
        PortalError::Tls { .. } if context.ca_in_cluster => {
            "the manifest names certificates of the cluster: pass them with --ca-file"
        }
        PortalError::Tls { .. } => {
            "if the certificate is of your own authority, pass it with --ca-file, and name it for the operator in tls.caBundle"
        }
        PortalError::LoginRefused { code } => refused(code, context.is_person),
        PortalError::NotThePortalBackend { .. } => {
            "it answers with a web page; url is the address of the backend (often portal-backend.…), not of the web page"
        }
        PortalError::Server { .. } => {
            "the server, or a service that it needs (such as its identity provider), does not work"
        }
        PortalError::BadAnswer { .. } => "the address may be wrong, or a proxy answers instead",
        PortalError::TokenNotStored { .. } => {
            "the access token was not used; the identity provider accepts the token in the file once more, but not twice"
        }
        PortalError::Unauthorized => {
            return match context.names.and_then(|names| names.login_role) {
                Some(role) => format!("{error}: use a technical user with the role \"{role}\""),
                None => error.to_string(),
            };
        }
        _ => return error.to_string(),
    };
    format!("{error}: {hint}")
}

fn refused(code: &str, is_person: bool) -> &'static str {
    match code {
        "invalid_client" => "the identity provider does not know the client ID, or the client is disabled",
        "unauthorized_client" => "the client secret is wrong",
        "invalid_grant" if is_person => {
            "the refresh token was used before or has expired; a person has to log in again to obtain a new one"
        }
        _ => "client ID and secret may be wrong, or the token endpoint belongs to another portal",
    }
}

/// A permission, as the portal names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permission {
    /// The name of its step.
    pub(super) name: &'static str,
    /// The portal's own name.
    pub(super) portal_name: &'static str,
    /// What it is for.
    pub(super) purpose: &'static str,
    pub(super) granted: bool,
}

/// All permissions that matter.
pub(super) fn permissions(found: Permissions, names: &PermissionNames) -> [Permission; 4] {
    let permission = |name, portal_name, purpose, granted| Permission { name, portal_name, purpose, granted };
    [
        permission("view", names.view, "list and read technical users", found.view),
        permission("create", names.create, "create, change and reset technical users", found.create),
        permission(DELETE, names.delete, "delete technical users", found.delete),
        permission("roles", names.roles, "list the roles on offer", found.roles),
    ]
}

/// The permission that the usual login does not have, and that the operator does not need.
const DELETE: &str = "delete";

impl Permission {
    /// The step that reports it.
    pub(super) fn step(self) -> Step {
        let words =
            format!("{}: {} ({})", self.portal_name, if self.granted { "yes" } else { "no" }, self.purpose);
        let verdict = match (self.granted, self.name) {
            (true, _) => Verdict::Ok,
            (false, DELETE) => Verdict::Note,
            (false, _) => Verdict::Missing,
        };
        Step::new(self.name, verdict, words)
            .with("permission", self.portal_name)
            .with("granted", self.granted)
    }

    /// What is missing without it.
    pub(super) fn missing(self) -> Option<String> {
        (!self.granted && self.name != DELETE)
            .then(|| format!("this login may not {} ({} is missing)", self.purpose, self.portal_name))
    }
}

/// What follows from a delete permission that is missing.
pub(super) const NO_DELETE: &str = "this login may not delete users: when TechnicalUsers are deleted, internal users are revoked \
     and kept in the portal, and wallet users need a person or deleteAuth";

/// Why permissions are missing, and which login has them.
pub(super) fn advice(login: &Login, capabilities: &Capabilities) -> Option<String> {
    let found = login.permissions;
    if found.view && found.create && found.roles {
        return None;
    }
    let roles = login.technical_roles.join(", ");
    let why = match (login.technical_roles.as_slice(), found.view && !found.create) {
        ([], _) => "this login has no role with the permissions that the operator needs".to_owned(),
        (_, true) => format!("this login's role is {roles}, which may only read"),
        (_, false) => {
            format!("this login's role is {roles}, which lacks permissions that the operator needs")
        }
    };
    let what = match capabilities.permissions.login_role {
        Some(role) => format!("use a technical user with the role \"{role}\""),
        None => format!(
            "a portal of version {} has no role of technical users with these permissions: ask the portal's support to add them \
             to a role, or use a person's login (--refresh-token-file)",
            capabilities.version
        ),
    };
    Some(format!("{why}; {what}"))
}

/// Whose login it is.
pub(super) fn who(login: &Login) -> String {
    let roles = match login.technical_roles.as_slice() {
        [] => String::new(),
        roles => format!(", role {}", roles.join(", ")),
    };
    match &login.client_id {
        Some(id) => format!("obtained for technical user {id}{roles}"),
        None => format!("obtained for a person's login{roles}"),
    }
}

/// The company of the login, compared with the one that `bpn` names.
pub(super) fn company(wanted: Option<&str>, found: &[String]) -> Step {
    let names = found.join(", ");
    let step = match (wanted, found) {
        (Some(wanted), found) if !found.iter().any(|bpn| bpn == wanted) => Step::failed(
            "company",
            format!(
                "the login belongs to {}, but bpn is {wanted} (WrongCompany): the operator does nothing with this login",
                if found.is_empty() { "a company that its token does not name" } else { &names }
            ),
        ),
        (Some(wanted), _) => Step::ok("company", format!("the login belongs to {wanted}")),
        (None, []) => Step::note("company", "the token names no company"),
        (None, [found]) => Step::ok("company", format!("the login belongs to {found}")),
        (None, _) => Step::failed(
            "company",
            format!(
                "the token names several companies ({names}); set bpn to the company whose users the operator manages (CompanyAmbiguous)"
            ),
        ),
    };
    step.with("bpn", (!found.is_empty()).then_some(names)).with("wanted", wanted)
}

/// What 403 means although the token has the permission, and 401 although it has some.
pub(super) fn not_served(error: &PortalError, context: LoginContext) -> String {
    match error {
        PortalError::Forbidden { permission } => format!(
            "the portal refuses (403) although the token has {permission}: it does not know this login; use a technical user \
             that was created in the portal itself"
        ),
        other => trouble(other, context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::test_support::PERMISSION_NAMES;
    use crate::portal::test_support::CAPABILITIES;

    fn login(roles: &[&str], permissions: Permissions) -> Login {
        Login {
            companies: Vec::new(),
            client_id: None,
            delete_client_id: None,
            deletion_trouble: None,
            technical_roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            permissions,
        }
    }

    #[test]
    fn a_missing_delete_is_reported_and_is_no_fault() {
        let found = permissions(
            Permissions { view: true, create: true, delete: false, roles: true, dataspace: false },
            &PERMISSION_NAMES,
        );
        let verdicts: Vec<Verdict> = found.iter().map(|p| p.step().verdict).collect();
        assert_eq!(verdicts, [Verdict::Ok, Verdict::Ok, Verdict::Note, Verdict::Ok]);
        assert!(found.iter().all(|permission| permission.missing().is_none()));
        let none = permissions(Permissions::default(), &PERMISSION_NAMES);
        assert_eq!(none.iter().filter_map(|permission| permission.missing()).count(), 3);
    }

    #[test]
    fn the_advice_fits_the_login_and_the_portal() {
        let read_only = Permissions { view: true, ..Permissions::default() };
        let offers = login(&["offer writer"], read_only);
        let words = advice(&offers, &CAPABILITIES).unwrap();
        assert!(words.starts_with("this login's role is offer writer, which may only read; use"), "{words}");
        let without_role = Capabilities {
            version: "1.0",
            permissions: PermissionNames { login_role: None, ..PERMISSION_NAMES },
            ..CAPABILITIES
        };
        assert!(advice(&offers, &without_role).unwrap().contains("version 1.0 has no role"));
        let other = login(&["reader of other things"], Permissions::default());
        assert!(
            advice(&other, &CAPABILITIES).unwrap().contains("role is reader of other things, which lacks")
        );
        let enough = Permissions { view: true, create: true, delete: false, roles: true, dataspace: false };
        assert_eq!(advice(&login(&["user administrator"], enough), &CAPABILITIES), None);
    }

    #[test]
    fn the_company_must_be_the_one_that_bpn_names() {
        for (wanted, found, verdict) in [
            (None, &["A"][..], Verdict::Ok),
            (Some("A"), &["A"], Verdict::Ok),
            (Some("A"), &["A", "B"], Verdict::Ok),
            (Some("A"), &["B"], Verdict::Failed),
            (Some("A"), &[], Verdict::Failed),
            (None, &["A", "B"], Verdict::Failed),
            (None, &[], Verdict::Note),
        ] {
            let names: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(company(wanted, &names).verdict, verdict, "{wanted:?} {found:?}");
        }
    }

    #[test]
    fn hints_depend_on_the_login_and_on_the_certificates() {
        let tls = PortalError::Tls { endpoint: "p:443".into(), reason: "r".into() };
        let plain = LoginContext::default();
        assert!(trouble(&tls, plain).contains("if the certificate is of your own authority"));
        assert!(trouble(&tls, LoginContext { ca_in_cluster: true, ..plain }).contains("of the cluster"));
        let grant = PortalError::LoginRefused { code: "invalid_grant" };
        assert!(trouble(&grant, LoginContext { is_person: true, ..plain }).contains("log in again"));
    }
}
