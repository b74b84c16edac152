//! Randomness. It comes from fastrand's generator of the thread, so that a test with one thread can seed it and repeat a run.

use uuid::{Builder, Uuid};

/// A unique id.
pub(crate) fn uuid() -> Uuid {
    let mut bytes = [0; 16];
    fastrand::Rng::new().fill(&mut bytes);
    Builder::from_random_bytes(bytes).into_uuid()
}
