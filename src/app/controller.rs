//! The controller as one value: everything from the wait for the definitions to the stop, without arguments, signals and the
//! server of the program. Several may run in one process of the system.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kube::Client;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::counts::count;
use super::opened::{Opened, Ways, Woken, open};
use super::tasks::Tasks;
use super::{RunError, definitions, identity, namespaces};
use crate::config::RunArgs;
use crate::controller::checked::kind::CheckedKind;
use crate::controller::context::{Context, Installation};
use crate::controller::queue;
use crate::health::{Gate, Health};
use crate::k8s::events::Events;
use crate::k8s::leader::{self, Election, Leadership};
use crate::metrics::Metrics;
use crate::observer::MetricsObserver;
use crate::portal::{CREATE_TIMEOUT, Clients, Connector, Transports};
use crate::process::{self, Clock, Pause, Process, Random};

/// How long a stop waits after a create for the writes that name its user.
const STOP_MARGIN: Duration = Duration::from_secs(20);
const EVENTS_WITHIN: Duration = Duration::from_secs(5);

/// What a controller needs to start.
pub struct Parts {
    /// Its settings.
    pub args: RunArgs,
    /// The apiserver.
    pub client: Client,
    /// How requests reach portals.
    pub transports: Arc<dyn Transports>,
    /// The time of day.
    pub clock: Clock,
    /// Everything that is random.
    pub random: Random,
    /// Its metrics.
    pub metrics: Metrics,
    /// What its probes report.
    pub health: Health,
    /// Cancelled to stop it: it waits for creates in progress, and releases the lease.
    pub stop: CancellationToken,
}

/// A running controller. When it is dropped, each of its tasks is dropped where it waits, as when the process is killed. To
/// stop it in order, cancel [`Parts::stop`] and wait for [`Controller::ended`].
pub struct Controller {
    serving: JoinHandle<Result<(), RunError>>,
    tasks: process::Tasks,
}

impl Controller {
    /// Starts it. Needs a tokio runtime.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let Parts { args, client, transports, clock, random, metrics, health, stop } = parts;
        let tasks = process::Tasks::new();
        let process = Process { clock, random, tasks: tasks.spawner() };
        let observer = Arc::new(MetricsObserver(metrics.clone()));
        let connector: Arc<dyn Connector> =
            Arc::new(Clients::new(Arc::clone(&transports), observer, process.clone()));
        let serving = tasks.spawner().spawn(async move {
            serve(&args, &client, (connector, transports), &process, (&metrics, &health), stop).await
        });
        Self { serving, tasks }
    }

    /// Pauses all its tasks.
    #[must_use]
    pub fn pause(&self) -> Pause {
        self.tasks.spawner().pause()
    }

    /// Waits until it has ended: after a stop, or after an error.
    pub async fn ended(&mut self) -> Result<(), RunError> {
        let how = |error: JoinError| if error.is_panic() { "panicked" } else { "was aborted" };
        (&mut self.serving)
            .await
            .unwrap_or_else(|error| Err(RunError::TaskEnded { task: "controller", how: how(error) }))
    }
}

async fn serve(
    args: &RunArgs,
    client: &Client,
    ways: Ways,
    process: &Process,
    (metrics, health): (&Metrics, &Health),
    stop: CancellationToken,
) -> Result<(), RunError> {
    // Before the process requests the lease: a process that cannot work must not hold it.
    tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        () = definitions::wait_until_they_fit(client, health, &process.random) => {}
    }
    let installation = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        installation = identity::wait_for(client, args, health, &process.random) => installation,
    };
    let (leadership, election) = lead(args, client, process, metrics, health);
    if election.is_some() {
        // A standby is ready without the cache.
        health.open(Gate::Cache);
        tokio::select! {
            biased;
            () = stop.cancelled() => {
                release(election).await;
                return Ok(());
            }
            // The task that requests the lease has ended.
            () = leadership.lost() => return Err(RunError::LeaseLost),
            () = leadership.acquired() => tracing::info!("This process is the active one"),
        }
    }
    let ended = work(args, client, process, (metrics, health), ways, (installation, leadership), stop).await;
    release(election).await;
    ended
}

