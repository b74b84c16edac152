//! When the content of outputs in another store is compared again: no watch reports what other clients change there.

use std::collections::BTreeMap;
use std::time::Duration;

use super::verification::Verification;
use crate::domain::plan::OutputId;
use crate::process::Random;

/// When each output of a resource was last compared.
#[derive(Debug, Default)]
pub struct Compared(BTreeMap<OutputId, Verification>);

impl Compared {
    /// When an output is to be compared again. First asked after a start, it is spread over the interval.
    pub fn due_in(&mut self, output: &OutputId, interval: Duration, random: &Random) -> Duration {
        self.0.entry(output.clone()).or_default().due_in(interval, random)
    }

    /// An output was not as it was written: it is compared until it is.
    pub fn differs(&mut self, output: &OutputId) {
        self.0.entry(output.clone()).or_default().is_due();
    }

    /// An output was as it was written. The next time is an interval later, give or take a quarter.
    pub fn compared(&mut self, output: &OutputId, random: &Random) {
        self.0.entry(output.clone()).or_default().verified(random);
    }
}
