//! Counts the calls to portals as metrics.

use std::time::Duration;

use crate::metrics::{self, Metrics};
use crate::portal::ServerKind;
use crate::portal::observe::{CallObserver, CallOutcome, Operation};

/// Counts each call in the metrics.
pub struct MetricsObserver(pub Metrics);

impl CallObserver for MetricsObserver {
    fn observed(&self, server: ServerKind, operation: Operation, outcome: CallOutcome, elapsed: Duration) {
        let operation = match operation {
            Operation::Token => metrics::Operation::Login,
            Operation::Version => metrics::Operation::Version,
            Operation::Roles => metrics::Operation::Roles,
            Operation::List => metrics::Operation::Scan,
            Operation::Details => metrics::Operation::Details,
            Operation::Dataspace => metrics::Operation::Dataspace,
            Operation::Create => metrics::Operation::Create,
            Operation::Update => metrics::Operation::Update,
            Operation::Reset => metrics::Operation::Reset,
            Operation::Delete => metrics::Operation::Delete,
            Operation::Verify => metrics::Operation::Verify,
        };
        let outcome = match outcome {
            CallOutcome::Success => metrics::Outcome::Ok,
            CallOutcome::Refused | CallOutcome::Throttled => metrics::Outcome::Refused,
            CallOutcome::ServerError | CallOutcome::Unusable => metrics::Outcome::Failed,
            CallOutcome::Unreachable => metrics::Outcome::Unreachable,
        };
        self.0.portal_called(label(server), operation, outcome, elapsed);
    }

    fn breaker(&self, server: ServerKind, open: bool) {
        self.0.portal_circuit(label(server), open);
    }
}

const fn label(server: ServerKind) -> metrics::Server {
    match server {
        ServerKind::Portal => metrics::Server::Portal,
        ServerKind::IdentityProvider => metrics::Server::IdentityProvider,
        ServerKind::Wallet => metrics::Server::Wallet,
    }
}
