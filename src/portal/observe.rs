//! What the client reports about its calls, for metrics: closed sets only, so that they can be labels.

use std::cell::Cell;
use std::time::Duration;

use super::{PortalError, ServerKind};

/// Which call was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A token for the operator's own login (or for its deletion login).
    Token,
    /// The portal's error messages, which show its version.
    Version,
    /// The roles on offer.
    Roles,
    /// One page of the user list.
    List,
    /// One user.
    Details,
    /// The company's values of the data space.
    Dataspace,
    /// A new user.
    Create,
    /// Name and description of a user.
    Update,
    /// A new secret.
    Reset,
    /// The end of a user.
    Delete,
    /// A token for a technical user's credential.
    Verify,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// It was answered as requested.
    Success,
    /// It was refused: a 4xx, or a refused login.
    Refused,
    /// The answer requests a pause.
    Throttled,
    /// A 5xx.
    ServerError,
    /// Nothing answered, or TLS failed.
    Unreachable,
    /// The answer cannot be used, or is not the portal's.
    Unusable,
}

impl CallOutcome {
    pub(crate) fn of(error: &PortalError) -> Self {
        match error {
            PortalError::Unreachable { .. } | PortalError::Tls { .. } | PortalError::CircuitOpen { .. } => {
                Self::Unreachable
            }
            PortalError::Throttled { .. } | PortalError::CreatesInProgress => Self::Throttled,
            PortalError::Server { .. } | PortalError::ClientMissing => Self::ServerError,
            PortalError::NotThePortalBackend { .. }
            | PortalError::NotATokenEndpoint
            | PortalError::BadAnswer { .. } => Self::Unusable,
            PortalError::LoginRefused { .. }
            | PortalError::TokenNotStored { .. }
            | PortalError::DeletionLogin { .. }
            | PortalError::OtherCompany
            | PortalError::Unauthorized
            | PortalError::Forbidden { .. }
            | PortalError::NotFound
            | PortalError::Refused { .. } => Self::Refused,
        }
    }
}

/// Is notified of each request that was sent (retries one by one) and of the circuit breakers.
pub trait CallObserver: Send + Sync {
    /// A request to a server ended.
    fn observed(&self, server: ServerKind, operation: Operation, outcome: CallOutcome, elapsed: Duration);

    /// The circuit breaker of a server opened (true), or closed or is gone with its server (false).
    fn breaker(&self, server: ServerKind, open: bool);
}

/// Ignores all calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl CallObserver for NoObserver {
    fn observed(&self, _: ServerKind, _: Operation, _: CallOutcome, _: Duration) {}

    fn breaker(&self, _: ServerKind, _: bool) {}
}

tokio::task_local! {
    /// The operation that is timed, and how long its requests took so far.
    static TIMED: (Operation, Cell<Duration>);
}

/// Runs a call, and returns how long its requests of this operation took: without the wait for the limiter, for a token
/// and for the circuit breaker's probe.
pub async fn timed<T>(operation: Operation, call: impl Future<Output = T>) -> (T, Duration) {
    let run = async move {
        let result = call.await;
        (result, TIMED.with(|(_, time)| time.get()))
    };
    TIMED.scope((operation, Cell::new(Duration::ZERO)), run).await
}

/// Adds a request to what [`timed`] measures, where it measures.
pub(crate) fn took(operation: Operation, elapsed: Duration) {
    // Outside of `timed` nothing is measured.
    let _ = TIMED.try_with(|(timed, time)| {
        if *timed == operation {
            time.set(time.get() + elapsed);
        }
    });
}
