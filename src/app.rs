//! The composition root of `run`: builds the concrete things, and owns the order of start and stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DynamicObject, PartialObjectMeta};
use kube::runtime::watcher;
use kube::{Client, Config};
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::keys;
use crate::api::technical_user::TechnicalUserStatus;
use crate::config::{self, Listen, RunArgs, WatchNamespaces};
use crate::controller::context::{Caches, Context, Installation};
use crate::controller::namespaces::Namespaces;
use crate::controller::objects::{is_deleting, lenient, portals, technical_users};
use crate::controller::portal::connections::Connections;
use crate::controller::portal::memory::PortalMemory;
use crate::controller::queue::backoff::{Backoffs, Conflicts};
use crate::controller::queue::{self, Watches};
use crate::controller::technical_user::memory::Memory;
use crate::health::{Gate, Health};
use crate::k8s::events::Events;
use crate::k8s::leader::{self, Election, Leadership};
use crate::k8s::{client, watch};
use crate::metrics::{Metrics, UserState};
use crate::observer::MetricsObserver;
use crate::portal::{CREATE_TIMEOUT, Clients, Connector, Network, PlainHttp};
use crate::process::{self, Process, Spawner};
use crate::server::Server;

mod definitions;
mod identity;
mod namespaces;
mod tasks;
mod tries;

use tasks::Tasks;

/// Portals looked at at once.
const PORTAL_CONCURRENCY: u16 = 4;
/// What a stop waits for beyond a create: the writes that name its user.
const STOP_MARGIN: Duration = Duration::from_secs(20);
const EVENTS_WITHIN: Duration = Duration::from_secs(5);
const COUNT_EVERY: Duration = Duration::from_secs(15);

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
    // Owns every task of the operator: none goes on when this function ends or is dropped.
    let tasks = process::Tasks::new();
    let process = Process { tasks: tasks.spawner(), ..Process::system() };
    let stop = stop_signal(&process.tasks)?;
    let network =
        Network { plain_http: plain_http(&args), proxies: config::proxies().map_err(RunError::Proxy)? };
    let (metrics, health) = (Metrics::default(), Health::default());
    let listen = |source| RunError::Listen { address: args.listen, source };
    let server = Server::bind(args.listen).map_err(listen)?;
    let mut essential = Tasks::default();
    essential.spawn("server", server.run(health.clone(), metrics.clone()));
    essential.spawn("heartbeat", health.clone().keep_beating());
    let connector = connector(network, &metrics, process.clone());
    let serving = serve(&args, connector, &process, &metrics, &health, stop.clone());
    tokio::pin!(serving);
    tokio::select! {
        // Its own end says more than the end of a task beside it.
        biased;
        ended = &mut serving => ended,
        error = essential.ended() => {
            health.fail();
            stop.cancel();
            serving.await.and(Err(error))
        }
    }
}

