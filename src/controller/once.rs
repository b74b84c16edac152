//! The controller's code for a command that a person runs once. Nothing is written, neither to the portal nor to the cluster, but the
//! deletion of one user.

mod unclaimed;

use std::sync::Arc;

use super::context::Context;
use super::objects::{Key, part};
use super::portal::connections::ConnectionState;
use super::{portal, technical_user, vault};
use crate::api::portal::PortalSpec;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::site::Site;

pub use portal::leftovers::{Cluster, Unclaimed};
pub use technical_user::look::Look;
pub use technical_user::spelled;
pub use unclaimed::{delete, unclaimed, unclaimed_user};

/// Connects a Portal and reads its user list.
pub async fn connect(ctx: &Arc<Context>, key: &Key) {
    let Some(object) = ctx.portals.get(key) else { return };
    let site = part::<PortalSpec>(&object, "spec").ok().and_then(|spec| Site::of(&spec));
    if site.is_some_and(|site| site.has_person()) {
        let words = "A login of the Portal is a refresh token. Each use of it changes it, so only the operator uses it.";
        let down = ConnectionState::Down(Blocker::lasting(Reason::PortalNotReady, words), None);
        ctx.connections.set(key, down);
        return;
    }
    // The connection says why it failed.
    let _ = portal::check(ctx, key, &object, true).await;
}

/// Reads the logins of a Portal that is not connected, if it leads to the same portal as `other`: they are not to be published, nor
/// deleted.
pub async fn read_logins(ctx: &Arc<Context>, key: &Key, other: &Key) {
    if let (Some(object), Some(other)) = (ctx.portals.get(key), ctx.portals.get(other)) {
        portal::read_logins(ctx, key, &object, &other).await;
    }
}

/// Logs in at a Vault.
pub async fn reach(ctx: &Arc<Context>, key: &Key) {
    if let Some(object) = ctx.vaults.get(key) {
        vault::reach(ctx, key, &object).await;
    }
}

/// What would be done for a resource.
pub async fn look(ctx: &Arc<Context>, key: &Key) -> Look {
    match ctx.cached_user(key) {
        Some(object) => Box::pin(technical_user::look::look(ctx, &object)).await,
        None => Look::failed(Blocker::lasting(Reason::InvalidResource, "It does not exist")),
    }
}
