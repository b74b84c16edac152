//! A queue of reconciles that is shared fairly: each key in at most one reconcile at a time, each lane (a Portal) in at
//! most its share of the workers, lanes in turn, keys of a lane in the order of their wakes.
//!
//! kube's `applier` has one limit for all objects, so that the objects of one slow portal take all of it; without a limit
//! it polls every object that waits at every wake. This dispatcher has two limits. A lane runs at most its share. And at
//! most `workers` reconciles run that began less than a second ago: one that takes longer waits for another
//! server and costs only memory, so it must not delay others. Many slow portals then hold as many
//! reconciles as their shares allow, and a quick one still gets the next free worker within about a second.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::time::{DelayQueue, delay_queue};

/// A reconcile that runs for longer occupies no worker any more, only a place in its lane's share.
const SLOW_AFTER: Duration = Duration::from_secs(1);
/// No lane's share is smaller.
const SMALLEST_SHARE: usize = 2;
/// Longer waits are cut to this; the timers of [`DelayQueue`] end at two years.
const LONGEST_WAIT: Duration = Duration::from_hours(24 * 30);
/// The wait after a reconcile that panicked.
const AFTER_PANIC: Duration = Duration::from_mins(1);
/// Wakes that are taken at once.
const BATCH: usize = 256;

/// What comes after a reconcile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action(Option<Duration>);

impl Action {
    /// Reconcile again after this time, or earlier when something wakes the object.
    #[must_use]
    pub const fn requeue(after: Duration) -> Self {
        Self(Some(after))
    }

    /// Do nothing until something wakes the object.
    #[must_use]
    pub const fn await_change() -> Self {
        Self(None)
    }

    /// The time until the next reconcile, if it has one.
    #[must_use]
    pub const fn requeue_after(self) -> Option<Duration> {
        self.0
    }
}

/// What a dispatcher does.
pub trait Work: Send + Sync + 'static {
    /// Names an object.
    type Key: Clone + Ord + Debug + Send + Sync + 'static;
    /// What the workers are shared among.
    type Lane: Clone + Ord + Send + 'static;

    /// The lane of an object at this moment; none where the object does not exist, which ends its reconciles.
    fn lane(&self, key: &Self::Key) -> Option<Self::Lane>;

    /// Reconciles an object. It reads the object itself: the state at the time of the wake may be old.
    fn reconcile(&self, key: Self::Key) -> impl Future<Output = Action> + Send;
}

/// Runs `work` for all keys that come out of `wakes`, until `stop`; then waits for the reconciles in progress.
pub async fn run<W: Work>(
    work: Arc<W>,
    mut wakes: UnboundedReceiver<W::Key>,
    workers: u16,
    stop: CancellationToken,
) {
    let mut state = Dispatcher::new(work, workers);
    let mut woken = Vec::with_capacity(BATCH);
    while !stop.is_cancelled() {
        let next_slow = state.start_what_may();
        tokio::select! {
            // What has ended frees a worker, and there is never more of it than workers; wakes may come without end.
            biased;
            () = stop.cancelled() => {}
            Some(ended) = state.tasks.join_next(), if !state.tasks.is_empty() => {
                // Panics are caught in the task, and no task is aborted as long as this runs.
                if let Ok((key, action)) = ended {
                    state.ended(key, action);
                }
            }
            Some(expired) = state.timers.next(), if !state.timers.is_empty() => state.wake(expired.into_inner()),
            count = wakes.recv_many(&mut woken, BATCH) => {
                if count == 0 {
                    tracing::error!("The queue ends, because nothing can add an object to it any more");
                    break;
                }
                for key in woken.drain(..) {
                    state.wake(key);
                }
            }
            () = wait_until(next_slow), if next_slow.is_some() => {}
        }
    }
    while state.tasks.join_next().await.is_some() {}
}

async fn wait_until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

struct Dispatcher<W: Work> {
    work: Arc<W>,
    workers: usize,
    share: usize,
    entries: BTreeMap<W::Key, Entry>,
    lanes: BTreeMap<W::Lane, Lane<W::Key>>,
    /// The lanes in which something waits, in the order of their turns.
    turns: VecDeque<W::Lane>,
    timers: DelayQueue<W::Key>,
    running: BTreeMap<W::Key, Run<W::Lane>>,
    tasks: JoinSet<(W::Key, Action)>,
}

/// What is known of a key; one of which nothing is known has no entry.
enum Entry {
    /// Will be woken by a timer.
    Sleeping(delay_queue::Key),
    /// Waits in its lane.
    Waiting,
    /// Is reconciled at the moment.
    Running {
        /// Something woke it meanwhile.
        again: bool,
    },
}

