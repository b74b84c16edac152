//! What keeps a server from being overrun, and the operator from waiting on a dead one: for each server one limiter (rate,
//! concurrency, two lanes, the pause that the server asks for) and one breaker, and the pauses between retries of reads.

mod breaker;
mod limiter;
mod retry;
mod server;

pub use limiter::Limits;

pub(crate) use breaker::{Probe, Verdict};
pub(crate) use limiter::CallPlace;
pub(crate) use retry::{RETRIES, retry_pause};
pub(crate) use server::Server;
