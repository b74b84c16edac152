//! What all calls of one Portal share: the HTTP client, the limiter, the circuit breaker and the observer.

use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::PortalError;
use super::observe::{CallObserver, CallOutcome, Operation, took};
use super::resilient::{Breaker, Limiter, Limits};
use crate::process::Process;
use crate::transport::{Answer, Fault, HttpRequest, PlainHttp, Transport};

/// Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct Caller {
    transport: Arc<dyn Transport>,
    plain_http: PlainHttp,
    pub(crate) limiter: Limiter,
    pub(crate) breaker: Breaker,
    observer: Arc<dyn CallObserver>,
    pub(crate) process: Process,
}

impl Caller {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        plain_http: PlainHttp,
        limits: Limits,
        observer: Arc<dyn CallObserver>,
        process: Process,
    ) -> Self {
        let breaker = Breaker::new(Arc::clone(&observer), process.random.clone());
        Self {
            transport,
            plain_http,
            limiter: Limiter::new(limits, process.tasks.clone()),
            breaker,
            observer,
            process,
        }
    }

    /// Whether a request may be sent there: by https, or by plain http where that is allowed.
    pub(crate) fn allows(&self, url: &Url) -> bool {
        self.plain_http.allows(url)
    }

    /// Sends once and reads the answer with `read`. The caller holds a place of the limiter.
    pub(crate) async fn send<T, E>(
        &self,
        operation: Operation,
        request: HttpRequest,
        read: impl FnOnce(Result<Answer, Fault>) -> Result<T, E>,
        error: impl FnOnce(&E) -> CallOutcome,
    ) -> Result<T, E> {
        let started = Instant::now();
        let answer = self
            .transport
            .send(request)
            .await
            .map(|response| Answer::of_response(response, &self.process.clock));
        let result = read(answer);
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
