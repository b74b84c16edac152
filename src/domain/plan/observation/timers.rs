//! When something is due.

use std::time::Duration;

/// The times until something is due; zero where it is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// What no watch reports is checked again, such as the labels of a namespace.
    pub recheck: Duration,
    /// The state of a pending user is read again.
    pub poll: Duration,
    /// The published credential is tried again.
    pub verification: Duration,
    /// The first of what else is due, such as the reading of an output that another client changed; `None` for nothing.
    pub other: Option<Duration>,
}

impl Timers {
    /// Something else is due after this time; `None` for nothing.
    pub fn also(&mut self, after: Option<Duration>) {
        self.other = self.other.into_iter().chain(after).min();
    }
}
