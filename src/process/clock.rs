//! The time of day, for what people and other programs read: conditions, leases, entries of a status.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::time::Instant;

/// A source of the time of day. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Set(SetClock),
}

impl Clock {
    /// The clock of the system.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Set(clock) => clock.now(),
        }
    }
}

/// A clock that a test sets. It advances with the clock of tokio, so that a paused runtime stops it too.
#[derive(Debug, Clone)]
pub struct SetClock(Arc<Mutex<Anchor>>);

/// What the clock showed at a point of tokio's clock.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    shown: Timestamp,
    at: Instant,
}

impl SetClock {
    /// A clock that shows this time now.
    #[must_use]
    pub fn at(shown: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Anchor { shown, at: Instant::now() })))
    }

    /// Sets the time that it shows now, forward or back.
    pub fn set(&self, shown: Timestamp) {
        *self.0.lock() = Anchor { shown, at: Instant::now() };
    }

    /// The source of time for a process.
    #[must_use]
    pub fn clock(&self) -> Clock {
        Clock(Source::Set(self.clone()))
    }

    fn now(&self) -> Timestamp {
        let Anchor { shown, at } = *self.0.lock();
        let passed = SignedDuration::try_from(at.elapsed()).unwrap_or(SignedDuration::MAX);
        shown.saturating_add(passed).unwrap_or(shown)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_set_clock_advances_with_tokio_and_can_be_moved() {
        let noon: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let set = SetClock::at(noon);
        let clock = set.clock();
        assert_eq!(clock.now(), noon);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now().to_string(), "2026-11-26T12:01:30Z");
        set.set(noon);
        assert_eq!(clock.now(), noon, "set back");
    }
}
