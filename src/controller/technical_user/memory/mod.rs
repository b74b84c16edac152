//! What this process remembers of each `TechnicalUser` between reconciles. A restart of the process loses it, and nothing
//! depends on it.

mod absent_users;
pub mod attempts;
mod compared;
mod missing_client;
mod overwritten;
pub mod places;
mod removals;
pub mod seen_secrets;
pub mod turns;
mod verification;

use std::collections::BTreeMap;

use parking_lot::Mutex;

use self::absent_users::AbsentUsers;
use self::attempts::Attempts;
use self::compared::Compared;
use self::missing_client::MissingClient;
use self::overwritten::Overwritten;
use self::places::Places;
use self::removals::Removals;
use self::seen_secrets::SeenSecrets;
use self::turns::Turns;
use self::verification::Verification;
use crate::controller::objects::Key;
use crate::controller::status::since::Since;
use crate::controller::technical_user::token_roles::{NamedRoles, SeenRoles};
use crate::domain::reason::Reason;

/// What this process remembers.
#[derive(Debug, Default)]
pub struct Memory {
    /// Boxed: a tree has room for more entries than it has.
    users: Mutex<BTreeMap<Key, Box<UserMemory>>>,
    /// Whose turn it is to have a user created. Apart, as it orders the resources of a Portal among each other.
    pub turns: Turns,
    /// The Portals whose tokens name roles. Apart, as it is known of a Portal, by the tokens of any of its users.
    pub named_roles: NamedRoles,
    /// The places of quotas that creates have taken. Apart, as the resources of a namespace share them, and a place is held by
    /// a create that may last longer than its resource.
    pub places: Places,
}

/// What is remembered of one resource.
#[derive(Debug, Default)]
pub struct UserMemory {
    /// Attempts to create a user.
    pub attempts: Attempts,
    /// Attempts to reset the secret of its user.
    pub resets: Attempts,
    /// The reset whose result was compared with the outputs.
    pub compared_reset: Option<String>,
    /// The roles that tokens show.
    pub roles: SeenRoles,
    /// Since when it waits for something that may still appear, by the reason of its condition.
    pub waiting: Since,
    /// Since when its reconciles fail in the same way.
    pub failing: Since,
    /// Which of its outputs cannot be removed.
    pub removals: Removals,
    /// Since when this process has seen its user pending.
    pub pending: Since,
    /// When its published credential was last tried.
    pub verification: Verification,
    /// Whether its user's client is missing in the identity provider.
    pub missing_client: MissingClient,
    /// Users that the portal does not know.
    pub absent_users: AbsentUsers,
    /// When its outputs in other stores were last compared.
    pub compared: Compared,
    /// The states of its Secrets that were compared.
    pub secrets: SeenSecrets,
    /// The states of the object that were written over.
    pub overwritten: Overwritten,
    /// The reason of the last Event about a replacement that is not carried out.
    pub answered: Option<Reason>,
}

impl Memory {
    /// Changes what is remembered of a resource. `change` must not use the memory itself.
    pub fn change<T>(&self, key: &Key, change: impl FnOnce(&mut UserMemory) -> T) -> T {
        change(self.users.lock().entry(key.clone()).or_default())
    }

    /// Changes what is remembered of a resource, if anything is: one that was removed is not remembered again.
    pub fn change_known(&self, key: &Key, change: impl FnOnce(&mut UserMemory)) {
        if let Some(user) = self.users.lock().get_mut(key) {
            change(user);
        }
    }

    /// Reads what is remembered of a resource: the default for one that this process has not seen. `read` must not use the
    /// memory itself.
    pub fn with<T>(&self, key: &Key, read: impl FnOnce(&UserMemory) -> T) -> T {
        match self.users.lock().get(key) {
            Some(user) => read(user),
            None => read(&UserMemory::default()),
        }
    }