struct Lane<K> {
    waiting: VecDeque<K>,
    running: usize,
}

struct Run<L> {
    lane: L,
    slow_at: Instant,
}

impl<W: Work> Dispatcher<W> {
    fn new(work: Arc<W>, workers: u16) -> Self {
        let workers = usize::from(workers).max(1);
        Self {
            work,
            workers,
            share: (workers / 2).max(SMALLEST_SHARE),
            entries: BTreeMap::new(),
            lanes: BTreeMap::new(),
            turns: VecDeque::new(),
            timers: DelayQueue::new(),
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
        }
    }

    fn wake(&mut self, key: W::Key) {
        match self.entries.get_mut(&key) {
            Some(Entry::Waiting) => return,
            Some(Entry::Running { again }) => {
                *again = true;
                return;
            }
            Some(Entry::Sleeping(timer)) => {
                // None where it is this very timer that wakes.
                let _ = self.timers.try_remove(timer);
            }
            None => {}
        }
        self.wait(key);
    }

    /// Puts a key at the end of its lane.
    fn wait(&mut self, key: W::Key) {
        let Some(lane) = self.work.lane(&key) else {
            self.entries.remove(&key);
            return;
        };
        self.entries.insert(key.clone(), Entry::Waiting);
        let entry =
            self.lanes.entry(lane.clone()).or_insert_with(|| Lane { waiting: VecDeque::new(), running: 0 });
        if entry.waiting.is_empty() {
            self.turns.push_back(lane);
        }
        entry.waiting.push_back(key);
    }

    /// Starts reconciles as far as the limits allow. Answers when the next worker becomes free without an end, where
    /// something waits for one.
    fn start_what_may(&mut self) -> Option<Instant> {
        while !self.turns.is_empty() {
            let now = Instant::now();
            let quick = self.running.values().map(|run| run.slow_at).filter(|slow_at| *slow_at > now);
            if quick.clone().count() >= self.workers {
                return quick.min();
            }
            let (key, lane) = self.next()?;
            self.start(key, lane);
        }
        None
    }

    /// The key whose turn it is: the first one of the first lane that may run one more.
    fn next(&mut self) -> Option<(W::Key, W::Lane)> {
        let mut left = self.turns.len();
        while left > 0 {
            left -= 1;
            let lane = self.turns.pop_front()?;
            let Some(entry) = self.lanes.get_mut(&lane) else { continue };
            if entry.running >= self.share {
                self.turns.push_back(lane);
                continue;
            }
            let Some(key) = entry.waiting.pop_front() else { continue };
            if !entry.waiting.is_empty() {
                self.turns.push_back(lane.clone());
            }
            if self.work.lane(&key).as_ref() == Some(&lane) {
                return Some((key, lane));
            }
            // It is gone, or belongs to another lane meanwhile.
            self.tidy(&lane);
            self.wait(key);
            left = self.turns.len();
        }
        None
    }

    fn start(&mut self, key: W::Key, lane: W::Lane) {
        let (work, started) = (Arc::clone(&self.work), key.clone());
        self.tasks.spawn(async move {
            let reconcile = async { work.reconcile(started.clone()).await };
            let ended = AssertUnwindSafe(reconcile).catch_unwind().await;
            (started, ended.unwrap_or(Action::requeue(AFTER_PANIC)))
        });
        if let Some(entry) = self.lanes.get_mut(&lane) {
            entry.running += 1;
        }
        self.entries.insert(key.clone(), Entry::Running { again: false });
        self.running.insert(key, Run { lane, slow_at: Instant::now() + SLOW_AFTER });
    }

    fn ended(&mut self, key: W::Key, action: Action) {
        let Some(Run { lane, .. }) = self.running.remove(&key) else { return };
        if let Some(entry) = self.lanes.get_mut(&lane) {
            entry.running = entry.running.saturating_sub(1);
        }
        self.tidy(&lane);
        match (self.entries.remove(&key), action.requeue_after()) {
            (Some(Entry::Running { again: true }), _) => self.wait(key),
            (_, Some(time)) => {
                let timer = self.timers.insert(key.clone(), time.min(LONGEST_WAIT));
                self.entries.insert(key, Entry::Sleeping(timer));
            }
            (_, None) => {}
        }
    }

    /// Forgets a lane in which nothing waits or runs.
    fn tidy(&mut self, lane: &W::Lane) {
        if self.lanes.get(lane).is_some_and(|entry| entry.waiting.is_empty() && entry.running == 0) {
            self.lanes.remove(lane);
        }
    }
}

#[cfg(test)]
mod tests;