async fn serve(
    args: &RunArgs,
    connector: Arc<dyn Connector>,
    process: &Process,
    metrics: &Metrics,
    health: &Health,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let config = Config::infer().await.map_err(|error| RunError::Kubernetes(error.to_string()))?;
    let client = client::client(config).map_err(|error| RunError::Kubernetes(error.to_string()))?;
    // Before the lease is applied for: a process that cannot work must not keep it from one that can.
    tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        () = definitions::wait_until_they_fit(&client, health, &process.random) => {}
    }
    let installation = tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        installation = identity::wait_for(&client, args, health, &process.random) => installation,
    };
    let (leadership, election) = lead(args, &client, process, metrics, health);
    if election.is_some() {
        // A standby is as ready as it can be.
        health.open(Gate::Cache);
        tokio::select! {
            biased;
            () = stop.cancelled() => {
                release(election).await;
                return Ok(());
            }
            // The task that applies for the lease has ended.
            () = leadership.lost() => return Err(RunError::LeaseLost),
            () = leadership.acquired() => tracing::info!("this process is the active one"),
        }
    }
    let ended =
        work(args, &client, process, (metrics, health), connector, (installation, leadership), stop).await;
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
    connector: Arc<dyn Connector>,
    (installation, leadership): (Installation, Leadership),
    stop: CancellationToken,
) -> Result<(), RunError> {
    tracing::info!(instance = %installation.instance, hint = %installation.hint, "starting");
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
    let ours = watcher::Config::default().labels(&format!("{}={}", keys::INSTANCE, installation.instance));
    let (secrets, touched_secrets) =
        watch::cache(secrets(client, &watched), &ours, (), |_| {}, &refusals, random);
    let (seen_namespaces, label_refusals) = namespaces::watch(client, args.installation.scoped_rbac, random);
    let (wake_user, woken_users) = unbounded_channel();
    let (wake_portal, woken_portals) = unbounded_channel();
    let ctx = Arc::new(Context {
        process: process.clone(),
        client: client.clone(),
        installation,
        caches: Caches { users, portals: portal_store, secrets },
        connections: Connections::new(process.clone()),
        connector,
        memory: Memory::new(random.clone()),
        portal_memory: PortalMemory::new(random.clone()),
        watched,
        namespaces: Namespaces::new(label_refusals.clone()),
        refusals,
        backoffs: Backoffs::new(random.clone()),
        conflicts: Conflicts::new(random.clone()),
        portal_backoffs: Backoffs::new(random.clone()),
        events,
        metrics: metrics.clone(),
        leadership: leadership.clone(),
        wake_user,
        wake_portal,
        listed: CancellationToken::new(),
        creates: TaskTracker::new(),
        stopping: AtomicBool::new(false),
    });
    // The watches outlive the queues: passes that are under way still read the caches.
    let watching = CancellationToken::new();
    let streams = Watches {
        users: touched_users,
        portals: touched_portals,
        secrets: touched_secrets,
        namespaces: seen_namespaces,
    };
    let mut background = Tasks::default();
    background.spawn("watches", queue::watch(Arc::clone(&ctx), streams, watching.clone()));
    background.spawn("first list", ready(Arc::clone(&ctx)));
    background.spawn("namespaces", namespaces::tell(Arc::clone(&ctx), health.clone()));
    background.spawn("labels", namespaces::tell_of_labels(label_refusals, health.clone()));
    background.spawn("metrics", count(Arc::clone(&ctx)));
    let (mut queue_tasks, queues) = (Tasks::default(), CancellationToken::new());
    queue_tasks.spawn(
        "queue of TechnicalUsers",
        queue::technical_users_until(Arc::clone(&ctx), woken_users, args.concurrency, queues.clone()),
    );
    queue_tasks.spawn(
        "queue of Portals",
        queue::portals_until(Arc::clone(&ctx), woken_portals, PORTAL_CONCURRENCY, queues.clone()),
    );
    let ended = tokio::select! {
        // A stop that was asked for is no failure, whatever ends at the same time; a lost lease ends the tasks.
        biased;
        () = stop.cancelled() => {
            tracing::info!("stopping: no create is started any more, those under way are waited for");
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
        tracing::warn!(
            "some reconciles did not end in time; what they left open is settled at the next start"
        );
    }
    watching.cancel();
    drop(background);
    publisher.drain(EVENTS_WITHIN).await;
    ended
}

/// The namespaces to watch; a single `None` for all.
fn watched(args: &RunArgs) -> Vec<Option<String>> {
    match args.installation.watch_namespaces() {
        WatchNamespaces::All => vec![None],
        WatchNamespaces::Some(names) => names.into_iter().map(Some).collect(),
    }
}

fn dynamic(
    client: &Client,
    watched: &[Option<String>],
    resource: &kube::api::ApiResource,
) -> Vec<Api<DynamicObject>> {
    watched
        .iter()
        .map(|namespace| match namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, resource),
            None => Api::all_with(client.clone(), resource),
        })
        .collect()
}

fn secrets(client: &Client, watched: &[Option<String>]) -> Vec<Api<PartialObjectMeta<Secret>>> {
    watched
        .iter()
        .map(|namespace| match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        })
        .collect()
}

/// Lets the queues start once everything that is watched and may be listed was listed.
///
/// The only one that waits for the stores: kube's `wait_until_ready` (5.0) wakes the last of several waiters only.
async fn ready(ctx: Arc<Context>) {
    let caches = &ctx.caches;
    if caches.users.wait_until_ready().await.is_ok()
        && caches.portals.wait_until_ready().await.is_ok()
        && caches.secrets.wait_until_ready().await.is_ok()
    {
        ctx.listed.cancel();
        tracing::info!("ready");
        std::future::pending::<()>().await;
    }
}

/// Counts the resources by state, for the metrics.
async fn count(ctx: Arc<Context>) {
    loop {
        tokio::time::sleep(COUNT_EVERY).await;
        let mut counts = [0_usize; 4];
        for object in ctx.caches.all_users() {
            let index = UserState::ALL.iter().position(|known| *known == state(&object)).unwrap_or_default();
            if let Some(count) = counts.get_mut(index) {
                *count += 1;
            }
        }
        for (state, number) in UserState::ALL.iter().zip(counts) {
            ctx.metrics.technical_users(*state, number);
        }
    }
}

fn state(object: &DynamicObject) -> UserState {
    if is_deleting(object) {
        return UserState::Deleting;
    }
    let status: TechnicalUserStatus = lenient(object, "status");
    let holds = |type_: &str| status.conditions.iter().any(|c| c.type_ == type_ && c.status == "True");
    if holds(crate::api::conditions::READY) {
        UserState::Ready
    } else if holds(crate::api::conditions::STALLED) {
        UserState::Stalled
    } else {
        UserState::Reconciling
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

fn connector(network: Network, metrics: &Metrics, process: Process) -> Arc<dyn Connector> {
    Arc::new(Clients::new(Arc::new(network), Arc::new(MetricsObserver(metrics.clone())), process))
}
