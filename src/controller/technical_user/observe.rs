//! What is known of a `TechnicalUser` at the start of a pass: caches, the Portal's connection, the Secret's metadata.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use kube::api::{Api, DynamicObject, PartialObjectMeta};
use kube::core::{Selector, SelectorExt as _};
use kube::runtime::reflector::ObjectRef;

use super::RETAINED_LIMIT;
use super::pass::{Failure, Pass, SecretAt};
use crate::api::conditions::{READY, USER_READY};
use crate::api::portal::{AccessFrom, PortalSpec, PortalStatus, WhenUndeletable};
use crate::api::technical_user::{
    DeletionPolicy, ExistingUser, SecretOutput, TechnicalUserSpec, TechnicalUserStatus,
};
use crate::api::{TechnicalUser, keys};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, annotation, has_finalizer, is_deleting, lenient, part};
use crate::controller::registry::{Connected, Link, PortalKey};
use crate::controller::secrets::{Envelope, Secrets, Version};
use crate::domain::access::{Grant, Grants};
use crate::domain::attempt::Attempt;
use crate::domain::identity::{Hint, Owner, Pin};
use crate::domain::plan::{
    Candidate, Confirmed, Deletion, Desired, DesiredUser, Listed, Observation, OpenAttempt, PortalFacts,
    Recorded, RecordedPortal, RecordedUser, SecretView,
};
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::{ListedUser, UserId};

