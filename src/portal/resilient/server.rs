//! One server: how many requests it gets, and whether it gets any.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::breaker::{Breaker, Probe, Verdict};
use super::limiter::{CallPlace, Limiter, Limits, Load};
use crate::portal::observe::{CallObserver, Operation};
use crate::portal::{Lane, PortalError, ServerKind};
use crate::process::Process;

/// The pause after a 429 that names none.
const UNTOLD_PAUSE: Duration = Duration::from_secs(2);

/// The limiter and the circuit breaker of one server. What is learned about a server stays with it.
pub(crate) struct Server {
    pub(crate) kind: ServerKind,
    pub(crate) limiter: Limiter,
    pub(crate) breaker: Breaker,
    /// The last failure that counted against it, for the messages while nothing is sent.
    last_failure: Mutex<Option<PortalError>>,
}

/// The right to send one request now. Where it is dropped without a verdict, nothing was learned.
pub(crate) struct Turn<'a> {
    server: &'a Server,
    _place: CallPlace,
    probe: Option<Probe>,
}

impl Server {
    pub(crate) fn new(
        kind: ServerKind,
        limits: Limits,
        observer: &Arc<dyn CallObserver>,
        process: &Process,
    ) -> Self {
        Self {
            kind,
            limiter: Limiter::new(kind, limits, process.tasks.clone()),
            breaker: Breaker::new(kind, Arc::clone(observer), process.random.clone()),
            last_failure: Mutex::default(),
        }
    }

    /// Waits until a request may be sent: the probe, where the breaker is open and one is due.
    pub(crate) async fn turn(&self, lane: Lane) -> Result<Turn<'_>, PortalError> {
        let probe = self.breaker.admit()?;
        let place = self.limiter.enter(lane).await?;
        // It may have opened during the wait for the place.
        if probe.is_none()
            && let Err(open) = self.breaker.check()
        {
            place.refund();
            return Err(open);
        }
        Ok(Turn { server: self, _place: place, probe })
    }

    /// Why its breaker is open, where it is.
    pub(crate) fn last_failure(&self) -> Option<PortalError> {
        self.last_failure.lock().clone()
    }

    /// A request ended after this time, with this error or none.
    pub(crate) fn answered(&self, operation: Operation, error: Option<&PortalError>, took: Duration) {
        self.limiter.answered(operation, load_of(error), took);
        if let Some(PortalError::Throttled { retry_after, .. }) = error {
            self.limiter.pause(retry_after.unwrap_or(UNTOLD_PAUSE));
        }
    }
}

impl Turn<'_> {
    /// The request ended, with this error or none, and showed this about the server.
    pub(crate) fn end(self, verdict: Verdict, error: Option<&PortalError>) {
        if verdict == Verdict::Down {
            *self.server.last_failure.lock() = error.cloned();
        }
        match self.probe {
            Some(probe) => probe.settle(verdict),
            None => self.server.breaker.record(verdict),
        }
    }
}

/// What the end of a request shows of the load of the server.
const fn load_of(error: Option<&PortalError>) -> Load {
    match error {
        None => Load::Served,
        Some(PortalError::Throttled { .. } | PortalError::Server { status: 503, .. }) => Load::TooMuch,
        Some(_) => Load::Unknown,
    }
}
