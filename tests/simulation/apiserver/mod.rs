//! An apiserver in memory, for clients in the same process: no socket, no real time, the same run for the same seed.
//!
//! It serves what the operator sends. The tests in `facts` compare its answers with those of a real apiserver.

mod discovery;
mod faults;
mod kinds;
mod manager;
mod merge;
mod quota;
mod read;
mod refusal;
mod request;
mod rollouts;
mod rules;
mod schema;
mod service;
mod state;
mod store;
mod watch;
mod write;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use parking_lot::Mutex;
use serde_json::Value;
use technical_user_operator::process::{Clock, Random};
use tokio::time::Instant;
use tower::timeout::Timeout;

use crate::kill::Kill;
use crate::record::Record;

pub use faults::{Fault, Faults};
pub use kinds::Kinds;
pub use request::{Call, Verb};
use rollouts::Rollouts;
pub use rollouts::{Pod, WORKLOADS};
use service::Service;
use state::State;
pub use store::{Backup, Change};
use store::{Id, Store};

/// What a tower service fails with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A person with all rights.
pub const ADMIN: &str = "admin";
const LEASES: &str = "leases.coordination.k8s.io";
/// How long the controllers of Kubernetes take to act on a change.
const MANAGER_TAKES: Duration = Duration::from_millis(200);
/// The limits of the operator's own client, see `k8s::client`: until an answer begins, and of silence within it.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
const SILENT_FOR: Duration = Duration::from_secs(90);

/// Sees what callers do, at the moment when it is done.
pub trait Observer: Send + Sync {
    /// A caller has changed an object.
    fn changed(&self, caller: &str, change: &Change);

    /// A call got this answer.
    fn answered(&self, call: &Call, code: u16);
}

/// An apiserver. Cheap to clone; clones are the same one.
#[derive(Clone)]
pub struct Apiserver {
    state: Arc<Mutex<State>>,
    record: Record,
}

impl Apiserver {
    /// Starts it, with the controllers of Kubernetes beside it. Needs a tokio runtime, and ends with it.
    pub fn start(seed: u64, clock: Clock, record: Record, kinds: Kinds) -> Self {
        let (uids, faults) = (Random::seeded(seed), Random::seeded(seed ^ 0xa5a5));
        let state = State {
            store: Store::new(uids, clock),
            kinds,
            faults: Faults::off(faults),
            rollouts: Rollouts::new(Random::seeded(seed ^ 0x7015)),
            observer: None,
        };
        let mut changed = state.store.subscribe();
        let apiserver = Self { state: Arc::new(Mutex::new(state)), record };
        let managed = apiserver.clone();
        tokio::spawn(async move {
            let mut acted_on = 0;
            loop {
                let next = managed.state.lock().rollouts.next();
                tokio::select! {
                    biased;
                    is_there = changed.changed() => {
                        if is_there.is_err() {
                            return;
                        }
                        tokio::time::sleep(MANAGER_TAKES).await;
                    }
                    () = at(next) => {}
                }
                changed.borrow_and_update();
                let mut state = managed.state.lock();
                if acted_on > state.store.version() {
                    // It was restored from a backup.
                    acted_on = 0;
                }
                while manager::round(&mut state, acted_on) {}
                rollouts::round(&mut state);
                acted_on = state.store.version();
            }
        });
        apiserver
    }

    /// A client with the limits of the operator's own, as this user. Its process may be killed.
    pub fn client(&self, caller: &str, kill: Kill) -> Client {
        let service = Service {
            state: Arc::clone(&self.state),
            record: self.record.clone(),
            caller: caller.to_owned(),
            kill,
        };
        Client::new(Timeout::new(service, HEADERS_WITHIN), "default")
    }

    /// A client of a person, who meets no fault.
    pub fn admin(&self) -> Client {
        self.client(ADMIN, Kill::never())
    }

    /// Notifies this one from now on.
    pub fn observe(&self, observer: Option<Arc<dyn Observer>>) {
        self.state.lock().observer = observer;
    }

    /// Changes the switches of the faults.
    pub fn faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        change(&mut self.state.lock().faults)
    }

    /// The pods of a workload, such as one of `deployments.apps`.
    pub fn pods(&self, workload: &Value) -> Vec<Pod> {
        self.state.lock().rollouts.pods_of(workload).to_vec()
    }

    /// From now on this share of the pods that start is slow. None: those that are slow become available soon, too.
    pub fn slow_pods(&self, share: Option<f64>) {
        let rollouts = &mut self.state.lock().rollouts;
        match share {
            Some(share) => rollouts.slow = share,
            None => rollouts.hasten(),
        }
    }

    /// Forgets the changes so far, as the compaction of etcd does: watches from an earlier version end with 410.
    pub fn compact(&self) {
        self.state.lock().store.compact();
    }

    /// All objects as they are now.
    pub fn back_up(&self) -> Backup {
        self.state.lock().store.back_up()
    }

    /// It has what it had at the time of a backup, as after a restore of etcd: versions go back, and watches end.
    pub fn restore(&self, backup: &Backup) {
        self.state.lock().store.restore(backup);
    }

    /// An object as it is stored.
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let id = Id { resource: resource.into(), namespace: namespace.into(), name: name.into() };
        self.state.lock().store.get(&id).cloned()
    }

    /// All objects of a resource, such as `secrets`.
    pub fn objects(&self, resource: &str) -> Vec<Arc<Value>> {
        let state = self.state.lock();
        state.store.of(resource).map(|(_, object)| Arc::clone(object)).collect()
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.state.lock().store.now()
    }

    /// The version of the last change, those of Leases aside.
    pub fn version(&self) -> u64 {
        let state = self.state.lock();
        let mut others = state.store.log().iter().filter(|change| change.id.resource != LEASES);
        others.next_back().map_or(state.store.compacted(), |change| change.version)
    }
}

/// Waits until a time, if there is one.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
