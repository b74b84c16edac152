//! The finalizer of a Portal: it is kept until no resource needs the Portal any more.

use std::time::Duration;

use super::holders::{self, Holders};
use crate::api::ROLE_AGAIN;
use crate::controller::checked::finalizer::first_of;
use crate::controller::checked::kind::Kept;
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;
use crate::portal::{CREATE_SETTLE_TIME, CREATE_TIMEOUT};

/// How often a Portal under deletion is reconciled: the last resource that needs it may be deleted at any moment.
const INTERVAL: Duration = Duration::from_secs(5);

/// Why a Portal under deletion is kept; `None` when no resource that has our finalizer uses it. A create that was in progress
/// when its deletion began has ended by then.
pub async fn release(ctx: &Context, key: &Key, object: &StoredObject) -> Result<Option<Kept>, KubeError> {
    // By our own clock since we know of the deletion: the object's time is the apiserver's, and clocks differ.
    let known_since = ctx.portal_memory.deleting_since(key, object.metadata.uid.as_deref());
    let why = match holders::seen(ctx, key, object, known_since + CREATE_SETTLE_TIME).await? {
        Holders::Hidden { namespace, why } => Blocker::passing(
            Reason::InUse,
            format!(
                "The operator cannot see whether TechnicalUsers of {namespace} still need this Portal ({why}); \
                 {ROLE_AGAIN}"
            ),
        ),
        Holders::Seen(holders) if !holders.is_empty() => {
            let shown = first_of(&holders);
            Blocker::passing(
                Reason::InUse,
                format!("{} TechnicalUsers still need this Portal: {shown}", holders.len()),
            )
        }
        Holders::Seen(_) if known_since.elapsed() < CREATE_TIMEOUT => Blocker::passing(
            Reason::InUse,
            "The operator waits for creates that were in progress when the deletion began",
        ),
        Holders::Seen(_) => return Ok(None),
    };
    Ok(Some(Kept { why, next: INTERVAL }))
}
