//! The objects of one kind that the operator checks, as this process sees and handles them.

use std::sync::Arc;

use kube::api::ApiResource;
use tokio::sync::mpsc::UnboundedSender;

use super::kind::CheckedKind;
use super::schedule::Checks;
use crate::controller::objects::Key;
use crate::controller::queue::backoff::Backoffs;
use crate::controller::status::since::SinceOf;
use crate::k8s::stored::StoredObject;
use crate::k8s::watch::Cache;
use crate::metrics::Kind;
use crate::process::Random;

/// The cache, the queue and the failures of one kind.
pub struct CheckedObjects {
    /// Its API resource.
    pub api: ApiResource,
    /// Its label in metrics.
    pub label: Kind,
    /// The objects as the watch last showed them.
    pub cache: Cache<StoredObject>,
    /// When they are checked.
    pub checks: Checks,
    /// Failures in a row.
    pub backoffs: Backoffs<Key>,
    /// Since when the reconciles of an object fail in the same way.
    pub failing: SinceOf<Key>,
    /// The queue.
    queue: UnboundedSender<Key>,
}

impl CheckedObjects {
    /// Nothing is remembered yet.
    #[must_use]
    pub fn new(
        kind: &dyn CheckedKind,
        cache: Cache<StoredObject>,
        queue: UnboundedSender<Key>,
        random: Random,
    ) -> Self {
        Self {
            api: kind.api(),
            label: kind.label(),
            cache,
            checks: Checks::default(),
            backoffs: Backoffs::new(random),
            failing: SinceOf::default(),
            queue,
        }
    }

    /// An object as the watch last showed it.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<StoredObject>> {
        self.cache.get(&key.namespace, &key.name)
    }

    /// All objects, in the order of their keys.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<StoredObject>> {
        self.cache.all()
    }

    /// Queues an object. It is checked only if a check is due.
    pub fn wake(&self, key: &Key) {
        // Without a receiver the process is on its way out.
        let _ = self.queue.send(key.clone());
    }

    /// Has an object checked soon.
    pub fn check_soon(&self, key: &Key) {
        self.checks.hurry(key);
        self.wake(key);
    }

    /// Forgets an object that does not exist any more.
    pub fn forget(&self, key: &Key) {
        self.checks.forget(key);
        self.backoffs.forget(key);
        self.failing.forget(key);
    }
}
