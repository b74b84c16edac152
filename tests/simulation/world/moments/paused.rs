//! The pauses of processes: what a paused process was about to send arrives as late as it was paused.

use std::time::Duration;

use tokio::time::Instant;

use super::Moments;

/// A request that was judged by what was true shortly before may arrive, and be carried out, within this time.
const SHORTLY: Duration = Duration::from_mins(3);

/// When processes were paused.
#[derive(Debug, Default)]
pub(super) struct Paused(Vec<(Instant, Duration)>);

impl Paused {
    /// Within this time a request is carried out that was judged by what was true before it: the pauses are added that lasted until
    /// then, or still last.
    pub fn shortly(&self) -> Duration {
        let now = Instant::now();
        let recent = self.0.iter().filter(|(begin, time)| now < *begin + *time + SHORTLY);
        SHORTLY + recent.map(|(begin, time)| (now - *begin).min(*time)).sum::<Duration>()
    }
}

impl Moments {
    /// A process is paused from now on for this time.
    pub fn paused(&self, time: Duration) {
        self.0.state.lock().paused.0.push((Instant::now(), time));
    }
}
