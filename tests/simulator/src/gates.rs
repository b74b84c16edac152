//! Gates: a test holds a call at a certain point.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::calls::{Call, Endpoint};
use crate::core::LIMIT;

/// Where a gate holds a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The call has arrived, nothing is done.
    Arrived,
    /// Create, update, delete and reset only: the portal has read the row and spoken to the identity provider,
    /// and has saved nothing.
    Working,
    /// All is done, the answer is about to be sent.
    Done,
}

/// A closed gate. Dropping it opens it.
pub struct Gate {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    endpoint: Endpoint,
    stage: Stage,
    skip: AtomicUsize,
    open: CancellationToken,
    reached: watch::Sender<usize>,
    held: Mutex<Vec<Call>>,
}

impl Gate {
    pub(crate) fn new(endpoint: Endpoint, stage: Stage, skip: usize) -> (Self, Arc<Inner>) {
        let inner = Arc::new(Inner {
            endpoint,
            stage,
            skip: AtomicUsize::new(skip),
            open: CancellationToken::new(),
            reached: watch::Sender::new(0),
            held: Mutex::new(Vec::new()),
        });
        (Self { inner: Arc::clone(&inner) }, inner)
    }

    /// Waits until a call stands at the gate.
    ///
    /// # Panics
    /// If none comes within five minutes.
    pub async fn reached(&self) {
        self.reached_by(1).await;
    }

    /// Waits until this many calls stand at the gate.
    ///
    /// # Panics
    /// If fewer come within five minutes.
    pub async fn reached_by(&self, calls: usize) {
        let mut reached = self.inner.reached.subscribe();
        let wait = reached.wait_for(|count| *count >= calls);
        let in_time = tokio::time::timeout(LIMIT, wait).await.is_ok();
        let (endpoint, stage) = (self.inner.endpoint, self.inner.stage);
        assert!(in_time, "no call of {endpoint:?} stands at the gate {stage:?} within {LIMIT:?}");
    }

    /// The calls that have come to the gate.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.inner.held.lock().clone()
    }

    /// Opens the gate for the calls at it and for all later ones.
    pub fn release(&self) {
        self.inner.open.cancel();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.release();
    }
}

impl Inner {
    pub(crate) fn is_open(&self) -> bool {
        self.open.is_cancelled()
    }

    /// Holds the call if the gate is meant for it.
    pub(crate) async fn pass(&self, stage: Stage, call: &Call) {
        if self.stage != stage || self.endpoint != call.endpoint || self.is_open() {
            return;
        }
        let skipped = self.skip.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if skipped.is_ok() {
            return;
        }
        self.held.lock().push(call.clone());
        self.reached.send_modify(|count| *count += 1);
        self.open.cancelled().await;
    }
}
