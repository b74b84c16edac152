//! Pauses between the tries of a call that changes nothing.

use std::time::Duration;

use crate::process::Random;

/// How often a read is repeated after its first failure.
pub(crate) const RETRIES: u32 = 2;

/// The pause before the first repetition, doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The pause before repetition number `number` (from 0): doubling, half of it by chance.
pub(crate) fn retry_pause(number: u32, random: &Random) -> Duration {
    let whole = FIRST_PAUSE * 2_u32.saturating_pow(number.min(8));
    whole.mul_f64(0.5 + random.fraction() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        let random = Random::seeded(1);
        for _ in 0..100 {
            assert!((125..=250).contains(&retry_pause(0, &random).as_millis()));
            assert!((250..=500).contains(&retry_pause(1, &random).as_millis()));
        }
        assert!(retry_pause(u32::MAX, &random) < Duration::from_secs(65));
    }
}
