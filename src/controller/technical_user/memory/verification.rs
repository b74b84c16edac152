//! When a published credential is tried again: counted from the last time, by the interval that the Portal has now.

use std::time::Duration;

use tokio::time::Instant;

use crate::process::Random;

/// When a resource's credential was last tried.
#[derive(Debug, Default)]
pub struct Verification(Option<Last>);

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

impl Verification {
    /// When the published credential is to be tried again. First asked after a start, it is spread over the interval.
    pub fn due_in(&mut self, interval: Duration, random: &Random) -> Duration {
        let spread_over_all = || Last::now(random.fraction().mul_add(0.9, 0.1));
        let last = *self.0.get_or_insert_with(spread_over_all);
        interval.mul_f64(last.share).saturating_sub(last.at.elapsed())
    }

    /// How long ago the credential was tried, or first seen published by this process; `None` where neither was.
    pub fn age(&self) -> Option<Duration> {
        self.0.map(|last| last.at.elapsed())
    }

    /// The credential was tried. The next time is an interval later, give or take a quarter.
    pub fn verified(&mut self, random: &Random) {
        self.0 = Some(Last::now(random.fraction().mul_add(0.5, 0.75)));
    }

    /// It is due from now on, whatever the interval is.
    pub fn is_due(&mut self) {
        self.0 = Some(Last::now(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const SHORT: Duration = Duration::from_secs(40);

    #[tokio::test(start_paused = true)]
    async fn another_interval_counts_from_the_last_verification() {
        let (mut verification, random) = (Verification::default(), Random::seeded(1));
        verification.verified(&random);
        assert!(verification.due_in(HOUR, &random) >= HOUR.mul_f64(0.75));
        tokio::time::advance(Duration::from_secs(10)).await;
        let left = verification.due_in(SHORT, &random);
        assert!(left >= Duration::from_secs(20) && left <= Duration::from_secs(40), "{left:?}");
        // Each question has the same end in view, however often it is asked.
        tokio::time::advance(left).await;
        assert!(verification.due_in(SHORT, &random).is_zero());
        assert!(!verification.due_in(HOUR, &random).is_zero(), "and a longer one again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_interval_is_due_at_once_where_its_time_is_over() {
        let (mut verification, random) = (Verification::default(), Random::seeded(1));
        verification.verified(&random);
        tokio::time::advance(Duration::from_mins(5)).await;
        assert!(!verification.due_in(HOUR, &random).is_zero());
        assert!(verification.due_in(SHORT, &random).is_zero());
        verification.verified(&random);
        assert!(verification.due_in(SHORT, &random) >= SHORT.mul_f64(0.75));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_start_the_first_time_is_within_the_interval_that_the_portal_has_now() {
        let (mut verification, random) = (Verification::default(), Random::seeded(1));
        let first = verification.due_in(HOUR, &random);
        assert!(first >= HOUR.mul_f64(0.1) && first <= HOUR, "{first:?}");
        tokio::time::advance(SHORT).await;
        assert!(verification.due_in(SHORT, &random).is_zero());
        verification = Verification::default();
        assert!(!verification.due_in(SHORT, &random).is_zero());
    }
}
