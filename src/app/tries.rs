//! Repeats what must succeed before the operator can work, with growing pauses. Log and health report the failures.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::text::sentence;
use crate::health::{Health, Subject};
use crate::process::Random;

/// The first pause between two tries; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// An error that does not change is logged again after this time.
const SAY_AGAIN_AFTER: Duration = Duration::from_mins(5);

/// The tries of one action.
pub(super) struct Tries<'a> {
    health: &'a Health,
    subject: Subject,
    pause: Duration,
    said: Option<(String, Instant)>,
    random: &'a Random,
}

impl<'a> Tries<'a> {
    /// Before the first try.
    pub(super) fn new(health: &'a Health, subject: Subject, random: &'a Random) -> Self {
        Self { health, subject, pause: FIRST_PAUSE, said: None, random }
    }

    /// Reports why a try failed, and waits until the next one.
    pub(super) async fn failed(&mut self, why: String) {
        let is_known = |(before, at): &(String, Instant)| *before == why && at.elapsed() < SAY_AGAIN_AFTER;
        if !self.said.as_ref().is_some_and(is_known) {
            tracing::error!("{}", sentence(&why));
            self.said = Some((why.clone(), Instant::now()));
        }
        self.health.report(self.subject, vec![why]);
        tokio::time::sleep(self.random.spread(self.pause)).await;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
    }

    /// Whether a try has failed.
    pub(super) fn any_failed(&self) -> bool {
        self.said.is_some()
    }
}
