//! For how long something has been so, by this process's own clock: other clocks may differ, and jump.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// For each object: what is so, and since when.
#[derive(Debug)]
pub struct Since<K> {
    states: Mutex<BTreeMap<K, (&'static str, Instant)>>,
}

impl<K> Default for Since<K> {
    fn default() -> Self {
        Self { states: Mutex::default() }
    }
}

impl<K: Ord + Clone> Since<K> {
    /// For how long the object has been in this state; from now on where it was in another one.
    pub fn elapsed(&self, key: &K, state: &'static str) -> Duration {
        self.elapsed_from(key, state, Duration::ZERO)
    }

    /// As [`Self::elapsed`]; where this process did not know of the state, it has lasted for `before` already.
    pub fn elapsed_from(&self, key: &K, state: &'static str, before: Duration) -> Duration {
        let now = Instant::now();
        let begun = || now.checked_sub(before).unwrap_or(now);
        let mut states = self.states.lock();
        let known = states.entry(key.clone()).or_insert_with(|| (state, begun()));
        if known.0 != state {
            *known = (state, begun());
        }
        now.saturating_duration_since(known.1)
    }

    /// It is in no such state any more.
    pub fn forget(&self, key: &K) {
        self.states.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_state_is_timed_from_its_beginning() {
        let since = Since::default();
        assert_eq!(since.elapsed(&"a", "X"), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(since.elapsed(&"a", "X"), Duration::from_secs(5));
        assert_eq!(since.elapsed(&"b", "X"), Duration::ZERO, "each object has its own");
        assert_eq!(since.elapsed(&"a", "Y"), Duration::ZERO, "another state begins anew");
        tokio::time::advance(Duration::from_secs(1)).await;
        since.forget(&"a");
        assert_eq!(since.elapsed(&"a", "Y"), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasted_before_this_process_counts() {
        tokio::time::advance(Duration::from_hours(1)).await;
        let since = Since::default();
        let before = Duration::from_secs(30);
        assert_eq!(since.elapsed_from(&"a", "X", before), before);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(
            since.elapsed_from(&"a", "X", Duration::ZERO),
            Duration::from_secs(35),
            "once begun, it goes on"
        );
    }
}