fn lead(
    args: &RunArgs,
    client: &Client,
    process: &Process,
    metrics: &Metrics,
    health: &Health,
) -> (Leadership, Option<Election>) {
    if !args.installation.leader_election {
        metrics.leader(true);
        return (Leadership::without_election(), None);
    }
    let lease = leader::LeaseMetadata {
        namespace: args.installation.namespace.clone(),
        name: args.installation.lease_name(),
        labels: args.common_labels.labels().clone(),
    };
    let (leadership, election) =
        Election::start(client.clone(), lease, &args.pod_name, metrics.clone(), health.clone(), process);
    (leadership, Some(election))
}

async fn release(election: Option<Election>) {
    if let Some(election) = election {
        election.release().await;
    }
}

async fn work(
    args: &RunArgs,
    client: &Client,
    process: &Process,
    (metrics, health): (&Metrics, &Health),
    ways: Ways,
    (installation, leadership): (Installation, Leadership),
    stop: CancellationToken,
) -> Result<(), RunError> {
    tracing::info!(instance = %installation.instance, hint = %installation.hint, "Starting");
    let (events, publisher) = Events::start(client.clone(), &args.pod_name, metrics.clone(), &process.tasks);
    let shared = (installation, leadership.clone());
    let Opened { ctx, watches, users, checked, label_refusals } =
        open(args, client, process, ways, shared, (events, metrics.clone()));
    // The watches run longer than the queues: reconciles in progress still read the caches.
    let watching = CancellationToken::new();
    let mut background = Tasks::of(process);
    background.spawn("watches", queue::watch(Arc::clone(&ctx), watches, watching.clone()));
    background.spawn("first list", ready(Arc::clone(&ctx)));
    background.spawn("namespaces", namespaces::report(Arc::clone(&ctx), health.clone()));
    background.spawn("labels", namespaces::report_labels(label_refusals, health.clone()));
    background.spawn("metrics", count(Arc::clone(&ctx)));
    let queues = CancellationToken::new();
    let mut queue_tasks = start_queues(&ctx, (users, args.concurrency), checked, &queues);
    let ended = tokio::select! {
        // A requested stop is no failure, whatever ends at the same time. The tasks end with the lease.
        biased;
        () = stop.cancelled() => {
            tracing::info!("Stopping: the operator starts no create any more, and waits for the creates in progress");
            Ok(())
        }
        () = leadership.lost() => Err(RunError::LeaseLost),
        error = background.ended() => Err(error),
        error = queue_tasks.ended() => Err(error),
        () = publisher.ended() => Err(RunError::TaskEnded { task: "events", how: "ended" }),
    };
    if matches!(ended, Err(RunError::TaskEnded { .. })) {
        health.fail();
    }
    ctx.stopping.store(true, Ordering::SeqCst);
    queues.cancel();
    ctx.creates.close();
    let within = CREATE_TIMEOUT + STOP_MARGIN;
    let creates = tokio::time::timeout(within, ctx.creates.wait());
    let (creates, reconciles) = tokio::join!(creates, queue_tasks.finish(within));
    if creates.is_err() || !reconciles {
        tracing::warn!("Some reconciles did not end in time; the next start completes what they left open");
    }
    watching.cancel();
    drop(background);
    publisher.drain(EVENTS_WITHIN).await;
    ended
}

/// Starts the queues of all kinds. They end after `stop`.
fn start_queues(
    ctx: &Arc<Context>,
    (users, concurrency): (Woken, u16),
    checked: Vec<(&'static dyn CheckedKind, Woken)>,
    stop: &CancellationToken,
) -> Tasks {
    let mut tasks = Tasks::of(&ctx.process);
    let users = queue::technical_users_until(Arc::clone(ctx), users, concurrency, stop.clone());
    tasks.spawn("queue of TechnicalUsers", users);
    for (kind, woken) in checked {
        tasks.spawn(kind.queue_name(), queue::checked_until(Arc::clone(ctx), kind, woken, stop.clone()));
    }
    tasks
}

/// Lets the queues start once everything that is watched and may be listed was listed. Never returns.
async fn ready(ctx: Arc<Context>) {
    all_are_listed(&ctx).await;
    ctx.listed.cancel();
    tracing::info!("Ready");
    std::future::pending::<()>().await;
}

async fn all_are_listed(ctx: &Context) {
    ctx.caches.users.filled().await;
    for objects in ctx.checked() {
        objects.cache.filled().await;
    }
    ctx.caches.secrets.filled().await;
}
