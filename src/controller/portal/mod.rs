//! The reconcile of a `Portal`: connect, sweep, report; its finalizer is kept as long as a resource needs it.

mod check;
mod connect;
pub mod connections;
mod finalizer;
mod holders;
pub mod inventory;
pub mod kind;
pub(in crate::controller) mod leftovers;
pub mod logins;
pub mod memory;
pub mod proofs;
mod status;
mod sweep;

pub(in crate::controller) use check::{check, place_of, read_logins};
pub use sweep::{portal_named_by, portal_of, users_of};

use crate::controller::context::Context;
use crate::controller::objects::Key;

/// Queues every resource that uses a Portal.
pub fn wake_all(ctx: &Context, key: &Key) {
    for user in users_of(ctx, key) {
        ctx.wake(&user.key());
    }
}
