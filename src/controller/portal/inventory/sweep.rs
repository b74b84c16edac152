//! The periodic reading of the list: shared work of the Portal that outlives the reconcile which began it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::Inventory;
use crate::portal::{Lane, PortalError};

/// What a sweep has come to.
#[derive(Debug, Default)]
pub(super) enum Sweep {
    /// There is none.
    #[default]
    None,
    /// It is in progress. `left`: no reconcile waits for it.
    Running { left: bool },
    /// It ended, and no reconcile has read the result yet.
    Ended(Result<Duration, PortalError>),
}

const INTERRUPTED: PortalError =
    PortalError::BadAnswer { reason: "the reading of the user list was interrupted" };

impl Inventory {
    /// Reads the list periodically, or waits for the reading that is in progress: how long it took. `None` where it goes
    /// on after this time; the listener hears of its end, and the next call yields its result.
    pub async fn sweep(self: &Arc<Self>, patience: Duration) -> Option<Result<Duration, PortalError>> {
        let deadline = Instant::now() + patience;
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if let Some(result) = self.begin_or_take() {
                return Some(result);
            }
            if timeout_at(deadline, ended).await.is_err() {
                return self.leave();
            }
        }
    }

    /// Whether a sweep is in progress, or has ended without anybody having taken its result.
    #[must_use]
    pub fn has_sweep(&self) -> bool {
        !matches!(self.state().sweep, Sweep::None)
    }

    fn begin_or_take(self: &Arc<Self>) -> Option<Result<Duration, PortalError>> {
        let mut state = self.state();
        match std::mem::take(&mut state.sweep) {
            Sweep::Ended(result) => return Some(result),
            Sweep::Running { .. } => {}
            Sweep::None => {
                self.process.tasks.spawn(Arc::clone(self).sweep_once());
            }
        }
        state.sweep = Sweep::Running { left: false };
        None
    }

    fn leave(&self) -> Option<Result<Duration, PortalError>> {
        let mut state = self.state();
        if let Sweep::Ended(result) = std::mem::take(&mut state.sweep) {
            return Some(result);
        }
        state.sweep = Sweep::Running { left: true };
        None
    }

    async fn sweep_once(self: Arc<Self>) {
        let reader = Arc::clone(&self);
        let began = Instant::now();
        // A task of its own, so that a panic in it does not leave a sweep that never ends.
        let read = self.process.tasks.spawn(async move { reader.read(Lane::Background, began).await });
        let result = read.await.unwrap_or(Err(INTERRUPTED)).map(|()| self.took());
        let left = {
            let mut state = self.state();
            matches!(std::mem::replace(&mut state.sweep, Sweep::Ended(result)), Sweep::Running { left: true })
        };
        self.ended.notify_waiters();
        if left {
            self.listener.sweep_ended();
        }
    }
}
