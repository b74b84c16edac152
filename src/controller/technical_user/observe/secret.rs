//! The Secret of the output: how it should look, and what its metadata tells.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use kube::api::{DynamicObject, PartialObjectMeta};
use kube::runtime::reflector::ObjectRef;

use super::owner;
use crate::api::technical_user::{SecretOutput, TechnicalUserSpec};
use crate::api::{TechnicalUser, keys};
use crate::controller::context::Context;
use crate::controller::marks;
use crate::controller::objects::Key;
use crate::controller::secrets::{Envelope, Version};
use crate::controller::technical_user::memory::seen_secrets::Seen;
use crate::controller::technical_user::pass::{Failure, Pass, SecretAt};
use crate::controller::technical_user::perform::output;
use crate::domain::plan::SecretView;
use crate::domain::user::UserId;

/// How the Secret should look.
pub(super) fn envelope(ctx: &Context, object: &DynamicObject, spec: &TechnicalUserSpec) -> Envelope {
    let key = Key::of(object);
    let output = spec.outputs.as_ref().and_then(|outputs| outputs.first()?.secret.clone());
    let SecretOutput { name, labels, annotations, .. } = output.unwrap_or_default();
    // What the resource names itself has precedence.
    let mut labels: BTreeMap<_, _> =
        ctx.installation.labels.clone().into_iter().chain(labels.unwrap_or_default()).collect();
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

/// The Secret's metadata: from the cache where that agrees with the status, else, and after a conflict, from the apiserver.
pub(in crate::controller::technical_user) async fn see_secret(pass: &mut Pass) -> Result<(), Failure> {
    let name = pass.envelope.name.clone();
    let reference = ObjectRef::<PartialObjectMeta<Secret>>::new(&name).within(&pass.key.namespace);
    let cached = pass.ctx.caches.secrets.get(&reference).map(|secret| secret.metadata.clone());
    // After a conflict the cache is behind.
    let cached = cached.filter(|_| !pass.ctx.conflicts.unsettled(&pass.key));
    let known = cached.as_ref().map_or(Seen::Unknown, |metadata| known(pass, metadata));
    pass.observation.timers.output = None;
    let metadata = match (cached, known) {
        (Some(metadata), Seen::Compared(_)) => Some(metadata),
        // Others change this Secret again and again. What is ours of its metadata is seen; its content is read later.
        (Some(metadata), Seen::NotYet(digest, left)) => {
            let mut seen = view(pass, &metadata);
            if let SecretView::Ours { digest: shown, metadata_as_wanted: true, .. } = &mut seen {
                *shown = Some(digest);
                pass.secret = Some(SecretAt::of(&metadata));
                pass.observation.timers.output = Some(left);
                pass.observation.secret = seen;
                return Ok(());
            }
            pass.secrets.metadata(&name).await?
        }
        (_, _) => pass.secrets.metadata(&name).await?,
    };
    pass.secret = metadata.as_ref().map(SecretAt::of);
    pass.observation.secret = metadata.map_or(SecretView::Absent, |metadata| view(pass, &metadata));
    Ok(())
}

/// What is known of the content of a Secret in this state, by the status or by what this process has compared.
fn known(pass: &Pass, metadata: &ObjectMeta) -> Seen {
    match recorded_digest(pass, metadata) {
        Some(digest) => Seen::Compared(digest),
        None => pass.ctx.memory.secrets.look(&pass.key, &Version::of(metadata)),
    }
}

/// The digest that the status tells, where it was this very state of this very object that was recorded.
fn recorded_digest(pass: &Pass, metadata: &ObjectMeta) -> Option<String> {
    let version = Version::of(metadata);
    let written = pass
        .status
        .outputs
        .iter()
        .find(|written| written.kind == output::SECRET && written.name == pass.envelope.name)?;
    let same = written.uid == version.uid && written.resource_version == version.resource_version;
    (same && !written.digest.is_empty()).then(|| written.digest.clone())
}

fn view(pass: &Pass, metadata: &ObjectMeta) -> SecretView {
    let annotations = metadata.annotations.clone().unwrap_or_default();
    if !marks::is_published_for(metadata, &pass.observation.owner) {
        return SecretView::Foreign(marks::words(metadata));
    }
    let labels = metadata.labels.clone().unwrap_or_default();
    let wanted = &pass.envelope;
    let metadata_as_wanted = wanted.labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        && wanted.annotations.iter().all(|(key, value)| annotations.get(key) == Some(value))
        && metadata.owner_references.iter().flatten().any(|owner| owner.uid == wanted.owner.uid);
    SecretView::Ours {
        user: annotations.get(keys::USER_ID).map(|id| UserId::new(id)),
        digest: match known(pass, metadata) {
            Seen::Compared(digest) => Some(digest),
            Seen::NotYet(..) | Seen::Unknown => None,
        },
        metadata_as_wanted,
    }
}
