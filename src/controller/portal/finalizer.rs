//! The finalizer of a Portal: it is kept until no resource needs the Portal any more.

use kube::api::DynamicObject;

use super::gone;
use super::holders::{self, Holders};
use crate::api::ROLE_AGAIN;
use crate::controller::checked::finalizer::{self, Leaving};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, has_finalizer, portals};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::portal::{CREATE_SETTLE_TIME, CREATE_TIMEOUT};

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
        let shown = finalizer::first_of(&holders);
        return Ok(Leaving::Held(Blocker::passing(
            Reason::InUse,
            format!("{} TechnicalUsers still need this Portal: {shown}", holders.len()),
        )));
    }
    if known_since.elapsed() < CREATE_TIMEOUT {
        return Ok(Leaving::Held(Blocker::passing(
            Reason::InUse,
            "The operator waits for creates that were in progress when the deletion began",
        )));
    }
    finalizer::remove(ctx, &portals(), key, object).await?;
    gone(ctx, key);
    Ok(Leaving::Gone)
}
