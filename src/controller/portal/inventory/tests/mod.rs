//! The real inventory under a portal that is played, in simulated time.

mod changes;
mod names;
mod pending;
mod portal;
mod proofs;
mod property;
mod searches;
mod sweeps;

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::domain::inventory::Changes;
use crate::domain::test_support::{details, listed as user, listed_for, owner};
use crate::portal::test_support::Fake;
use parking_lot::Mutex;
use portal::PlayedPortal;

/// The first user of a resource of ours.
fn ours(id: &str, resource: &str) -> ListedUser {
    listed_for(id, &owner(resource))
}

fn key(name: &str) -> Key {
    Key { namespace: "connector".into(), name: name.into() }
}

fn id(text: &str) -> UserId {
    UserId::new(text)
}

/// What the inventory passed on.
#[derive(Default)]
struct Heard {
    changes: Mutex<Vec<Changes>>,
    woken: Mutex<Vec<Key>>,
    sweeps: Mutex<usize>,
}

#[async_trait]
impl Listener for Heard {
    async fn list_read(&self, _: &Inventory, changes: &Changes) {
        self.changes.lock().push(changes.clone());
    }

    fn wake(&self, waiting: Vec<Key>) {
        self.woken.lock().extend(waiting);
    }

    fn sweep_ended(&self) {
        *self.sweeps.lock() += 1;
    }
}

impl Heard {
    fn woken(&self) -> Vec<Key> {
        std::mem::take(&mut *self.woken.lock())
    }

    fn has_heard_of(&self, user: &str) -> bool {
        self.changes.lock().iter().any(|changes| changes.users.contains(&id(user)))
    }
}

/// A portal that is played, the inventory of it, and what that passes on.
struct Scene {
    portal: Arc<Fake<PlayedPortal>>,
    heard: Arc<Heard>,
    gate: CompanyGate,
    inventory: Arc<Inventory>,
}

impl Scene {
    fn new(portal: PlayedPortal) -> Self {
        let (portal, heard, gate) = (Arc::new(Fake(portal)), Arc::<Heard>::default(), CompanyGate::default());
        let listener: Arc<dyn Listener> = Arc::clone(&heard) as _;
        let seen: Arc<dyn Portal> = Arc::clone(&portal) as _;
        let inventory = Arc::new(Inventory::new(
            seen,
            gate.clone(),
            listener,
            Metrics::default(),
            crate::process::Process::system(),
        ));
        Self { portal, heard, gate, inventory }
    }

    async fn sweep(&self) {
        self.inventory.sweep(Duration::from_hours(1)).await.unwrap().unwrap();
    }

    /// Waits for a need, however long it takes.
    async fn until_met(&self, who: &str, need: Need) {
        for _ in 0..200 {
            match self.inventory.meet(&key(who), need).await {
                Ok(()) => return,
                Err(_) => tokio::time::sleep(Duration::from_secs(5)).await,
            }
        }
        panic!("{need:?} is never met");
    }

    /// Waits until no user has a name of this resource, or the list shows them, however long it takes.
    async fn until_looked_for(&self, name: &str, after: Option<Instant>) {
        for _ in 0..200 {
            match self.inventory.prove_absent(&key(name), &owner(name).name_prefix(), after).await {
                Ok(()) => return,
                Err(_) => tokio::time::sleep(Duration::from_secs(5)).await,
            }
        }
        panic!("{name} is never looked for");
    }

    /// The users that may bear a name of this resource.
    fn candidates(&self, name: &str) -> Vec<String> {
        let owner = owner(name);
        let ids = |list: &Snapshot| {
            let users = list.named_for(&owner).into_iter().chain(list.unseen_for(&owner));
            users.map(|user| user.id.to_string()).collect()
        };
        self.inventory.with(ids).unwrap_or_default()
    }
}
