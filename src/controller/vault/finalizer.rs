//! The finalizer of a Vault: it is kept until no output needs the Vault any more.

use std::sync::Arc;
use std::time::Duration;

use kube::api::DynamicObject;

use super::holders::{self, Holders};
use super::{abandoned, gone};
use crate::api::ROLE_AGAIN;
use crate::api::vault::VaultSpec;
use crate::controller::checked::finalizer;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, part, vaults};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// How often a Vault is reconciled that the cache shows to be in use: its last user may be deleted at any moment.
const INTERVAL: Duration = Duration::from_secs(5);

/// A Vault under deletion that is kept.
pub struct Held {
    /// For this reason.
    pub why: Blocker,
    /// When it is due again.
    pub next: Duration,
}

/// Removes it from a Vault under deletion once no resource has an entry there. What deleted resources have left there is deleted
/// before, as far as that is possible. `None`: the Vault is deleted.
pub async fn leave(ctx: &Arc<Context>, key: &Key, object: &DynamicObject) -> Result<Option<Held>, KubeError> {
    if has_finalizer(object) {
        let spec = part::<VaultSpec>(object, "spec").ok();
        if let Some(held) = held(ctx, key, spec.as_ref()).await? {
            return Ok(Some(held));
        }
        abandoned::end(ctx, key, object, spec.as_ref()).await;
        finalizer::remove(ctx, &vaults(), key, object).await?;
    }
    gone(ctx, key);
    Ok(None)
}

/// Why the Vault is kept. Only where the cache shows no user, all resources are read from the apiserver, and with growing
/// pauses.
async fn held(ctx: &Context, key: &Key, spec: Option<&VaultSpec>) -> Result<Option<Held>, KubeError> {
    let cached = holders::cached(ctx, key, spec).await;
    if !cached.is_empty() {
        ctx.vault_memory.lists.forget(key);
        return Ok(Some(Held { why: held_by(&cached), next: INTERVAL }));
    }
    let why = match holders::seen(ctx, key, spec).await? {
        Holders::Seen(holders) if holders.is_empty() => return Ok(None),
        Holders::Seen(holders) => held_by(&holders),
        Holders::Hidden { namespace, why } => Blocker::passing(
            Reason::InUse,
            format!(
                "The operator may not see whether TechnicalUsers of {namespace} still need this Vault ({why}); {ROLE_AGAIN}"
            ),
        ),
    };
    Ok(Some(Held { why, next: ctx.vault_memory.lists.after_failure(key) }))
}

fn held_by(holders: &[Key]) -> Blocker {
    let shown = finalizer::first_of(holders);
    Blocker::passing(
        Reason::InUse,
        format!("{} TechnicalUsers still need this Vault: {shown}", holders.len()),
    )
}
