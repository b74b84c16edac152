//! What is known of a `TechnicalUser` at the start of a reconcile: caches, the Portal's connection, the Secret's metadata.

mod desired;
mod inventory;
mod known;
mod outputs;
mod portal;
mod recorded;
mod reported;
mod restart;
mod retiring;
mod rotation;
mod timers;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::failure::Failure;
use super::memory::UserMemory;
use super::outputs::{Around, Resource, Stores};
use super::reconcile::{Reconcile, Written};
use super::refusal::RefusalFingerprint;
use crate::api::keys;
use crate::api::technical_user::{TechnicalUserSpec, TechnicalUserStatus};
use crate::controller::context::Context;
use crate::controller::objects::{Key, annotation, has_finalizer, is_deleting, lenient};
use crate::controller::status::grace;
use crate::domain::access::Grants;
use crate::domain::blocker::Blocker;
use crate::domain::grace::Waiting;
use crate::domain::identity::Owner;
use crate::domain::plan::{Observation, Restarts, Rotation, Searched, Selection, Users};
use crate::k8s::stored::StoredObject;

use desired::desired;
pub(super) use inventory::named;
use inventory::see_inventory;
use known::known;
use outputs::observe_outputs;
use portal::{audited, connection, facts};
pub(in crate::controller) use portal::{every_login_is_known, grants, taken_over};
use recorded::open_attempt;
pub(super) use recorded::recorded;
pub use reported::is_ready;
use reported::{is_observed, is_reported, reported_reason};
use restart::see_restarts;
pub(super) use restart::{changed_at, generation, has_time};
pub(super) use retiring::overlap;
use rotation::see_rotation;
pub(super) use rotation::{handled, reset, rotate_at};
use timers::{pending_for, timers, verification_interval};

/// Begins a reconcile.
pub async fn observe(
    ctx: &Arc<Context>,
    object: StoredObject,
    spec: TechnicalUserSpec,
) -> Result<Reconcile, Failure> {
    let key = Key::of(&object);
    let now = ctx.process.clock.now();
    let status: TechnicalUserStatus = lenient(&object, "status");
    let portal_key = portal_key(&spec, &key);
    let portal_object = ctx.portals.get(&portal_key);
    let parsed = portal_object.as_ref().map(|object| ctx.portal_memory.parsed.get(&portal_key, object));
    let portal_spec = parsed.as_ref().and_then(|parsed| parsed.spec.as_ref());
    let connecting = portal_object.is_some() && ctx.connections.get(&portal_key).is_none();
    // What deletes a user needs no grant, and must not wait for the labels of its namespace.
    let without_wait = !is_deleting(&object) || ctx.namespaces.knows(&key.namespace);
    let granted = match portal_spec {
        Some(spec) if without_wait => grants(ctx, spec, &portal_key, &key.namespace).await?,
        _ => Grants::default(),
    };
    let discloses = portal_key.namespace == key.namespace || !granted.0.is_empty();
    let grants = if is_deleting(&object) { Grants::default() } else { granted };
    let (connection, usable) =
        connection(ctx, &portal_key, portal_object.as_deref(), is_deleting(&object), discloses);
    let usable = usable.and_then(|()| logins_are_known(ctx, &spec, &status));
    let portal = (&portal_key, portal_object.as_deref(), portal_spec);
    let facts = facts(ctx, portal, connection.as_ref(), usable, (grants, discloses));
    let fingerprint = RefusalFingerprint::of(&object, portal_object.as_deref(), facts.as_ref().ok());
    let verification_interval = verification_interval(portal_spec);
    let taken_over = portal_object.as_deref().map(taken_over).unwrap_or_default();
    let stores = Stores::of(ctx, &object, &spec, &status).await?;
    let around = Around { stores, verification_interval, taken_over };
    let (owner, desired) = (owner(ctx, &key), desired(&spec));
    let recorded =
        recorded(ctx, &owner, (&status, object.metadata.generation), &desired, connection.as_ref());
    let attempt =
        ctx.memory.change(&key, |user| open_attempt(&mut user.attempts, &object, &recorded, fingerprint));
    let pending_for = pending_for(&status, now);
    let observation = Observation {
        hint: ctx.installation.hint.clone(),
        desired,
        deleting: is_deleting(&object),
        suspended: spec.is_suspended(),
        protected: is_protected(&object),
        released: annotation(&object, keys::RELEASE).is_some(),
        rotation: Rotation::default(),
        finalizer: has_finalizer(&object),
        live: false,
        spec_observed: is_observed(&spec, &status, &object),
        was_ready: is_ready(&status),
        reported: is_reported(&status, &object),
        reported_reason: reported_reason(&status, object.metadata.generation),
        attempt,
        refusal: ctx.memory.with(&key, |user| user.attempts.refusal(fingerprint)),
        connecting,
        portal: facts,
        users: Users::default(),
        searched: Searched::No,
        selection: Selection::Unread,
        name_doubted: false,
        outputs: Vec::new(),
        to_remove: Vec::new(),
        restarts: Restarts::default(),
        users_done: ctx.memory.with(&key, |user| user.removals.users_done(object.metadata.uid.as_ref())),
        published_proof: None,
        timers: timers(ctx, &key, verification_interval, pending_for),
        roles_doubted: ctx.memory.with(&key, |user| user.roles.are_doubted()),
        waiting: waiting(ctx, &object, &status, now),
        pending_for,
        client_missing_for_good: ctx.memory.is_client_missing_for_good(&key),
        recorded,
        owner,
    };
    let known = known(&observation, parsed.as_deref());
    let resource = Resource::of(ctx, &object, &status, &observation.owner, known.as_ref(), around);
    let mut reconcile = Reconcile {
        connection: connection.map(|connection| audited(connection, &key, &status)),
        ctx: Arc::clone(ctx),
        key,
        object,
        spec,
        status,
        portal_key,
        discloses,
        portal: portal_object,
        observation,
        details: BTreeMap::new(),
        known,
        resource,
        outputs: Vec::new(),
        written: Written::default(),
        removed: BTreeSet::new(),
        failed: None,
        workloads: BTreeMap::new(),
        places: Vec::new(),
        planned: Some(Vec::new()),
        fingerprint,
        verification_interval,
        now,
    };
    see_rotation(&mut reconcile);
    see_inventory(&mut reconcile, parsed.as_ref().map(|parsed| &parsed.status));
    observe_outputs(&mut reconcile).await?;
    see_restarts(&mut reconcile);
    Ok(reconcile)
}

