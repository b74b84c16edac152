//! When published credentials are tried again: counted from the last time, by the interval that the Portal has now.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::controller::objects::Key;
use crate::process::Random;

/// When the credentials of this process were last tried. A restart forgets it without harm.
#[derive(Debug)]
pub struct Verifications {
    last: Mutex<BTreeMap<Key, Last>>,
    random: Random,
}

/// The interval is kept out of it: the Portal may have another one by the time it is asked.
#[derive(Debug, Clone, Copy)]
struct Last {
    at: Instant,
    /// Which part of the interval passes until the next time.
    share: f64,
}

impl Last {
    fn now(share: f64) -> Self {
        Self { at: Instant::now(), share }
    }
}

impl Verifications {
    /// Nothing was tried.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self { last: Mutex::default(), random }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Last>> {
        self.last.lock()
    }

    /// When the published credential is to be tried again. First asked after a start, it is spread over the interval.
    pub fn due_in(&self, key: &Key, interval: Duration) -> Duration {
        let spread_over_all = || Last::now(self.random.fraction().mul_add(0.9, 0.1));
        let last = *self.lock().entry(key.clone()).or_insert_with(spread_over_all);
        interval.mul_f64(last.share).saturating_sub(last.at.elapsed())
    }

    /// The credential was tried. The next time is an interval later, give or take a quarter.
    pub fn verified(&self, key: &Key) {
        self.lock().insert(key.clone(), Last::now(self.random.fraction().mul_add(0.5, 0.75)));
    }

    /// Forgets a resource that is gone.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const SHORT: Duration = Duration::from_secs(40);

    fn key() -> Key {
        Key { namespace: "connector".into(), name: "edc".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn another_interval_counts_from_the_last_verification() {
        let verifications = Verifications::new(Random::seeded(1));
        verifications.verified(&key());
        assert!(verifications.due_in(&key(), HOUR) >= HOUR.mul_f64(0.75));
        tokio::time::advance(Duration::from_secs(10)).await;
        let left = verifications.due_in(&key(), SHORT);
        assert!(left >= Duration::from_secs(20) && left <= Duration::from_secs(40), "{left:?}");
        // Each question has the same end in view, however often it is asked.
        tokio::time::advance(left).await;
        assert!(verifications.due_in(&key(), SHORT).is_zero());
        assert!(!verifications.due_in(&key(), HOUR).is_zero(), "and a longer one again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_interval_is_due_at_once_where_its_time_is_over() {
        let verifications = Verifications::new(Random::seeded(1));
        verifications.verified(&key());
        tokio::time::advance(Duration::from_mins(5)).await;
        assert!(!verifications.due_in(&key(), HOUR).is_zero());
        assert!(verifications.due_in(&key(), SHORT).is_zero());
        verifications.verified(&key());
        assert!(verifications.due_in(&key(), SHORT) >= SHORT.mul_f64(0.75));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_start_the_first_time_is_within_the_interval_that_the_portal_has_now() {
        let verifications = Verifications::new(Random::seeded(1));
        let first = verifications.due_in(&key(), HOUR);
        assert!(first >= HOUR.mul_f64(0.1) && first <= HOUR, "{first:?}");
        tokio::time::advance(SHORT).await;
        assert!(verifications.due_in(&key(), SHORT).is_zero());
        verifications.forget(&key());
        assert!(!verifications.due_in(&key(), SHORT).is_zero());
    }
}
