//! What one run of a command shares: the caches of the controller, filled once, and the connections to the portals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use kube::Client;
use kube::api::DynamicObject;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::apiserver::{self, Objects, Place};
use super::manifests;
use super::objects::{
    add_named, cluster, given_objects, list, place, secrets, stored_users, subjects, users,
};
use crate::config::{self, ScopeArgs};
use crate::controller::checked::kind::CheckedKind;
use crate::controller::checked::objects::CheckedObjects;
use crate::controller::context::{Caches, Context, Installation};
use crate::controller::installation;
use crate::controller::namespaces::Namespaces;
use crate::controller::objects::{Key, technical_users};
use crate::controller::once;
use crate::controller::portal::connections::Connections;
use crate::controller::portal::kind::PortalKind;
use crate::controller::portal::memory::PortalMemory;
use crate::controller::queue::backoff::{Backoffs, Conflicts};
use crate::controller::secrets_by_owner::SecretsByOwner;
use crate::controller::technical_user::memory::Memory;
use crate::controller::users::Keep;
use crate::controller::vault::kind::VaultKind;
use crate::controller::vault::memory::VaultMemory;
use crate::k8s::events::Events;
use crate::k8s::leader::Leadership;
use crate::k8s::stored::StoredObject;
use crate::k8s::watch::{Cache, Refusals};
use crate::metrics::Metrics;
use crate::observer::MetricsObserver;
use crate::portal::{Clients, Network};
use crate::process::{Process, Random, Tasks};

/// What one run shares.
pub(super) struct Session {
    pub(super) ctx: Arc<Context>,
    /// The resources that a person asks about.
    pub(super) subjects: Vec<Key>,
    pub(super) woken: UnboundedReceiver<Key>,
    _tasks: Tasks,
}

impl Session {
    /// Reads manifests and cluster, and connects the Portals and Vaults that the subjects name. The error is in words.
    pub(super) async fn open(args: &ScopeArgs) -> Result<Self, String> {
        let (cluster, namespace) = cluster(args).await?;
        let mut given = Vec::new();
        for file in &args.files {
            let text = manifests::text(file)?;
            given.extend(manifests::objects(&text, &namespace).map_err(|why| format!("{file}: {why}"))?);
        }
        let mut objects = given_objects(cluster.as_ref(), &given).await?;
        let stored = stored_users(args, cluster.as_ref(), &namespace, &given).await?;
        let subjects = subjects(args, &given, &stored);
        let users = users(&given, stored, &subjects)?;
        add_named(cluster.as_ref(), &mut objects, &users, &subjects).await?;
        objects.extend(users);
        let installation = installation(args, cluster.as_ref(), &objects).await?;
        let installation = match installation {
            Some(installation) => installation,
            None => installation::invented(&args.instance, &Random::system())
                .map_err(|error| error.to_string())?,
        };
        Self::start(args, cluster, installation, objects, subjects, Connect::All).await
    }

    /// Reads all resources and Portals of the cluster, and connects none. The error is in words.
    pub(super) async fn of_resources(args: &ScopeArgs) -> Result<Self, String> {
        let (Some(cluster), _) = cluster(args).await? else { return Err("a cluster is needed".to_owned()) };
        let users = list(&cluster, "technicalusers", &technical_users()).await?;
        let mut objects = list(&cluster, "portals", &PortalKind.api()).await?;
        objects.extend(users);
        let installation = identity(args, &cluster, &objects).await?;
        Self::start(args, Some(cluster), installation, objects, Vec::new(), Connect::None).await
    }

    /// Reads all resources and all logins of the cluster, and connects one Portal. `subject` is a resource that a person asks about;
    /// it need not exist. The error is in words.
    pub(super) async fn of_portal(
        args: &ScopeArgs,
        portal: &Key,
        subject: Option<DynamicObject>,
    ) -> Result<Self, String> {
        let (Some(cluster), _) = cluster(args).await? else { return Err("a cluster is needed".to_owned()) };
        let given: Vec<(Place, DynamicObject)> = subject
            .into_iter()
            .map(|object| (place("technicalusers", &Key::of_metadata(&object.metadata)), object))
            .collect();
        let subjects: Vec<Key> = given.iter().map(|(_, object)| Key::of_metadata(&object.metadata)).collect();
        let stored = list(&cluster, "technicalusers", &technical_users()).await?;
        let users = users(&given, stored, &subjects)?;
        let mut objects = list(&cluster, "portals", &PortalKind.api()).await?;
        add_named(Some(&cluster), &mut objects, &users, &subjects).await?;
        objects.extend(users);
        let installation = identity(args, &cluster, &objects).await?;
        Self::start(args, Some(cluster), installation, objects, subjects, Connect::One(portal)).await
    }

