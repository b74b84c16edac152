//! The trial of the requests that change the portal: it creates a user, verifies its credential, changes and resets it, and
//! deletes the user, whatever failed in between.

mod create;
mod exercise;
mod remove;

use tokio::time::sleep;

use super::Pace;
use super::print::Printer;
use super::reach::Reached;
use super::report::Step;
use super::users::INSTANCE;
use crate::domain::identity::{Hint, Mark, Owner};
use crate::domain::user::{Credential, Role, RoleKind, UserDetails, UserId};
use crate::portal::{Capabilities, Lane, Portal, Verification};
use crate::process::Random;

/// How often a request is tried that may fail for a short time.
const TRIES: usize = 3;

/// A user that this trial created.
struct Created {
    id: UserId,
    client_id: Option<String>,
    /// The newest one that the portal showed.
    credential: Option<Credential>,
}

/// The trial of one user.
struct Trial<'a, 'p> {
    portal: &'a dyn Portal,
    printer: &'a mut Printer<'p>,
    pace: &'a Pace,
    capabilities: Capabilities,
    may_delete: bool,
    mark: Mark,
    name: String,
}

/// Creates a user and deletes it, and reports each step.
pub(super) async fn trial(portal: &dyn Portal, reached: &Reached, printer: &mut Printer<'_>, pace: &Pace) {
    let Some(role) = choose(&reached.roles) else {
        let words = "the portal offers no Internal role that can be tried (a role that may create users is never tried)";
        printer.missing(words);
        return printer.step(Step::failed("write-create", words));
    };
    let (mark, name) = identity(&Random::system().uuid().simple().to_string());
    let mut trial = Trial {
        portal,
        printer,
        pace,
        capabilities: reached.capabilities,
        may_delete: reached.login.permissions.delete,
        mark,
        name,
    };
    let mut created = trial.create(role).await;
    if let Some(user) = created.first_mut() {
        trial.exercise(user).await;
    }
    for user in &created {
        trial.remove(user).await;
    }
}

/// The first by name that a user of this company can have. A user with the permissions of the operator is not created.
fn choose(roles: &[Role]) -> Option<&Role> {
    let fits = |role: &&Role| role.kind == RoleKind::Internal && !role.provider_only && !role.creates_users;
    roles.iter().filter(fits).min_by(|a, b| a.name.cmp(&b.name))
}

/// Mark and name of a user, different from those of all others.
fn identity(random: &str) -> (Mark, String) {
    let name: String = random.chars().take(8).collect();
    let owner = Owner { instance: INSTANCE.to_owned(), namespace: INSTANCE.to_owned(), name };
    let user_name = owner.user_name(1, None);
    (
        Mark { owner, generation: 1, hint: Hint::of_installation(random), retained: false, login: false },
        user_name,
    )
}

impl Trial<'_, '_> {
    fn step(&mut self, step: Step) {
        self.printer.step(step);
    }

    fn failed(&mut self, name: &'static str, words: String) {
        self.printer.missing(format!("{name}: {words}"));
        self.step(Step::failed(name, words));
    }

    async fn pause(&self) {
        sleep(self.pace.pause).await;
    }

    /// Tries a credential, and tries it again if the token endpoint does not answer.
    async fn verify(&self, credential: &Credential) -> Verification {
        let mut answer = self.portal.verify(credential, Lane::Interactive).await;
        for _ in 1..TRIES {
            if !matches!(answer, Verification::Unreachable { .. }) {
                break;
            }
            self.pause().await;
            answer = self.portal.verify(credential, Lane::Interactive).await;
        }
        answer
    }
}

impl Created {
    fn see(&mut self, details: UserDetails) {
        self.client_id = details.client_id.or(self.client_id.take());
        self.credential = details.credential.or(self.credential.take());
    }
}

/// Why a credential does not work, in words.
fn not_accepted(answer: &Verification) -> Option<String> {
    match answer {
        Verification::Accepted { .. } => None,
        Verification::Refused { .. } => Some("the token endpoint refuses it".to_owned()),
        Verification::Unreachable { endpoint, reason } => {
            Some(format!("the token endpoint {endpoint} cannot be reached: {reason}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::parse_own_name;

    #[test]
    fn only_an_ordinary_internal_role_is_tried() {
        let role = |name: &str, kind, provider_only| Role {
            id: name.to_owned(),
            name: name.to_owned(),
            kind,
            provider_only,
            creates_users: false,
        };
        let offered = [
            role("Semantic Model Management", RoleKind::Internal, false),
            role("A provider's", RoleKind::Internal, true),
            role("A wallet's", RoleKind::External, false),
            Role { creates_users: true, ..role("A login's", RoleKind::Internal, false) },
            role("Dataspace Discovery", RoleKind::Internal, false),
        ];
        assert_eq!(choose(&offered).unwrap().name, "Dataspace Discovery");
        assert_eq!(choose(&offered[1..4]), None);
    }

    #[test]
    fn mark_and_name_differ_from_those_of_all_others_and_of_other_checks() {
        let (mark, name) = identity("0a1b2c3d4e5f");
        let (_, other) = identity("ffffffffffff");
        assert!(parse_own_name(&name).is_some() && name.ends_with("-check-0a1b2c3d"), "{name}");
        assert_ne!(parse_own_name(&name), parse_own_name(&other));
        assert_eq!(Mark::find(&mark.describe(None)).unwrap().owner.to_string(), "check/check/0a1b2c3d");
    }
}
