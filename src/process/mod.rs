//! What a process of the operator takes from the machine that it runs on and what differs from run to run: the wall clock and
//! randomness. It comes in from outside, so that a test can decide it and repeat a run.
//!
//! Durations are measured with `tokio::time::Instant`, which a test can pause.

mod clock;
mod random;

pub use clock::{Clock, SetClock};
pub use random::{NoRandomness, Random};

/// The clock and the randomness of one process. Cheap to clone; clones share them.
#[derive(Debug, Clone)]
pub struct Process {
    /// The time of day.
    pub clock: Clock,
    /// Everything that is random.
    pub random: Random,
}

impl Process {
    /// A process with the clock and the randomness of the system.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Clock::system(), random: Random::system() }
    }
}
