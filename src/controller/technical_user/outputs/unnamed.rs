//! Secrets that the operator wrote for a resource and that neither spec nor status names. A process may end between the first write
//! of a Secret and the status that records it, and the spec may change before the next one; or a status is lost.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Output, Resource, envelope};
use crate::api::keys;
use crate::api::technical_user::{OutputKind, RecordedOutput, TechnicalUserStatus};
use crate::controller::marks;
use crate::controller::secrets::{Secrets, Version};
use crate::controller::technical_user::failure::Failure;

/// These Secrets, at most so many, as a status names them. `outputs` are those of the spec, as they were observed.
///
/// # Errors
/// If the apiserver does not show them.
pub async fn unnamed(
    resource: &Resource,
    status: &TechnicalUserStatus,
    outputs: &[Box<dyn Output>],
    most: usize,
) -> Result<Vec<RecordedOutput>, Failure> {
    let of_spec = outputs.iter().filter_map(|output| output.secret());
    let known: Vec<&str> = of_spec.chain(status.outputs.iter().flat_map(RecordedOutput::secrets)).collect();
    let written = resource.ctx.secrets_by_owner.of(&resource.key).into_iter();
    let others = written.filter(|(name, _)| !known.contains(&name.as_str()));
    let proved = others.filter(|(name, proof)| *proof == envelope::proof(resource, name));
    let secrets = Secrets::new(&resource.ctx.client, &resource.key.namespace);
    let mut found = Vec::new();
    for (name, _) in proved.take(most) {
        // The watch may show one that is deleted already.
        let metadata = secrets.metadata(&name).await?;
        found.extend(
            metadata.filter(|metadata| is_ours(resource, metadata)).map(|metadata| record(&metadata)),
        );
    }
    Ok(found)
}

/// Whether the operator wrote it for this very resource under the name that it has. One under deletion waits for another client.
fn is_ours(resource: &Resource, metadata: &ObjectMeta) -> bool {
    let proof = metadata.annotations.as_ref().and_then(|annotations| annotations.get(keys::PROOF));
    let name = metadata.name.as_deref().unwrap_or_default();
    let is_proved = proof == Some(&envelope::proof(resource, name));
    is_proved && marks::is_published_for(metadata, &resource.owner) && metadata.deletion_timestamp.is_none()
}

fn record(metadata: &ObjectMeta) -> RecordedOutput {
    let Version { uid, resource_version } = Version::of(metadata);
    let name = metadata.name.clone().unwrap_or_default();
    RecordedOutput {
        kind: OutputKind::Secret.name(),
        name,
        uid,
        resource_version,
        ..RecordedOutput::default()
    }
}
