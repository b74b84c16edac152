//! What the login reaches and may do; everything here only reads.

use serde_json::{Value, json};
use url::Url;

use super::Pace;
use super::login::TriedLogins;
use super::print::Printer;
use super::report::{Step, Verdict};
use super::site::CheckedSite;
use super::users::{self, Leftover};
use super::words::{self, LoginContext};
use crate::domain::user::{Role, RoleKind};
use crate::portal::{self, Capabilities, Lane, Login, PortalError, ServerKind};

/// What was found, for the steps that follow.
pub(super) struct Reached {
    pub(super) login: Login,
    pub(super) capabilities: Capabilities,
    pub(super) roles: Vec<Role>,
}

/// `None` if no further step is possible.
pub(super) async fn reach(
    logins: &TriedLogins,
    checked: &CheckedSite,
    printer: &mut Printer<'_>,
    pace: &Pace,
) -> Option<Reached> {
    let context =
        LoginContext { is_person: logins.is_person, ca_in_cluster: checked.ca_in_cluster, names: None };
    let mut reach = Reach { logins, checked, printer, context };
    let login = reach.login(pace).await;
    let capabilities = reach.portal().await;
    let (login, capabilities) = (login?, capabilities?);
    reach.context.names = Some(capabilities.permissions);
    if !reach.company(&login) || pace.stop.is_cancelled() {
        return None;
    }
    let enough = reach.permissions(&login, &capabilities).await;
    let roles = reach.roles(&login).await?;
    if pace.stop.is_cancelled() {
        return None;
    }
    reach.users(&login).await?;
    enough.then_some(Reached { login, capabilities, roles })
}

struct Reach<'a, 'p> {
    logins: &'a TriedLogins,
    checked: &'a CheckedSite,
    printer: &'a mut Printer<'p>,
    context: LoginContext,
}

impl Reach<'_, '_> {
    /// Step and summary of a failure.
    fn trouble(&mut self, name: &'static str, error: &PortalError) {
        let words = words::trouble(error, self.context);
        self.printer.step(Step::new(name, words::verdict(error), words.clone()));
        self.printer.missing(words);
    }

    async fn login(&mut self, pace: &Pace) -> Option<Login> {
        let mut result = self.logins.portal.login().await;
        if let Err(PortalError::Unreachable { .. } | PortalError::Server { .. }) = &result
            && self.logins.is_person
        {
            // The answer may be lost after the token was used: the identity provider accepts that once.
            self.printer.waiting("no answer to the refresh token; check sends it once more");
            tokio::time::sleep(pace.pause).await;
            result = self.logins.portal.login().await;
        }
        let provider = endpoint(&self.checked.site.token_url);
        let answers = Step::ok("identity-provider", format!("{provider} answers"));
        let error = match result {
            Ok(login) => {
                self.printer.step(answers);
                self.printer.step(
                    Step::ok("token", words::who(&login))
                        .with("clientId", login.client_id.clone())
                        .with("technicalRoles", login.technical_roles.clone()),
                );
                return Some(login);
            }
            Err(error) => error,
        };
        let portals = is_portals(&error, &endpoint(&self.checked.site.url), &provider);
        if portals {
            // The login also asks the portal, whose own step reports what is wrong.
            self.printer.step(answers);
            self.trouble("token", &error);
        } else if words::verdict(&error) == Verdict::Unreached {
            self.trouble("identity-provider", &error);
        } else {
            self.printer.step(answers);
            self.trouble("token", &error);
        }
        None
    }

    async fn portal(&mut self) -> Option<Capabilities> {
        let endpoint = endpoint(&self.checked.site.url);
        let answers = Step::ok("portal", format!("{endpoint} answers as the portal's backend"));
        match self.logins.portal.capabilities().await {
            Ok(capabilities) => {
                self.printer.step(answers);
                let version = capabilities.version;
                self.printer.step(Step::ok("version", version).with("version", version));
                Some(capabilities)
            }
            Err(error) if words::verdict(&error) == Verdict::Failed => {
                self.printer.step(answers);
                self.trouble("version", &error);
                None
            }
            Err(error) => {
                self.trouble("portal", &error);
                None
            }
        }
    }

    fn company(&mut self, login: &Login) -> bool {
        let step = words::company(self.checked.site.company.as_deref(), &login.companies);
        let right = step.verdict != Verdict::Failed;
        if !right {
            self.printer.missing(step.words.clone());
        }
        self.printer.step(step);
        right
    }

    /// Whether the login has the permissions that the operator needs.
    async fn permissions(&mut self, login: &Login, capabilities: &Capabilities) -> bool {
        self.deletion_login(login).await;
        let mut enough = true;
        for permission in words::permissions(login.permissions, &capabilities.permissions) {
            self.printer.step(permission.step());
            if let Some(words) = permission.missing() {
                enough = false;
                self.printer.missing(words);
            }
        }
        if let Some(advice) = words::advice(login, capabilities) {
            self.printer.missing(advice);
        }
        let other_not_tried = self.checked.site.logins.deletion.is_some() && self.logins.deletion.is_none();
        if enough && !login.permissions.delete && !other_not_tried {
            self.printer.note(words::NO_DELETE);
        }
        enough
    }

