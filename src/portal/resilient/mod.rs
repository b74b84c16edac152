//! What keeps a portal from being overrun, and the operator from waiting on a dead one: one gate (rate, concurrency,
//! two lanes, the pause that a server asks for), one breaker, and the pauses between retries of reads.

mod breaker;
mod gate;
mod retry;

pub use gate::Limits;

pub(crate) use breaker::{Breaker, Probe, Verdict};
pub(crate) use gate::{Gate, Place};
pub(crate) use retry::{RETRIES, retry_pause};
