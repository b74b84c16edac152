//! What distinguishes the kinds that the operator checks: a Portal and a Vault. Their way from an event to the status is the same.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kube::api::ApiResource;
use serde_json::Value;

use super::failure::ReconcileFailure;
use super::objects::CheckedObjects;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::domain::blocker::Blocker;
use crate::k8s::stored::StoredObject;
use crate::metrics::Kind;

/// A kind whose objects are checked periodically. Each has an implementation in its folder, and `app` names it.
#[async_trait]
pub trait CheckedKind: Send + Sync {
    /// Its API resource.
    fn api(&self) -> ApiResource;

    /// Its label in metrics.
    fn label(&self) -> Kind;

    /// The name of the task that reconciles its objects, such as "queue of Portals".
    fn queue_name(&self) -> &'static str;

    /// How many objects are reconciled at the same time.
    fn workers(&self) -> u16;

    /// Its objects.
    fn objects<'a>(&self, ctx: &'a Context) -> &'a CheckedObjects;

    /// What of an object a check depends on. Our own writes of the status are no part of it.
    fn inputs(&self, object: &StoredObject) -> String;

    /// What of the status of an object concerns the `TechnicalUser`s that use it, and does not wake them anyway. Nothing by default.
    fn concerns_users(&self, _: &StoredObject) -> Option<Value> {
        None
    }

    /// Checks an object and writes its status: when the next check is due, and whether anything changed. `kept_because` is why
    /// an object under deletion is kept.
    async fn check(
        &self,
        ctx: &Arc<Context>,
        key: &Key,
        object: &StoredObject,
        kept_because: Option<&Blocker>,
    ) -> Result<(Duration, bool), KubeError>;

    /// Prepares the removal of the finalizer from an object under deletion: why it is kept; `None` if nothing needs it any more.
    async fn release(
        &self,
        ctx: &Arc<Context>,
        key: &Key,
        object: &StoredObject,
    ) -> Result<Option<Kept>, KubeError>;

    /// Requests a reconcile of each `TechnicalUser` that uses an object.
    fn wake_users(&self, ctx: &Context, key: &Key);

    /// Removes what the process remembers of an object that does not exist any more, besides what [`CheckedObjects`] has.
    fn forget(&self, ctx: &Context, key: &Key);

    /// Logs a reconcile that failed.
    fn log_failure(&self, key: &Key, failure: &ReconcileFailure);
}

/// An object under deletion is kept.
pub struct Kept {
    /// For this reason.
    pub why: Blocker,
    /// When it is due again.
    pub next: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::portal::kind::PortalKind;
    use crate::controller::vault::kind::VaultKind;

    #[test]
    fn each_kind_has_workers_and_names_of_its_own() {
        let kinds: [&dyn CheckedKind; 2] = [&PortalKind, &VaultKind];
        assert!(kinds.iter().all(|kind| kind.workers() > 0));
        let [portal, vault] = kinds;
        assert_ne!(portal.label(), vault.label());
        assert_ne!(portal.queue_name(), vault.queue_name());
        assert_ne!(portal.api().plural, vault.api().plural);
    }
}
