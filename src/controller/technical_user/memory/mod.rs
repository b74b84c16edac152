//! What this process remembers of each `TechnicalUser` between passes. A restart forgets it without harm.

pub mod attempts;
pub mod places;
pub mod seen_secrets;
pub mod turns;
pub mod verifications;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use self::attempts::Attempts;
use self::places::Places;
use self::seen_secrets::SeenSecrets;
use self::turns::Turns;
use self::verifications::Verifications;
use crate::controller::objects::Key;
use crate::controller::status::since::Since;
use crate::controller::technical_user::token_roles::SeenRoles;
use crate::domain::user::UserId;
use crate::process::Random;

/// A lost user gets a successor by itself when its token endpoint has said `invalid_client` for so long …
const LOSS_TIME: Duration = Duration::from_hours(1);
/// … and so often.
const LOSS_TRIES: u32 = 3;

/// A cache that has not shown a write after this time does not show it because it is not there (any more).
const CACHE_LIMIT: Duration = Duration::from_secs(10);

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
    losses: Mutex<BTreeMap<Key, Loss>>,
    missing: Mutex<BTreeMap<Key, BTreeMap<UserId, Instant>>>,
    overwritten: Mutex<BTreeMap<Key, (BTreeSet<String>, Instant)>>,
}

#[derive(Debug)]
struct Loss {
    portal: Key,
    since: Instant,
    refusals: u32,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
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
            losses: Mutex::default(),
            missing: Mutex::default(),
            overwritten: Mutex::default(),
        }
    }

    /// The identity provider has lost the user's client. `refused`: its token endpoint said `invalid_client` just now.
    pub fn lost(&self, key: &Key, portal: &Key, refused: bool) {
        let mut losses = lock(&self.losses);
        let loss = losses.entry(key.clone()).or_insert_with(|| Loss {
            portal: portal.clone(),
            since: Instant::now(),
            refusals: 0,
        });
        loss.refusals += u32::from(refused);
    }

    /// Since when the portal has answered that it knows no such user; from now on where it did not before.
    pub fn missing_since(&self, key: &Key, id: &UserId) -> Instant {
        let mut missing = lock(&self.missing);
        *missing.entry(key.clone()).or_default().entry(id.clone()).or_insert_with(Instant::now)
    }

    /// The user is there.
    pub fn not_missing(&self, key: &Key, id: &UserId) {
        let mut missing = lock(&self.missing);
        if let Some(users) = missing.get_mut(key) {
            users.remove(id);
            if users.is_empty() {
                missing.remove(key);
            }
        }
    }

    /// The user is not lost (any more).
    pub fn found(&self, key: &Key) {
        lock(&self.losses).remove(key);
    }

    /// Refused long and often enough, and no other user of the Portal is lost: then it is no restore of the identity
    /// provider, which takes many users at once.
    #[must_use]
    pub fn loss_is_confirmed(&self, key: &Key) -> bool {
        let losses = lock(&self.losses);
        losses.get(key).is_some_and(|loss| {
            loss.refusals >= LOSS_TRIES
                && loss.since.elapsed() >= LOSS_TIME
                && losses.values().filter(|other| other.portal == loss.portal).count() == 1
        })
    }

    /// This process has written an object: a cache that still shows the state `before` is behind.
    pub fn overwrote(&self, key: &Key, before: Option<&str>, after: Option<&str>) {
        // A write that changes nothing leaves the state as it is.
        if let Some(version) = before.filter(|_| before != after) {
            let mut overwritten = lock(&self.overwritten);
            let (versions, at) =
                overwritten.entry(key.clone()).or_insert_with(|| (BTreeSet::new(), Instant::now()));
            versions.insert(version.to_owned());
            *at = Instant::now();
        }
    }

    /// Whether an object is in a state that this process has written over a moment ago. Deciding by it would only end in
    /// conflicts. After that moment the state is believed, whatever it is.
    pub fn is_behind(&self, key: &Key, version: Option<&str>) -> bool {
        let mut overwritten = lock(&self.overwritten);
        let behind = overwritten.get(key).is_some_and(|(versions, at)| {
            at.elapsed() < CACHE_LIMIT && version.is_some_and(|version| versions.contains(version))
        });
        if !behind {
            overwritten.remove(key);
        }
        behind
    }

    /// Forgets a resource that is gone.
    pub fn forget(&self, key: &Key) {
        self.attempts.drop_resource(key);
        self.turns.leave(key);
        self.roles.forget(key);
        self.secrets.forget(key);
        self.waiting.forget(key);
        self.failing.forget(key);
        self.pending.forget(key);
        self.verifications.forget(key);
        self.found(key);
        lock(&self.overwritten).remove(key);
        lock(&self.missing).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { namespace: "connector".into(), name: name.into() }
    }

    fn portal(name: &str) -> Key {
        Key { namespace: "dataspace".into(), name: name.into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_loss_is_confirmed_by_an_hour_three_refusals_and_being_the_only_one() {
        let memory = Memory::new(Random::seeded(1));
        for _ in 0..3 {
            memory.lost(&key("a"), &portal("p"), true);
        }
        assert!(!memory.loss_is_confirmed(&key("a")), "too early");
        tokio::time::advance(LOSS_TIME).await;
        assert!(memory.loss_is_confirmed(&key("a")));
        memory.lost(&key("other"), &portal("another"), false);
        assert!(memory.loss_is_confirmed(&key("a")), "another Portal's loss does not matter");
        memory.lost(&key("b"), &portal("p"), false);
        assert!(!memory.loss_is_confirmed(&key("a")), "two at once");
        memory.found(&key("b"));
        assert!(memory.loss_is_confirmed(&key("a")));
        memory.found(&key("a"));
        assert!(!memory.loss_is_confirmed(&key("a")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cache_is_behind_while_it_shows_what_was_written_over() {
        let memory = Memory::new(Random::seeded(1));
        assert!(!memory.is_behind(&key("a"), Some("1")));
        memory.overwrote(&key("a"), Some("1"), Some("2"));
        memory.overwrote(&key("a"), Some("2"), Some("3"));
        memory.overwrote(&key("a"), Some("3"), Some("3"));
        assert!(memory.is_behind(&key("a"), Some("1")) && memory.is_behind(&key("a"), Some("2")));
        assert!(!memory.is_behind(&key("b"), Some("1")));
        assert!(!memory.is_behind(&key("a"), Some("3")), "it has caught up");
        assert!(!memory.is_behind(&key("a"), Some("1")), "and what is forgotten is believed");
        memory.overwrote(&key("a"), Some("4"), Some("5"));
        tokio::time::advance(CACHE_LIMIT).await;
        assert!(!memory.is_behind(&key("a"), Some("4")), "restored from a backup");
    }
}
