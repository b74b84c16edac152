//! What happened in a run, in order, with the simulated time of each line: the same seed gives the same record.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// The record of a run. Cheap to clone; clones are the same one.
#[derive(Debug, Clone)]
pub struct Record {
    began: Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Record {
    /// An empty record that begins now.
    pub fn begin() -> Self {
        Self { began: Instant::now(), lines: Arc::default() }
    }

    /// Adds a line. Returns its number.
    pub fn add(&self, line: impl Display) -> usize {
        let mut lines = self.lines.lock();
        lines.push(format!("{:>9.3}  {line}", self.began.elapsed().as_secs_f64()));
        lines.len() - 1
    }

    /// Adds the end to a line.
    pub fn end(&self, number: usize, end: impl Display) {
        if let Some(line) = self.lines.lock().get_mut(number) {
            *line = format!("{line} -> {end}");
        }
    }

    /// The simulated time since it began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The number of lines.
    pub fn count(&self) -> usize {
        self.lines.lock().len()
    }

    /// The number of lines that are so.
    pub fn count_of(&self, is_so: impl Fn(&str) -> bool) -> usize {
        self.lines.lock().iter().filter(|line| is_so(line)).count()
    }

    /// All lines.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }

    /// The last lines, as one text.
    pub fn last(&self, count: usize) -> String {
        let lines = self.lines.lock();
        let skipped = lines.len().saturating_sub(count);
        lines.iter().skip(skipped).fold(String::new(), |text, line| format!("{text}\n{line}"))
    }
}
