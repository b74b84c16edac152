//! The controller as one value: everything from the wait for the definitions to the stop, without arguments, signals and the
//! server of the program. Several may run in one process of the system.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kube::Client;
use kube::runtime::watcher;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::counts::count;
use super::scopes::{dynamic, secrets, watched};
use super::tasks::Tasks;
use super::{RunError, definitions, identity, namespaces};
use crate::api::keys;
use crate::config::RunArgs;
use crate::controller::context::{Caches, Context, Installation};
use crate::controller::namespaces::Namespaces;
use crate::controller::objects::{Key, portals, technical_users, vaults};
use crate::controller::portal::connections::Connections;
use crate::controller::portal::memory::PortalMemory;
use crate::controller::queue::backoff::{Backoffs, Conflicts};
use crate::controller::queue::{self, Watches};
use crate::controller::technical_user::memory::Memory;
use crate::controller::vault::memory::VaultMemory;
use crate::health::{Gate, Health};
use crate::k8s::events::Events;
use crate::k8s::leader::{self, Election, Leadership};
use crate::k8s::watch;
use crate::metrics::Metrics;
use crate::observer::MetricsObserver;
use crate::portal::{CREATE_TIMEOUT, Clients, Connector, Transports};
use crate::process::{self, Clock, Process, Random};

/// Portals that are reconciled at the same time.
const PORTAL_CONCURRENCY: u16 = 4;
/// Vaults that are reconciled at the same time.
const VAULT_CONCURRENCY: u16 = 2;
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
    _tasks: process::Tasks,
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
        Self { serving, _tasks: tasks }
    }

    /// Waits until it has ended: after a stop, or after an error.
    pub async fn ended(&mut self) -> Result<(), RunError> {
        let how = |error: JoinError| if error.is_panic() { "panicked" } else { "was aborted" };
        (&mut self.serving)
            .await
            .unwrap_or_else(|error| Err(RunError::TaskEnded { task: "controller", how: how(error) }))
    }
}

/// The ways to portals, and to other servers.
type Ways = (Arc<dyn Connector>, Arc<dyn Transports>);

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
    (connector, transports): Ways,
    (installation, leadership): (Installation, Leadership),
    stop: CancellationToken,
) -> Result<(), RunError> {
    tracing::info!(instance = %installation.instance, hint = %installation.hint, "Starting");
    let (events, publisher) = Events::start(client.clone(), &args.pod_name, metrics.clone(), &process.tasks);
    let watched = watched(args);
    let (refusals, all) = (watch::Refusals::default(), watcher::Config::default());
    let random = &process.random;
    let apis = dynamic(client, &watched, &technical_users());
    let (users, touched_users) = watch::cache(apis, &all, technical_users(), |_| {}, &refusals, random);
    let (portal_store, touched_portals) = watch::cache(
        dynamic(client, &watched, &portals()),
        &all,
        portals(),
        |_| {},
        &refusals,
        &process.random,
    );
    let apis = dynamic(client, &watched, &vaults());
    let (vault_store, touched_vaults) = watch::cache(apis, &all, vaults(), |_| {}, &refusals, random);
    let ours = watcher::Config::default().labels(&format!("{}={}", keys::INSTANCE, installation.instance));
    let (secrets, touched_secrets) =
        watch::cache(secrets(client, &watched), &ours, (), |_| {}, &refusals, random);
    let (seen_namespaces, label_refusals) = namespaces::watch(client, args.installation.scoped_rbac, random);
    let (wake_user, woken_users) = unbounded_channel();
    let (wake_portal, woken_portals) = unbounded_channel();
    let (wake_vault, woken_vaults) = unbounded_channel();
    let ctx = Arc::new(Context {
        process: process.clone(),
        client: client.clone(),
        installation,
        caches: Caches { users, portals: portal_store, vaults: vault_store, secrets },
        connections: Connections::new(process.clone()),
        connector,
        memory: Memory::default(),
        portal_memory: PortalMemory::new(random.clone()),
        vault_memory: VaultMemory::new(random.clone()),
        transports,
        watched,
        namespaces: Namespaces::new(label_refusals.clone()),
        refusals,
        backoffs: Backoffs::new(random.clone()),
        conflicts: Conflicts::new(random.clone()),
        portal_backoffs: Backoffs::new(random.clone()),
        vault_backoffs: Backoffs::new(random.clone()),
        events,
        metrics: metrics.clone(),
        leadership: leadership.clone(),
        wake_user,
        wake_portal,
        wake_vault,
        listed: CancellationToken::new(),
        creates: TaskTracker::new(),
        stopping: AtomicBool::new(false),
    });
    // The watches run longer than the queues: reconciles in progress still read the caches.
    let watching = CancellationToken::new();
    let streams = Watches {
        users: touched_users,
        portals: touched_portals,
        vaults: touched_vaults,
        secrets: touched_secrets,
        namespaces: seen_namespaces,
    };
    let mut background = Tasks::default();
    background.spawn("watches", queue::watch(Arc::clone(&ctx), streams, watching.clone()));
    background.spawn("first list", ready(Arc::clone(&ctx)));
    background.spawn("namespaces", namespaces::report(Arc::clone(&ctx), health.clone()));
    background.spawn("labels", namespaces::report_labels(label_refusals, health.clone()));
    background.spawn("metrics", count(Arc::clone(&ctx)));
    let queues = CancellationToken::new();
    let mut queue_tasks =
        start_queues(&ctx, (woken_users, woken_portals, woken_vaults), args.concurrency, &queues);
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
    (users, portals, vaults): (UnboundedReceiver<Key>, UnboundedReceiver<Key>, UnboundedReceiver<Key>),
    concurrency: u16,
    stop: &CancellationToken,
) -> Tasks {
    let mut tasks = Tasks::default();
    let shared = || (Arc::clone(ctx), stop.clone());
    let (of_users, until) = shared();
    tasks.spawn("queue of TechnicalUsers", queue::technical_users_until(of_users, users, concurrency, until));
    let (of_portals, until) = shared();
    tasks.spawn("queue of Portals", queue::portals_until(of_portals, portals, PORTAL_CONCURRENCY, until));
    let (of_vaults, until) = shared();
    tasks.spawn("queue of Vaults", queue::vaults_until(of_vaults, vaults, VAULT_CONCURRENCY, until));
    tasks
}

/// Lets the queues start once everything that is watched and may be listed was listed.
///
/// Nothing else may wait for the stores: kube's `wait_until_ready` (5.0) notifies only the last of several waiters.
async fn ready(ctx: Arc<Context>) {
    let caches = &ctx.caches;
    if caches.users.wait_until_ready().await.is_ok()
        && caches.portals.wait_until_ready().await.is_ok()
        && caches.vaults.wait_until_ready().await.is_ok()
        && caches.secrets.wait_until_ready().await.is_ok()
    {
        ctx.listed.cancel();
        tracing::info!("Ready");
        std::future::pending::<()>().await;
    }
}
