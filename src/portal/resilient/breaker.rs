//! The circuit breaker: after several failures in a row nothing is sent but one probe per interval.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::portal::observe::CallObserver;
use crate::portal::{PortalError, ServerKind};
use crate::process::Random;
use crate::transport::{Cause, Fault};

/// Failures in a row that open it.
const FAILURES: u32 = 5;

/// The pause before the first probe; it doubles with each failed probe.
const FIRST_INTERVAL: Duration = Duration::from_secs(5);

/// The longest pause between probes.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);

/// What a call's end shows about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It works.
    Alive,
    /// It, or what it needs, is down.
    Down,
    /// Neither is proved: a 500 in the portal's own words may be one user's fault.
    Unclear,
}

impl Verdict {
    /// What a request without a usable answer shows.
    pub(crate) const fn of_fault(fault: &Fault) -> Self {
        match fault.cause {
            Cause::TooLong => Self::Alive,
            Cause::Unreachable { .. } | Cause::Tls { .. } => Self::Down,
        }
    }
}

enum CircuitState {
    Closed { failures: u32 },
    Open { until: Instant, interval: Duration },
    Probing { interval: Duration },
}

/// The breaker of one server. Cheap to clone; clones share their state.
#[derive(Clone)]
pub(crate) struct Breaker {
    circuit: Arc<Circuit>,
}

struct Circuit {
    server: ServerKind,
    state: Mutex<CircuitState>,
    observer: Arc<dyn CallObserver>,
    random: Random,
}

impl Breaker {
    pub(crate) fn new(server: ServerKind, observer: Arc<dyn CallObserver>, random: Random) -> Self {
        let state = Mutex::new(CircuitState::Closed { failures: 0 });
        Self { circuit: Arc::new(Circuit { server, state, observer, random }) }
    }

    /// Permits a call. `Some` is the one probe of this interval: its verdict decides for all.
    pub(crate) fn admit(&self) -> Result<Option<Probe>, PortalError> {
        let mut state = self.lock();
        match *state {
            CircuitState::Closed { .. } => Ok(None),
            CircuitState::Open { until, interval } if until <= Instant::now() => {
                *state = CircuitState::Probing { interval };
                Ok(Some(Probe { breaker: self.clone(), verdict: None }))
            }
            ref open => Err(self.refusal(open)),
        }
    }

    /// Whether a call that was permitted before, and has waited since, may still be sent.
    pub(crate) fn check(&self) -> Result<(), PortalError> {
        match &*self.lock() {
            CircuitState::Closed { .. } => Ok(()),
            open => Err(self.refusal(open)),
        }
    }

    /// The verdict of a call that was no probe. Calls in progress when it opened change nothing.
    pub(crate) fn record(&self, verdict: Verdict) {
        let mut state = self.lock();
        let CircuitState::Closed { failures } = &mut *state else { return };
        match verdict {
            Verdict::Alive => *failures = 0,
            Verdict::Unclear => {}
            Verdict::Down => {
                *failures += 1;
                if *failures >= FAILURES {
                    *state = self.open_for(FIRST_INTERVAL);
                    drop(state);
                    self.circuit.observer.breaker(self.circuit.server, true);
                }
            }
        }
    }

    fn settle(&self, verdict: Option<Verdict>) {
        let mut state = self.lock();
        let CircuitState::Probing { interval } = *state else { return };
        *state = match verdict {
            Some(Verdict::Alive) => CircuitState::Closed { failures: 0 },
            Some(Verdict::Down) => self.open_for((interval * 2).min(LONGEST_INTERVAL)),
            Some(Verdict::Unclear) => self.open_for(interval),
            // Dropped before it was sent: the next call is the probe.
            None => CircuitState::Open { until: Instant::now(), interval },
        };
        drop(state);
        if verdict == Some(Verdict::Alive) {
            self.circuit.observer.breaker(self.circuit.server, false);
        }
    }

    fn lock(&self) -> MutexGuard<'_, CircuitState> {
        self.circuit.state.lock()
    }

    /// Open for the interval, up to a tenth longer so that several operators do not probe in step.
    fn open_for(&self, interval: Duration) -> CircuitState {
        let spread = 1.0 + self.circuit.random.fraction() / 10.0;
        CircuitState::Open { until: Instant::now() + interval.mul_f64(spread), interval }
    }

    fn refusal(&self, state: &CircuitState) -> PortalError {
        let retry_after = match state {
            CircuitState::Open { until, .. } => until.saturating_duration_since(Instant::now()),
            CircuitState::Probing { interval } => *interval,
            CircuitState::Closed { .. } => Duration::ZERO,
        };
        // Never zero: who is refused must not come back in the same instant.
        let retry_after = retry_after.max(Duration::from_secs(1));
        PortalError::CircuitOpen { server: self.circuit.server, retry_after }
    }
}

/// The server is no longer used, so it counts no more among those that fail.
impl Drop for Circuit {
    fn drop(&mut self) {
        if !matches!(self.state.get_mut(), CircuitState::Closed { .. }) {
            self.observer.breaker(self.server, false);
        }
    }
}

/// The right, and the duty, to find out whether the server is back.
pub(crate) struct Probe {
    breaker: Breaker,
    verdict: Option<Verdict>,
}

impl Probe {
    /// Ends the probe.
    pub(crate) fn settle(mut self, verdict: Verdict) {
        self.verdict = Some(verdict);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.breaker.settle(self.verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::observe::NoObserver;

    fn breaker() -> Breaker {
        Breaker::new(ServerKind::Portal, Arc::new(NoObserver), Random::seeded(1))
    }

    fn open(breaker: &Breaker) {
        for _ in 0..FAILURES {
            assert!(breaker.check().is_ok());
            breaker.record(Verdict::Down);
        }
        assert!(breaker.check().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn it_opens_after_failures_in_a_row_only() {
        let breaker = breaker();
        for _ in 0..10 {
            breaker.record(Verdict::Down);
            breaker.record(Verdict::Down);
            breaker.record(Verdict::Unclear);
            breaker.record(Verdict::Alive);
        }
        assert!(breaker.admit().is_ok_and(|probe| probe.is_none()));
        open(&breaker);
        assert!(
            matches!(breaker.admit(), Err(PortalError::CircuitOpen { retry_after, .. }) if retry_after.as_secs() >= 4)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_per_interval_which_grows() {
        let breaker = breaker();
        open(&breaker);
        for interval in [5, 10, 20, 40, 60, 60] {
            tokio::time::advance(Duration::from_millis(interval * 1000 - 100)).await;
            assert!(breaker.admit().is_err(), "{interval}");
            tokio::time::advance(Duration::from_millis(interval * 100 + 200)).await;
            let probe = breaker.admit().ok().flatten().unwrap();
            assert!(breaker.admit().is_err());
            breaker.record(Verdict::Alive);
            assert!(breaker.check().is_err(), "only the probe decides");
            probe.settle(Verdict::Down);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_good_probe_closes_it_and_an_abandoned_one_is_passed_on() {
        let breaker = breaker();
        open(&breaker);
        tokio::time::advance(Duration::from_secs(6)).await;
        drop(breaker.admit().ok().flatten().unwrap());
        let probe = breaker.admit().ok().flatten().unwrap();
        probe.settle(Verdict::Alive);
        assert!(breaker.check().is_ok());
        open(&breaker);
    }
}
