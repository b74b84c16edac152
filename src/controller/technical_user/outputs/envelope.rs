//! What a Secret that the operator owns should be, its content aside, and what one is that is there.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;

use super::Resource;
use super::layout::Layout;
use crate::api::technical_user::SecretOutput as Spec;
use crate::api::{TechnicalUser, keys};
use crate::controller::kube_error::{KubeError, with_advice};
use crate::controller::marks;
use crate::controller::secrets::{Envelope, OPAQUE};
use crate::controller::technical_user::failure::Failure;
use crate::domain::blocker::Blocker;
use crate::domain::format::Values;
use crate::domain::ownership::secret_proof;
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// What the Secret should be that an entry of a spec describes, content and the user's id aside.
pub(super) fn wanted(resource: &Resource, spec: &Spec, layout: &Layout, name: &str) -> Envelope {
    let installation = &resource.ctx.installation;
    // What the resource names itself has precedence.
    let mut labels: BTreeMap<_, _> =
        installation.labels.clone().into_iter().chain(spec.labels.clone().unwrap_or_default()).collect();
    labels.insert(keys::INSTANCE.to_owned(), installation.instance.clone());
    let mut annotations = spec.annotations.clone().unwrap_or_default();
    annotations.insert(keys::OWNER.to_owned(), resource.owner.to_string());
    if let Some(digest) = layout.digest(&installation.digest_key) {
        annotations.insert(keys::SURROUNDINGS.to_owned(), digest);
    }
    let envelope = Envelope {
        name: name.to_owned(),
        r#type: spec.r#type.clone().unwrap_or_else(|| OPAQUE.to_owned()),
        labels,
        annotations,
        owner: OwnerReference {
            api_version: TechnicalUser::api_version(&()).into_owned(),
            kind: TechnicalUser::kind(&()).into_owned(),
            name: resource.key.name.clone(),
            uid: resource.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        },
        immutable: false,
    };
    named(resource, &envelope, name)
}

/// The envelope of a Secret of this name, with the proof that the operator wrote it under this name.
pub(super) fn named(resource: &Resource, envelope: &Envelope, name: &str) -> Envelope {
    let mut envelope = Envelope { name: name.to_owned(), ..envelope.clone() };
    envelope.annotations.insert(keys::PROOF.to_owned(), proof(resource, name));
    envelope
}

/// What proves that the operator wrote a Secret of this name for this very resource.
pub(super) fn proof(resource: &Resource, name: &str) -> String {
    secret_proof(&resource.ctx.installation.digest_key, &resource.owner, &resource.uid, name)
}

/// The envelope for a content with these values.
pub(super) fn for_values(
    resource: &Resource,
    envelope: &Envelope,
    layout: &Layout,
    values: &Values,
) -> Envelope {
    let mut envelope = envelope.clone();
    envelope.annotations.insert(keys::USER_ID.to_owned(), values.user_id.to_string());
    if let Some(digest) = layout.digest_of(resource, values) {
        envelope.annotations.insert(keys::SURROUNDINGS.to_owned(), digest);
    }
    envelope
}

/// What the metadata of a Secret and the digest of its content show, where that is known.
pub(super) fn state(
    resource: &Resource,
    wanted: &Envelope,
    metadata: &ObjectMeta,
    digest: Option<String>,
) -> OutputState {
    if !marks::is_published_for(metadata, &resource.owner) {
        return OutputState::Foreign(marks::words(metadata));
    }
    let (labels, annotations) = (metadata.labels.as_ref(), metadata.annotations.as_ref());
    let has = |shown: Option<&BTreeMap<String, String>>, wanted: &BTreeMap<String, String>| {
        wanted.iter().all(|(key, value)| shown.and_then(|shown| shown.get(key)) == Some(value))
    };
    let owners = metadata.owner_references.iter().flatten();
    OutputState::Ours {
        user: annotations.and_then(|shown| shown.get(keys::USER_ID)).map(|id| UserId::new(id)),
        digest,
        metadata_as_wanted: has(labels, &wanted.labels)
            && has(annotations, &wanted.annotations)
            && owners.into_iter().any(|owner| owner.uid == wanted.owner.uid),
    }
}

/// Whether the cache is believed: after a conflict it may be older than what led to it.
pub(super) fn is_believed(resource: &Resource) -> bool {
    !resource.ctx.conflicts.unsettled(&resource.key)
}

/// The metadata of a Secret in the cache, if that is believed.
pub(super) fn cached(resource: &Resource, name: &str) -> Option<ObjectMeta> {
    let Resource { ctx, key, .. } = resource;
    let cached = ctx.caches.secrets.get(&key.namespace, name).filter(|_| is_believed(resource));
    cached.map(|secret| secret.metadata())
}

/// Why a Secret of another owner is not written.
pub(super) fn foreign(secret: &OutputId, owner: &str) -> Blocker {
    Blocker::lasting(
        Reason::OutputNotOurs,
        format!(
            "The {secret} exists and belongs to {owner}. The operator does not change it, and creates no user. Delete it, or name \
             another Secret in outputs."
        ),
    )
}

/// Why a Secret cannot be written, if the apiserver refuses that.
pub(super) fn denied(resource: &Resource, name: &str, error: KubeError) -> Result<Blocker, Failure> {
    let words = match error {
        KubeError::Denied { message, .. } => with_advice(&message),
        failed @ KubeError::Failed { .. } => failed.to_string(),
        KubeError::NotFound => format!("namespace {} does not exist", resource.key.namespace),
        other => return Err(other.into()),
    };
    Ok(Blocker::passing(
        Reason::OutputNotWritable,
        format!(
            "The Secret \"{name}\" cannot be written, so the operator sends no request to the portal: {words}"
        ),
    ))
}
