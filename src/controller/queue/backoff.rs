//! How long each object waits after a failure: longer with each failure, with jitter, reset on success.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::process::Random;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(5);

/// Failures in a row, per object. What fails again before its wait is over, because something woke it, does not wait longer for that.
#[derive(Debug)]
pub struct Backoffs<K> {
    failures: Mutex<BTreeMap<K, Wait>>,
    random: Random,
}

impl<K: Ord + Clone> Backoffs<K> {
    /// Nothing has failed.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self { failures: Mutex::default(), random }
    }

    /// The wait after one more failure: 2 s, doubling to 5 min, give or take a quarter. What is left of the wait, if it is not over.
    pub fn after_failure(&self, key: &K) -> Duration {
        let now = Instant::now();
        let mut failures = self.failures.lock();
        let wait = failures.entry(key.clone()).or_insert_with(|| Wait { count: 0, until: now });
        let left = wait.until.saturating_duration_since(now);
        if !left.is_zero() {
            return left;
        }
        let next = self.random.spread(FIRST.saturating_mul(1 << wait.count.min(12)).min(LONGEST));
        wait.count = wait.count.saturating_add(1);
        wait.until = now + next;
        next
    }

    /// Forgets an object's failures.
    pub fn forget(&self, key: &K) {
        self.failures.lock().remove(key);
    }

    /// How many objects wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.failures.lock().len()
    }
}

/// The wait after a first conflict.
const FIRST_CONFLICT: Duration = Duration::from_millis(500);
/// The longest wait after conflicts: shorter than after failures, as the write is due.
const LONGEST_CONFLICT: Duration = Duration::from_secs(30);

/// Conflicts in a row, per object: another client wrote what a reconcile had read.
///
/// The writes of that client wake the object, so the wait holds for wakes too. Until a reconcile ends without a conflict,
/// the object is read from the apiserver: the cache showed what led to the conflict.
#[derive(Debug)]
pub struct Conflicts<K> {
    conflicts: Mutex<BTreeMap<K, Wait>>,
    random: Random,
}

/// How often in a row, and until when it waits.
#[derive(Debug)]
struct Wait {
    count: u32,
    until: Instant,
}

impl<K: Ord + Clone> Conflicts<K> {
    /// Nothing has met a conflict.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self { conflicts: Mutex::default(), random }
    }

    /// The wait after one more conflict: 0.5 s, doubling to 30 s, give or take a quarter.
    pub fn after_conflict(&self, key: &K) -> Duration {
        let mut conflicts = self.conflicts.lock();
        let conflict =
            conflicts.entry(key.clone()).or_insert_with(|| Wait { count: 0, until: Instant::now() });
        let wait = FIRST_CONFLICT.saturating_mul(1 << conflict.count.min(12)).min(LONGEST_CONFLICT);
        let wait = self.random.spread(wait);
        conflict.count = conflict.count.saturating_add(1);
        conflict.until = Instant::now() + wait;
        wait
    }

    /// What is left of the wait; none where it is over.
    #[must_use]
    pub fn wait(&self, key: &K) -> Option<Duration> {
        let conflicts = self.conflicts.lock();
        let left = conflicts.get(key)?.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Whether the last reconcile ended in a conflict.
    #[must_use]
    pub fn unsettled(&self, key: &K) -> bool {
        self.conflicts.lock().contains_key(key)
    }

    /// A reconcile ended without a conflict, or the object is gone.
    pub fn forget(&self, key: &K) {
        self.conflicts.lock().remove(key);
    }

    /// How many objects wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.conflicts.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_grow_to_a_limit_and_are_reset() {
        let backoffs = Backoffs::new(Random::seeded(1));
        let first = backoffs.after_failure(&"a");
        assert!(first >= FIRST.mul_f64(0.75) && first <= FIRST.mul_f64(1.25));
        tokio::time::advance(first).await;
        let mut last = Duration::ZERO;
        for _ in 0..40 {
            last = backoffs.after_failure(&"a");
            assert!(last <= LONGEST.mul_f64(1.25));
            tokio::time::advance(last).await;
        }
        assert!(last >= LONGEST.mul_f64(0.75));
        assert_eq!(backoffs.waiting(), 1);
        backoffs.forget(&"a");
        assert_eq!(backoffs.waiting(), 0);
        assert!(backoffs.after_failure(&"a") <= FIRST.mul_f64(1.25));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_woken_during_its_wait_waits_no_longer_for_that() {
        let backoffs = Backoffs::new(Random::seeded(1));
        let first = backoffs.after_failure(&"a");
        tokio::time::advance(first.mul_f64(0.5)).await;
        for _ in 0..10 {
            assert!(backoffs.after_failure(&"a") <= first.mul_f64(0.6));
        }
        tokio::time::advance(first).await;
        assert!(backoffs.after_failure(&"a") <= FIRST.mul_f64(2.5));
    }

    #[tokio::test(start_paused = true)]
    async fn conflicts_wait_longer_each_time_whatever_wakes_the_object() {
        let conflicts = Conflicts::new(Random::seeded(1));
        assert!(conflicts.wait(&"a").is_none() && !conflicts.unsettled(&"a"));
        let mut last = Duration::ZERO;
        for round in 0..12 {
            let wait = conflicts.after_conflict(&"a");
            assert!(wait <= LONGEST_CONFLICT.mul_f64(1.25));
            assert!(round > 5 || wait > last, "{wait:?} after {last:?}");
            last = wait;
            assert_eq!(conflicts.wait(&"a"), Some(wait));
            tokio::time::advance(wait).await;
            assert!(conflicts.wait(&"a").is_none(), "the wait is over");
            assert!(conflicts.unsettled(&"a"), "the cache is not believed yet");
        }
        assert!(last >= LONGEST_CONFLICT.mul_f64(0.75));
        assert_eq!(conflicts.waiting(), 1);
        conflicts.forget(&"a");
        assert!(!conflicts.unsettled(&"a"));
        assert!(conflicts.after_conflict(&"a") <= FIRST_CONFLICT.mul_f64(1.25));
    }
}
