//! Leader election over one `Lease`, after client-go's: at most one process acts.
//!
//! No process compares clocks. The lease of another process has expired when its record did not change for its duration by
//! *our* monotonic clock. Our own leadership ends ten seconds after the last successful renewal was *sent*, five before another
//! process can acquire the lease. [`Leadership::is_leader`] reads the clock at each call, so a process that was paused is not
//! the leader when it continues late. A process whose leadership ended must exit; a new process requests the lease again.
//!
//! Needs `get`, `create` and `update` on that one Lease.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::health::{Health, Subject};
use crate::metrics::Metrics;
use crate::process::Process;

mod lease;

use lease::{Held, LeaseLock};

/// The time without a change after which other processes may acquire the lease; written into it (client-go's default).
const LEASE_DURATION: Duration = Duration::from_secs(15);
/// The time without a renewal after which this process is not the leader any more (client-go's default).
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Time between tries (client-go's default); standbys wait up to a fifth longer, so that they do not try in step.
const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// Bound on each call, so that a hanging one leaves time for others within the deadline.
const CALL_WITHIN: Duration = Duration::from_secs(3);
/// Bound on the release of the lease.
const RELEASE_WITHIN: Duration = Duration::from_secs(5);

/// Whether this process is the one that acts. Cheap to clone.
#[derive(Clone)]
pub struct Leadership(Arc<watch::Sender<LeaderState>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LeaderState {
    Standby,
    /// Leads until then, or without end if there is no election.
    Leading(Option<Instant>),
    Lost,
}

impl Leadership {
    /// The leadership of a process that runs without election.
    #[must_use]
    pub fn without_election() -> Self {
        Self(Arc::new(watch::Sender::new(LeaderState::Leading(None))))
    }

    /// At this moment this process may act.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        match *self.0.borrow() {
            LeaderState::Leading(until) => until.is_none_or(|until| Instant::now() < until),
            LeaderState::Standby | LeaderState::Lost => false,
        }
    }

    /// Waits until this process leads. Never returns if its leadership has ended.
    pub async fn acquired(&self) {
        let mut state = self.0.subscribe();
        // Cannot fail: we hold the sender.
        let _ = state.wait_for(|state| matches!(state, LeaderState::Leading(_))).await;
    }

    /// Waits until the leadership of this process has ended, whatever hangs. The process must then exit.
    pub async fn lost(&self) {
        let mut state = self.0.subscribe();
        loop {
            let now = *state.borrow_and_update();
            match now {
                LeaderState::Lost => return,
                LeaderState::Leading(Some(until)) if until <= Instant::now() => return,
                LeaderState::Leading(Some(until)) => tokio::select! {
                    // A renewal in time counts.
                    biased;
                    _ = state.changed() => {}
                    () = sleep_until(until) => {}
                },
                LeaderState::Standby | LeaderState::Leading(None) => drop(state.changed().await),
            }
        }
    }
}

/// The lease that a process requests.
#[derive(Debug, Clone)]
pub struct LeaseMetadata {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Labels that are put on it.
    pub labels: BTreeMap<String, String>,
}

/// The task that requests the lease and renews it.
pub struct Election {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Election {
    /// Requests the lease. `pod` names the holder to people; each process adds a random part.
    #[must_use]
    pub fn start(
        client: Client,
        lease: LeaseMetadata,
        pod: &str,
        metrics: Metrics,
        health: Health,
        process: &Process,
    ) -> (Leadership, Self) {
        let identity = format!("{pod}_{}", process.random.uuid());
        let api = Api::<Lease>::namespaced(client, &lease.namespace);
        let lock = LeaseLock::new(api, lease, identity, process.clock.clone());
        let leadership = Leadership(Arc::new(watch::Sender::new(LeaderState::Standby)));
        let stop = CancellationToken::new();
        let candidate =
            Candidate { lock, state: leadership.0.clone(), metrics, health, process: process.clone() };
        let task = process.tasks.spawn(candidate.run(stop.clone()));
        (leadership, Self { stop, task })
    }

