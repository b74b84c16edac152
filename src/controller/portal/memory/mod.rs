//! What this process remembers of each Portal between reconciles.

mod bundles;
mod logins;
mod parsed;

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::controller::checked::refused_logins::RefusedLogins;
use crate::controller::objects::Key;
use crate::controller::status::since::SinceOf;
use crate::process::Random;
use bundles::Bundles;
pub use logins::SeenLogin;
use logins::SeenLogins;
pub use parsed::Parsed;
use parsed::ParsedPortals;

/// All Portals.
#[derive(Debug)]
pub struct PortalMemory {
    /// What their objects say.
    pub parsed: ParsedPortals,
    /// Since when a Portal waits for something that may still appear, by the reason of its condition.
    pub waiting: SinceOf<Key>,
    /// What was found in the CA bundles.
    pub bundles: Bundles,
    /// What the login Secrets held.
    pub logins: SeenLogins,
    /// Logins that the identity provider refused.
    pub refused_logins: RefusedLogins,
    /// Since when a Portal is known to be under deletion, with its uid.
    deleting: Mutex<BTreeMap<Key, (Option<String>, Instant)>>,
}

impl PortalMemory {
    /// Nothing is remembered.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            parsed: ParsedPortals::default(),
            waiting: SinceOf::default(),
            bundles: Bundles::default(),
            logins: SeenLogins::default(),
            refused_logins: RefusedLogins::new(random),
            deleting: Mutex::default(),
        }
    }

    /// Since when this process knows that a Portal is under deletion; from now on where it did not.
    #[must_use]
    pub fn deleting_since(&self, key: &Key, uid: Option<&str>) -> Instant {
        let mut deleting = self.deleting.lock();
        let entry = deleting.entry(key.clone()).or_insert_with(|| (uid.map(str::to_owned), Instant::now()));
        if entry.0.as_deref() != uid {
            *entry = (uid.map(str::to_owned), Instant::now());
        }
        entry.1
    }

    /// Forgets a Portal that is gone.
    pub fn forget(&self, key: &Key) {
        self.parsed.forget(key);
        self.waiting.forget(key);
        self.bundles.read(key, None);
        self.logins.forget(key);
        self.refused_logins.accepted(key);
        self.deleting.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_deletion_is_timed_by_our_own_clock_for_each_object() {
        let (memory, key) =
            (PortalMemory::new(Random::seeded(1)), Key { namespace: "n".into(), name: "p".into() });
        assert_eq!(memory.deleting_since(&key, Some("1")).elapsed(), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(40)).await;
        assert_eq!(memory.deleting_since(&key, Some("1")).elapsed(), Duration::from_secs(40));
        assert_eq!(
            memory.deleting_since(&key, Some("2")).elapsed(),
            Duration::ZERO,
            "another one of that name"
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        memory.forget(&key);
        assert_eq!(memory.deleting_since(&key, Some("2")).elapsed(), Duration::ZERO);
    }
}
