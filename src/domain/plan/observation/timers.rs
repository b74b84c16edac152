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
    /// The content of an output that another client changed is read; `None` where it is known.
    pub output: Option<Duration>,
}
