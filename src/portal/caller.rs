//! What all calls of one Portal share: the HTTP client, the servers that they go to, and the observer.

use std::sync::Arc;

use tokio::time::Instant;
use url::Url;

use super::PortalError;
use super::observe::{CallObserver, CallOutcome, Operation, took};
use super::resilient::{Limits, Server};
use super::servers::Servers;
use crate::process::Process;
use crate::transport::{Answer, Fault, HttpRequest, PlainHttp, Transport};

/// Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct Caller {
    transport: Arc<dyn Transport>,
    plain_http: PlainHttp,
    pub(crate) servers: Arc<Servers>,
    observer: Arc<dyn CallObserver>,
    pub(crate) process: Process,
}

impl Caller {
    /// For a portal whose login gets its tokens at `token_url`.
    pub(crate) fn new(
        (transport, plain_http): (Arc<dyn Transport>, PlainHttp),
        token_url: &Url,
        limits: Limits,
        observer: Arc<dyn CallObserver>,
        process: Process,
    ) -> Self {
        let servers = Arc::new(Servers::new(token_url, limits, Arc::clone(&observer), process.clone()));
        Self { transport, plain_http, servers, observer, process }
    }

    /// Whether a request may be sent there: by https, or by plain http where that is allowed.
    pub(crate) fn allows(&self, url: &Url) -> bool {
        self.plain_http.allows(url)
    }

    /// The portal itself.
    pub(crate) fn portal(&self) -> &Server {
        self.servers.portal()
    }

    /// Sends once to this server and reads the answer with `read`. The caller holds a place of the server's limiter. The one
    /// place that takes the time: for the metrics, for the audit trail and for the limiter.
    pub(crate) async fn send<T, E: AsRef<PortalError>>(
        &self,
        server: &Server,
        operation: Operation,
        request: HttpRequest,
        read: impl FnOnce(Result<Answer, Fault>) -> Result<T, E>,
    ) -> Result<T, E> {
        let started = Instant::now();
        let answer = self
            .transport
            .send(request)
            .await
            .map(|response| Answer::of_response(response, &self.process.clock));
        let result = read(answer);
        let elapsed = started.elapsed();
        let error = result.as_ref().err().map(AsRef::as_ref);
        let outcome = error.map_or(CallOutcome::Success, CallOutcome::of);
        took(operation, elapsed);
        self.observer.observed(server.kind, operation, outcome, elapsed);
        server.answered(operation, error, elapsed);
        result
    }
}
