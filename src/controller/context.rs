//! What every reconcile of this process shares.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kube::Client;
use kube::api::ApiResource;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::controller::checked::objects::CheckedObjects;
use crate::controller::namespaces::Namespaces;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connections;
use crate::controller::portal::memory::PortalMemory;
use crate::controller::queue::backoff::{Backoffs, Conflicts};
use crate::controller::secrets_by_owner::SecretsByOwner;
use crate::controller::technical_user::memory::Memory;
use crate::controller::users::CachedUser;
use crate::controller::vault::memory::VaultMemory;
use crate::domain::digest::DigestKey;
use crate::domain::identity::Hint;
use crate::k8s::events::Events;
use crate::k8s::leader::Leadership;
use crate::k8s::stored::{PackedObject, StoredObject};
use crate::k8s::watch::{Cache, Refusals};
use crate::metrics::{Kind, Metrics};
use crate::portal::Connector;
use crate::process::Process;
use crate::transport::Transports;

/// Which installation this is.
#[derive(Debug, Clone)]
pub struct Installation {
    /// `--instance`.
    pub instance: String,
    /// Which copy of it.
    pub hint: Hint,
    /// The key for digests.
    pub digest_key: DigestKey,
    /// Labels of everything that it creates in the cluster, Events aside.
    pub labels: BTreeMap<String, String>,
}

/// The caches that the watches fill.
#[derive(Clone)]
pub struct Caches {
    /// The `TechnicalUser`s.
    pub users: Cache<CachedUser>,
    /// Metadata of the Secrets that bear our label.
    pub secrets: Cache<PackedObject>,
}

/// What every reconcile shares.
pub struct Context {
    /// Clock, randomness and tasks.
    pub process: Process,
    /// The apiserver.
    pub client: Client,
    /// Which installation this is.
    pub installation: Installation,
    /// What the watches saw.
    pub caches: Caches,
    /// The Secrets of that watch, by the `TechnicalUser` that they name.
    pub secrets_by_owner: SecretsByOwner,
    /// The `Portal`s.
    pub portals: CheckedObjects,
    /// The `Vault`s.
    pub vaults: CheckedObjects,
    /// The Portals' connections.
    pub connections: Connections,
    /// Opens connections.
    pub connector: Arc<dyn Connector>,
    /// What this process remembers of each `TechnicalUser`.
    pub memory: Memory,
    /// What this process remembers of each `Portal`.
    pub portal_memory: PortalMemory,
    /// What this process remembers of each `Vault`.
    pub vault_memory: VaultMemory,
    /// How requests reach Vaults.
    pub transports: Arc<dyn Transports>,
    /// The namespaces that are watched; a single `None` for all.
    pub watched: Vec<Option<String>>,
    /// The labels of namespaces.
    pub namespaces: Namespaces,
    /// What of the watched namespaces may not be watched at the moment. From the absence of an object there nothing follows.
    pub refusals: Refusals,
    /// Failures in a row, per `TechnicalUser`.
    pub backoffs: Backoffs<Key>,
    /// Conflicts in a row, per `TechnicalUser`.
    pub conflicts: Conflicts<Key>,
    /// Events.
    pub events: Events,
    /// Metrics.
    pub metrics: Metrics,
    /// Whether this process is the active one.
    pub leadership: Leadership,
    /// Requests a reconcile of a `TechnicalUser`.
    pub wake_user: UnboundedSender<Key>,
    /// Cancelled once everything that is watched was listed.
    pub listed: CancellationToken,
    /// Creates that no deadline cancels; a graceful stop waits for them.
    pub creates: TaskTracker,
    /// No new create is started any more.
    pub stopping: AtomicBool,
}

impl Caches {
    /// All `TechnicalUser`s, in the order of their keys, each opened when its turn comes.
    pub fn all_users(&self) -> impl Iterator<Item = StoredObject> + use<> {
        self.users.all().into_iter().map(|user| user.open())
    }
}

impl Context {
    /// Whether this process may write: it was not asked to stop, and holds the lease where there is one.
    #[must_use]
    pub fn may_write(&self) -> bool {
        self.leadership.is_leader()
    }

    /// Whether a create may be started.
    #[must_use]
    pub fn may_create(&self) -> bool {
        self.may_write() && !self.stopping.load(Ordering::SeqCst)
    }

    /// A `TechnicalUser` as last seen by the watch.
    #[must_use]
    pub fn cached_user(&self, key: &Key) -> Option<StoredObject> {
        self.caches.users.get(&key.namespace, &key.name).map(|user| user.open())
    }

    /// Forgets what this process remembers of a `TechnicalUser` that is gone. A reconcile or an attempt that ends after the watch has
    /// shown the deletion may have left something behind.
    pub fn forget_user(&self, key: &Key) {
        self.memory.forget(key);
        self.backoffs.forget(key);
        self.conflicts.forget(key);
        self.count_backoffs();
    }

    /// Whether the watch shows a Secret of ours.
    #[must_use]
    pub fn has_secret(&self, key: &Key) -> bool {
        self.caches.secrets.has(&key.namespace, &key.name)
    }

    /// Whether objects of this kind may exist in this namespace that this process cannot list.
    #[must_use]
    pub fn hides(&self, kind: &ApiResource, namespace: &str) -> bool {
        self.refusals.hide(&resource(kind), namespace)
    }

    /// A namespace in which objects of this kind may exist that this process cannot list.
    #[must_use]
    pub fn hidden_in(&self, kind: &ApiResource) -> Option<String> {
        self.refusals.anywhere(&resource(kind))
    }

    /// The kinds that the operator checks.
    #[must_use]
    pub fn checked(&self) -> [&CheckedObjects; 2] {
        [&self.portals, &self.vaults]
    }

    /// Counts the objects that wait after an error, for the metrics.
    pub fn count_backoffs(&self) {
        let users = self.backoffs.waiting() + self.conflicts.waiting();
        self.metrics.objects_in_backoff(Kind::TechnicalUser, users);
        for objects in self.checked() {
            self.metrics.objects_in_backoff(objects.label, objects.backoffs.waiting());
        }
    }

    /// Queues a `TechnicalUser`.
    pub fn wake(&self, key: &Key) {
        // Without a receiver the process is on its way out.
        let _ = self.wake_user.send(key.clone());
    }
}

fn resource(kind: &ApiResource) -> String {
    format!("{}.{}", kind.plural, kind.group)
}
