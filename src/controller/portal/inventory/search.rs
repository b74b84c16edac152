//! Reads the list, or a few pages of it, until it answers what resources wait for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::reading::LONGEST_READING;
use super::waiting::Need;
use super::{Inventory, KnownUsers};
use crate::controller::objects::Key;
use crate::domain::inventory::Snapshot;
use crate::portal::{Lane, PortalError};

/// How many readings in a row a proof may take: of three, the last two are a pair where only the first met a change.
const READINGS: usize = 3;
/// How often that is tried before it is given up for now: the list moves too fast.
const TRIES: usize = 2;
/// The first wait after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How often the progress of a long search is measured.
const MEASURE: Duration = Duration::from_secs(10);
/// How often it is logged.
const LOG: Duration = Duration::from_mins(2);

const INTERRUPTED: PortalError =
    PortalError::BadAnswer { reason: "The search of the user list was interrupted" };

impl Inventory {
    /// One search; where it panics, another one follows.
    pub(super) async fn search_once(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let searcher = Arc::clone(&self);
            // A task of its own, so that a panic in it does not leave a search that never ends.
            if self.process.tasks.spawn(async move { searcher.search().await }).await.is_ok() {
                return;
            }
            tracing::error!("The search of the user list was interrupted");
            self.wake_blocked(self.gate.unblock());
            self.fail(INTERRUPTED);
            tokio::time::sleep(self.process.random.spread(pause)).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// Reads the list until no resource waits for it.
    async fn search(&self) {
        let (mut pause, mut tries) = (FIRST_PAUSE, 0_u32);
        let began = Instant::now();
        while let Some((need, waiting)) = self.next_need() {
            if tries == 0 {
                tracing::info!(waiting, "The search of the user list begins");
            }
            tries += 1;
            match self.satisfy(need).await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    let woken = {
                        let mut state = self.state();
                        state.search.failure = None;
                        state.release(KnownUsers::answers)
                    };
                    self.report(woken);
                }
                Err(error) => {
                    tracing::warn!(%error, "The search of the user list failed; it is tried again while resources wait for it");
                    let wait = match &error {
                        PortalError::CircuitOpen { retry_after, .. }
                        | PortalError::Throttled { retry_after: Some(retry_after), .. } => {
                            pause.max(*retry_after)
                        }
                        _ => pause,
                    };
                    self.fail(error);
                    tokio::time::sleep(self.process.random.spread(wait)).await;
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
        let (users, took) = (self.with(Snapshot::len).unwrap_or_default(), began.elapsed());
        tracing::info!(users, duration_ms = took.as_millis(), "The search of the user list ended");
    }

    /// The try failed: all that wait hear why.
    fn fail(&self, error: PortalError) {
        let woken = {
            let mut state = self.state();
            state.search.failure = Some(error);
            state.release(|_, _| true)
        };
        self.report(woken);
    }

    fn wake_blocked(&self, blocked: BTreeSet<Key>) {
        if !blocked.is_empty() {
            self.listener.wake(blocked.into_iter().collect());
        }
    }

    pub(super) fn report(&self, woken: Vec<Key>) {
        self.count(&mut self.state());
        self.ended.notify_waiters();
        self.listener.wake(woken);
    }

    /// What is to be done next and for how many; `None` ends the search.
    fn next_need(&self) -> Option<(Need, usize)> {
        let mut state = self.state();
        let rank = |need: &Need| match need {
            Need::Proof(after) => (true, *after),
            Need::Judgement(after) => (false, Some(*after)),
        };
        // The most demanding first: a late proof meets all the others.
        let need = state.search.waiting.values().map(|waiting| waiting.need).max_by_key(rank);
        state.search.running = need.is_some();
        Some((need?, state.search.waiting.len()))
    }

    async fn satisfy(&self, need: Need) -> Result<(), PortalError> {
        for _ in 0..TRIES {
            if self.state().meets(need) {
                return Ok(());
            }
            match need {
                Need::Proof(_) if self.look_for_names().await? => return Ok(()),
                Need::Judgement(_) => {
                    self.read_and_measure(self.read(Lane::Interactive, Instant::now())).await?;
                }
                Need::Proof(_) => self.prove(need).await?,
            }
        }
        if self.state().meets(need) {
            return Ok(());
        }
        Err(PortalError::BadAnswer { reason: "the user list changes too fast to be read twice" })
    }

    /// Reads the list until it proves what is needed, while no change of the company is in progress.
    async fn prove(&self, need: Need) -> Result<(), PortalError> {
        let (quiet, one_at_a_time) = loop {
            // The company's changes do not wait for the end of a reading that proves nothing.
            drop(self.reading.lock().await);
            let quiet = self.gate.quiet(|blocked| self.wake_blocked(blocked)).await;
            if let Ok(guard) = self.reading.try_lock() {
                break (quiet, guard);
            }
            drop(quiet);
            self.wake_blocked(self.gate.unblock());
        };
        let deadline = Instant::now() + LONGEST_READING;
        let mut result = Ok(());
        for _ in 0..READINGS {
            if self.state().meets(need) {
                break;
            }
            let reading = self.read_now(Lane::Interactive, deadline, &one_at_a_time);
            result = self.read_and_measure(reading).await;
            // The changes that wait have their turn where the list moves.
            if result.is_err() || !self.is_stable() {
                break;
            }
        }
        drop((quiet, one_at_a_time));
        // Also where it proved nothing, because the list moves: single names may be proved all the same.
        self.state().pages_for_names = 0;
        self.wake_blocked(self.gate.unblock());
        result
    }

    async fn read_and_measure(
        &self,
        reading: impl Future<Output = Result<(), PortalError>>,
    ) -> Result<(), PortalError> {
        let mut measured = self.metrics.search_begins();
        let mut ticks = interval(MEASURE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks.tick().await;
        let mut logged = Instant::now();
        tokio::pin!(reading);
        loop {
            tokio::select! {
                // A reading that has ended is not measured again.
                biased;
                ended = &mut reading => return ended,
                _ = ticks.tick() => {
                    let Some(progress) = self.portal.scan_progress() else { continue };
                    measured.came(progress.read, progress.pages);
                    if logged.elapsed() >= LOG {
                        logged = Instant::now();
                        let (read, pages) = (progress.read, progress.pages);
                        tracing::info!(pages_read = read, pages, "The search of the user list continues");
                    }
                }
            }
        }
    }
}
