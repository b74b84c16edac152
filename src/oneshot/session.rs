//! What one run of a command shares: the caches of the controller, filled once, and the connections to the portals.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{Api, ApiResource, DynamicObject, ListParams, PartialObjectMeta};
use kube::runtime::{reflector, watcher};
use kube::{Client, Config};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::apiserver::{self, Objects, Place};
use super::manifests;
use crate::api::keys;
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
use crate::controller::portal::portal_of;
use crate::controller::queue::backoff::{Backoffs, Conflicts};
use crate::controller::secrets_by_owner::SecretsByOwner;
use crate::controller::technical_user::memory::Memory;
use crate::controller::vault::kind::VaultKind;
use crate::controller::vault::memory::VaultMemory;
use crate::controller::vault::vaults_of;
use crate::k8s::events::Events;
use crate::k8s::leader::Leadership;
use crate::k8s::watch::Refusals;
use crate::k8s::{client, words};
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

/// The cluster that a kubeconfig leads to, and its default namespace.
pub(super) async fn cluster(args: &ScopeArgs) -> Result<(Option<Client>, String), String> {
    if args.offline {
        return Ok((None, args.namespace.clone().unwrap_or_else(|| "default".to_owned())));
    }
    let config = Config::infer()
        .await
        .map_err(|error| format!("no cluster is known: {error}; --offline uses none"))?;
    let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    Ok((Some(client::client(config).map_err(|error| words(&error))?), namespace))
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
        let given: Vec<(Place, DynamicObject)> =
            subject.into_iter().map(|object| (place("technicalusers", &Key::of(&object)), object)).collect();
        let subjects: Vec<Key> = given.iter().map(|(_, object)| Key::of(object)).collect();
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
        let (portals, vaults, users) = (of("portals"), of("vaults"), of("technicalusers"));
        let secrets = secrets(cluster.as_ref(), &args.instance, &subjects).await;
        let client = apiserver::client(objects, cluster);
        let tasks = Tasks::new();
        let process = Process { tasks: tasks.spawner(), ..Process::system() };
        let (wake_user, woken) = unbounded_channel();
        let caches = (store(technical_users(), users), portals, vaults);
        let ctx = Arc::new(context(args, client, process, installation, caches, wake_user)?);
        for secret in &secrets {
            ctx.secrets_by_owner.saw(&secret.metadata, &args.instance, false);
        }
        ctx.listed.cancel();
        for key in ctx.portals.all().iter().map(|object| Key::of(object)) {
            match connect {
                Connect::One(portal) if *portal != key => once::read_logins(&ctx, &key, portal).await,
                Connect::One(_) | Connect::All => once::connect(&ctx, &key).await,
                Connect::None => {}
            }
        }
        for key in ctx.vaults.all().iter().map(|object| Key::of(object)) {
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

/// What tells the users of this cluster.
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

fn place(resource: &str, key: &Key) -> Place {
    (resource.to_owned(), key.namespace.clone(), key.name.clone())
}

/// All objects of a kind.
async fn list(cluster: &Client, resource: &str, kind: &ApiResource) -> Result<Objects, String> {
    let api: Api<DynamicObject> = Api::all_with(cluster.clone(), kind);
    let refused = |error| {
        format!(
            "the {resource} of all namespaces cannot be listed, and each may have a user: {}",
            words(&error)
        )
    };
    let list = api.list(&ListParams::default()).await.map_err(refused)?;
    Ok(list.items.into_iter().map(|object| (place(resource, &Key::of(&object)), object)).collect())
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

/// The objects of the manifests, other than `TechnicalUsers`, as they would be stored: what the controller or a person wrote beside
/// the spec stays.
async fn given_objects(
    cluster: Option<&Client>,
    given: &[(Place, DynamicObject)],
) -> Result<Objects, String> {
    let mut objects = Objects::new();
    for (place, manifest) in given.iter().filter(|(place, _)| place.0 != "technicalusers") {
        let stored = match place.0.as_str() {
            "portals" => get(cluster, &PortalKind.api(), place).await?,
            "vaults" => get(cluster, &VaultKind.api(), place).await?,
            // A person need not be permitted to read it.
            "namespaces" => namespace(cluster, &place.2).await,
            _ => {
                objects.insert(place.clone(), manifest.clone());
                continue;
            }
        };
        objects.insert(place.clone(), manifests::applied(manifest, stored.as_ref()));
    }
    Ok(objects)
}

async fn namespace(cluster: Option<&Client>, name: &str) -> Option<DynamicObject> {
    let kind = ApiResource::erase::<Namespace>(&());
    let api: Api<DynamicObject> = Api::all_with(cluster?.clone(), &kind);
    api.get_opt(name).await.ok().flatten()
}

/// The resources of the cluster: those of the namespaces that a person asks about, and those that manifests name.
async fn stored_users(
    args: &ScopeArgs,
    cluster: Option<&Client>,
    namespace: &str,
    given: &[(Place, DynamicObject)],
) -> Result<Objects, String> {
    let (Some(cluster), kind) = (cluster, technical_users()) else { return Ok(Objects::new()) };
    let mut stored = Objects::new();
    if args.all_namespaces || args.files.is_empty() {
        let api: Api<DynamicObject> = if args.all_namespaces {
            Api::all_with(cluster.clone(), &kind)
        } else {
            Api::namespaced_with(cluster.clone(), namespace, &kind)
        };
        let list = api.list(&ListParams::default()).await.map_err(|error| words(&error))?;
        for object in list.items {
            let key = Key::of(&object);
            stored.insert(place("technicalusers", &key), object);
        }
    }
    for place in given.iter().map(|(place, _)| place).filter(|place| place.0 == "technicalusers") {
        if let Some(object) = get(Some(cluster), &kind, place).await? {
            stored.insert(place.clone(), object);
        }
    }
    Ok(stored)
}

fn subjects(args: &ScopeArgs, given: &[(Place, DynamicObject)], stored: &Objects) -> Vec<Key> {
    let key = |place: &Place| Key { namespace: place.1.clone(), name: place.2.clone() };
    let of_files = given.iter().map(|(place, _)| place).filter(|place| place.0 == "technicalusers");
    let of_cluster = stored.keys().filter(|_| args.all_namespaces || args.files.is_empty());
    of_files.chain(of_cluster).map(key).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The resources as they would be stored. Those that a person asks about are suspended: so nothing is done for them.
fn users(given: &[(Place, DynamicObject)], mut stored: Objects, subjects: &[Key]) -> Result<Objects, String> {
    for (place, manifest) in given.iter().filter(|(place, _)| place.0 == "technicalusers") {
        let object = manifests::applied(manifest, stored.get(place));
        stored.insert(place.clone(), object);
    }
    for key in subjects {
        let object =
            stored.get_mut(&place("technicalusers", key)).ok_or_else(|| format!("{key} is not known"))?;
        manifests::suspend(object);
    }
    Ok(stored)
}

/// Adds the Portals and Vaults that the subjects name, as far as they are not known.
async fn add_named(
    cluster: Option<&Client>,
    objects: &mut Objects,
    users: &Objects,
    subjects: &[Key],
) -> Result<(), String> {
    for object in subjects.iter().filter_map(|key| users.get(&place("technicalusers", key))) {
        let portal = portal_of(object).map(|key| (place("portals", &key), PortalKind.api()));
        let vaults = vaults_of(object).map(|key| (place("vaults", &key), VaultKind.api()));
        for (place, kind) in portal.into_iter().chain(vaults) {
            if !objects.contains_key(&place)
                && let Some(object) = get(cluster, &kind, &place).await?
            {
                objects.insert(place, object);
            }
        }
    }
    Ok(())
}

async fn get(
    cluster: Option<&Client>,
    kind: &ApiResource,
    place: &Place,
) -> Result<Option<DynamicObject>, String> {
    let Some(cluster) = cluster else { return Ok(None) };
    let api: Api<DynamicObject> = Api::namespaced_with(cluster.clone(), &place.1, kind);
    api.get_opt(&place.2).await.map_err(|error| words(&error))
}

/// Metadata of the Secrets that the operator wrote in the namespaces of the resources. A person who may not list them gets a plan
/// without the removal of Secrets that nothing names.
async fn secrets(
    cluster: Option<&Client>,
    instance: &str,
    subjects: &[Key],
) -> Vec<PartialObjectMeta<Secret>> {
    let Some(cluster) = cluster else { return Vec::new() };
    let namespaces: BTreeSet<&String> = subjects.iter().map(|key| &key.namespace).collect();
    let ours = ListParams::default().labels(&format!("{}={instance}", keys::INSTANCE));
    let mut found = Vec::new();
    for namespace in &namespaces {
        let api: Api<Secret> = Api::namespaced(cluster.clone(), namespace);
        found.extend(api.list_metadata(&ours).await.map(|list| list.items).unwrap_or_default());
    }
    found
}

fn store(kind: ApiResource, objects: Vec<DynamicObject>) -> reflector::Store<DynamicObject> {
    let mut writer = reflector::store::Writer::new(kind);
    for object in objects {
        writer.apply_watcher_event(&watcher::Event::Apply(object));
    }
    writer.as_reader()
}

type Stores = (reflector::Store<DynamicObject>, Vec<DynamicObject>, Vec<DynamicObject>);

fn context(
    args: &ScopeArgs,
    client: Client,
    process: Process,
    installation: Installation,
    (users, portals, vaults): Stores,
    wake_user: tokio::sync::mpsc::UnboundedSender<Key>,
) -> Result<Context, String> {
    let network = Arc::new(Network { plain_http: args.plain_http.setting(), proxies: config::proxies()? });
    let metrics = Metrics::default();
    let observer = Arc::new(MetricsObserver(metrics.clone()));
    let (events, _never_sent) = Events::start(client.clone(), "plan", metrics.clone(), &process.tasks);
    let random = &process.random;
    let checked = |kind: &dyn CheckedKind, objects| {
        CheckedObjects::new(kind, store(kind.api(), objects), unbounded_channel().0, random.clone())
    };
    Ok(Context {
        installation,
        caches: Caches { users, secrets: reflector::store::Writer::default().as_reader() },
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

#[cfg(test)]
mod tests {
    use kube::ResourceExt as _;
    use serde_json::{Value, json};

    use super::*;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    fn key(namespace: &str, name: &str) -> Key {
        Key { namespace: namespace.into(), name: name.into() }
    }

    #[tokio::test]
    async fn a_manifest_of_a_portal_keeps_what_the_cluster_stores_beside_the_spec() {
        let place = place("portals", &key("home", "p"));
        let named = json!({"name": "p", "namespace": "home"});
        let stored = object(json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
            "metadata": {"name": "p", "namespace": "home", "annotations": {"technicaluser.dev/take-over": "abc123"}},
            "spec": {"suspend": true}, "status": {"company": {"bpn": "BPNL000000000ONE"}},
        }));
        let cluster = apiserver::client(Objects::from([(place.clone(), stored)]), None);
        let manifest = object(json!({
            "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal", "metadata": named, "spec": {"suspend": false},
        }));
        let objects = given_objects(Some(&cluster), &[(place.clone(), manifest)]).await.unwrap();
        let portal = &objects[&place];
        assert_eq!(portal.data["spec"]["suspend"], false);
        assert_eq!(portal.data["status"]["company"]["bpn"], "BPNL000000000ONE");
        assert_eq!(portal.annotations().len(), 1);
    }

    #[tokio::test]
    async fn the_portal_of_the_status_and_the_vaults_of_the_outputs_are_read() {
        let stored = |resource: &str, kind: &str, at: &Key| {
            let metadata = json!({"name": at.name, "namespace": at.namespace});
            let object = object(json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": {},
            }));
            (place(resource, at), object)
        };
        let (portal, vault, user) = (key("home", "former"), key("ops", "v"), key("connector", "edc"));
        let cluster = apiserver::client(
            Objects::from([stored("portals", "Portal", &portal), stored("vaults", "Vault", &vault)]),
            None,
        );
        let edc = object(json!({
            "metadata": {"name": "edc", "namespace": "connector"},
            "spec": {
                "portalRef": {"name": "other", "namespace": "home"},
                "outputs": [{"vault": {"vaultRef": {"name": "v", "namespace": "ops"}}}],
            },
            "status": {"portal": {"name": "former", "namespace": "home"}},
        }));
        let users = Objects::from([(place("technicalusers", &user), edc)]);
        let mut objects = Objects::new();
        add_named(Some(&cluster), &mut objects, &users, &[user]).await.unwrap();
        let read: Vec<Place> = objects.into_keys().collect();
        assert_eq!(read, [place("portals", &portal), place("vaults", &vault)]);
    }
}
