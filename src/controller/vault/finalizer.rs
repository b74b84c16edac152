//! The finalizer of a Vault: it is kept until no output needs the Vault any more.

use kube::api::DynamicObject;

use super::gone;
use super::holders::{self, Holders};
use crate::api::ROLE_AGAIN;
use crate::controller::checked::finalizer::{self, Leaving};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, vaults};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

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
    finalizer::remove(ctx, &vaults(), key, object).await?;
    gone(ctx, key);
    Ok(Leaving::Gone)
}

fn held_by(holders: &[Key]) -> Blocker {
    let shown = finalizer::first_of(holders);
    Blocker::passing(
        Reason::InUse,
        format!("{} TechnicalUsers still need this Vault: {shown}", holders.len()),
    )
}
