//! What a process of the operator needs from its machine: the wall clock, randomness and tasks. The caller passes them, so that
//! a test can decide them, repeat a run and end a process at any point.
//!
//! Durations are measured with `tokio::time::Instant`, which a test can pause.

mod clock;
mod pause;
mod random;
mod tasks;

pub use clock::{Clock, SetClock};
pub use pause::Pause;
pub use random::{NoRandomness, Random};
pub use tasks::{Spawner, Tasks};

/// The clock, randomness and tasks of one process. Several may run in one process of the system. Cheap to clone; clones are
/// the same process.
#[derive(Debug, Clone)]
pub struct Process {
    /// The time of day.
    pub clock: Clock,
    /// Everything that is random.
    pub random: Random,
    /// Starts the tasks of the process.
    pub tasks: Spawner,
}

impl Process {
    /// A process with the clock and the randomness of the system. Its tasks end with the tokio runtime.
    #[must_use]
    pub fn system() -> Self {
        Self { clock: Clock::system(), random: Random::system(), tasks: Spawner::of_runtime() }
    }
}
