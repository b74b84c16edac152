//! Users whose client is missing in the identity provider: since when, and how often their token endpoint has said so.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::controller::objects::Key;

/// Such a user gets a successor automatically when its token endpoint has said `invalid_client` for this time …
const MISSING_TIME: Duration = Duration::from_hours(1);
/// … and this often.
const MISSING_TRIES: u32 = 3;

/// The resources whose user has no client in the identity provider.
#[derive(Debug, Default)]
pub struct MissingClients(Mutex<BTreeMap<Key, Missing>>);

#[derive(Debug)]
struct Missing {
    portal: Key,
    since: Instant,
    refusals: u32,
}

impl MissingClients {
    /// The client is missing. `refused`: the user's token endpoint said `invalid_client` just now.
    pub fn missing(&self, key: &Key, portal: &Key, refused: bool) {
        let mut all = self.0.lock();
        let missing = all.entry(key.clone()).or_insert_with(|| Missing {
            portal: portal.clone(),
            since: Instant::now(),
            refusals: 0,
        });
        missing.refusals += u32::from(refused);
    }

    /// The client is there, or the resource is gone.
    pub fn forget(&self, key: &Key) {
        self.0.lock().remove(key);
    }

    /// Whether it was refused long and often enough, and no other user of the Portal has no client: then it is no restore of
    /// the identity provider, which affects many users at once.
    #[must_use]
    pub fn is_for_good(&self, key: &Key) -> bool {
        let all = self.0.lock();
        all.get(key).is_some_and(|missing| {
            missing.refusals >= MISSING_TRIES
                && missing.since.elapsed() >= MISSING_TIME
                && all.values().filter(|other| other.portal == missing.portal).count() == 1
        })
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
    async fn a_client_is_missing_for_good_after_an_hour_and_three_refusals_of_it_alone() {
        let clients = MissingClients::default();
        for _ in 0..3 {
            clients.missing(&key("a"), &portal("p"), true);
        }
        assert!(!clients.is_for_good(&key("a")), "too early");
        tokio::time::advance(MISSING_TIME).await;
        assert!(clients.is_for_good(&key("a")));
        clients.missing(&key("other"), &portal("another"), false);
        assert!(clients.is_for_good(&key("a")), "another Portal's loss does not matter");
        clients.missing(&key("b"), &portal("p"), false);
        assert!(!clients.is_for_good(&key("a")), "two at once");
        clients.forget(&key("b"));
        assert!(clients.is_for_good(&key("a")));
        clients.forget(&key("a"));
        assert!(!clients.is_for_good(&key("a")));
    }
}