    /// Whether the client of a resource's user was missed long and often enough, and no other user of the Portal has no client:
    /// then it is no restore of the identity provider, which affects many users at once.
    #[must_use]
    pub fn is_client_missing_for_good(&self, key: &Key) -> bool {
        let users = self.users.lock();
        let Some(client) = users.get(key).map(|user| &user.missing_client) else { return false };
        let is_of_the_portal = |user: &&UserMemory| user.missing_client.portal() == client.portal();
        client.is_lasting() && users.values().map(Box::as_ref).filter(is_of_the_portal).count() == 1
    }

    /// The finalizer was removed from a resource in the state `last`. Only that is remembered until the watch shows it too: a cache
    /// that is behind would have its deletion begun again.
    pub fn released(&self, key: &Key, last: Option<&str>) {
        let mut user = Box::<UserMemory>::default();
        user.overwritten.wrote(last, None);
        self.users.lock().insert(key.clone(), user);
        self.turns.leave(key);
    }

    /// Removes a resource that is deleted.
    pub fn forget(&self, key: &Key) {
        self.users.lock().remove(key);
        self.turns.leave(key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::user::UserId;

    fn key(name: &str) -> Key {
        Key { namespace: "connector".into(), name: name.into() }
    }

    fn portal(name: &str) -> Key {
        Key { namespace: "dataspace".into(), name: name.into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_missing_for_good_where_no_other_one_of_the_portal_is() {
        let memory = Memory::default();
        let missing = |name: &str, at: &str, refused| {
            memory.change(&key(name), |user| user.missing_client.missing(&portal(at), refused));
        };
        for _ in 0..3 {
            missing("a", "p", true);
        }
        assert!(!memory.is_client_missing_for_good(&key("a")), "too early");
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(memory.is_client_missing_for_good(&key("a")));
        missing("other", "another", false);
        assert!(memory.is_client_missing_for_good(&key("a")), "another Portal's loss does not matter");
        missing("b", "p", false);
        assert!(!memory.is_client_missing_for_good(&key("a")), "two at once");
        memory.forget(&key("b"));
        assert!(memory.is_client_missing_for_good(&key("a")));
        memory.change(&key("a"), |user| user.missing_client.there());
        assert!(!memory.is_client_missing_for_good(&key("a")));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_left_of_a_resource_that_is_gone() {
        let (memory, id) = (Memory::default(), UserId::new("u1"));
        let first = memory.change(&key("a"), |user| user.absent_users.since(&id));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_ne!(memory.change(&key("b"), |user| user.absent_users.since(&id)), first, "each has its own");
        assert_eq!(memory.change(&key("a"), |user| user.absent_users.since(&id)), first);
        memory.forget(&key("a"));
        assert_ne!(memory.change(&key("a"), |user| user.absent_users.since(&id)), first);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deletion_of_a_released_resource_is_not_begun_again() {
        let (memory, id) = (Memory::default(), UserId::new("u1"));
        let first = memory.change(&key("a"), |user| user.absent_users.since(&id));
        tokio::time::advance(Duration::from_secs(1)).await;
        memory.released(&key("a"), Some("7"));
        let is_behind = |version| memory.change(&key("a"), |user| user.overwritten.is_behind(Some(version)));
        assert!(is_behind("7"), "the cache shows what there was before");
        assert!(!is_behind("8"), "another one of its name");
        assert_ne!(
            memory.change(&key("a"), |user| user.absent_users.since(&id)),
            first,
            "the rest is forgotten"
        );
        memory.forget(&key("a"));
        assert!(memory.users.lock().is_empty());
    }

    #[test]
    fn a_removed_resource_is_not_remembered_again() {
        let memory = Memory::default();
        memory.change(&key("a"), |user| user.failing.forget());
        memory.forget(&key("a"));
        memory.change_known(&key("a"), |user| user.failing.forget());
        assert!(memory.users.lock().is_empty());
    }

    #[test]
    fn reading_remembers_nothing() {
        let memory = Memory::default();
        assert!(!memory.with(&key("a"), |user| user.attempts.in_flight()));
        assert!(memory.users.lock().is_empty());
    }
}
