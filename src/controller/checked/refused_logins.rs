//! Logins that the identity provider or a Vault refused.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::controller::objects::Key;
use crate::domain::blocker::Blocker;
use crate::process::Random;

/// The same login is tried again after this time, doubling: some identity providers lock an account that is refused too often.
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// A login that was refused.
#[derive(Debug)]
struct RefusedLogin {
    fingerprint: String,
    blocker: Blocker,
    ask_again: Instant,
    /// How many times in a row.
    count: u32,
}

/// The refused logins of all objects of one kind.
#[derive(Debug)]
pub struct RefusedLogins {
    refused: Mutex<BTreeMap<Key, RefusedLogin>>,
    random: Random,
}

impl RefusedLogins {
    /// None is refused.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self { refused: Mutex::default(), random }
    }

    /// The identity provider refused this login: it is asked again when the login changes, or after a time that grows.
    pub fn refused(&self, key: &Key, fingerprint: &str, blocker: &Blocker) {
        let mut refused = self.refused.lock();
        let same = refused.get(key).filter(|before| before.fingerprint == fingerprint);
        let count = same.map_or(0, |before| before.count);
        let wait = FIRST_RETRY.saturating_mul(1 << count.min(16)).min(LONGEST_RETRY);
        refused.insert(
            key.clone(),
            RefusedLogin {
                fingerprint: fingerprint.to_owned(),
                blocker: blocker.clone(),
                ask_again: Instant::now() + self.random.spread(wait),
                count: count.saturating_add(1),
            },
        );
    }

    /// What the identity provider said of this very login, while it is too early to ask it again.
    #[must_use]
    pub fn of(&self, key: &Key, fingerprint: &str) -> Option<Blocker> {
        let refused = self.refused.lock();
        let known = refused.get(key).filter(|refused| refused.fingerprint == fingerprint)?;
        (Instant::now() < known.ask_again).then(|| known.blocker.clone())
    }

    /// The login is not refused (any more).
    pub fn accepted(&self, key: &Key) {
        self.refused.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refused_login_is_asked_about_again_when_it_changes_or_ever_more_seldom() {
        let (memory, key) =
            (RefusedLogins::new(Random::seeded(1)), Key { namespace: "n".into(), name: "p".into() });
        let blocker = Blocker::lasting(crate::domain::reason::Reason::LoginRefused, "no");
        let mut waits = Vec::new();
        for _ in 0..10 {
            memory.refused(&key, "a", &blocker);
            assert_eq!(memory.of(&key, "b"), None, "another login");
            let began = Instant::now();
            while memory.of(&key, "a").is_some() {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
            waits.push(began.elapsed());
        }
        assert!(waits[0] <= FIRST_RETRY.mul_f64(1.25) + Duration::from_secs(1), "{waits:?}");
        assert!(waits[9] >= LONGEST_RETRY.mul_f64(0.75), "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= LONGEST_RETRY.mul_f64(1.25) + Duration::from_secs(1)));
        memory.refused(&key, "b", &blocker);
        tokio::time::advance(FIRST_RETRY.mul_f64(1.25)).await;
        assert_eq!(memory.of(&key, "b"), None, "a new login starts again");
        memory.refused(&key, "b", &blocker);
        memory.accepted(&key);
        assert_eq!(memory.of(&key, "b"), None);
    }
}
