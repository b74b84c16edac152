//! What can go wrong in one run. Each run has a few kinds of troubles, some only one: a fault that needs several troubles of one
//! kind is rarely met where all kinds act at once.

use std::collections::BTreeSet;
use std::time::Duration;

use super::World;
use crate::kill::{Kill, Point};

/// A kind of troubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Calls of the apiserver fail.
    Apiserver,
    /// The watches are late.
    LateWatches,
    /// Rights on Secrets are missing, or a webhook fails.
    RefusedWrites,
    /// The answers to creates are lost, or a create is carried out when its caller has gone.
    LostCreates,
    /// Creates are carried out longer after their start than the operator waits for them.
    VeryLateCreates,
    /// Calls of the portal fail.
    Portal,
    /// Other users come and go while the list is read.
    MovingList,
    /// Processes are killed when a create is sent, and started again at once.
    KillsAtCreates,
    /// Processes are killed at any request.
    Kills,
    /// People change Secrets and resources.
    People,
    /// People change users of the operator in the portal.
    PeopleAtThePortal,
    /// People suspend the Portal for a while.
    Suspension,
    /// Another client changes the resources all the time.
    BusyClient,
    /// The namespace has room for exactly the Secrets that are needed.
    Quota,
    /// The Portal's list of retained users is full.
    FullList,
}

impl Trouble {
    const ALL: [Self; 15] = [
        Self::Apiserver,
        Self::LateWatches,
        Self::RefusedWrites,
        Self::LostCreates,
        Self::VeryLateCreates,
        Self::Portal,
        Self::MovingList,
        Self::KillsAtCreates,
        Self::Kills,
        Self::People,
        Self::PeopleAtThePortal,
        Self::Suspension,
        Self::BusyClient,
        Self::Quota,
        Self::FullList,
    ];
}

/// A process that is not killed before runs for this time.
const LONG: Duration = Duration::from_mins(15);
/// The most points that a process passes before it is killed. A start and a create pass about 100.
const MOST_POINTS: u64 = 160;
/// The latest time at which a create is carried out, after its caller has gone.
pub const VERY_LATE: Duration = Duration::from_mins(3);
const CREATE: &str = "/serviceaccounts";

impl World {
    /// Chooses the kinds of this run.
    pub fn choose_troubles(&self) -> BTreeSet<Trouble> {
        let mut all = Trouble::ALL;
        self.random.shuffle(&mut all);
        let count = if self.below(4) == 0 { 1 } else { 2 + self.below(5) };
        let chosen = all.into_iter().take(usize::try_from(count).unwrap_or_default()).collect();
        self.record.add(format!("the troubles of this run: {chosen:?}"));
        chosen
    }

    /// How a process of this run ends.
    pub fn kill_by(&self, troubles: &BTreeSet<Trouble>) -> Kill {
        if troubles.contains(&Trouble::KillsAtCreates) && self.below(3) != 0 {
            let point = if self.below(3) == 0 { Point::Answered } else { Point::Sent };
            return Kill::at_request(point, CREATE, self.below(2));
        }
        if troubles.contains(&Trouble::Kills) { Kill::after(self.below(MOST_POINTS)) } else { Kill::never() }
    }

    /// How long a process runs that is not killed at a request.
    fn longest_life(&self, troubles: &BTreeSet<Trouble>) -> Duration {
        if troubles.contains(&Trouble::KillsAtCreates) { self.part_of(Duration::from_mins(4)) } else { LONG }
    }

    /// What people have set before the first process starts.
    pub async fn prepare(&self, troubles: &BTreeSet<Trouble>) {
        if troubles.contains(&Trouble::MovingList) {
            self.neighbours.settle(1 + self.below(3));
        }
        if troubles.contains(&Trouble::Quota) {
            // The login, the operator's own Secret and the two outputs.
            self.limit_secrets(4).await;
        }
        if troubles.contains(&Trouble::FullList) {
            self.fill_retained().await;
        }
    }

    /// The time that a process has, with what people do meanwhile.
    pub async fn goes_on(&self, troubles: &BTreeSet<Trouble>) {
        let parts = 1 + self.below(4);
        let life = self.longest_life(troubles);
        for _ in 0..parts {
            tokio::time::sleep(life / u32::try_from(parts).unwrap_or(1)).await;
            self.interfere(troubles).await;
            if troubles.contains(&Trouble::Suspension) && self.below(2) == 0 {
                self.suspend(self.below(2) == 0).await;
            }
        }
    }

    /// Waits until the portal has carried out what was sent to it before the troubles ended.
    pub async fn last_creates(&self, troubles: &BTreeSet<Trouble>) {
        if troubles.contains(&Trouble::VeryLateCreates) {
            tokio::time::sleep(VERY_LATE + Duration::from_mins(1)).await;
        }
    }

    /// The pause before the next process: often shorter than the wait for a create of unknown outcome.
    pub fn pause(&self) -> Duration {
        self.part_of(Duration::from_secs(if self.below(3) == 0 { 120 } else { 8 }))
    }
}
