//! How long each object waits after a failure: longer with each, with jitter, forgotten on success.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(5);

/// Failures in a row, per object.
#[derive(Debug)]
pub struct Backoffs<K> {
    failures: Mutex<HashMap<K, u32>>,
}

impl<K> Default for Backoffs<K> {
    fn default() -> Self {
        Self { failures: Mutex::default() }
    }
}

impl<K: Eq + Hash + Clone> Backoffs<K> {
    /// The wait after one more failure: 2 s, doubling to 5 min, give or take a quarter.
    pub fn after_failure(&self, key: &K) -> Duration {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(key.clone()).or_default();
        let wait = FIRST.saturating_mul(1 << (*count).min(12)).min(LONGEST);
        *count = count.saturating_add(1);
        spread(wait)
    }

    /// Forgets an object's failures.
    pub fn forget(&self, key: &K) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// How many objects wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// The time, give or take a quarter, so that many objects do not move in step.
#[must_use]
pub fn spread(time: Duration) -> Duration {
    time.mul_f64(fastrand::f64().mul_add(0.5, 0.75))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_are_forgotten() {
        let backoffs = Backoffs::default();
        let first = backoffs.after_failure(&"a");
        assert!(first >= FIRST.mul_f64(0.75) && first <= FIRST.mul_f64(1.25));
        let waits: Vec<_> = (0..40).map(|_| backoffs.after_failure(&"a")).collect();
        assert!(waits.iter().all(|wait| *wait <= LONGEST.mul_f64(1.25)));
        assert!(waits[39] >= LONGEST.mul_f64(0.75));
        assert_eq!(backoffs.waiting(), 1);
        backoffs.forget(&"a");
        assert_eq!(backoffs.waiting(), 0);
        assert!(backoffs.after_failure(&"a") <= FIRST.mul_f64(1.25));
    }
}
