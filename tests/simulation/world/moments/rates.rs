//! How often the operator does something: bounds that hold during faults too.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// The bounds of requests, to both servers together.
const REQUESTS: [(Duration, usize); 2] = [(Duration::from_mins(1), 400), (Duration::from_hours(1), 6000)];
/// The most conflicts that one object meets within a minute. The waits double from half a second, and one try may meet several.
const CONFLICTS: usize = 30;

/// What happened lately.
#[derive(Debug, Default)]
pub struct Rates {
    requests: VecDeque<Instant>,
    conflicts: BTreeMap<String, VecDeque<Instant>>,
}

impl Rates {
    /// A request is sent.
    pub fn request(&mut self, now: Instant) -> Option<String> {
        self.requests.push_back(now);
        while self.requests.front().is_some_and(|at| now - *at > REQUESTS[1].0) {
            self.requests.pop_front();
        }
        let since = |time: Duration| {
            let start = self.requests.partition_point(|at| now - *at > time);
            self.requests.len() - start
        };
        let counts = REQUESTS.map(|(time, _)| since(time));
        let exceeded = REQUESTS.iter().zip(counts).find(|((_, most), count)| count > most);
        exceeded.map(|((time, _), count)| format!("{count} requests within {time:?}"))
    }

    /// A write of an object meets a conflict.
    pub fn conflict(&mut self, object: &str, now: Instant) -> Option<String> {
        let met = self.conflicts.entry(object.to_owned()).or_default();
        met.push_back(now);
        while met.front().is_some_and(|at| now - *at > Duration::from_mins(1)) {
            met.pop_front();
        }
        (met.len() > CONFLICTS).then(|| format!("{object} meets {} conflicts within a minute", met.len()))
    }
}
