//! The states of objects that this process has written over: a cache that still shows one is behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::controller::objects::Key;

/// A cache that has not shown a write after this time does not show it because it is not there (any more).
const CACHE_LIMIT: Duration = Duration::from_secs(10);

/// For each resource the versions that were written over, and when the last one was.
#[derive(Debug, Default)]
pub struct Overwritten(Mutex<BTreeMap<Key, (BTreeSet<String>, Instant)>>);

impl Overwritten {
    /// This process has written an object: a cache that still shows the state `before` is behind.
    pub fn wrote(&self, key: &Key, before: Option<&str>, after: Option<&str>) {
        // A write that changes nothing leaves the state as it is.
        if let Some(version) = before.filter(|_| before != after) {
            let mut all = self.0.lock();
            let (versions, at) = all.entry(key.clone()).or_insert_with(|| (BTreeSet::new(), Instant::now()));
            versions.insert(version.to_owned());
            *at = Instant::now();
        }
    }

    /// Whether an object is in a state that this process has written over a moment ago. Deciding by it would only end in
    /// conflicts. After that moment the state is believed, whatever it is.
    pub fn is_behind(&self, key: &Key, version: Option<&str>) -> bool {
        let mut all = self.0.lock();
        let behind = all.get(key).is_some_and(|(versions, at)| {
            at.elapsed() < CACHE_LIMIT && version.is_some_and(|version| versions.contains(version))
        });
        if !behind {
            all.remove(key);
        }
        behind
    }

    /// Forgets a resource that is gone.
    pub fn forget(&self, key: &Key) {
        self.0.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { namespace: "connector".into(), name: name.into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_cache_is_behind_while_it_shows_what_was_written_over() {
        let overwritten = Overwritten::default();
        assert!(!overwritten.is_behind(&key("a"), Some("1")));
        overwritten.wrote(&key("a"), Some("1"), Some("2"));
        overwritten.wrote(&key("a"), Some("2"), Some("3"));
        overwritten.wrote(&key("a"), Some("3"), Some("3"));
        assert!(overwritten.is_behind(&key("a"), Some("1")) && overwritten.is_behind(&key("a"), Some("2")));
        assert!(!overwritten.is_behind(&key("b"), Some("1")));
        assert!(!overwritten.is_behind(&key("a"), Some("3")), "it has caught up");
        assert!(!overwritten.is_behind(&key("a"), Some("1")), "and what is forgotten is believed");
        overwritten.wrote(&key("a"), Some("4"), Some("5"));
        tokio::time::advance(CACHE_LIMIT).await;
        assert!(!overwritten.is_behind(&key("a"), Some("4")), "restored from a backup");
    }
}
