//! The queue of one kind that the operator checks: what its watch reports, and its reconciles.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt as _, Stream, StreamExt as _};
use kube::ResourceExt as _;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::dispatcher::{self, Action, Work};
use super::listed;
use crate::api::GROUP;
use crate::controller::checked::kind::CheckedKind;
use crate::controller::checked::reconcile::{forget, gone, panicked, reconcile};
use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting};
use crate::k8s::stored::StoredObject;
use crate::k8s::watch::Touched;

/// Drives the watch of one kind: wakes its objects, and the `TechnicalUser`s that a change concerns.
pub(super) async fn watch(
    ctx: &Context,
    kind: &dyn CheckedKind,
    events: impl Stream<Item = Touched<StoredObject>>,
) {
    let mut seen: BTreeMap<Key, OfUsers> = BTreeMap::new();
    let each = events.for_each(|touched| {
        let key = Key::of(&touched.object);
        if touched.deleted {
            seen.remove(&key);
            gone(kind, ctx, &key);
        } else {
            // Not `check_soon`: most changes are our own writes of its status.
            kind.objects(ctx).wake(&key);
            let new = OfUsers::of(kind, &touched.object);
            if seen.get(&key) != Some(&new) {
                seen.insert(key.clone(), new);
                kind.wake_users(ctx, &key);
            }
        }
        std::future::ready(())
    });
    each.await;
}

/// Reconciles the objects of one kind until `stop`, then waits for the reconciles in progress.
pub async fn checked_until(
    ctx: Arc<Context>,
    kind: &'static dyn CheckedKind,
    wakes: UnboundedReceiver<Key>,
    stop: CancellationToken,
) {
    if listed(&ctx, &stop).await {
        dispatcher::run(Arc::new(Checked { ctx, kind }), wakes, kind.workers(), stop).await;
    }
}

/// The reconciles of one kind, each object its own lane.
struct Checked {
    ctx: Arc<Context>,
    kind: &'static dyn CheckedKind,
}

impl Work for Checked {
    type Key = Key;
    type Lane = Key;

    fn lane(&self, key: &Key) -> Option<Key> {
        if self.kind.objects(&self.ctx).get(key).is_none() {
            // A reconcile that ended after the watch had shown the deletion may have left an entry behind.
            forget(self.kind, &self.ctx, key);
            return None;
        }
        Some(key.clone())
    }

    async fn reconcile(&self, key: Key) -> Action {
        let Some(object) = self.kind.objects(&self.ctx).get(&key) else { return Action::await_change() };
        let reconcile = self.ctx.process.tasks.pausable(reconcile(self.kind, &self.ctx, &object));
        match AssertUnwindSafe(reconcile).catch_unwind().await {
            Ok(action) => action,
            Err(_) => panicked(self.kind, &self.ctx, &key).await,
        }
    }
}

/// What of an object concerns the `TechnicalUser`s that use it.
#[derive(PartialEq, Eq)]
struct OfUsers {
    uid: Option<String>,
    generation: Option<i64>,
    deleting: bool,
    annotations: Vec<(String, String)>,
    status: Option<Value>,
}

impl OfUsers {
    fn of(kind: &dyn CheckedKind, object: &StoredObject) -> Self {
        let ours = |(key, _): &(&String, &String)| key.starts_with(GROUP);
        Self {
            uid: object.metadata.uid.clone(),
            generation: object.metadata.generation,
            deleting: is_deleting(object),
            annotations: object
                .annotations()
                .iter()
                .filter(ours)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            status: kind.concerns_users(object),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::portal::kind::PortalKind;

    #[test]
    fn a_write_of_a_portals_status_concerns_none_of_its_users() {
        let portal = |patch: serde_json::Value| {
            let mut object = json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
                "metadata": {"name": "p", "namespace": "n", "uid": "1", "generation": 1, "resourceVersion": "1"},
            });
            json_patch(&mut object, &patch);
            OfUsers::of(&PortalKind, &serde_json::from_value(object).unwrap())
        };
        let before = portal(json!({}));
        let status = json!({"metadata": {"resourceVersion": "2"}, "status": {"retained": [{"id": "x"}]}});
        assert!(before == portal(status));
        assert!(before == portal(json!({"metadata": {"annotations": {"example.org/note": "x"}}})));
        for change in [
            json!({"metadata": {"generation": 2}}),
            json!({"metadata": {"uid": "2"}}),
            json!({"metadata": {"deletionTimestamp": "2026-11-26T12:00:00Z"}}),
            json!({"metadata": {"annotations": {"technicaluser.dev/take-over": "abc"}}}),
        ] {
            assert!(before != portal(change.clone()), "{change}");
        }
    }

    fn json_patch(target: &mut serde_json::Value, patch: &serde_json::Value) {
        match (target.as_object_mut(), patch.as_object()) {
            (Some(target), Some(patch)) => {
                for (key, value) in patch {
                    json_patch(target.entry(key).or_insert(json!({})), value);
                }
            }
            _ => patch.clone_into(target),
        }
    }
}
