//! What keeps a portal from being overrun, and the operator from waiting on a dead one: one limiter (rate, concurrency,
//! two lanes, the pause that a server asks for), one breaker, and the pauses between retries of reads.

mod breaker;
mod limiter;
mod retry;

pub use limiter::Limits;

pub(crate) use breaker::{Breaker, Probe, Verdict};
pub(crate) use limiter::{CallPlace, Limiter, Load};
pub(crate) use retry::{RETRIES, retry_pause};
