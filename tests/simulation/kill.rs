//! Kills of a process while it waits for an answer: before a request is sent, while it is on its way, and when the answer is
//! there. From then on the process sends nothing and receives nothing; the run drops it.

use std::future::pending;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::pause::{Pauses, Planned};

/// Where a process waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// Before a request is sent.
    Unsent,
    /// The request is sent; the server may act on it.
    Sent,
    /// The server has answered.
    Answered,
}

/// A request by its method and path. The renewals of a lease do not count: they are more than all others.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    Any,
    /// It ends so.
    Ends(&'static str),
    /// It changes something, and method and path have this part.
    Write(&'static str),
}

impl Which {
    pub fn is(self, request: &str) -> bool {
        if request.contains("/leases") {
            return false;
        }
        match self {
            Self::Any => true,
            Self::Ends(end) => request.ends_with(end),
            Self::Write(part) => !request.starts_with("GET ") && request.contains(part),
        }
    }
}

/// The end of one process, and its pauses before. Cheap to clone; clones are of the same process.
#[derive(Clone)]
pub struct Kill {
    state: Arc<Mutex<State>>,
    hit: CancellationToken,
    pub pauses: Pauses,
}

#[derive(Debug)]
struct State {
    /// The points that it passes first; `None`: all.
    passes: Option<u64>,
    /// Only these points count.
    only: Option<(Point, Which)>,
    at: Option<String>,
}

impl Kill {
    /// A process that is never killed by this.
    pub fn never() -> Self {
        Self::with(None, None)
    }

    /// A process that is killed after this number of points.
    pub fn after(points: u64) -> Self {
        Self::with(Some(points), None)
    }

    /// A process that is killed at this point of a request whose method and path end so, after this number of them.
    pub fn at_request(point: Point, ends: &'static str, after: u64) -> Self {
        Self::with(Some(after), Some((point, Which::Ends(ends))))
    }

    /// A process that is killed at this point of a request that changes something, whose path has this part, after this number of
    /// them.
    pub fn at_write(point: Point, part: &'static str, after: u64) -> Self {
        Self::with(Some(after), Some((point, Which::Write(part))))
    }

    fn with(passes: Option<u64>, only: Option<(Point, Which)>) -> Self {
        let state = State { passes, only, at: None };
        Self { state: Arc::new(Mutex::new(state)), hit: CancellationToken::new(), pauses: Pauses::default() }
    }

    /// The same, of a process that is paused before.
    pub fn after_a_pause(mut self, planned: Option<Planned>) -> Self {
        self.pauses = Pauses::planned(planned);
        self
    }

    /// Passes a point of a request, perhaps after a pause, or never returns.
    pub async fn pass(&self, point: Point, request: &str) {
        if self.pauses.begins(point, request) {
            // The process continues here when the pause is over.
            tokio::task::yield_now().await;
        }
        if self.is_the_end(point, request) {
            self.hit.cancel();
            pending::<()>().await;
        }
    }

    fn is_the_end(&self, point: Point, request: &str) -> bool {
        let mut state = self.state.lock();
        let counts =
            |(wanted, which): (Point, Which)| state.at.is_some() || (wanted == point && which.is(request));
        if !state.only.is_none_or(counts) {
            return false;
        }
        match &mut state.passes {
            None => false,
            Some(0) => {
                state.at.get_or_insert_with(|| format!("{point:?}: {request}"));
                true
            }
            Some(passes) => {
                *passes -= 1;
                false
            }
        }
    }

    /// Waits until the process is at its end.
    pub async fn hit(&self) {
        self.hit.cancelled().await;
    }

    /// Where it was killed.
    pub fn at(&self) -> Option<String> {
        self.state.lock().at.clone()
    }
}
