//! The create, and the search for its user if the answer does not show whether one was created.

use tokio::time::sleep;

use super::{Created, Trial};
use crate::check::report::{Left, Step};
use crate::domain::identity::bare_name;
use crate::domain::user::{ListedUser, NewUser, Role, UserDetails};
use crate::portal::{CreateFailure, Effect, Lane};

const NAME: &str = "write-create";

/// How often the list is read to find a user, or to prove that there is none.
const READINGS: usize = 6;

/// This number of consecutive readings without the name proves that there is no such user.
const PROOF: usize = 2;

/// What the list says.
enum Found {
    Users(Vec<Created>),
    /// It was not created.
    None,
    /// It may have been created.
    Unknown,
}

impl Trial<'_, '_> {
    /// The users that were created: one, but a portal may create several.
    pub(super) async fn create(&mut self, role: &Role) -> Vec<Created> {
        let user = NewUser {
            name: self.name.clone(),
            description: self.mark.describe(None),
            role_ids: vec![role.id.clone()],
        };
        let slot = match self.portal.create_slot().await {
            Ok(slot) => slot,
            Err(error) => {
                self.failed(NAME, format!("no user was created: {error}"));
                return Vec::new();
            }
        };
        match slot.create(user).await {
            Ok(users) if users.is_empty() => {
                self.failed(
                    NAME,
                    format!("the portal accepted the request and created no user with role {}", role.name),
                );
                Vec::new()
            }
            Ok(users) => {
                let created: Vec<Created> = users.into_iter().map(Created::from).collect();
                let words = format!("the portal created {} with role {}", self.name, role.name);
                self.created(words, role, &created, true);
                created
            }
            Err(CreateFailure { error, effect: Effect::None }) => {
                self.failed(NAME, format!("no user was created: {error}"));
                Vec::new()
            }
            Err(CreateFailure { error, effect: Effect::Unknown }) => {
                self.search_for(role, &error.to_string()).await
            }
        }
    }

    fn created(&mut self, words: String, role: &Role, created: &[Created], answered: bool) {
        let step = if answered { Step::ok(NAME, words) } else { Step::note(NAME, words) };
        let mut step = step.with("userName", self.name.clone()).with("role", role.name.clone());
        if let Some(user) = created.first() {
            let client_id = user.client_id.as_deref().unwrap_or("not reported");
            step = step
                .with("id", user.id.as_str())
                .with("clientId", user.client_id.clone())
                .line(format!("id {}, client ID {client_id}", user.id));
        }
        self.step(step);
    }

    async fn search_for(&mut self, role: &Role, error: &str) -> Vec<Created> {
        let seconds = self.pace.settle.as_secs();
        self.printer.waiting(&format!(
            "it is not known whether the user was created ({error}); check searches for it by its name in {seconds} s"
        ));
        let settled = tokio::select! {
            biased;
            () = self.pace.stop.cancelled() => false,
            () = sleep(self.pace.settle) => true,
        };
        match self.find(settled).await {
            Found::Users(created) => {
                let words = format!(
                    "the portal gave no usable answer ({error}), but created {}: found by its name",
                    self.name
                );
                self.created(words, role, &created, false);
                created
            }
            Found::None => {
                self.failed(NAME, format!("the portal gave no usable answer ({error}), and created no user"));
                Vec::new()
            }
            Found::Unknown => {
                self.failed(
                    NAME,
                    format!(
                        "the portal gave no usable answer ({error}), and check could not search for the user"
                    ),
                );
                self.printer.left(Left {
                    id: None,
                    name: self.name.clone(),
                    client_id: None,
                    revoked: false,
                    words: "it is not known whether this user exists: search for its name in the portal and delete it"
                        .to_owned(),
                });
                Vec::new()
            }
        }
    }

    /// Before the time is over (`settled`), a user that is not listed may still be created.
    async fn find(&self, settled: bool) -> Found {
        let mut without = 0;
        for _ in 0..READINGS {
            let Ok(scan) = self.portal.scan(Lane::Interactive).await else {
                without = 0;
                self.pause().await;
                continue;
            };
            let is_ours = |user: &ListedUser| bare_name(&user.name) == self.name;
            let found: Vec<Created> = scan.users.into_iter().filter(is_ours).map(Created::from).collect();
            if !found.is_empty() {
                return Found::Users(found);
            }
            without = if scan.stable { without + 1 } else { 0 };
            if without == PROOF && settled {
                return Found::None;
            }
        }
        Found::Unknown
    }
}

impl From<UserDetails> for Created {
    fn from(user: UserDetails) -> Self {
        Self { id: user.id, client_id: user.client_id, credential: user.credential }
    }
}

impl From<ListedUser> for Created {
    fn from(user: ListedUser) -> Self {
        Self { id: user.id, client_id: user.client_id, credential: None }
    }
}
