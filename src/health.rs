//! The state that the probes report.
//!
//! A process is ready if it can serve: the custom resource definitions fit, the installation has its identity and the cache is
//! filled. A standby is ready without the cache. An outage of a portal changes neither readiness nor liveness: a condition and a
//! metric report it. The probe also reports what else a person should know, ready or not.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, interval};

/// A heartbeat older than this means that the runtime does not run any more.
const BEAT_WITHIN: Duration = Duration::from_mins(1);
/// Time between heartbeats.
const BEAT_EVERY: Duration = Duration::from_secs(5);

/// Something that must have happened before the process is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The cluster's custom resource definitions fit this program.
    CustomResourceDefinitions,
    /// The installation has its identity.
    Identity,
    /// Everything that is watched and may be listed was listed once.
    Cache,
}

/// What a report to people is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The custom resource definitions.
    Definitions,
    /// The Secret with the installation's identity.
    Identity,
    /// The Lease of the leader election.
    Lease,
    /// The watched namespaces.
    Namespaces,
    /// The labels of namespaces.
    NamespaceLabels,
}

impl Gate {
    const ALL: [Self; 3] = [Self::CustomResourceDefinitions, Self::Identity, Self::Cache];
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CustomResourceDefinitions => {
                "the custom resource definitions were not checked yet, or do not fit"
            }
            Self::Identity => "the Secret with the installation's identity does not exist yet",
            Self::Cache => "the watched resources were not listed completely yet",
        })
    }
}

/// The state that the probes report. Cheap to clone. All gates are closed at first.
#[derive(Clone)]
pub struct Health(Arc<Inner>);

struct Inner {
    custom_resource_definitions: AtomicBool,
    identity: AtomicBool,
    cache: AtomicBool,
    failed: AtomicBool,
    beat: Mutex<Instant>,
    reports: Mutex<BTreeMap<Subject, Vec<String>>>,
}

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(Inner {
            custom_resource_definitions: AtomicBool::new(false),
            identity: AtomicBool::new(false),
            cache: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            beat: Mutex::new(Instant::now()),
            reports: Mutex::default(),
        }))
    }
}

impl Health {
    /// `gate` is passed.
    pub fn open(&self, gate: Gate) {
        self.flag(gate).store(true, Ordering::Relaxed);
    }

    /// Reports this about a subject, one line each; no line ends the report.
    pub fn report(&self, subject: Subject, lines: Vec<String>) {
        self.0.reports.lock().insert(subject, lines);
    }

    /// The lines that are reported to people.
    #[must_use]
    pub fn reports(&self) -> Vec<String> {
        self.0.reports.lock().values().flatten().cloned().collect()
    }

    /// `gate` must be passed again.
    pub fn close(&self, gate: Gate) {
        self.flag(gate).store(false, Ordering::Relaxed);
    }

    /// What readiness waits for; empty when ready.
    #[must_use]
    pub fn pending(&self) -> Vec<Gate> {
        Gate::ALL.into_iter().filter(|gate| !self.flag(*gate).load(Ordering::Relaxed)).collect()
    }

    /// The runtime runs.
    pub fn beat(&self) {
        *self.0.beat.lock() = Instant::now();
    }

    /// Beats for ever, to be spawned on the runtime that does the work.
    pub async fn keep_beating(self) {
        let mut ticks = interval(BEAT_EVERY);
        loop {
            ticks.tick().await;
            self.beat();
        }
    }

    /// A task that the process needs has ended: the process is not alive any more, and stops.
    pub fn fail(&self) {
        self.0.failed.store(true, Ordering::Relaxed);
    }

    /// The last heartbeat is recent, and every task runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let failed = self.0.failed.load(Ordering::Relaxed);
        !failed && self.0.beat.lock().elapsed() < BEAT_WITHIN
    }

    fn flag(&self, gate: Gate) -> &AtomicBool {
        match gate {
            Gate::CustomResourceDefinitions => &self.0.custom_resource_definitions,
            Gate::Identity => &self.0.identity,
            Gate::Cache => &self.0.cache,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn readiness_waits_for_every_gate() {
        let health = Health::default();
        assert_eq!(health.pending(), Gate::ALL);
        health.open(Gate::Cache);
        assert_eq!(health.pending(), [Gate::CustomResourceDefinitions, Gate::Identity]);
        health.open(Gate::Identity);
        health.open(Gate::CustomResourceDefinitions);
        assert!(health.pending().is_empty());
        health.close(Gate::Cache);
        assert_eq!(health.clone().pending(), [Gate::Cache]);
    }

    #[tokio::test(start_paused = true)]
    async fn liveness_is_a_recent_heartbeat() {
        let health = Health::default();
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(health.is_alive());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!health.is_alive());
        let beating = tokio::spawn(health.clone().keep_beating());
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert!(health.is_alive());
        health.fail();
        assert!(!health.is_alive(), "a task has ended");
        beating.abort();
    }
}
