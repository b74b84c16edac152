//! The finalizer of a Vault: it is kept until no output needs the Vault any more.

use std::sync::Arc;
use std::time::Duration;

use super::abandoned;
use super::holders::{self, Holders};
use crate::api::ROLE_AGAIN;
use crate::api::vault::VaultSpec;
use crate::controller::checked::finalizer::first_of;
use crate::controller::checked::kind::Kept;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, part};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;

/// How often a Vault is reconciled that the cache shows to be in use: its last user may be deleted at any moment.
const INTERVAL: Duration = Duration::from_secs(5);

/// Why a Vault under deletion is kept; `None` once no resource has an entry there. What deleted resources have left there is
/// deleted before, as far as that is possible.
pub async fn release(
    ctx: &Arc<Context>,
    key: &Key,
    object: &StoredObject,
) -> Result<Option<Kept>, KubeError> {
    let spec = part::<VaultSpec>(object, "spec").ok();
    let kept = kept(ctx, key, spec.as_ref()).await?;
    if kept.is_none() {
        abandoned::end(ctx, key, object, spec.as_ref()).await;
    }
    Ok(kept)
}

/// Why the Vault is kept. Only where the cache shows no user, all resources are read from the apiserver, and with growing
/// pauses.
async fn kept(ctx: &Context, key: &Key, spec: Option<&VaultSpec>) -> Result<Option<Kept>, KubeError> {
    let cached = holders::cached(ctx, key, spec).await;
    if !cached.is_empty() {
        ctx.vault_memory.lists.forget(key);
        return Ok(Some(Kept { why: kept_by(&cached), next: INTERVAL }));
    }
    let why = match holders::seen(ctx, key, spec).await? {
        Holders::Seen(holders) if holders.is_empty() => return Ok(None),
        Holders::Seen(holders) => kept_by(&holders),
        Holders::Hidden { namespace, why } => Blocker::passing(
            Reason::InUse,
            format!(
                "The operator may not see whether TechnicalUsers of {namespace} still need this Vault ({why}); {ROLE_AGAIN}"
            ),
        ),
    };
    Ok(Some(Kept { why, next: ctx.vault_memory.lists.after_failure(key) }))
}

fn kept_by(holders: &[Key]) -> Blocker {
    let shown = first_of(holders);
    Blocker::passing(
        Reason::InUse,
        format!("{} TechnicalUsers still need this Vault: {shown}", holders.len()),
    )
}