/// Whether an annotation prevents the deletion. A value that is misspelled loses no user.
fn is_protected(object: &StoredObject) -> bool {
    annotation(object, keys::PREVENT_DELETION).is_some_and(|value| value != keys::NOT_PREVENTED)
}

/// Which object that may still appear the resource has waited for.
fn waiting(ctx: &Context, object: &StoredObject, status: &TechnicalUserStatus, now: Timestamp) -> Waiting {
    let known = |user: &UserMemory| grace::waiting(&user.waiting, &object.metadata, &status.conditions, now);
    ctx.memory.with(&Key::of(object), known)
}

/// Of a user that the operator did not create, it has to be known that it is no login of the operator: before each reconcile of an
/// existing user, and before a user is taken over.
fn logins_are_known(
    ctx: &Context,
    spec: &TechnicalUserSpec,
    status: &TechnicalUserStatus,
) -> Result<(), Blocker> {
    let adopts = || spec.user.create.as_ref().is_some_and(|create| create.adopt.is_some());
    let is_of_others = spec.user.existing.is_some() || status.user.is_none() && adopts();
    if is_of_others { every_login_is_known(ctx) } else { Ok(()) }
}

/// Which Portal a resource names.
fn portal_key(spec: &TechnicalUserSpec, key: &Key) -> Key {
    Key {
        namespace: spec.portal_ref.namespace.clone().unwrap_or_else(|| key.namespace.clone()),
        name: spec.portal_ref.name.clone(),
    }
}

/// Which resource of which installation.
#[must_use]
pub fn owner(ctx: &Context, key: &Key) -> Owner {
    Owner {
        instance: ctx.installation.instance.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::status::remember_wait;
    use crate::controller::technical_user::test_support::Scene;
    use crate::domain::plan::{Report, Settled, Step, plan};

    /// The end of a reconcile of a resource whose Portal is missing.
    fn end(reconcile: &Reconcile) -> (Settled, bool) {
        let Step::Settled(settled) = plan(&reconcile.observation) else { panic!("there is no Portal") };
        let Report::Blocked { blocker, .. } = &settled.report else { panic!("{:?}", settled.report) };
        let is_stalled = blocker.stalled;
        (settled, is_stalled)
    }

    #[tokio::test]
    async fn a_resource_whose_portal_is_missing_is_stalled_after_the_grace_period() {
        for (minutes, stalled) in [(1, false), (3, true)] {
            let since = Timestamp::now() - Duration::from_mins(minutes);
            let ready = json!({
                "type": "Ready", "status": "False", "reason": "PortalNotFound", "message": "",
                "lastTransitionTime": since,
            });
            let scene = Scene::without_portal(&json!({"status": {"conditions": [ready]}}));
            let reconcile = scene.observed().await;
            assert_eq!(end(&reconcile).1, stalled, "{minutes} minutes by the status");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_times_the_wait_for_a_portal_by_its_own_clock() {
        let scene = Scene::without_portal(&json!({}));
        for (seconds, stalled) in [(0, false), (119, false), (1, true)] {
            tokio::time::advance(Duration::from_secs(seconds)).await;
            let reconcile = scene.observed().await;
            let (settled, is_stalled) = end(&reconcile);
            assert_eq!(is_stalled, stalled, "{seconds} s later");
            remember_wait(&reconcile, &settled);
        }
    }
}
