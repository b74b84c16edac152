//! Keeps this process's own creates and deletes of a company apart from the readings that prove a name absent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout, timeout_at};

use crate::controller::objects::Key;

/// How long changes are kept out at first while those in progress end, so that a proof can begin. Where that takes longer,
/// the changes that wait start, and the next try keeps them out for twice the time, so that it comes to an end.
const FIRST_DRAIN: Duration = Duration::from_secs(2);
/// A change ends within this time, whatever the portal does: a reconcile, in which it waits for its place, takes up to three
/// minutes, and the patch and the POST of a create less than two.
const LONGEST_DRAIN: Duration = Duration::from_mins(5);
/// A create waits at least as long where a proof is about to begin.
const DRAIN_PATIENCE: Duration = Duration::from_secs(3);
/// How long the resources that are woken at the end of a proof have time to start their changes before the next proof.
const TURN: Duration = Duration::from_secs(2);

/// Whether users of a company change, or a proof is in progress, never both.
///
/// A proof waits for the changes in progress. While it runs none starts; those that wait are released together at its
/// end.
#[derive(Clone, Default)]
pub struct CompanyGate(Arc<Shared>);

/// A gate as long as anybody uses it.
pub struct WeakCompanyGate(Weak<Shared>);

impl WeakCompanyGate {
    /// The gate, where it is still in use.
    #[must_use]
    pub fn upgrade(&self) -> Option<CompanyGate> {
        self.0.upgrade().map(CompanyGate)
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<GateState>,
    /// A change ended.
    ended: Notify,
    /// A change started.
    begun: Notify,
    /// One proof at a time.
    proving: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct GateState {
    closed: Closed,
    /// The changes in progress by number.
    running: BTreeMap<u64, Kind>,
    /// How many changes have started.
    started: u64,
    waiting: Vec<(Kind, oneshot::Sender<Change>)>,
    /// Resources whose change waits for the end of the proof without a task of its own.
    blocked: BTreeSet<Key>,
    /// The turn of those that were woken: how many changes have started at its end, and when it ends in any case.
    turn: Option<(u64, Instant)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Closed {
    #[default]
    No,
    /// A proof waits for the creates in progress: no other create starts.
    ToCreates,
    /// No create is in progress, and a proof waits for the deletes: no change starts.
    ToAll,
    /// A proof is in progress.
    Yes,
}

/// Which change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A create: it may hang for as long as the portal likes.
    Create,
    /// A delete.
    Delete,
}

impl Closed {
    fn keeps_out(self, kind: Kind) -> bool {
        match self {
            Self::No => false,
            Self::ToCreates => kind == Kind::Create,
            Self::ToAll | Self::Yes => true,
        }
    }
}

/// A change in progress, until it is dropped.
pub struct Change {
    gate: Arc<Shared>,
    number: u64,
}

/// No change is in progress and none starts, until it is dropped.
pub struct Quiet {
    gate: Arc<Shared>,
    _proving: tokio::sync::OwnedMutexGuard<()>,
}

impl CompanyGate {
    /// Starts a change; `None` where it has to wait.
    #[must_use]
    pub fn try_change(&self, kind: Kind) -> Option<Change> {
        let mut state = self.0.lock();
        (!state.closed.keeps_out(kind)).then(|| self.0.start(&mut state, kind))
    }

    /// Refers to the gate without keeping it.
    #[must_use]
    pub fn downgrade(&self) -> WeakCompanyGate {
        WeakCompanyGate(Arc::downgrade(&self.0))
    }

    /// Starts a change, or waits at most `patience` for the end of the proof: `None` if it is still in progress then. If a
    /// proof is about to begin, the wait is short in any case.
    pub async fn change(&self, kind: Kind, patience: Duration) -> Option<Change> {
        let (waiting, patience) = {
            let mut state = self.0.lock();
            if !state.closed.keeps_out(kind) {
                return Some(self.0.start(&mut state, kind));
            }
            let (sender, waiting) = oneshot::channel();
            state.waiting.push((kind, sender));
            let about_to_begin = state.closed != Closed::Yes;
            (waiting, if about_to_begin { patience.max(DRAIN_PATIENCE) } else { patience })
        };
        timeout(patience, waiting).await.ok()?.ok()
    }

    /// Waits until no change is in progress, and lets none start. Where that takes several tries, `wake` gets the resources
    /// whose change waits, each time that changes may start meanwhile. Creates may hang for long: deletes are kept out only
    /// once no create is in progress.
    pub async fn quiet(&self, wake: impl Fn(BTreeSet<Key>)) -> Quiet {
        let proving = Arc::clone(&self.0.proving).lock_owned().await;
        // Its end opens the gate also where the caller is cancelled.
        let quiet = Quiet { gate: Arc::clone(&self.0), _proving: proving };
        let (mut creates, mut deletes) = (FIRST_DRAIN, FIRST_DRAIN);
        loop {
            self.0.end_of_turn().await;
            let too_short = if !self.0.drain(Closed::ToCreates, creates).await {
                &mut creates
            } else if !self.0.drain(Closed::ToAll, deletes).await {
                &mut deletes
            } else {
                return quiet;
            };
            *too_short = too_short.saturating_mul(2).min(LONGEST_DRAIN);
            let hanging = self.0.open();
            wake(self.unblock());
            self.0.until(|state| hanging.iter().all(|number| !state.running.contains_key(number))).await;
        }
    }

    /// Distinguishes a time without any change from others: the same number at two moments means that no change was in progress
    /// between them. `None` while there is one.
    #[must_use]
    pub fn quiet_since(&self) -> Option<u64> {
        let state = self.0.lock();
        state.running.is_empty().then_some(state.started)
    }

    /// Remembers a resource whose change waits for the end of the proof.
    pub fn block(&self, who: &Key) {
        self.0.lock().blocked.insert(who.clone());
    }

    /// The resources whose change waited for the end of a proof, to be woken. The next proof lets them start first.
    #[must_use]
    pub fn unblock(&self) -> BTreeSet<Key> {
        let mut state = self.0.lock();
        let blocked = std::mem::take(&mut state.blocked);
        if !blocked.is_empty() {
            state.turn = Some((state.started + blocked.len() as u64, Instant::now() + TURN));
        }
        blocked
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock()
    }

    fn start(self: &Arc<Self>, state: &mut GateState, kind: Kind) -> Change {
        state.started += 1;
        state.running.insert(state.started, kind);
        self.begun.notify_waiters();
        Change { gate: Arc::clone(self), number: state.started }
    }

    /// Waits until those that were woken at the end of a proof have started their changes, or had the time to.
    async fn end_of_turn(&self) {
        loop {
            let begun = self.begun.notified();
            tokio::pin!(begun);
            begun.as_mut().enable();
            let ends = {
                let mut state = self.lock();
                let started = state.started;
                match state.turn {
                    Some((until, ends)) if started < until => ends,
                    _ => {
                        state.turn = None;
                        return;
                    }
                }
            };
            if timeout_at(ends, begun).await.is_err() {
                self.lock().turn = None;
                return;
            }
        }
    }

    /// Keeps changes out, and waits until none of those is in progress; `false` where that takes longer. Once no change at all
    /// is in progress, the proof is.
    async fn drain(&self, closed: Closed, patience: Duration) -> bool {
        self.lock().closed = closed;
        let ended = self.until(|state| {
            let ended = !state.running.values().any(|kind| closed.keeps_out(*kind));
            if ended && closed == Closed::ToAll {
                state.closed = Closed::Yes;
            }
            ended
        });
        timeout(patience, ended).await.is_ok()
    }

    /// Waits for the ends of changes until this holds.
    async fn until(&self, holds: impl Fn(&mut GateState) -> bool) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if holds(&mut self.lock()) {
                return;
            }
            ended.await;
        }
    }

    /// Lets all that wait start; the changes that were in progress before.
    fn open(self: &Arc<Self>) -> BTreeSet<u64> {
        let (hanging, granted) = {
            let mut state = self.lock();
            state.closed = Closed::No;
            let hanging = state.running.keys().copied().collect();
            let waiting = std::mem::take(&mut state.waiting);
            let granted: Vec<_> =
                waiting.into_iter().map(|(kind, sender)| (sender, self.start(&mut state, kind))).collect();
            (hanging, granted)
        };
        // Outside the lock: the change of a caller that no longer waits ends here.
        for (sender, change) in granted {
            drop(sender.send(change));
        }
        hanging
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        self.gate.lock().running.remove(&self.number);
        self.gate.ended.notify_waiters();
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        self.gate.open();
    }
}
