//! The composition root of `run`: builds the concrete things, and owns the order of start and stop.

use std::sync::Arc;

use kube::Config;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{self, Listen, RunArgs};
use crate::health::Health;
use crate::k8s::client;
use crate::metrics::Metrics;
use crate::portal::{Network, PlainHttp};
use crate::process::{self, Clock, Random, Spawner};
use crate::server::Server;

mod controller;
mod counts;
mod definitions;
mod identity;
mod namespaces;
mod opened;
mod scopes;
mod tasks;
mod tries;

pub use controller::{Controller, Parts};
use tasks::Tasks;

/// The operator could not start, or had to stop.
#[derive(Debug, Error)]
pub enum RunError {
    /// The server cannot listen at the address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address that the settings name.
        address: Listen,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The environment's proxy settings do not work.
    #[error("{0}")]
    Proxy(String),
    /// No client for an apiserver can be built.
    #[error("the Kubernetes API cannot be used: {0}")]
    Kubernetes(String),
    /// Another process holds the lease, or the lease expired.
    #[error("this process does not hold the lease any more, so it is not the active one")]
    LeaseLost,
    /// A task that must run as long as the process has ended.
    #[error("the task \"{task}\" {how}")]
    TaskEnded {
        /// The name of the task.
        task: &'static str,
        /// Whether it ended or panicked.
        how: &'static str,
    },
    /// The process cannot listen for signals.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// Runs the operator until a signal stops it, or until it does not hold its lease any more.
pub async fn run(args: RunArgs) -> Result<(), RunError> {
    // Owns the task that listens for signals.
    let tasks = process::Tasks::new();
    let stop = stop_signal(&tasks.spawner())?;
    let network =
        Network { plain_http: plain_http(&args), proxies: config::proxies().map_err(RunError::Proxy)? };
    let (metrics, health) = (Metrics::default(), Health::default());
    let listen = |source| RunError::Listen { address: args.listen, source };
    let server = Server::bind(args.listen).map_err(listen)?;
    let mut essential = Tasks::default();
    essential.spawn("server", server.run(health.clone(), metrics.clone()));
    essential.spawn("heartbeat", health.clone().keep_beating());
    let config = Config::infer().await.map_err(|error| RunError::Kubernetes(error.to_string()))?;
    let client = client::client(config).map_err(|error| RunError::Kubernetes(error.to_string()))?;
    let mut controller = Controller::start(Parts {
        args,
        client,
        transports: Arc::new(network),
        clock: Clock::system(),
        random: Random::system(),
        metrics,
        health: health.clone(),
        stop: stop.clone(),
    });
    tokio::select! {
        // The error of the controller says more than the end of another task.
        biased;
        ended = controller.ended() => ended,
        error = essential.ended() => {
            health.fail();
            stop.cancel();
            controller.ended().await.and(Err(error))
        }
    }
}

/// Cancelled by SIGTERM or SIGINT.
fn stop_signal(tasks: &Spawner) -> Result<CancellationToken, RunError> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate()).map_err(RunError::Signals)?,
        signal(SignalKind::interrupt()).map_err(RunError::Signals)?,
    );
    let stop = CancellationToken::new();
    let heard = stop.clone();
    tasks.spawn(async move {
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        heard.cancel();
    });
    Ok(stop)
}

/// Whether plain http may be used. The log reports it at each start, so that it is not used by mistake.
fn plain_http(args: &RunArgs) -> PlainHttp {
    let plain_http = args.plain_http.setting();
    if plain_http == PlainHttp::PrivateAddresses {
        tracing::warn!(
            "Plain http to loopback and private addresses is allowed for Portals with insecureHttp: logins, tokens and client \
             secrets are sent unencrypted there. Use --allow-insecure-http for test systems only"
        );
    }
    plain_http
}
