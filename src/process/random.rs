//! Everything that is random: jitter, unique names, keys.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use parking_lot::Mutex;
use thiserror::Error;
use uuid::{Builder, Uuid};

/// A source of randomness. Cheap to clone; clones of a seeded one draw from the same sequence.
#[derive(Debug, Clone)]
pub struct Random(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<fastrand::Rng>>),
}

/// The system provides no random bytes for a key.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
#[error("the system provides no random numbers")]
pub struct NoRandomness;

impl Random {
    /// The randomness of the system; keys and ids from its cryptographic generator.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same sequence for the same seed. For tests: what it yields can be predicted.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)))))
    }

    /// A number of 0 or more and less than 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        self.with(fastrand::Rng::f64)
    }

    /// The time, plus or minus up to a quarter, so that many objects do not act at the same moment.
    #[must_use]
    pub fn spread(&self, time: Duration) -> Duration {
        time.mul_f64(self.fraction().mul_add(0.5, 0.75))
    }

    /// Puts the entries into a random order.
    pub fn shuffle<T>(&self, entries: &mut [T]) {
        self.with(|rng| rng.shuffle(entries));
    }

    /// A unique id.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        match &self.0 {
            Source::System => Uuid::new_v4(),
            Source::Seeded(rng) => {
                let mut bytes = [0; 16];
                rng.lock().fill(&mut bytes);
                Builder::from_random_bytes(bytes).into_uuid()
            }
        }
    }

    /// Fills a key. The system's cryptographic generator does it, unless this is seeded.
    pub fn fill_key(&self, key: &mut [u8]) -> Result<(), NoRandomness> {
        match &self.0 {
            Source::System => SystemRandom::new().fill(key).map_err(|_| NoRandomness),
            Source::Seeded(rng) => {
                rng.lock().fill(key);
                Ok(())
            }
        }
    }

    fn with<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        match &self.0 {
            Source::System => draw(&mut fastrand::Rng::new()),
            Source::Seeded(rng) => draw(&mut rng.lock()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(random: &Random) -> (f64, Uuid, [u8; 8], Vec<u32>) {
        let (mut key, mut order) = ([0; 8], (0..50).collect::<Vec<_>>());
        random.fill_key(&mut key).unwrap();
        random.shuffle(&mut order);
        (random.fraction(), random.uuid(), key, order)
    }

    #[test]
    fn a_seed_yields_the_same_each_time() {
        assert_eq!(draw(&Random::seeded(7)), draw(&Random::seeded(7)));
        assert_ne!(draw(&Random::seeded(7)), draw(&Random::seeded(8)));
        let random = Random::seeded(7);
        assert_ne!(draw(&random), draw(&random.clone()), "clones continue one sequence");
    }

    #[test]
    fn the_system_yields_something_else_each_time() {
        let random = Random::system();
        let (one, other) = (draw(&random), draw(&random));
        assert!(one.1 != other.1 && one.2 != other.2 && one.3 != other.3);
        assert_eq!(one.1.get_version_num(), 4);
    }

    #[test]
    fn a_time_is_spread_by_a_quarter() {
        let random = Random::seeded(1);
        for _ in 0..100 {
            let spread = random.spread(Duration::from_secs(4));
            assert!(spread >= Duration::from_secs(3) && spread <= Duration::from_secs(5));
        }
    }
}
