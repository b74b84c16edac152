//! The finalizer of a Vault: it is kept until no output needs the Vault any more.

use kube::Api;
use kube::ResourceExt as _;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;

use super::gone;
use super::holders::{self, Holders};
use crate::api::{FIELD_MANAGER, FINALIZER, ROLE_AGAIN};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, vaults};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// How many holders a condition names.
const NAMED: usize = 10;

/// What became of a Vault under deletion.
pub enum Leaving {
    /// It is deleted.
    Gone,
    /// It is kept, for this reason.
    Held(Blocker),
}

/// Adds it.
pub async fn add(ctx: &Context, key: &Key, object: &DynamicObject) -> Result<DynamicObject, KubeError> {
    let mut finalizers = object.finalizers().to_vec();
    finalizers.push(FINALIZER.to_owned());
    patch(ctx, key, object, &finalizers).await
}

/// Removes it from a Vault under deletion once no resource has an entry there.
pub async fn leave(ctx: &Context, key: &Key, object: &DynamicObject) -> Result<Leaving, KubeError> {
    if !has_finalizer(object) {
        gone(ctx, key);
        return Ok(Leaving::Gone);
    }
    match holders::seen(ctx, key).await? {
        Holders::Seen(holders) if holders.is_empty() => {}
        Holders::Seen(holders) => return Ok(Leaving::Held(held_by(&holders))),
        Holders::Hidden { namespace, why } => {
            return Ok(Leaving::Held(Blocker::passing(
                Reason::InUse,
                format!(
                    "The operator may not see whether TechnicalUsers of {namespace} still need this Vault ({why}); {ROLE_AGAIN}"
                ),
            )));
        }
    }
    let others = object.finalizers().iter().filter(|finalizer| *finalizer != FINALIZER);
    match patch(ctx, key, object, &others.cloned().collect::<Vec<_>>()).await {
        Ok(_) | Err(KubeError::NotFound) => {
            gone(ctx, key);
            Ok(Leaving::Gone)
        }
        Err(error) => Err(error),
    }
}

fn held_by(holders: &[Key]) -> Blocker {
    let shown: Vec<_> = holders.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if holders.len() > NAMED { ", …" } else { "" };
    Blocker::passing(
        Reason::InUse,
        format!("{} TechnicalUsers still need this Vault: {}{more}", holders.len(), shown.join(", ")),
    )
}

async fn patch(
    ctx: &Context,
    key: &Key,
    object: &DynamicObject,
    finalizers: &[String],
) -> Result<DynamicObject, KubeError> {
    let api: Api<DynamicObject> = Api::namespaced_with(ctx.client.clone(), &key.namespace, &vaults());
    let patch = json!({
        "metadata": { "resourceVersion": object.metadata.resource_version, "finalizers": finalizers }
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    Ok(api.patch(&key.name, &params, &Patch::Merge(&patch)).await?)
}
