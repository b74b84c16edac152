//! The three queues: what the watches report, what sweeps and finished creates request, and the timers.

pub mod backoff;
pub mod dispatcher;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt as _, Stream, StreamExt as _};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DynamicObject, PartialObjectMeta};
use kube::{Resource as _, ResourceExt as _};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use self::dispatcher::{Action, Work};
use crate::api::{GROUP, TechnicalUser, keys};
use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting};
use crate::controller::{portal, technical_user, vault};
use crate::domain::identity::Owner;
use crate::k8s::watch::Touched;

/// What the watches deliver.
pub struct Watches<U, P, V, S, N> {
    /// `TechnicalUser`s.
    pub users: U,
    /// `Portal`s.
    pub portals: P,
    /// `Vault`s.
    pub vaults: V,
    /// Metadata of our Secrets.
    pub secrets: S,
    /// Metadata of all namespaces, where they may be watched.
    pub namespaces: N,
}

/// Drives the watches: fills the caches and wakes the objects that a change concerns. Ends with `stop`.
pub async fn watch<U, P, V, S, N>(ctx: Arc<Context>, watches: Watches<U, P, V, S, N>, stop: CancellationToken)
where
    U: Stream<Item = Touched<DynamicObject>>,
    P: Stream<Item = Touched<DynamicObject>>,
    V: Stream<Item = Touched<DynamicObject>>,
    S: Stream<Item = Touched<PartialObjectMeta<Secret>>>,
    N: Stream<Item = Touched<PartialObjectMeta<Namespace>>>,
{
    let users = watches.users.for_each(|touched| {
        let key = Key::of(&touched.object);
        if touched.deleted {
            ctx.memory.forget(&key);
            technical_user::pass_turn_on(&ctx, &key);
            ctx.backoffs.forget(&key);
            ctx.conflicts.forget(&key);
            ctx.count_backoffs();
        } else {
            ctx.wake(&key);
        }
        std::future::ready(())
    });
    let mut seen: BTreeMap<Key, OfUsers> = BTreeMap::new();
    let portals = watches.portals.for_each(|touched| {
        let key = Key::of(&touched.object);
        if touched.deleted {
            seen.remove(&key);
            portal::gone(&ctx, &key);
        } else {
            // Not `wake_portal`, which hurries: most changes are our own writes of its status.
            let _ = ctx.wake_portal.send(key.clone());
            let new = OfUsers::of(&touched.object);
            if seen.get(&key) != Some(&new) {
                seen.insert(key.clone(), new);
                portal::wake_all(&ctx, &key);
            }
        }
        std::future::ready(())
    });
    let mut seen_vaults: BTreeMap<Key, OfUsers> = BTreeMap::new();
    let vaults = watches.vaults.for_each(|touched| {
        let key = Key::of(&touched.object);
        if touched.deleted {
            seen_vaults.remove(&key);
            vault::gone(&ctx, &key);
        } else {
            let _ = ctx.wake_vault.send(key.clone());
            let new = OfUsers::of(&touched.object);
            if seen_vaults.get(&key) != Some(&new) {
                seen_vaults.insert(key.clone(), new);
                vault::wake_all(&ctx, &key);
            }
        }
        std::future::ready(())
    });
    let secrets = watches.secrets.for_each(|touched| {
        if let Some(key) = owner_of(&touched.object, &ctx.installation.instance) {
            ctx.wake(&key);
        }
        std::future::ready(())
    });
    let namespaces = watches.namespaces.for_each(|touched| {
        if ctx.namespaces.saw(&touched) {
            let name = &touched.reference.name;
            let users = ctx.caches.all_users();
            for user in users.iter().filter(|user| user.metadata.namespace.as_ref() == Some(name)) {
                ctx.wake(&Key::of(user));
            }
        }
        std::future::ready(())
    });
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        _ = async { tokio::join!(users, portals, vaults, secrets, namespaces) } => {}
    }
}

/// What of a Portal or a Vault concerns the `TechnicalUser`s that use it. Of its status only the values of the data space do: the outcome
/// of a check of the portal wakes them anyway.
#[derive(PartialEq, Eq)]
struct OfUsers {
    uid: Option<String>,
    generation: Option<i64>,
    deleting: bool,
    annotations: Vec<(String, String)>,
    dataspace: Option<Value>,
}

impl OfUsers {
    fn of(portal: &DynamicObject) -> Self {
        let ours = |(key, _): &(&String, &String)| key.starts_with(GROUP);
        Self {
            uid: portal.metadata.uid.clone(),
            generation: portal.metadata.generation,
            deleting: is_deleting(portal),
            annotations: portal
                .annotations()
                .iter()
                .filter(ours)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            dataspace: portal.data.pointer("/status/dataspace").cloned(),
        }
    }
}

/// For which of our resources a Secret was written: by its mark, or by its ownerReference where the mark was removed.
fn owner_of(secret: &PartialObjectMeta<Secret>, instance: &str) -> Option<Key> {
    let namespace = secret.metadata.namespace.clone()?;
    let mark = secret.metadata.annotations.as_ref().and_then(|annotations| annotations.get(keys::OWNER));
    if let Some(owner) = mark.and_then(|mark| Owner::parse(mark)) {
        let here = owner.instance == instance && owner.namespace == namespace;
        return here.then_some(Key { namespace, name: owner.name });
    }
    let kind = TechnicalUser::kind(&());
    let owner = secret.metadata.owner_references.iter().flatten().find(|owner| owner.kind == kind)?;
    Some(Key { namespace, name: owner.name.clone() })
}

