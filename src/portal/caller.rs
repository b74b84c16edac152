//! What all calls of one Portal share: the HTTP client, the limiter, the circuit breaker and who hears of it.

use std::sync::Arc;
use std::time::Duration;

use reqwest::RequestBuilder;
use tokio::time::Instant;

use super::PortalError;
use super::observe::{CallObserver, CallOutcome, Operation, took};
use super::resilient::{Breaker, Gate, Limits};
use super::transport::{Answer, Fault, Limit, Transport};
use crate::process::Process;

/// Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) transport: Transport,
    pub(crate) gate: Gate,
    pub(crate) breaker: Breaker,
    observer: Arc<dyn CallObserver>,
    pub(crate) process: Process,
}

/// One request and its bounds.
pub(crate) struct Request<'a> {
    pub(crate) operation: Operation,
    pub(crate) builder: RequestBuilder,
    /// `host:port`, for errors.
    pub(crate) endpoint: &'a str,
    pub(crate) timeout: Duration,
    /// How much of the answer is read.
    pub(crate) limit: Limit,
}

impl Caller {
    pub(crate) fn new(
        transport: Transport,
        limits: Limits,
        observer: Arc<dyn CallObserver>,
        process: Process,
    ) -> Self {
        let breaker = Breaker::new(Arc::clone(&observer), process.random.clone());
        Self { transport, gate: Gate::new(limits, process.tasks.clone()), breaker, observer, process }
    }

    /// Sends once and reads the answer with `read`. Whoever calls holds a place of the limiter.
    pub(crate) async fn send<T, E>(
        &self,
        request: Request<'_>,
        read: impl FnOnce(Result<Answer, Fault>) -> Result<T, E>,
        error: impl FnOnce(&E) -> CallOutcome,
    ) -> Result<T, E> {
        let started = Instant::now();
        let Request { operation, builder, endpoint, timeout, limit } = request;
        let result = read(self.transport.send(builder, endpoint, timeout, limit).await);
        let outcome = match &result {
            Ok(_) => CallOutcome::Success,
            Err(failure) => error(failure),
        };
        let elapsed = started.elapsed();
        took(operation, elapsed);
        self.observer.observed(operation, outcome, elapsed);
        result
    }
}

/// Whether an error says that the server, or the way to it, is down.
pub(crate) fn is_down(error: &PortalError) -> bool {
    match error {
        PortalError::Unreachable { .. } | PortalError::Tls { .. } => true,
        PortalError::Server { status } => *status >= 500,
        _ => false,
    }
}
