//! The labels of namespaces, for the selectors of a Portal's `access`: watched where that is allowed, else read when they
//! are needed.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, PartialObjectMeta};
use kube::{Client, ResourceExt as _};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::controller::kube_error::KubeError;
use crate::k8s::watch::{Refusals, Touched};

/// Labels of a namespace.
pub type Labels = BTreeMap<String, String>;

/// How long labels are used that were read because no watch shows them.
const READ_HOLDS: Duration = Duration::from_secs(30);

/// What is known of the cluster's namespaces.
#[derive(Debug, Default)]
pub struct Namespaces {
    /// What the watch shows.
    seen: Mutex<BTreeMap<String, Seen>>,
    /// Why they may not be watched, where that is so.
    refusals: Refusals,
    read: Mutex<BTreeMap<String, (Instant, Labels)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    labels: Labels,
    ending: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

impl Namespaces {
    /// Nothing is known yet. `refusals` are those of the watch of namespaces alone.
    #[must_use]
    pub fn new(refusals: Refusals) -> Self {
        Self { refusals, ..Self::default() }
    }

    /// Takes over what the watch shows of one namespace; whether its labels changed.
    pub fn saw(&self, touched: &Touched<PartialObjectMeta<Namespace>>) -> bool {
        let (name, metadata) = (touched.object.name_any(), &touched.object.metadata);
        let mut seen = lock(&self.seen);
        if touched.deleted {
            return seen.remove(&name).is_some();
        }
        let now = Seen {
            labels: metadata.labels.clone().unwrap_or_default(),
            ending: metadata.deletion_timestamp.is_some(),
        };
        let before = seen.insert(name, now.clone());
        before.is_none_or(|before| before.labels != now.labels)
    }

    /// Whether a namespace is seen to be under deletion: nothing can be created in it any more.
    #[must_use]
    pub fn is_ending(&self, namespace: &str) -> bool {
        lock(&self.seen).get(namespace).is_some_and(|seen| seen.ending)
    }

    /// The labels of a namespace; none where it does not exist.
    ///
    /// # Errors
    /// The watch does not show them, and they cannot be read either.
    pub async fn labels(&self, client: &Client, namespace: &str) -> Result<Labels, KubeError> {
        if let Some(labels) = self.watched(namespace).or_else(|| self.read_before(namespace)) {
            return Ok(labels);
        }
        let found = Api::<Namespace>::all(client.clone()).get_metadata_opt(namespace).await?;
        let labels = found.and_then(|namespace| namespace.metadata.labels).unwrap_or_default();
        let mut read = lock(&self.read);
        read.retain(|_, (at, _)| at.elapsed() < READ_HOLDS);
        read.insert(namespace.to_owned(), (Instant::now(), labels.clone()));
        Ok(labels)
    }

    /// Whether the labels of a namespace are known without asking the apiserver.
    #[must_use]
    pub fn knows(&self, namespace: &str) -> bool {
        self.watched(namespace).or_else(|| self.read_before(namespace)).is_some()
    }

    /// A namespace that the watch does not show (yet) may be there all the same.
    fn watched(&self, namespace: &str) -> Option<Labels> {
        if self.refusals.any() {
            return None;
        }
        lock(&self.seen).get(namespace).map(|seen| seen.labels.clone())
    }

    fn read_before(&self, namespace: &str) -> Option<Labels> {
        let read = lock(&self.read);
        let (at, labels) = read.get(namespace)?;
        (at.elapsed() < READ_HOLDS).then(|| labels.clone())
    }
}

#[cfg(test)]
mod tests;