    /// Fills the caches, and connects Portals and Vaults.
    async fn start(
        args: &ScopeArgs,
        cluster: Option<Client>,
        installation: Installation,
        objects: Objects,
        subjects: Vec<Key>,
        connect: Connect<'_>,
    ) -> Result<Self, String> {
        let of = |resource: &str| -> Vec<DynamicObject> {
            let of_resource = objects.iter().filter(|(place, _)| place.0 == resource);
            of_resource.map(|(_, object)| object.clone()).collect()
        };
        let stored = ["technicalusers", "portals", "vaults"].map(of);
        let secrets = secrets(cluster.as_ref(), &args.instance, &subjects).await;
        let client = apiserver::client(objects, cluster);
        let tasks = Tasks::new();
        let process = Process { tasks: tasks.spawner(), ..Process::system() };
        let (wake_user, woken) = unbounded_channel();
        let ctx = Arc::new(context(args, client, process, installation, stored, wake_user)?);
        for secret in &secrets {
            ctx.secrets_by_owner.saw(&secret.metadata, &args.instance, false);
        }
        ctx.listed.cancel();
        for key in ctx.portals.all().iter().map(|object| Key::of_metadata(&object.metadata)) {
            match connect {
                Connect::One(portal) if *portal != key => once::read_logins(&ctx, &key, portal).await,
                Connect::One(_) | Connect::All => once::connect(&ctx, &key).await,
                Connect::None => {}
            }
        }
        for key in ctx.vaults.all().iter().map(|object| Key::of_metadata(&object.metadata)) {
            once::reach(&ctx, &key).await;
        }
        Ok(Self { ctx, subjects, woken, _tasks: tasks })
    }
}

/// Which Portals of a session are connected.
#[derive(Debug, Clone, Copy)]
enum Connect<'a> {
    All,
    One(&'a Key),
    None,
}

/// The installation whose mark the users of this cluster have. The error is in words.
async fn identity(args: &ScopeArgs, cluster: &Client, objects: &Objects) -> Result<Installation, String> {
    installation(args, Some(cluster), objects).await?.ok_or_else(|| {
        let namespace = args.operator_namespace.as_deref().unwrap_or_default();
        format!(
            "there is no Secret \"technical-user-operator-{}\" in namespace {namespace}: without it nobody knows which users are of \
             this cluster",
            args.instance
        )
    })
}

/// Which installation this is; `None` where it has no Secret.
async fn installation(
    args: &ScopeArgs,
    cluster: Option<&Client>,
    objects: &Objects,
) -> Result<Option<Installation>, String> {
    let client = apiserver::client(objects.clone(), cluster.cloned());
    let read = installation::read(&client, args.operator_namespace.as_deref(), &args.instance).await;
    read.map_err(|error| error.to_string())
}

/// The resources, the Portals and the Vaults.
type Stored = [Vec<DynamicObject>; 3];

fn context(
    args: &ScopeArgs,
    client: Client,
    process: Process,
    installation: Installation,
    [users, portals, vaults]: Stored,
    wake_user: tokio::sync::mpsc::UnboundedSender<Key>,
) -> Result<Context, String> {
    let network = Arc::new(Network { plain_http: args.plain_http.setting(), proxies: config::proxies()? });
    let metrics = Metrics::default();
    let observer = Arc::new(MetricsObserver(metrics.clone()));
    let (events, _never_sent) = Events::start(client.clone(), "plan", metrics.clone(), &process.tasks);
    let random = &process.random;
    let keep = Keep::default();
    let users = Cache::of(users.into_iter().map(|object| keep.keep(&object.into())));
    let checked = |kind: &dyn CheckedKind, objects: Vec<DynamicObject>| {
        let cache = Cache::of(objects.into_iter().map(StoredObject::from));
        CheckedObjects::new(kind, cache, unbounded_channel().0, random.clone())
    };
    Ok(Context {
        installation,
        caches: Caches { users, secrets: Cache::default() },
        secrets_by_owner: SecretsByOwner::default(),
        portals: checked(&PortalKind, portals),
        vaults: checked(&VaultKind, vaults),
        connections: Connections::new(process.clone()),
        connector: Arc::new(Clients::new(network.clone(), observer, process.clone())),
        memory: Memory::default(),
        portal_memory: PortalMemory::new(random.clone()),
        vault_memory: VaultMemory::new(random.clone()),
        transports: network,
        watched: vec![None],
        namespaces: Namespaces::new(Refusals::default()),
        refusals: Refusals::default(),
        backoffs: Backoffs::new(random.clone()),
        conflicts: Conflicts::new(random.clone()),
        events,
        metrics,
        leadership: Leadership::without_election(),
        wake_user,
        listed: CancellationToken::new(),
        creates: TaskTracker::new(),
        stopping: AtomicBool::new(true),
        client,
        process,
    })
}
