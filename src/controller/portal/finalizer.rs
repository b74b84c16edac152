//! The finalizer of a Portal: it stays until no resource needs the Portal any more.

use kube::Api;
use kube::ResourceExt as _;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::gone;
use super::holders::{self, Holders};
use crate::api::{FIELD_MANAGER, FINALIZER, ROLE_AGAIN};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, portals};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::portal::{CREATE_SETTLE_TIME, CREATE_TIMEOUT};

/// What became of a Portal under deletion.
pub enum Leaving {
    /// It is gone.
    Gone,
    /// It stays, for this reason.
    Held(Blocker),
}

/// Adds it.
pub async fn add(ctx: &Context, key: &Key, object: &DynamicObject) -> Result<DynamicObject, KubeError> {
    let mut finalizers = object.finalizers().to_vec();
    finalizers.push(FINALIZER.to_owned());
    patch(ctx, key, object, &finalizers).await
}

/// Removes the finalizer of a Portal under deletion when no resource that has our finalizer uses it. A create that was in
/// progress when its deletion began has ended by then.
pub async fn leave(ctx: &Context, key: &Key, object: &DynamicObject) -> Result<Leaving, KubeError> {
    if !has_finalizer(object) {
        gone(ctx, key);
        return Ok(Leaving::Gone);
    }
    // By our own clock since we know of the deletion: the object's time is the apiserver's, and clocks differ.
    let known_since = ctx.portal_memory.deleting_since(key, object.metadata.uid.as_deref());
    let holders = match holders::seen(ctx, key, object, known_since + CREATE_SETTLE_TIME).await? {
        Holders::Seen(holders) => holders,
        Holders::Hidden { namespace, why } => {
            return Ok(Leaving::Held(Blocker::passing(
                Reason::InUse,
                format!(
                    "The operator cannot see whether TechnicalUsers of {namespace} still need this Portal ({why}); \
                     {ROLE_AGAIN}"
                ),
            )));
        }
    };
    if !holders.is_empty() {
        let shown: Vec<_> = holders.iter().take(10).map(ToString::to_string).collect();
        let more = if holders.len() > 10 { ", …" } else { "" };
        return Ok(Leaving::Held(Blocker::passing(
            Reason::InUse,
            format!("{} TechnicalUsers still need this Portal: {}{more}", holders.len(), shown.join(", ")),
        )));
    }
    if known_since.elapsed() < CREATE_TIMEOUT {
        return Ok(Leaving::Held(Blocker::passing(
            Reason::InUse,
            "The operator waits for creates that were in progress when the deletion began",
        )));
    }
    let finalizers: Vec<_> =
        object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER).cloned().collect();
    match patch(ctx, key, object, &finalizers).await {
        Ok(_) | Err(KubeError::NotFound) => {
            gone(ctx, key);
            Ok(Leaving::Gone)
        }
        Err(error) => Err(error),
    }
}

async fn patch(
    ctx: &Context,
    key: &Key,
    object: &DynamicObject,
    finalizers: &[String],
) -> Result<DynamicObject, KubeError> {
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, &portals());
    let patch = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version, "finalizers": finalizers }
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    Ok(api.patch(&key.name, &params, &Patch::Merge(&patch)).await?)
}
