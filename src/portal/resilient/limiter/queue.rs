//! The bookkeeping of the limiter: who waits, how many may start now, when to check again. No I/O and no waiting.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::ceiling::Ceiling;
use super::{Granted, Limits};
use crate::portal::{Lane, PortalError, ServerKind};

/// After this number of interactive places in a row a periodic call gets one, if any waits.
const INTERACTIVE_STREAK: u32 = 4;

/// A pause up to this long is waited for; the caller gets a longer one as an error.
const WAITED_PAUSE: Duration = Duration::from_secs(5);

/// Who waits for a place.
pub(super) struct Waiter {
    pub(super) sender: oneshot::Sender<Granted>,
    /// For a create.
    pub(super) creates: bool,
}

/// When there may be something to hand out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Nobody waits.
    Nobody,
    /// At this time.
    At(Instant),
    /// When a place is given back.
    WhenChanged,
}

pub(super) struct Queue {
    pub(super) server: ServerKind,
    per_second: Option<f64>,
    burst: f64,
    pub(super) ceiling: Ceiling,
    /// Requests that may be sent now.
    ready: f64,
    filled_at: Instant,
    in_flight: u32,
    /// The number of creates among them.
    creating: u32,
    interactive: VecDeque<Waiter>,
    background: VecDeque<Waiter>,
    streak: u32,
    pub(super) paused_until: Option<Instant>,
    /// A task hands out places.
    pub(super) pumping: bool,
}

impl Queue {
    pub(super) fn new(server: ServerKind, limits: Limits) -> Self {
        let burst = f64::from(limits.burst.max(1));
        Self {
            server,
            per_second: limits.requests_per_second.map(|rate| f64::from(rate.max(1))),
            burst,
            ceiling: Ceiling::new(limits.concurrency),
            ready: burst,
            filled_at: Instant::now(),
            in_flight: 0,
            creating: 0,
            interactive: VecDeque::new(),
            background: VecDeque::new(),
            streak: 0,
            paused_until: None,
            pumping: false,
        }
    }

    pub(super) fn push(&mut self, lane: Lane, waiter: Waiter) {
        match lane {
            Lane::Interactive => self.interactive.push_back(waiter),
            Lane::Background => self.background.push_back(waiter),
        }
    }

    /// An error where the server asked for a pause that is too long to wait for.
    pub(super) fn check_pause(&self, now: Instant) -> Result<(), PortalError> {
        let left = self.paused_until.map(|until| until.saturating_duration_since(now)).unwrap_or_default();
        if left > WAITED_PAUSE {
            Err(PortalError::Throttled { server: self.server, retry_after: Some(left) })
        } else {
            Ok(())
        }
    }

    /// Everybody who waits.
    pub(super) fn drain(&mut self) -> Vec<Waiter> {
        self.interactive.drain(..).chain(self.background.drain(..)).collect()
    }

    pub(super) fn release(&mut self, unused: bool, creates: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.creating = self.creating.saturating_sub(u32::from(creates));
        if unused {
            self.ready = (self.ready + 1.0).min(self.burst);
        }
    }

    /// Who may go now.
    pub(super) fn grant(&mut self, now: Instant) -> (Vec<Waiter>, Next) {
        self.fill(now);
        self.interactive.retain(|waiter| !waiter.sender.is_closed());
        self.background.retain(|waiter| !waiter.sender.is_closed());
        let mut granted = Vec::new();
        loop {
            if self.interactive.is_empty() && self.background.is_empty() {
                return (granted, Next::Nobody);
            }
            if let Some(until) = self.paused_until.filter(|until| *until > now) {
                return (granted, Next::At(until));
            }
            // Creates leave a place to the other requests.
            if self.in_flight >= self.ceiling.allowed().max(self.creating + 1) {
                return (granted, Next::WhenChanged);
            }
            if let Some(per_second) = self.per_second.filter(|_| self.ready < 1.0) {
                let missing = Duration::from_secs_f64((1.0 - self.ready) / per_second);
                // A millisecond more, so that rounding does not wake us a hair too early.
                return (granted, Next::At(now + missing + Duration::from_millis(1)));
            }
            if let Some(waiter) = self.take() {
                self.ready = (self.ready - 1.0).max(0.0);
                self.in_flight += 1;
                self.creating += u32::from(waiter.creates);
                granted.push(waiter);
            }
        }
    }

    fn take(&mut self) -> Option<Waiter> {
        let background_is_due = self.streak >= INTERACTIVE_STREAK && !self.background.is_empty();
        if self.interactive.is_empty() || background_is_due {
            self.streak = 0;
            return self.background.pop_front();
        }
        self.streak = if self.background.is_empty() { 0 } else { self.streak + 1 };
        self.interactive.pop_front()
    }

    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.ready = (self.ready + passed * self.per_second.unwrap_or_default()).min(self.burst);
        self.filled_at = now;
    }
}