/// Reconciles `TechnicalUser`s until `stop`, then waits for the reconciles in progress. At most half of the workers serve
/// one Portal.
pub async fn technical_users_until(
    ctx: Arc<Context>,
    wakes: UnboundedReceiver<Key>,
    workers: u16,
    stop: CancellationToken,
) {
    if listed(&ctx, &stop).await {
        dispatcher::run(Arc::new(Users(ctx)), wakes, workers, stop).await;
    }
}

/// Reconciles `Portal`s until `stop`, then waits for the reconciles in progress.
pub async fn portals_until(
    ctx: Arc<Context>,
    wakes: UnboundedReceiver<Key>,
    workers: u16,
    stop: CancellationToken,
) {
    if listed(&ctx, &stop).await {
        dispatcher::run(Arc::new(Portals(ctx)), wakes, workers, stop).await;
    }
}

/// Reconciles `Vault`s until `stop`, then waits for the reconciles in progress.
pub async fn vaults_until(
    ctx: Arc<Context>,
    wakes: UnboundedReceiver<Key>,
    workers: u16,
    stop: CancellationToken,
) {
    if listed(&ctx, &stop).await {
        dispatcher::run(Arc::new(Vaults(ctx)), wakes, workers, stop).await;
    }
}

/// Waits until everything was listed: a Portal that was not listed yet is not one that is missing. False at a stop.
async fn listed(ctx: &Context, stop: &CancellationToken) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = ctx.listed.cancelled() => true,
    }
}

/// The reconciles of `TechnicalUser`s. Their lane is their Portal; those whose Portal does not exist share one, so that
/// invented names get no workers of their own.
struct Users(Arc<Context>);

impl Work for Users {
    type Key = Key;
    type Lane = Option<Key>;

    fn lane(&self, key: &Key) -> Option<Self::Lane> {
        let Some(object) = self.0.cached_user(key) else {
            // A reconcile that ended after the watch had shown the deletion may have left an entry behind.
            self.0.backoffs.forget(key);
            self.0.conflicts.forget(key);
            self.0.count_backoffs();
            return None;
        };
        Some(portal_ref(&object).filter(|portal| self.0.cached_portal(portal).is_some()))
    }

    async fn reconcile(&self, key: Key) -> Action {
        let Some(object) = self.0.cached_user(&key) else { return Action::await_change() };
        let reconcile = technical_user::reconcile(object, Arc::clone(&self.0));
        match AssertUnwindSafe(reconcile).catch_unwind().await {
            Ok(action) => action,
            Err(_) => technical_user::panicked(&self.0, &key).await,
        }
    }
}

/// The reconciles of `Portal`s, each its own lane.
struct Portals(Arc<Context>);

impl Work for Portals {
    type Key = Key;
    type Lane = Key;

    fn lane(&self, key: &Key) -> Option<Key> {
        if self.0.cached_portal(key).is_none() {
            self.0.portal_backoffs.forget(key);
            self.0.portal_memory.forget(key);
            self.0.count_backoffs();
            return None;
        }
        Some(key.clone())
    }

    async fn reconcile(&self, key: Key) -> Action {
        let Some(object) = self.0.cached_portal(&key) else { return Action::await_change() };
        let reconcile = portal::reconcile(object, Arc::clone(&self.0));
        match AssertUnwindSafe(reconcile).catch_unwind().await {
            Ok(action) => action,
            Err(_) => portal::panicked(&self.0, &key).await,
        }
    }
}

/// The reconciles of `Vault`s, each its own lane.
struct Vaults(Arc<Context>);

impl Work for Vaults {
    type Key = Key;
    type Lane = Key;

    fn lane(&self, key: &Key) -> Option<Key> {
        if self.0.cached_vault(key).is_none() {
            // A reconcile that ended after the watch had shown the deletion may have left an entry behind.
            vault::gone(&self.0, key);
            return None;
        }
        Some(key.clone())
    }

    async fn reconcile(&self, key: Key) -> Action {
        let Some(object) = self.0.cached_vault(&key) else { return Action::await_change() };
        let reconcile = vault::reconcile(object, Arc::clone(&self.0));
        match AssertUnwindSafe(reconcile).catch_unwind().await {
            Ok(action) => action,
            Err(_) => vault::panicked(&self.0, &key).await,
        }
    }
}

/// The Portal that a `TechnicalUser` names.
fn portal_ref(object: &DynamicObject) -> Option<Key> {
    let reference = object.data.get("spec")?.get("portalRef")?;
    let text = |field: &str| reference.get(field).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(Key { namespace: text("namespace").or_else(|| object.namespace())?, name: text("name")? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_write_of_a_portals_status_concerns_none_of_its_users() {
        let portal = |patch: serde_json::Value| {
            let mut object = json!({
                "apiVersion": "technicaluser.dev/v1alpha1", "kind": "Portal",
                "metadata": {"name": "p", "namespace": "n", "uid": "1", "generation": 1, "resourceVersion": "1"},
            });
            json_patch(&mut object, &patch);
            OfUsers::of(&serde_json::from_value(object).unwrap())
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
