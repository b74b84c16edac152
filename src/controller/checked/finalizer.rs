//! The operator's finalizer on a Portal or a Vault: both are kept until no `TechnicalUser` needs them any more.

use kube::api::{ApiResource, Patch};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use crate::api::FINALIZER;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::controller::writes;
use crate::k8s::stored::StoredObject;

/// How many holders a condition names.
const NAMED: usize = 10;

/// Adds the finalizer. Returns the object with it.
pub async fn add(
    ctx: &Context,
    resource: &ApiResource,
    key: &Key,
    object: &StoredObject,
) -> Result<StoredObject, KubeError> {
    let mut finalizers = object.finalizers().to_vec();
    finalizers.push(FINALIZER.to_owned());
    patch(ctx, resource, key, object, &finalizers).await
}

/// Removes the finalizer. An object that no longer exists has none.
pub async fn remove(
    ctx: &Context,
    resource: &ApiResource,
    key: &Key,
    object: &StoredObject,
) -> Result<(), KubeError> {
    let others = object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER);
    match patch(ctx, resource, key, object, &others.cloned().collect::<Vec<_>>()).await {
        Ok(_) | Err(KubeError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The first holders of an object, as a condition lists them.
#[must_use]
pub fn first_of<K: ToString>(holders: &[K]) -> String {
    let shown: Vec<_> = holders.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if holders.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

async fn patch(
    ctx: &Context,
    resource: &ApiResource,
    key: &Key,
    object: &StoredObject,
    finalizers: &[String],
) -> Result<StoredObject, KubeError> {
    let api: Api<StoredObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, resource);
    let patch = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version, "finalizers": finalizers }
    });
    Ok(api.patch(&key.name, &writes::patch(), &Patch::Merge(&patch)).await?)
}
