//! What is known of a `TechnicalUser` at the start of a reconcile: caches, the Portal's connection, the Secret's metadata.

mod inventory;
mod known;
mod portal;
mod recorded;
mod restart;
mod retiring;
mod rotation;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::api::DynamicObject;

use super::failure::Failure;
use super::outputs::{self, Output, Resource, Vaults};
use super::reconcile::Reconcile;
use super::refusal::RefusalFingerprint;
use crate::api::conditions::{READY, USER_READY};
use crate::api::keys;
use crate::api::portal::PortalSpec;
use crate::api::technical_user::{DeletionPolicy, ExistingUser, TechnicalUserSpec, TechnicalUserStatus};
use crate::controller::audit::Audited;
use crate::controller::context::Context;
use crate::controller::objects::{Key, annotation, has_finalizer, is_deleting, lenient};
use crate::controller::portal::connections::Connection;
use crate::controller::status::grace;
use crate::controller::status::since::Since;
use crate::domain::access::Grants;
use crate::domain::identity::Owner;
use crate::domain::plan::{
    Deletion, Desired, DesiredUser, Observation, OutputId, OutputState, OutputView, PortalFacts, Restarts,
    Rotation, Searched, Selection, Selector, Timers, ToRemove, Users,
};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::UserId;

pub(super) use inventory::named;
use inventory::see_inventory;
use known::known;
pub(in crate::controller) use portal::grants;
use portal::{every_login_is_known, link, portal_facts};
use recorded::open_attempt;
pub(super) use recorded::recorded;
use restart::see_restarts;
pub(super) use restart::{changed_at, generation};
pub(super) use retiring::overlap;
use retiring::see_retiring;
pub(super) use rotation::handled;
use rotation::see_rotation;

