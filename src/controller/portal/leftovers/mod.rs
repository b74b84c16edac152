//! Users of ours in a portal that no resource stands for.

mod judge;
mod retained;
mod unclaimed;

use std::sync::Arc;

use crate::api::portal::{PortalStatus, UnclaimedUser};
use crate::controller::context::Context;
use crate::controller::portal::connections::Connection;
pub use judge::{Cluster, Unclaimed, judge};
use retained::RetainedChanges;
pub use unclaimed::candidates;

/// What a sweep found of them.
pub struct Leftovers {
    unclaimed: Vec<UnclaimedUser>,
    retained: RetainedChanges,
}

impl Leftovers {
    /// Finds them in the list that was just read. `status` is what the Portal listed before.
    pub async fn find(ctx: &Arc<Context>, connection: &Connection, status: &PortalStatus) -> Self {
        let unclaimed = unclaimed::unclaimed(ctx, connection, status).await;
        let mut retained = retained::compare(&ctx.process, &ctx.installation, connection, status).await;
        retained.are_used_again(ctx, &connection.inventory, status);
        Self { unclaimed, retained }
    }

    /// Lists them in the Portal's status.
    pub fn list(&self, status: &mut PortalStatus) {
        status.unclaimed.clone_from(&self.unclaimed);
        self.retained.apply(status);
    }
}
