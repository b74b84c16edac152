//! What a process starts with: the watches, the queues, and what every reconcile shares.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::PartialObjectMeta;
use kube::runtime::watcher;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::namespaces;
use super::scopes::{dynamic, secrets, watched};
use crate::api::keys;
use crate::config::RunArgs;
use crate::controller::checked::kind::CheckedKind;
use crate::controller::checked::objects::CheckedObjects;
use crate::controller::context::{Caches, Context, Installation};
use crate::controller::namespaces::Namespaces;
use crate::controller::objects::{Key, technical_users};
use crate::controller::portal::connections::Connections;
use crate::controller::portal::kind::PortalKind;
use crate::controller::portal::memory::PortalMemory;
use crate::controller::queue::Watches;
use crate::controller::queue::backoff::{Backoffs, Conflicts};
use crate::controller::secrets_by_owner::SecretsByOwner;
use crate::controller::technical_user::memory::Memory;
use crate::controller::users::Keep;
use crate::controller::vault::kind::VaultKind;
use crate::controller::vault::memory::VaultMemory;
use crate::k8s::events::Events;
use crate::k8s::leader::Leadership;
use crate::k8s::stored::Packer;
use crate::k8s::watch::{self, Refusals};
use crate::metrics::Metrics;
use crate::portal::{Connector, Transports};
use crate::process::Process;

/// How requests reach portals, and other servers.
pub(super) type Ways = (Arc<dyn Connector>, Arc<dyn Transports>);

/// The objects that a queue is requested to reconcile.
pub(super) type Woken = UnboundedReceiver<Key>;

/// What a process starts with.
pub(super) struct Opened {
    /// What every reconcile shares.
    pub ctx: Arc<Context>,
    /// The watches; nothing is read before they are driven.
    pub watches: Watches,
    /// The queue of `TechnicalUser`s.
    pub users: Woken,
    /// The queues of the kinds that the operator checks.
    pub checked: Vec<(&'static dyn CheckedKind, Woken)>,
    /// Whether the labels of namespaces may be watched.
    pub label_refusals: Refusals,
}

/// Opens the watches and the queues.
pub(super) fn open(
    args: &RunArgs,
    client: &Client,
    process: &Process,
    (connector, transports): Ways,
    (installation, leadership): (Installation, Leadership),
    (events, metrics): (Events, Metrics),
) -> Opened {
    let (scopes, random) = (watched(args), &process.random);
    let (refusals, all) = (Refusals::default(), watcher::Config::default());
    let apis = dynamic(client, &scopes, &technical_users());
    let keep = Keep::default();
    let (users, touched_users) =
        watch::cache(apis, &all, &technical_users(), move |object| keep.keep(&object), &refusals, random);
    let open_kind = |kind: &'static dyn CheckedKind| {
        let apis = dynamic(client, &scopes, &kind.api());
        let (cache, touched) = watch::cache(apis, &all, &kind.api(), |object| object, &refusals, random);
        let (queue, woken) = unbounded_channel();
        let objects = CheckedObjects::new(kind, cache, queue, random.clone());
        (objects, (kind, touched.boxed()), (kind, woken))
    };
    let (portals, touched_portals, woken_portals) = open_kind(&PortalKind);
    let (vaults, touched_vaults, woken_vaults) = open_kind(&VaultKind);
    let ours = watcher::Config::default().labels(&format!("{}={}", keys::INSTANCE, installation.instance));
    let packer = Packer::default();
    let keep = move |secret: PartialObjectMeta<Secret>| packer.pack_metadata(secret.metadata);
    let (secrets, touched_secrets) =
        watch::cache(secrets(client, &scopes), &ours, &(), keep, &refusals, random);
    let (seen_namespaces, label_refusals) = namespaces::watch(client, args.installation.scoped_rbac, random);
    let (wake_user, woken_users) = unbounded_channel();
    let ctx = Context {
        process: process.clone(),
        client: client.clone(),
        installation,
        caches: Caches { users, secrets },
        secrets_by_owner: SecretsByOwner::default(),
        portals,
        vaults,
        connections: Connections::new(process.clone()),
        connector,
        memory: Memory::default(),
        portal_memory: PortalMemory::new(random.clone()),
        vault_memory: VaultMemory::new(random.clone()),
        transports,
        watched: scopes,
        namespaces: Namespaces::new(label_refusals.clone()),
        refusals,
        backoffs: Backoffs::new(random.clone()),
        conflicts: Conflicts::new(random.clone()),
        events,
        metrics,
        leadership,
        wake_user,
        listed: CancellationToken::new(),
        creates: TaskTracker::new(),
        stopping: AtomicBool::new(false),
    };
    let watches = Watches {
        users: touched_users.boxed(),
        checked: vec![touched_portals, touched_vaults],
        secrets: touched_secrets.boxed(),
        namespaces: seen_namespaces,
    };
    let checked = vec![woken_portals, woken_vaults];
    Opened { ctx: Arc::new(ctx), watches, users: woken_users, checked, label_refusals }
}