/// Begins a pass.
pub async fn observe(
    ctx: &Arc<Context>,
    object: DynamicObject,
    spec: TechnicalUserSpec,
) -> Result<Pass, Failure> {
    let key = Key::of(&object);
    let now = Timestamp::now();
    let status: TechnicalUserStatus = lenient(&object, "status");
    let portal_key = PortalKey {
        namespace: spec.portal_ref.namespace.clone().unwrap_or_else(|| key.namespace.clone()),
        name: spec.portal_ref.name.clone(),
    };
    let portal_object = ctx.cached_portal(&portal_key);
    let portal_spec = portal_object.as_ref().and_then(|object| part::<PortalSpec>(object, "spec").ok());
    let (link, usable) = link(ctx, &portal_key, portal_object.as_deref(), is_deleting(&object));
    let grants = match &portal_spec {
        Some(spec) => grants(ctx, spec, &portal_key, &key.namespace).await?,
        None => Grants::default(),
    };
    let facts = match (&link, usable, portal_object.as_deref(), portal_spec.as_ref()) {
        (Some(link), Ok(()), Some(object), Some(spec)) => Ok(portal_facts(ctx, link, object, spec, grants)),
        (_, Err(blocker), ..) => Err(blocker),
        _ => Err(Blocker::passing(Reason::PortalNotReady, format!("Portal {portal_key} cannot be read"))),
    };
    let circumstances = circumstances(&object, portal_object.as_deref(), facts.as_ref().ok());
    let envelope = envelope(ctx, &object, &spec);
    let secrets = Secrets::new(&ctx.client, &key.namespace);
    let recorded = recorded(&status, &envelope.name);
    let owner = owner(ctx, &key);
    let attempt = open_attempt(ctx, &object, &key, &recorded, circumstances);
    let portal_status: PortalStatus =
        portal_object.as_ref().map(|o| lenient(o, "status")).unwrap_or_default();
    let rotate = annotation(&object, keys::ROTATE);
    let handled = status.handled.as_ref().and_then(|handled| handled.rotate.as_deref());
    let verification_interval = portal_spec
        .as_ref()
        .and_then(|spec| spec.verification?.interval)
        .map_or(Duration::from_hours(1), Duration::from);
    let observation = Observation {
        hint: ctx.installation.hint.clone(),
        desired: desired(&spec),
        deleting: is_deleting(&object),
        released: annotation(&object, keys::RELEASE).is_some(),
        // Where there is no status (a restore), a value that is found is recorded, not acted on.
        rotation_requested: rotate.is_some() && rotate != handled && status.user.is_some(),
        finalizer: has_finalizer(&object),
        live: false,
        spec_observed: status.observed_generation == object.metadata.generation && is_ready(&status),
        told: told(&status, object.metadata.generation),
        attempt,
        refusal: ctx.memory.attempts.refusal(&key, circumstances),
        portal: facts,
        listed: Listed::Unknown,
        siblings: Vec::new(),
        selected: None,
        search: None,
        read: Vec::new(),
        secret: SecretView::Absent,
        writable: None,
        verification: None,
        verification_due: ctx.memory.verification_due_in(&key, verification_interval).is_zero(),
        done: Vec::new(),
        pending_for: pending_for(&status, now),
        loss_confirmed: ctx.memory.loss_is_confirmed(&key),
        recorded,
        owner,
    };
    let wallet_token_url =
        portal_spec.as_ref().and_then(|spec| spec.catena_x.as_ref()).and_then(|x| x.wallet_token_url.clone());
    let mut pass = Pass {
        ctx: Arc::clone(ctx),
        key,
        object,
        spec,
        status,
        portal_key,
        link,
        observation,
        details: HashMap::new(),
        proved: None,
        secret: None,
        envelope,
        secrets,
        circumstances,
        verification_interval,
        wallet_token_url,
        now,
    };
    see_inventory(&mut pass, &portal_status);
    if !pass.observation.deleting {
        see_secret(&mut pass).await?;
    }
    Ok(pass)
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

/// The connection, and whether it can be used for this. Cleaning up may use the last login that worked.
fn link(
    ctx: &Context,
    key: &PortalKey,
    object: Option<&DynamicObject>,
    cleanup: bool,
) -> (Option<Connected>, Result<(), Blocker>) {
    if object.is_none() {
        return (
            None,
            Err(Blocker::lasting(
                Reason::PortalNotFound,
                format!("there is no Portal {key} in the namespaces that this operator watches"),
            )),
        );
    }
    match ctx.registry.link(key) {
        Some(Link::Up(connected)) => (Some(connected), Ok(())),
        Some(Link::Down(_, Some(connected))) if cleanup => (Some(connected), Ok(())),
        Some(Link::Down(blocker, connected)) => (
            connected,
            Err(Blocker::passing(
                Reason::PortalNotReady,
                format!("Portal {key} is not ready ({}): {}", blocker.reason.as_str(), blocker.message),
            )),
        ),
        None => {
            (None, Err(Blocker::passing(Reason::PortalNotReady, format!("Portal {key} is being connected"))))
        }
    }
}

fn portal_facts(
    ctx: &Context,
    link: &Connected,
    object: &DynamicObject,
    spec: &PortalSpec,
    grants: Grants,
) -> PortalFacts {
    PortalFacts {
        pin: link.pin.clone(),
        url: link.url.clone(),
        bpn: link.login.bpn.clone(),
        suspended: spec.suspend.unwrap_or(false),
        deleting: is_deleting(object),
        may_create: link.login.permissions.create && link.login.permissions.roles,
        may_delete: link.login.permissions.delete,
        release_undeletable: spec.when_undeletable == Some(WhenUndeletable::Release),
        roles: link.roles.to_vec(),
        grants,
        taken_over: annotation(object, keys::TAKE_OVER)
            .map(|hints| hints.split([',', ' ']).filter(|h| !h.is_empty()).map(Hint::read).collect())
            .unwrap_or_default(),
        loss_suspected: link.inventory.loss_suspected(),
        logins: ctx.registry.logins(&link.pin),
    }
}

/// What the Portal's rules grant to a namespace.
async fn grants(
    ctx: &Context,
    spec: &PortalSpec,
    portal: &PortalKey,
    namespace: &str,
) -> Result<Grants, Failure> {
    let same = portal.namespace == namespace;
    let Some(rules) = &spec.access else {
        return Ok(if same { Grants::everything() } else { Grants::default() });
    };
    let mut grants = Grants::default();
    for rule in rules {
        let serves = match (rule.namespaces.from, &rule.namespaces.selector) {
            (AccessFrom::Same, _) => same,
            (AccessFrom::All, _) => true,
            (AccessFrom::Selector, Some(selector)) => match Selector::try_from(selector.clone()) {
                Ok(selector) => selector.matches(&labels(ctx, namespace).await?),
                Err(_) => false,
            },
            (AccessFrom::Selector, None) => false,
        };
        if serves {
            let every_role = rule.namespaces.from == AccessFrom::Same && rule.roles.is_none();
            let named = (!every_role).then(|| rule.roles.clone().unwrap_or_default());
            grants.0.push(Grant { roles: named, existing: rule.existing.unwrap_or(false) });
        }
    }
    Ok(grants)
}

async fn labels(ctx: &Context, namespace: &str) -> Result<super::memory::Labels, Failure> {
    if let Some(labels) = ctx.memory.labels(namespace) {
        return Ok(labels);
    }
    let found =
        Api::<Namespace>::all(ctx.client.clone()).get_opt(namespace).await.map_err(KubeError::from)?;
    let labels = found.and_then(|namespace| namespace.metadata.labels).unwrap_or_default();
    ctx.memory.remember_labels(namespace, labels.clone());
    Ok(labels)
}

fn desired(spec: &TechnicalUserSpec) -> Desired {
    if let Some(existing) = &spec.user.existing {
        return Desired::Existing { selector: selector_words(existing) };
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

fn selector_words(existing: &ExistingUser) -> String {
    let word =
        |field: &str, value: &Option<String>| value.as_ref().map(|value| format!("{field} \"{value}\""));
    word("id", &existing.id)
        .or_else(|| word("client ID", &existing.client_id))
        .or_else(|| word("name", &existing.name))
        .unwrap_or_default()
}

pub(super) fn recorded(status: &TechnicalUserStatus, output: &str) -> Recorded {
    let written = status.outputs.iter().find(|written| written.name == output);
    Recorded {
        portal: status.portal.as_ref().filter(|portal| !portal.url.is_empty()).map(|portal| RecordedPortal {
            pin: Pin::new(&portal.url, portal.bpn.as_deref()),
            url: portal.url.clone(),
            bpn: portal.bpn.clone(),
            hint: Hint::read(&portal.hint),
        }),
        user: status.user.as_ref().filter(|user| !user.id.is_empty()).map(|user| RecordedUser {
            id: UserId::new(&user.id),
            generation: user.generation.unwrap_or(0),
            active: user.status == super::status::ACTIVE,
        }),
        credential: status.credential.is_some(),
        digest: written.map(|written| written.digest.clone()),
    }
}

pub(super) fn open_attempt(
    ctx: &Context,
    object: &DynamicObject,
    key: &Key,
    recorded: &Recorded,
    circumstances: u64,
) -> Option<OpenAttempt> {
    let attempt = annotation(object, keys::CREATING).and_then(Attempt::parse)?;
    let closed = recorded.user.as_ref().is_some_and(|user| user.generation == attempt.generation);
    if closed {
        return None;
    }
    let state = ctx.memory.attempts.state(key, &attempt, circumstances);
    Some(OpenAttempt { attempt, state })
}

/// Sums up what a refusal of the portal may depend on.
fn circumstances(object: &DynamicObject, portal: Option<&DynamicObject>, facts: Option<&PortalFacts>) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.metadata.generation.hash(&mut hasher);
    portal.and_then(|portal| portal.metadata.generation).hash(&mut hasher);
    if let Some(facts) = facts {
        facts.may_create.hash(&mut hasher);
        facts.pin.hash(&mut hasher);
        let mut roles: Vec<_> = facts.roles.iter().map(|role| (&role.name, role.provider_only)).collect();
        roles.sort();
        roles.hash(&mut hasher);
    }
    hasher.finish()
}

/// Why the resource is not ready, where the status speaks of this generation.
fn told(status: &TechnicalUserStatus, generation: Option<i64>) -> Option<Reason> {
    let ready = status.conditions.iter().find(|c| c.type_ == READY && c.status == "False")?;
    let reason = Reason::ALL.iter().find(|reason| reason.as_str() == ready.reason).copied();
    reason.filter(|_| status.observed_generation == generation)
}

fn pending_for(status: &TechnicalUserStatus, now: Timestamp) -> Option<Duration> {
    let condition = status.conditions.iter().find(|c| c.type_ == USER_READY && c.status == "False")?;
    let pending =
        [Reason::Pending.as_str(), Reason::PendingTooLong.as_str()].contains(&condition.reason.as_str());
    pending.then(|| now.duration_since(condition.last_transition_time.0).unsigned_abs())
}

/// How the Secret should look.
fn envelope(ctx: &Context, object: &DynamicObject, spec: &TechnicalUserSpec) -> Envelope {
    let key = Key::of(object);
    let output = spec.outputs.as_ref().and_then(|outputs| outputs.first()?.secret.clone());
    let SecretOutput { name, labels, annotations, .. } = output.unwrap_or_default();
    let mut labels = labels.unwrap_or_default();
    labels.insert(keys::INSTANCE.to_owned(), ctx.installation.instance.clone());
    let mut annotations = annotations.unwrap_or_default();
    annotations.insert(keys::OWNER.to_owned(), owner(ctx, &key).to_string());
    Envelope {
        name: name.unwrap_or_else(|| key.name.clone()),
        labels,
        annotations,
        owner: OwnerReference {
            api_version: TechnicalUser::api_version(&()).into_owned(),
            kind: TechnicalUser::kind(&()).into_owned(),
            name: key.name,
            uid: object.metadata.uid.clone().unwrap_or_default(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        },
    }
}

/// What the last snapshot says of the resource's users.
fn see_inventory(pass: &mut Pass, portal_status: &PortalStatus) {
    let Some(link) = &pass.link else { return };
    let Some(snapshot) = link.inventory.snapshot() else { return };
    let o = &mut pass.observation;
    let recorded = o.recorded.user.as_ref().map(|user| user.id.clone());
    o.listed = match recorded.as_ref().map(|id| snapshot.get(id)) {
        Some(Some(user)) => Listed::There(user.status),
        Some(None) if snapshot.is_complete() => Listed::Missing,
        _ => Listed::Unknown,
    };
    if let Some(existing) = &pass.spec.user.existing {
        // An id needs no list; a name or client id that is not there may hide behind equal names.
        o.selected = match &existing.id {
            Some(id) => Some(vec![UserId::new(id)]),
            None => Some(
                snapshot
                    .users()
                    .filter(|user| is_selected(existing, user))
                    .map(|user| user.id.clone())
                    .collect(),
            ),
        };
        return;
    }
    let retained: Vec<&str> = portal_status.retained.iter().map(|user| user.id.as_str()).collect();
    // Where the list is full, an entry would only push another one out, which would be listed again, and so on.
    let full = retained.len() >= RETAINED_LIMIT;
    o.siblings = snapshot
        .named_for(&o.owner)
        .into_iter()
        .filter(|user| Some(&user.id) != recorded.as_ref())
        .map(|user| candidate(link, &o.owner, user, full || retained.contains(&user.id.as_str())))
        .collect();
}

fn is_selected(existing: &ExistingUser, user: &ListedUser) -> bool {
    existing.client_id.as_ref().is_some_and(|id| user.client_id.as_ref() == Some(id))
        || existing.name.as_ref().is_some_and(|name| user.name == *name)
}

/// A user of our name, with what is remembered of its mark.
pub(super) fn candidate(
    link: &Connected,
    owner: &Owner,
    user: &ListedUser,
    listed_as_retained: bool,
) -> Candidate {
    let confirmed = match link.inventory.mark(&user.id) {
        None => Confirmed::Unread,
        Some(Some(mark)) if mark.owner == *owner && mark.retained => Confirmed::Retained,
        Some(Some(mark)) if mark.owner == *owner => Confirmed::Ours(mark.hint),
        Some(_) => Confirmed::Foreign,
    };
    Candidate {
        id: user.id.clone(),
        generation: owner.generation_of(&user.name).unwrap_or(0),
        status: user.status,
        kind: user.kind,
        client_id: user.client_id.clone(),
        confirmed,
        listed_as_retained,
    }
}

/// The Secret's metadata: from the cache where that agrees with the status, else from the apiserver.
pub(super) async fn see_secret(pass: &mut Pass) -> Result<(), Failure> {
    let name = pass.envelope.name.clone();
    let reference = ObjectRef::<PartialObjectMeta<Secret>>::new(&name).within(&pass.key.namespace);
    let cached = pass.ctx.caches.secrets.get(&reference).map(|secret| secret.metadata.clone());
    let metadata = match cached {
        Some(metadata) if recorded_digest(pass, &metadata).is_some() => Some(metadata),
        _ => pass.secrets.metadata(&name).await?,
    };
    pass.secret = metadata.as_ref().map(SecretAt::of);
    pass.observation.secret = metadata.map_or(SecretView::Absent, |metadata| view(pass, &metadata));
    Ok(())
}

/// The digest that the status tells, where it was this very state of this very object that was recorded.
fn recorded_digest(pass: &Pass, metadata: &ObjectMeta) -> Option<String> {
    let version = Version::of(metadata);
    let written = pass.status.outputs.iter().find(|written| written.name == pass.envelope.name)?;
    let same = written.uid == version.uid && written.resource_version == version.resource_version;
    (same && !written.digest.is_empty()).then(|| written.digest.clone())
}

fn view(pass: &Pass, metadata: &ObjectMeta) -> SecretView {
    let annotations = metadata.annotations.clone().unwrap_or_default();
    let owner = annotations.get(keys::OWNER);
    if owner != Some(&pass.observation.owner.to_string()) {
        return SecretView::Foreign(
            owner.map_or_else(|| "somebody else".to_owned(), |owner| format!("the TechnicalUser {owner}")),
        );
    }
    let labels = metadata.labels.clone().unwrap_or_default();
    let wanted = &pass.envelope;
    let metadata_as_wanted = wanted.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        && wanted.annotations.iter().all(|(key, value)| annotations.get(key) == Some(value))
        && metadata.owner_references.iter().flatten().any(|owner| owner.uid == wanted.owner.uid);
    SecretView::Ours {
        user: annotations.get(keys::USER_ID).map(|id| UserId::new(id)),
        digest: recorded_digest(pass, metadata),
        metadata_as_wanted,
    }
}
