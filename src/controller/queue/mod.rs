//! The queues: what the watches report, what sweeps and finished creates request, and the timers.

pub mod backoff;
mod checked;
pub mod dispatcher;
mod technical_users;
mod watches;

use tokio_util::sync::CancellationToken;

pub use self::checked::checked_until;
pub use self::technical_users::technical_users_until;
pub use self::watches::{Watches, watch};
use crate::controller::context::Context;

/// Waits until everything was listed: a Portal that was not listed yet is not one that is missing. False at a stop.
async fn listed(ctx: &Context, stop: &CancellationToken) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = ctx.listed.cancelled() => true,
    }
}
