//! The create, and the search for its user where the answer does not tell.

use tokio::time::sleep;

use super::{Made, Trial};
use crate::check::report::{Left, Step};
use crate::domain::identity::bare_name;
use crate::domain::user::{CreatedUser, ListedUser, NewUser, Role};
use crate::portal::{CreateFailure, Effect, Lane};

const NAME: &str = "write-create";

/// How often the list is read to find a user, or to prove that there is none.
const LOOKS: usize = 6;

/// So many readings in a row without the name prove that there is no such user.
const PROOF: usize = 2;

/// What the list says.
enum Found {
    Users(Vec<Made>),
    /// It was not made.
    None,
    /// It may have been made.
    Unknown,
}

impl Trial<'_, '_> {
    /// The users that were made: one, but the portal may have its own mind.
    pub(super) async fn make(&mut self, role: &Role) -> Vec<Made> {
        let user = NewUser {
            name: self.name.clone(),
            description: self.mark.describe(None),
            role_ids: vec![role.id.clone()],
        };
        let slot = match self.portal.create_slot().await {
            Ok(slot) => slot,
            Err(error) => {
                self.failed(NAME, format!("nothing was made: {error}"));
                return Vec::new();
            }
        };
        match slot.create(user).await {
            Ok(users) if users.is_empty() => {
                self.failed(
                    NAME,
                    format!("the portal took the request and made no user of role {}", role.name),
                );
                Vec::new()
            }
            Ok(users) => {
                let made: Vec<Made> = users.into_iter().map(Made::from).collect();
                let words = format!("the portal made {} with role {}", self.name, role.name);
                self.made(words, role, &made, true);
                made
            }
            Err(CreateFailure { error, effect: Effect::None }) => {
                self.failed(NAME, format!("nothing was made: {error}"));
                Vec::new()
            }
            Err(CreateFailure { error, effect: Effect::Unknown }) => {
                self.look_for(role, &error.to_string()).await
            }
        }
    }

    fn made(&mut self, words: String, role: &Role, made: &[Made], answered: bool) {
        let step = if answered { Step::ok(NAME, words) } else { Step::note(NAME, words) };
        let mut step = step.with("userName", self.name.clone()).with("role", role.name.clone());
        if let Some(user) = made.first() {
            let client_id = user.client_id.as_deref().unwrap_or("not told");
            step = step
                .with("id", user.id.as_str())
                .with("clientId", user.client_id.clone())
                .line(format!("id {}, client ID {client_id}", user.id));
        }
        self.step(step);
    }

    async fn look_for(&mut self, role: &Role, error: &str) -> Vec<Made> {
        let seconds = self.pace.settle.as_secs();
        self.printer.waiting(&format!(
            "it is not known whether the user was made ({error}); it is looked for by its name in {seconds} s"
        ));
        let settled = tokio::select! {
            biased;
            () = self.pace.stop.cancelled() => false,
            () = sleep(self.pace.settle) => true,
        };
        match self.find(settled).await {
            Found::Users(made) => {
                let words =
                    format!("no usable answer came ({error}), but {} was made: found by its name", self.name);
                self.made(words, role, &made, false);
                made
            }
            Found::None => {
                self.failed(NAME, format!("no usable answer came ({error}), and no user was made"));
                Vec::new()
            }
            Found::Unknown => {
                self.failed(
                    NAME,
                    format!("no usable answer came ({error}), and the user could not be looked for"),
                );
                self.printer.left(Left {
                    id: None,
                    name: self.name.clone(),
                    client_id: None,
                    revoked: false,
                    words: "it is not known whether this user exists: look for its name in the portal and delete it"
                        .to_owned(),
                });
                Vec::new()
            }
        }
    }

    /// Before the time is over (`settled`), a user that is not there may still come.
    async fn find(&self, settled: bool) -> Found {
        let mut without = 0;
        for _ in 0..LOOKS {
            let Ok(scan) = self.portal.scan(Lane::Interactive).await else {
                without = 0;
                self.pause().await;
                continue;
            };
            let is_ours = |user: &ListedUser| bare_name(&user.name) == self.name;
            let found: Vec<Made> = scan.users.into_iter().filter(is_ours).map(Made::from).collect();
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

impl From<CreatedUser> for Made {
    fn from(user: CreatedUser) -> Self {
        Self { id: user.id, client_id: user.client_id, credential: user.credential }
    }
}

impl From<ListedUser> for Made {
    fn from(user: ListedUser) -> Self {
        Self { id: user.id, client_id: user.client_id, credential: None }
    }
}
