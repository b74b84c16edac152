//! Places where requests wait for the test.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::watch;

use crate::{Error, LIMIT};

/// A place where requests wait for the test.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Doors>);

#[derive(Debug, Default)]
struct Doors {
    /// Requests that the rule has picked for this gate, whether they stand at it yet or not.
    picked: AtomicUsize,
    reached: watch::Sender<usize>,
    abandoned: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

impl Gate {
    /// Waits until a request stands at the gate, or has stood there.
    pub async fn reached(&self) -> Result<(), Error> {
        first(&self.0.reached, "a request at the gate").await
    }

    /// Waits until a request has been given up at the gate because its client went away. After killing a client, wait
    /// for this before [`Gate::release`]: the proxy learns of the client's end a moment later than the test.
    pub async fn abandoned(&self) -> Result<(), Error> {
        first(&self.0.abandoned, "a request given up at the gate").await
    }

    /// Whether a request stands at the gate, has stood there, or is on its way to it. What a request does at the
    /// apiserver can be seen there before it stands at a gate of [`Stage::After`](super::Stage::After): whoever has
    /// seen it knows by this that [`Gate::reached`] is about to return.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        self.0.picked.load(Ordering::SeqCst) > 0
    }

    /// A request was picked for this gate.
    pub(super) fn expect(&self) {
        self.0.picked.fetch_add(1, Ordering::SeqCst);
    }

    /// How many requests have come to the gate so far.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.0.reached.borrow()
    }

    /// Lets the waiting requests continue, and all that come later pass.
    pub fn release(&self) {
        self.0.released.send_replace(true);
    }

    /// Waits here until the gate is released. The server drops this future when the client goes away.
    pub(super) async fn pass(&self) {
        let visit = Visit { gate: self, passed: false };
        self.0.reached.send_modify(|count| *count += 1);
        // The sender lives in `self`, so this cannot fail.
        let _ = self.0.released.subscribe().wait_for(|released| *released).await;
        visit.passed();
    }
}

/// One request at a gate.
struct Visit<'a> {
    gate: &'a Gate,
    passed: bool,
}

impl Visit<'_> {
    fn passed(mut self) {
        self.passed = true;
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if !self.passed {
            self.gate.0.abandoned.send_modify(|count| *count += 1);
        }
    }
}

/// Waits until something has happened once.
async fn first(count: &watch::Sender<usize>, what: &str) -> Result<(), Error> {
    let mut count = count.subscribe();
    match tokio::time::timeout(LIMIT, count.wait_for(|count| *count > 0)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::Timeout { what: what.to_owned(), limit: LIMIT }),
    }
}
