//! Hears what every reading of a Portal's user list yields, also one that a `TechnicalUser` asked for, and wakes those
//! that it concerns.

use std::sync::{Arc, Weak};

use async_trait::async_trait;

use super::vanished::suspected_mass_disappearance;
use super::{ListOrigin, wake_changed};
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::inventory::{Inventory, Listener};
use crate::controller::portal::wake_all;
use crate::domain::inventory::Changes;

/// The listener of one Portal.
pub struct PortalListener {
    ctx: Weak<Context>,
    key: Key,
    origin: ListOrigin,
}

impl PortalListener {
    /// A listener that lives no longer than the process's context.
    pub fn create(ctx: &Arc<Context>, key: &Key, origin: ListOrigin) -> Arc<dyn Listener> {
        Arc::new(Self { ctx: Arc::downgrade(ctx), key: key.clone(), origin })
    }
}

#[async_trait]
impl Listener for PortalListener {
    async fn list_read(&self, inventory: &Inventory, changes: &Changes) {
        let Some(ctx) = self.ctx.upgrade() else { return };
        let Some(portal) = ctx.portals.get(&self.key) else { return };
        // The login may belong to more or fewer companies since the list was first read.
        let companies = ctx.connections.companies(&self.key);
        let companies = if companies.is_empty() { self.origin.companies.clone() } else { companies };
        let origin = ListOrigin { url: self.origin.url.clone(), companies };
        // First, so that no resource that is woken takes a mass disappearance for the deletion of its user.
        let missing = suspected_mass_disappearance(&ctx, &self.key, &portal, &origin, inventory).await;
        if missing != inventory.mass_disappearance() {
            inventory.suspect_mass_disappearance(missing);
            wake_all(&ctx, &self.key);
            ctx.portals.check_soon(&self.key);
        }
        wake_changed(&ctx, &self.key, changes);
    }

    fn wake(&self, waiting: Vec<Key>) {
        let Some(ctx) = self.ctx.upgrade() else { return };
        for key in &waiting {
            ctx.wake(key);
        }
    }

    fn sweep_ended(&self) {
        let Some(ctx) = self.ctx.upgrade() else { return };
        ctx.portals.check_soon(&self.key);
    }
}
