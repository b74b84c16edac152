//! One reading of the list: what it changes, and whether it proves something together with the one before.

use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::time::{Instant, timeout_at};

use super::Inventory;
use crate::domain::inventory::{Coverage, Reading};
use crate::portal::{Lane, ListOrder, PortalError, Scan};

/// A reading takes no longer, nor do all readings of one proof: the changes of the company wait for its end.
pub(super) const LONGEST_READING: Duration = Duration::from_mins(30);

const TOO_SLOW: PortalError =
    PortalError::BadAnswer { reason: "the reading of the user list takes too long" };

/// A reading during which the total never changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stable {
    number: u64,
    began: Instant,
    order: ListOrder,
    /// What the gate reported at its beginning.
    quiet: Option<u64>,
}

impl Stable {
    /// Whether one more reading would make it a proof of what began after this time.
    pub(super) fn begins_a_pair(&self, after: Option<Instant>, quiet: Option<u64>) -> bool {
        self.quiet.is_some() && self.quiet == quiet && after.is_none_or(|after| self.began >= after)
    }
}

impl Inventory {
    /// Reads the list, unless a reading that began after `since` has ended meanwhile.
    ///
    /// Two stable readings in a row with the same name at each rank prove every name absent that neither shows, where
    /// no change of ours was in progress from the beginning of the first to the end of the second. A user that is there
    /// all the time is missing from a stable reading only where one before it was deleted and one behind it was created
    /// between two pages; the second reading then shows another name at the rank of the deleted one.
    pub(super) async fn read(&self, lane: Lane, since: Instant) -> Result<(), PortalError> {
        let one_at_a_time = self.reading.lock().await;
        if self.state().read.is_some_and(|(began, _)| began >= since) {
            return Ok(());
        }
        self.read_now(lane, Instant::now() + LONGEST_READING, &one_at_a_time).await
    }

    /// Reads the list, for a caller that keeps all other readings waiting. It is given up at the deadline.
    pub(super) async fn read_now(
        &self,
        lane: Lane,
        deadline: Instant,
        _one_at_a_time: &MutexGuard<'_, ()>,
    ) -> Result<(), PortalError> {
        let (began, quiet) = (Instant::now(), self.gate.quiet_since());
        // Only the scan is given up: what a reading has changed is passed on in any case.
        let scan = timeout_at(deadline, self.portal.scan(lane)).await.map_err(|_| TOO_SLOW)??;
        self.take_over(scan, began, quiet).await;
        Ok(())
    }

    async fn take_over(&self, scan: Scan, began: Instant, quiet: Option<u64>) {
        let coverage = match (scan.stable, scan.complete) {
            (_, true) => Coverage::Complete,
            (true, false) => Coverage::Names,
            (false, false) => Coverage::Partial,
        };
        let (changes, number) = {
            let mut state = self.state();
            let state = &mut *state;
            state.readings += 1;
            let number = state.readings;
            state.written.retain(|(at, _)| *at >= began);
            let written = state.written.iter().map(|(_, id)| id.clone()).collect();
            let changes = state.snapshot.apply(Reading { number, users: scan.users, coverage, written });
            let this = scan.stable.then_some(Stable { number, began, order: scan.order, quiet });
            if let (Some(first), Some(second)) = (state.last, this)
                && first.order == second.order
                && first.quiet.is_some()
                && first.quiet == self.gate.quiet_since()
            {
                state.proved = Some(first.began);
                state.pages_for_names = 0;
                state.snapshot.prove(first.number);
            }
            state.last = this;
            state.read = Some((began, began.elapsed()));
            if coverage > Coverage::Partial {
                let snapshot = &state.snapshot;
                state.marks.retain(|id, _| snapshot.knows(id));
            }
            (changes, number)
        };
        self.listener.list_read(self, &changes).await;
        if coverage > Coverage::Partial {
            let mut state = self.state();
            (state.judged, state.judged_number) = (Some(began), number);
        }
        self.ended.notify_waiters();
    }

    /// How long the last reading took.
    pub(super) fn took(&self) -> Duration {
        self.state().read.map(|(_, took)| took).unwrap_or_default()
    }

    /// Whether the last reading was stable.
    pub(super) fn is_stable(&self) -> bool {
        self.state().last.is_some()
    }
}