    async fn deletion_login(&mut self, login: &Login) {
        let Some(deletion) = &self.logins.deletion else { return };
        let name = "deletion-login";
        let found = match deletion.login().await {
            Ok(found) => found,
            Err(error) => return self.trouble(name, &error),
        };
        let shared = found.companies.iter().any(|bpn| login.companies.contains(bpn));
        let step = if !shared && found.companies != login.companies {
            Step::failed(name, "it belongs to another company than the login")
        } else if found.permissions.delete {
            Step::ok(name, words::who(&found))
        } else {
            Step::missing(name, format!("{}, which may not delete users either", words::who(&found)))
        };
        if step.verdict > Verdict::Note {
            self.printer.missing(format!("the deletion login: {}", step.words));
        }
        self.printer.step(step.with("clientId", found.client_id).with("bpn", found.companies.join(", ")));
    }

    /// `None` where the portal does not serve the login.
    async fn roles(&mut self, login: &Login) -> Option<Vec<Role>> {
        let name = "offered-roles";
        if !login.permissions.roles {
            self.printer.step(Step::note(name, "not tried: the permission is missing"));
            return Some(Vec::new());
        }
        match self.logins.portal.roles(Lane::Interactive).await {
            Ok(mut roles) => {
                roles.sort_by(|a, b| a.name.cmp(&b.name));
                self.printer.step(offered(name, &roles));
                Some(roles)
            }
            Err(error) => {
                self.not_served(name, &error);
                None
            }
        }
    }

    /// `None` where the portal does not serve the login.
    async fn users(&mut self, login: &Login) -> Option<()> {
        if !login.permissions.view {
            self.printer.step(Step::note("users", "not tried: the permission is missing"));
            return Some(());
        }
        match self.logins.portal.scan(Lane::Interactive).await {
            Ok(scan) => {
                self.printer.step(users::listed(&scan));
                let (step, leftovers) = users::marked(self.logins.portal.as_ref(), &scan).await;
                self.printer.step(step);
                for leftover in leftovers {
                    self.leftover(&leftover);
                }
                Some(())
            }
            Err(error) => {
                self.not_served("users", &error);
                None
            }
        }
    }

    fn leftover(&mut self, user: &Leftover) {
        let state =
            if user.retained { "could not be deleted" } else { "was not deleted, or another check uses it" };
        self.printer.note(format!(
            "an earlier check --write left the user {} (id {}), which {state}: delete it in the portal",
            user.name, user.id
        ));
    }

    fn not_served(&mut self, name: &'static str, error: &PortalError) {
        let words = words::not_served(error, self.context);
        self.printer.step(Step::new(name, words::verdict(error), words.clone()));
        self.printer.missing(words);
    }
}

/// The portal failed, not the identity provider.
fn is_portals(error: &PortalError, portal: &str, provider: &str) -> bool {
    match error {
        PortalError::NotThePortalBackend { .. } => true,
        PortalError::Unreachable { endpoint, .. } | PortalError::Tls { endpoint, .. } => {
            endpoint == portal && portal != provider
        }
        PortalError::Server { server, .. }
        | PortalError::Throttled { server, .. }
        | PortalError::CircuitOpen { server, .. } => *server == ServerKind::Portal,
        _ => false,
    }
}

/// `host:port`, as errors name it.
fn endpoint(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "?".to_owned(), |url| portal::endpoint(&url))
}

fn offered(name: &'static str, roles: &[Role]) -> Step {
    let kind = |role: &Role| match role.kind {
        RoleKind::Internal => "Internal",
        RoleKind::External => "External",
    };
    let list: Vec<Value> = roles
        .iter()
        .map(|role| json!({"name": role.name, "kind": kind(role), "providerOnly": role.provider_only}))
        .collect();
    let words = match roles.len() {
        0 => return Step::missing(name, "the portal offers no role to this company").with("roles", list),
        1 => "1 role".to_owned(),
        count => format!("{count} roles"),
    };
    roles.iter().fold(Step::ok(name, words).with("roles", list), |step, role| {
        let only = if role.provider_only { ", for providers only" } else { "" };
        step.line(format!("{} ({}{only})", role.name, kind(role)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_distinguished_by_their_address() {
        let down =
            |endpoint: &str| PortalError::Unreachable { endpoint: endpoint.into(), reason: String::new() };
        assert!(is_portals(&down("p:1"), "p:1", "i:1"));
        assert!(!is_portals(&down("i:1"), "p:1", "i:1"));
        assert!(!is_portals(&down("x:1"), "x:1", "x:1"), "one host for both");
        assert_eq!(endpoint("https://p.example.org/a"), "p.example.org:443");
    }

    #[test]
    fn roles_are_listed_with_their_kind() {
        let role = |name: &str, kind, provider_only| Role {
            id: String::new(),
            name: name.into(),
            kind,
            provider_only,
            creates_users: false,
        };
        let roles = [role("A", RoleKind::Internal, false), role("B", RoleKind::External, true)];
        let step = offered("offered-roles", &roles);
        assert_eq!(step.lines, ["A (Internal)", "B (External, for providers only)"]);
        assert_eq!(offered("offered-roles", &[]).verdict, Verdict::Missing);
    }
}
