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
mod scopes;
mod tasks;
mod tries;

pub use controller::{Controller, Parts};
use tasks::Tasks;

/// The operator could not start, or had to stop.
#[derive(Debug, Error)]
pub enum RunError {
    /// Nothing can be served there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: Listen,
        /// What the system says.
        source: std::io::Error,
    },
    /// The environment's proxy settings do not work.
    #[error("{0}")]
    Proxy(String),
    /// There is no way to an apiserver.
    #[error("no Kubernetes API: {0}")]
    Kubernetes(String),
    /// The lease went to another process, or ran out.
    #[error("the lease was lost; this process is not the active one any more")]
    LeaseLost,
    /// A task that must run as long as the process has ended.
    #[error("the task \"{task}\" {how}")]
    TaskEnded {
        /// Which one.
        task: &'static str,
        /// Whether it ended or panicked.
        how: &'static str,
    },
    /// Signals cannot be heard.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// Runs the operator until it is asked to stop, or loses its lease.
pub async fn run(args: RunArgs) -> Result<(), RunError> {
    // Owns the task that hears signals.
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
        // Its own end says more than the end of a task beside it.
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

/// Whether plain http may be used. It is reported at each start: nobody shall run with it by mistake.
fn plain_http(args: &RunArgs) -> PlainHttp {
    let plain_http = args.plain_http.setting();
    if plain_http == PlainHttp::PrivateAddresses {
        tracing::warn!(
            "plain http to loopback and private addresses is allowed for Portals with insecureHttp: logins, tokens and client \
             secrets are sent unencrypted there. Use --allow-insecure-http for test systems only"
        );
    }
    plain_http
}