/// Begins a reconcile.
pub async fn observe(
    ctx: &Arc<Context>,
    object: DynamicObject,
    spec: TechnicalUserSpec,
) -> Result<Reconcile, Failure> {
    let key = Key::of(&object);
    let now = ctx.process.clock.now();
    let status: TechnicalUserStatus = lenient(&object, "status");
    let portal_key = portal_key(&spec, &key);
    let portal_object = ctx.cached_portal(&portal_key);
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
    let (link, usable) = link(ctx, &portal_key, portal_object.as_deref(), is_deleting(&object), discloses);
    let existing = spec.user.existing.is_some();
    let usable = usable.and_then(|()| if existing { every_login_is_known(ctx) } else { Ok(()) });
    let portal = (&portal_key, portal_object.as_deref(), portal_spec);
    let facts = facts(ctx, portal, link.as_ref(), usable, (grants, discloses));
    let fingerprint = RefusalFingerprint::of(&object, portal_object.as_deref(), facts.as_ref().ok());
    let owner = owner(ctx, &key);
    let verification_interval = verification_interval(portal_spec);
    let around = (vaults(ctx, &object, &spec, without_wait).await?, verification_interval);
    let recorded = recorded(ctx, &owner, &status, link.as_ref());
    let attempt =
        ctx.memory.change(&key, |user| open_attempt(&mut user.attempts, &object, &recorded, fingerprint));
    let pending_for = pending_for(&status, now);
    let waiting = ctx
        .memory
        .with(&key, |user| grace::waiting(&user.waiting, &object.metadata, &status.conditions, now));
    let observation = Observation {
        hint: ctx.installation.hint.clone(),
        desired: desired(&spec),
        deleting: is_deleting(&object),
        released: annotation(&object, keys::RELEASE).is_some(),
        rotation: Rotation::default(),
        finalizer: has_finalizer(&object),
        live: false,
        spec_observed: status.observed_generation == object.metadata.generation && is_ready(&status),
        reported: !status.conditions.is_empty() && status.observed_generation == object.metadata.generation,
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
        waiting,
        pending_for,
        client_missing_for_good: ctx.memory.is_client_missing_for_good(&key),
        recorded,
        owner,
    };
    let known = known(&observation, parsed.as_deref());
    let resource = Resource::of(ctx, &object, &status, &observation.owner, known.as_ref(), around);
    let mut reconcile = Reconcile {
        link: link.map(|link| audited(link, &key, &status)),
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
        written: BTreeSet::new(),
        removed: BTreeSet::new(),
        failed: None,
        workloads: BTreeMap::new(),
        places: Vec::new(),
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

/// What is in the place of each output. A resource under deletion needs none of them.
async fn observe_outputs(reconcile: &mut Reconcile) -> Result<(), Failure> {
    let resource = reconcile.resource.clone();
    reconcile.outputs = outputs::of_spec(&resource, reconcile.spec.outputs.as_deref());
    let deleting = reconcile.observation.deleting;
    reconcile.observation.to_remove = to_remove(&resource, &reconcile.status, &reconcile.outputs, deleting);
    see_retiring(reconcile);
    for output in &mut reconcile.outputs {
        let id = output.id().clone();
        let recorded = reconcile.status.outputs.iter().find(|recorded| recorded.id() == id);
        let mut state = OutputState::Absent;
        if !reconcile.observation.deleting {
            state = match output.observe(recorded).await {
                Ok(observed) => {
                    reconcile.observation.timers.also(observed.read_in);
                    observed.state
                }
                Err(Failure::OutputUnavailable(blocker)) => OutputState::Unknown(blocker),
                Err(failure) => return Err(failure),
            };
        }
        reconcile.observation.outputs.push(OutputView {
            state,
            in_status: recorded.is_some(),
            recorded: recorded.map(|recorded| recorded.digest.clone()).filter(|digest| !digest.is_empty()),
            writable: None,
            readable: output.is_readable(),
            outlives_resource: output.outlives_resource(),
            id,
        });
    }
    Ok(())
}

/// The outputs to remove. What is remembered of others is forgotten.
fn to_remove(
    resource: &Resource,
    status: &TechnicalUserStatus,
    outputs: &[Box<dyn Output>],
    deleting: bool,
) -> Vec<ToRemove> {
    let to_remove = outputs::to_remove(resource, status, outputs, deleting);
    let ids: Vec<OutputId> = to_remove.iter().map(|output| output.output.clone()).collect();
    resource.ctx.memory.change_known(&resource.key, |user| user.removals.keep(&ids));
    to_remove
}

/// The facts of the Portal, where it can be used.
fn facts(
    ctx: &Context,
    (key, object, spec): (&Key, Option<&DynamicObject>, Option<&PortalSpec>),
    link: Option<&Connection>,
    usable: Result<(), Blocker>,
    (grants, discloses): (Grants, bool),
) -> Result<PortalFacts, Blocker> {
    usable?;
    let (Some(link), Some(object), Some(spec)) = (link, object, spec) else {
        return Err(Blocker::passing(Reason::PortalNotReady, format!("Portal {key} cannot be read")));
    };
    Ok(portal_facts(ctx, link, object, spec, grants, discloses))
}

/// The Vaults that the outputs name. What is removed under deletion must not wait for the labels of the namespace.
async fn vaults(
    ctx: &Context,
    object: &DynamicObject,
    spec: &TechnicalUserSpec,
    without_wait: bool,
) -> Result<Vaults, Failure> {
    if !without_wait {
        return Ok(Vaults::default());
    }
    Ok(Vaults::of(ctx, &Key::of(object), spec.outputs.as_deref()).await?)
}

/// Which Portal a resource names.
fn portal_key(spec: &TechnicalUserSpec, key: &Key) -> Key {
    Key {
        namespace: spec.portal_ref.namespace.clone().unwrap_or_else(|| key.namespace.clone()),
        name: spec.portal_ref.name.clone(),
    }
}

/// How often published credentials are tried.
fn verification_interval(portal: Option<&PortalSpec>) -> Duration {
    let interval = portal.and_then(|spec| spec.verification?.interval);
    interval.map_or(Duration::from_hours(1), Duration::from)
}

/// The connection as this resource uses it: its writes are logged.
fn audited(link: Connection, key: &Key, status: &TechnicalUserStatus) -> Connection {
    let recorded =
        status.user.as_ref().and_then(|user| Some((UserId::new(&user.id), user.client_id.clone()?)));
    Connection { portal: Arc::new(Audited::new(Arc::clone(&link.portal), key.clone(), recorded)), ..link }
}

fn is_ready(status: &TechnicalUserStatus) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == READY && condition.status == "True")
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

fn desired(spec: &TechnicalUserSpec) -> Desired {
    if let Some(existing) = &spec.user.existing {
        return Desired::Existing { selector: selector(existing) };
    }
    let create = spec.user.create.as_ref();
    Desired::Create(DesiredUser {
        roles: create.map(|c| c.roles.clone()).unwrap_or_default(),
        name: create.and_then(|c| c.name.clone()),
        description: create.and_then(|c| c.description.clone()),
        deletion: match spec.deletion_policy {
            None | Some(DeletionPolicy::Delete) => Deletion::Delete,
            Some(DeletionPolicy::Revoke) => Deletion::Revoke,
            Some(DeletionPolicy::Retain) => Deletion::Retain,
        },
    })
}

/// The apiserver sees to it that exactly one of the three is there.
fn selector(existing: &ExistingUser) -> Selector {
    match existing {
        ExistingUser { id: Some(id), .. } => Selector::Id(UserId::new(id)),
        ExistingUser { client_id: Some(client), .. } => Selector::ClientId(client.clone()),
        ExistingUser { name, .. } => Selector::Name(name.clone().unwrap_or_default()),
    }
}

/// Why the resource is not ready, where the status speaks of this generation.
fn reported_reason(status: &TechnicalUserStatus, generation: Option<i64>) -> Option<Reason> {
    let ready = status.conditions.iter().find(|c| c.type_ == READY && c.status == "False")?;
    let reason = Reason::ALL.iter().find(|reason| reason.as_str() == ready.reason).copied();
    reason.filter(|_| status.observed_generation == generation)
}

fn timers(
    ctx: &Context,
    key: &Key,
    verification_interval: Duration,
    pending_for: Option<Duration>,
) -> Timers {
    let random = &ctx.process.random;
    let poll = ctx.memory.change(key, |user| poll(&mut user.pending, pending_for));
    let due_in = ctx.memory.change(key, |user| user.verification.due_in(verification_interval, random));
    Timers { recheck: random.spread(RECHECK), poll: random.spread(poll), verification: due_in, other: None }
}

/// What no watch reports, such as the labels of namespaces, is checked again after this time.
const RECHECK: Duration = Duration::from_mins(2);

/// The time before the state of a pending user is read again: about as long as this process has seen it pending, by its own
/// clock, from 2 s to half a minute; 5 minutes where it has been pending for half an hour by the status.
fn poll(pending: &mut Since, pending_for: Option<Duration>) -> Duration {
    let Some(by_status) = pending_for else {
        pending.forget();
        return FIRST_POLL;
    };
    let seen_for = pending.elapsed(Reason::Pending.as_str());
    if by_status > Duration::from_mins(30) {
        Duration::from_mins(5)
    } else {
        seen_for.clamp(FIRST_POLL, Duration::from_secs(30))
    }
}

const FIRST_POLL: Duration = Duration::from_secs(2);

fn pending_for(status: &TechnicalUserStatus, now: Timestamp) -> Option<Duration> {
    let condition = status.conditions.iter().find(|c| c.type_ == USER_READY && c.status == "False")?;
    let pending =
        [Reason::Pending.as_str(), Reason::PendingTooLong.as_str()].contains(&condition.reason.as_str());
    // Another process may have written the time by a clock that runs ahead of ours.
    pending
        .then(|| Duration::try_from(now.duration_since(condition.last_transition_time.0)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pending_user_is_read_less_often_with_time_by_the_process_s_own_clock() {
        let mut pending = Since::default();
        // By a clock that runs behind the one that wrote the status, it has not waited at all.
        let mut poll = |by_status| poll(&mut pending, by_status).as_secs();
        let mut waits = Vec::new();
        for _ in 0..7 {
            let wait = poll(Some(Duration::ZERO));
            waits.push(wait);
            tokio::time::advance(Duration::from_secs(wait)).await;
        }
        assert_eq!(waits, [2, 2, 4, 8, 16, 30, 30]);
        assert_eq!(poll(Some(Duration::from_mins(31))), 300);
        assert_eq!((poll(None), poll(Some(Duration::ZERO))), (2, 2), "the next one begins again");
    }

    #[test]
    fn a_wait_that_a_faster_clock_wrote_down_has_not_begun() {
        let status: TechnicalUserStatus = serde_json::from_value(json!({"conditions": [{
            "type": USER_READY, "status": "False", "reason": "Pending", "message": "",
            "lastTransitionTime": "2026-11-22T12:00:00Z",
        }]}))
        .unwrap();
        for (now, waited) in [("2026-11-22T12:05:00Z", 300), ("2026-11-22T11:00:00Z", 0)] {
            assert_eq!(
                pending_for(&status, now.parse().unwrap()),
                Some(Duration::from_secs(waited)),
                "{now}"
            );
        }
    }
}