    /// Ends leadership and releases the lease, so that a standby acquires it at once. Call it after the last action that
    /// needs leadership: [`Leadership::lost`] then returns. Needs five seconds at most.
    pub async fn release(mut self) {
        self.stop.cancel();
        if timeout(RELEASE_WITHIN, &mut self.task).await.is_err() {
            self.task.abort();
            tracing::warn!("The lease was not released; it expires automatically");
        }
    }
}

struct Candidate {
    lock: LeaseLock,
    state: Arc<watch::Sender<LeaderState>>,
    metrics: Metrics,
    health: Health,
    process: Process,
}

/// Ends leadership when it is dropped.
struct LostAtEnd(Arc<watch::Sender<LeaderState>>);

impl Drop for LostAtEnd {
    fn drop(&mut self) {
        self.0.send_replace(LeaderState::Lost);
    }
}

impl Candidate {
    async fn run(mut self, stop: CancellationToken) {
        // At any end of the task, also by a panic, this process does not lead any more.
        let _lost = LostAtEnd(Arc::clone(&self.state));
        let stopped = tokio::select! {
            // A stop releases the lease, whatever else happens.
            biased;
            () = stop.cancelled() => true,
            () = self.lead() => false,
        };
        // This process ends its leadership first, then others may see it.
        self.set(LeaderState::Lost);
        if stopped {
            self.lock.release().await;
        }
    }

    /// Returns when the leadership of this process has ended.
    async fn lead(&mut self) {
        let mut until = self.acquire().await;
        tracing::info!(identity = self.lock.identity(), "Acquired the lease");
        while let Some(renewed) = self.renew(until).await {
            until = renewed;
        }
    }

    async fn acquire(&mut self) -> Instant {
        let mut seen = None;
        loop {
            let held = self.lock.hold().await;
            let trouble = held.as_ref().err().map(|error| format!("{}: {error}", self.lock.words()));
            self.health.report(Subject::Lease, trouble.into_iter().collect());
            match held {
                Ok(Held::Ours(until)) => {
                    self.set(LeaderState::Leading(Some(until)));
                    return until;
                }
                Ok(Held::Other(holder)) => {
                    if seen.as_ref() != Some(&holder) {
                        tracing::info!(holder, "Standing by: another process holds the lease");
                    }
                    seen = Some(holder);
                }
                Err(error) => tracing::warn!("Cannot acquire {}: {error}", self.lock.words()),
            }
            sleep(RETRY_PERIOD.mul_f64(1.0 + self.process.random.fraction() / 5.0)).await;
        }
    }

    /// Until when this process leads after the next renewal; `None` when its leadership has ended.
    async fn renew(&mut self, until: Instant) -> Option<Instant> {
        sleep(RETRY_PERIOD).await;
        loop {
            match timeout_at(until, self.lock.hold()).await {
                // An answer after the end, such as to a process that was paused, does not restore leadership.
                Ok(Ok(Held::Ours(renewed))) if Instant::now() < until => {
                    self.set(LeaderState::Leading(Some(renewed)));
                    return Some(renewed);
                }
                Ok(Ok(Held::Ours(_))) | Err(_) => {}
                Ok(Ok(Held::Other(holder))) => {
                    tracing::error!(holder, "Leadership has ended: another process holds the lease");
                    return None;
                }
                Ok(Err(error)) => tracing::warn!("Cannot renew the lease: {error}"),
            }
            if Instant::now() + RETRY_PERIOD >= until {
                sleep_until(until).await;
                tracing::error!("Leadership has ended: the lease was not renewed in time");
                return None;
            }
            sleep(RETRY_PERIOD).await;
        }
    }

    fn set(&self, state: LeaderState) {
        self.state.send_replace(state);
        self.metrics.leader(matches!(state, LeaderState::Leading(_)));
    }
}

#[cfg(test)]
mod tests;
