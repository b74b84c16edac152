//! For how long something has been so, by this process's own clock: other clocks may differ, and jump.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// What is so of one object, and since when.
#[derive(Debug, Clone, Copy, Default)]
pub struct Since(Option<(&'static str, Instant)>);

impl Since {
    /// For how long the object has been in this state; from now on where it was in another one.
    pub fn elapsed(&mut self, state: &'static str) -> Duration {
        self.elapsed_from(state, Duration::ZERO)
    }

    /// As [`Self::elapsed`]; where this process did not know of the state, it has lasted for `before` already.
    pub fn elapsed_from(&mut self, state: &'static str, before: Duration) -> Duration {
        let now = Instant::now();
        let begun = match self.0 {
            Some((known, since)) if known == state => since,
            _ => now.checked_sub(before).unwrap_or(now),
        };
        self.0 = Some((state, begun));
        now.saturating_duration_since(begun)
    }

    /// The state that the object is in, and for how long.
    #[must_use]
    pub fn state(&self) -> Option<(&'static str, Duration)> {
        self.0.map(|(state, since)| (state, since.elapsed()))
    }

    /// It is in no such state any more.
    pub fn forget(&mut self) {
        self.0 = None;
    }
}

/// The same of each object.
#[derive(Debug)]
pub struct SinceOf<K>(Mutex<BTreeMap<K, Since>>);

impl<K> Default for SinceOf<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone> SinceOf<K> {
    /// Changes what is known of an object. `change` must not use this itself.
    pub fn change<T>(&self, key: &K, change: impl FnOnce(&mut Since) -> T) -> T {
        change(self.0.lock().entry(key.clone()).or_default())
    }

    /// It is in no such state any more.
    pub fn forget(&self, key: &K) {
        self.0.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_state_is_timed_from_its_beginning() {
        let mut since = Since::default();
        assert_eq!(since.elapsed("X"), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(since.elapsed("X"), Duration::from_secs(5));
        assert_eq!(since.elapsed("Y"), Duration::ZERO, "another state starts again");
        tokio::time::advance(Duration::from_secs(1)).await;
        since.forget();
        assert_eq!(since.elapsed("Y"), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasted_before_this_process_counts() {
        tokio::time::advance(Duration::from_hours(1)).await;
        let mut since = Since::default();
        let before = Duration::from_secs(30);
        assert_eq!(since.elapsed_from("X", before), before);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(
            since.elapsed_from("X", Duration::ZERO),
            Duration::from_secs(35),
            "once begun, it continues"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn each_object_has_its_own() {
        let since = SinceOf::default();
        let elapsed = |key: &'static str| since.change(&key, |since| since.elapsed("X"));
        assert_eq!(elapsed("a"), Duration::ZERO);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!((elapsed("a"), elapsed("b")), (Duration::from_secs(5), Duration::ZERO));
        since.forget(&"a");
        assert_eq!(elapsed("a"), Duration::ZERO);
    }
}
