//! What this process remembers of each `TechnicalUser` between passes. A restart forgets it without harm.

mod absent_users;
pub mod attempts;
mod missing_clients;
mod overwritten;
pub mod places;
pub mod seen_secrets;
pub mod turns;
pub mod verifications;

use self::absent_users::AbsentUsers;
use self::attempts::Attempts;
use self::missing_clients::MissingClients;
use self::overwritten::Overwritten;
use self::places::Places;
use self::seen_secrets::SeenSecrets;
use self::turns::Turns;
use self::verifications::Verifications;
use crate::controller::objects::Key;
use crate::controller::status::since::Since;
use crate::controller::technical_user::token_roles::SeenRoles;
use crate::process::Random;

/// What this process remembers.
#[derive(Debug)]
pub struct Memory {
    /// Attempts to make users.
    pub attempts: Attempts,
    /// Whose turn it is to have a user created.
    pub turns: Turns,
    /// The roles that tokens show.
    pub roles: SeenRoles,
    /// The states of Secrets that were compared.
    pub secrets: SeenSecrets,
    /// The places of quotas that creates have taken.
    pub places: Places,
    /// Since when a resource waits for something that may still arrive, by the reason of its condition.
    pub waiting: Since<Key>,
    /// Since when reconciles of a resource fail in the same way.
    pub failing: Since<Key>,
    /// Since when this process has seen the user of a resource pending.
    pub pending: Since<Key>,
    /// When published credentials were last tried.
    pub verifications: Verifications,
    /// Users whose client is missing in the identity provider.
    pub missing_clients: MissingClients,
    /// Users that the portal does not know.
    pub absent_users: AbsentUsers,
    /// The states of objects that were written over.
    pub overwritten: Overwritten,
}

impl Memory {
    /// Nothing is remembered.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            attempts: Attempts::default(),
            turns: Turns::default(),
            roles: SeenRoles::default(),
            secrets: SeenSecrets::default(),
            places: Places::default(),
            waiting: Since::default(),
            failing: Since::default(),
            pending: Since::default(),
            verifications: Verifications::new(random),
            missing_clients: MissingClients::default(),
            absent_users: AbsentUsers::default(),
            overwritten: Overwritten::default(),
        }
    }

    /// Forgets a resource that is gone.
    pub fn forget(&self, key: &Key) {
        self.attempts.drop_resource(key);
        self.turns.leave(key);
        self.roles.forget(key);
        self.secrets.forget_resource(key);
        self.waiting.forget(key);
        self.failing.forget(key);
        self.pending.forget(key);
        self.verifications.forget(key);
        self.missing_clients.forget(key);
        self.overwritten.forget(key);
        self.absent_users.forget(key);
    }
}
