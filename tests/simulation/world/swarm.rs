//! What can go wrong in one run. Each run has a few kinds of troubles, some only one: a fault that needs several troubles of one
//! kind is rarely met where all kinds act at once.

use std::collections::BTreeSet;
use std::time::Duration;

use portal_simulator::Status;
use uuid::Uuid;

use super::{COMPANY, WALLET_DELAY, World};
use crate::kill::{Kill, Point, Which};
use crate::pause::Planned;

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
    /// Processes are paused for longer than a lease lasts, and continue.
    Pauses,
    /// People change Secrets and resources.
    People,
    /// People change users of the operator in the portal.
    PeopleAtThePortal,
    /// The portal refuses to delete users for a while, in which people keep some of them.
    RefusedDeletes,
    /// People suspend the Portal for a while.
    Suspension,
    /// People suspend resources for a while.
    SuspendedUsers,
    /// People prevent that resources are deleted, for a while.
    PreventedDeletions,
    /// Another client changes the resources all the time.
    BusyClient,
    /// The namespace has room for exactly the Secrets that are needed.
    Quota,
    /// The Portal's list of retained users is full.
    FullList,
    /// Calls of the Vault fail.
    VaultCalls,
    /// The Vault is sealed for a while, or a standby answers.
    VaultDown,
    /// The policy of the Vault lacks something, or the login is refused.
    VaultRights,
    /// The tokens of the Vault are revoked.
    VaultTokens,
    /// People change entries in the Vault.
    PeopleInVault,
    /// Other clients have entries where resources want theirs.
    TakenPaths,
    /// The Vault is restored from a backup.
    RestoredVault,
    /// Processes are killed when a write to the Vault is sent.
    KillsAtEntries,
    /// The cluster is restored from a backup, after all processes were killed.
    RestoredCluster,
    /// The portal is restored from a backup, with the identity provider and the wallet, while processes run.
    RestoredPortal,
    /// The watches of a process that starts begin with an old state.
    StaleLists,
    /// Processes are killed when a write is sent or answered, one after each.
    KillsAtEffects,
    /// What people change is changed back before a watch shows it.
    Unobserved,
    /// The clocks of processes differ by minutes, or by an hour, and jump.
    Clocks,
    /// People change the specs of resources.
    ChangedSpecs,
    /// People write specs that cannot be served, and correct them later.
    Mistakes,
    /// People change specs, and change them back at once.
    ChangedBack,
    /// People delete resources and create them again.
    Recreated,
    /// People request rotations.
    Requests,
    /// People say that others may know a credential.
    Compromises,
    /// Credentials become too old.
    Intervals,
    /// People change the roles of users.
    RoleChanges,
    /// People change how credentials are rotated.
    Strategies,
    /// The answers to resets are lost, or a reset is carried out when its caller has gone.
    LostResets,
    /// Processes are killed at the writes of a rotation.
    KillsAtRotations,
    /// People change the workloads that are restarted, and some of their pods are slow.
    Workloads,
    /// People create, reset and delete users of theirs in the portal.
    ExistingUsers,
}

impl Trouble {
    /// Those of the apiserver, the portal and the processes.
    pub const COMMON: [Self; 17] = [
        Self::Apiserver,
        Self::LateWatches,
        Self::RefusedWrites,
        Self::LostCreates,
        Self::VeryLateCreates,
        Self::Portal,
        Self::MovingList,
        Self::KillsAtCreates,
        Self::Kills,
        Self::Pauses,
        Self::People,
        Self::PeopleAtThePortal,
        Self::RefusedDeletes,
        Self::Suspension,
        Self::BusyClient,
        Self::Quota,
        Self::FullList,
    ];

    /// The patterns by which controllers see another cluster than the one that is there: as it was, between two writes, without what
    /// lies between two reads, and at another time.
    pub const OF_VIEWS: [Self; 4] = [Self::StaleLists, Self::KillsAtEffects, Self::Unobserved, Self::Clocks];

    /// What people do to hold resources as they are.
    pub const OF_HOLDS: [Self; 2] = [Self::SuspendedUsers, Self::PreventedDeletions];

    /// All of these, but for two: a quota has room for the Secrets of one spec, and a client that is busy with many resources makes a run
    /// long.
    pub fn of_changing_specs(kinds: &[&[Self]]) -> Vec<Self> {
        let fits = |kind: &Self| !matches!(kind, Self::Quota | Self::BusyClient);
        kinds.concat().into_iter().filter(fits).collect()
    }

    /// Those of backups.
    pub const OF_BACKUPS: [Self; 2] = [Self::RestoredCluster, Self::RestoredPortal];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::COMMON
            .into_iter()
            .chain(Self::OF_VAULT)
            .chain(Self::OF_VIEWS)
            .chain(Self::OF_BACKUPS)
            .chain(Self::OF_HOLDS)
            .chain([Self::ChangedSpecs])
            .chain(Self::OF_SPECS)
            .chain(Self::OF_ROTATIONS)
            .chain(Self::AT_ROTATIONS)
            .chain(Self::OF_WORKLOADS)
            .chain(Self::OF_EXISTING)
    }

    /// What leads to rotations.
    pub const OF_ROTATIONS: [Self; 5] =
        [Self::Requests, Self::Compromises, Self::Intervals, Self::RoleChanges, Self::Strategies];

    /// What happens to users that people create, and to the list that shows them.
    pub const OF_EXISTING: [Self; 2] = [Self::ExistingUsers, Self::MovingList];

    /// What disturbs rotations.
    pub const AT_ROTATIONS: [Self; 2] = [Self::LostResets, Self::KillsAtRotations];

    /// What people do with workloads that are restarted.
    pub const OF_WORKLOADS: [Self; 1] = [Self::Workloads];

    /// Those of specs that change.
    pub const OF_SPECS: [Self; 3] = [Self::Mistakes, Self::ChangedBack, Self::Recreated];

    /// Those of a Vault.
    pub const OF_VAULT: [Self; 8] = [
        Self::VaultCalls,
        Self::VaultDown,
        Self::VaultRights,
        Self::VaultTokens,
        Self::PeopleInVault,
        Self::TakenPaths,
        Self::RestoredVault,
        Self::KillsAtEntries,
    ];
}

/// A process that is not killed before runs for this time.
const LONG: Duration = Duration::from_mins(15);
/// The most points that a process passes before it is killed. A start and a create pass about 100.
const MOST_POINTS: u64 = 160;
/// The writes of a rotation, by a part of their paths: of users, of a Secret, of an entry and of a resource.
const ROTATIONS: [&str; 5] = [CREATE, "/resetCredentials", "/secrets/", ENTRIES, RESOURCES];
/// A process may run for this time if credentials become too old.
const VERY_LONG: Duration = Duration::from_mins(75);
/// The most writes of a process that is killed at one. A start and a create with its outputs have about 15.
const MOST_EFFECTS: u64 = 24;
/// How long a process is paused at least, and how much longer at most: a lease lasts for 15 s.
const SHORTEST_PAUSE: Duration = Duration::from_secs(11);
const MORE_PAUSE: Duration = Duration::from_mins(4);
/// The latest time at which a create is carried out, after its caller has gone.
pub const VERY_LATE: Duration = Duration::from_mins(3);
const CREATE: &str = "/serviceaccounts";
const RESOURCES: &str = "technicaluser.dev/v1alpha1/namespaces/";
const ENTRIES: &str = "/v1/secret/";

impl World {
    /// Chooses the kinds of this run from these.
    pub fn choose_troubles(&self, all: &[Trouble]) -> BTreeSet<Trouble> {
        self.these(self.choose(all))
    }

    fn choose(&self, all: &[Trouble]) -> BTreeSet<Trouble> {
        let mut all = all.to_vec();
        self.random.shuffle(&mut all);
        let count = if self.below(4) == 0 { 1 } else { 2 + self.below(5) };
        all.into_iter().take(usize::try_from(count).unwrap_or_default()).collect()
    }

    /// The same, and this kind in each run.
    pub fn choose_troubles_and(&self, all: &[Trouble], always: Trouble) -> BTreeSet<Trouble> {
        let mut chosen = self.choose(all);
        chosen.insert(always);
        self.these(chosen)
    }

    /// The same, and some kinds of others.
    pub fn choose_troubles_with(&self, all: &[Trouble], others: &[Trouble]) -> BTreeSet<Trouble> {
        let mut chosen = self.choose(all);
        let mut others = others.to_vec();
        self.random.shuffle(&mut others);
        let count = usize::try_from(1 + self.below(3)).unwrap_or_default();
        chosen.extend(others.into_iter().take(count));
        self.these(chosen)
    }

    fn these(&self, chosen: BTreeSet<Trouble>) -> BTreeSet<Trouble> {
        let chosen = self.limited(chosen);
        self.record.add(format!("the troubles of this run: {chosen:?}"));
        chosen
    }

    /// How a process of this run ends. What is drawn does not depend on the limits, so that a repeated run is the same one.
    pub fn kill_by(&self, troubles: &BTreeSet<Trouble>) -> Kill {
        let (kill, pause) = (self.drawn_kill(troubles), self.drawn_pause(troubles));
        let kill = if self.may_kill() { kill } else { Kill::never() };
        kill.after_a_pause(pause)
    }

    /// A pause is longer than a lease lasts, and some are longer than all time limits. No process is paused right before a request
    /// to the portal or the Vault leaves it, because nothing can prevent that it is sent late.
    fn drawn_pause(&self, troubles: &BTreeSet<Trouble>) -> Option<Planned> {
        if !troubles.contains(&Trouble::Pauses) || self.below(4) == 0 {
            return None;
        }
        let point = self.one_of(&[Point::Sent, Point::Answered, Point::Answered]);
        let (point, which, most) = match self.below(5) {
            0 => (point, Which::Any, MOST_POINTS / 2),
            // The first ones of a create record its attempt.
            1 => (point, Which::Write(RESOURCES), 3),
            2 => (point, Which::Write(self.one_of(&ROTATIONS)), 6),
            3 => (Point::Unsent, Which::Write(" /api"), MOST_EFFECTS / 2),
            _ => (point, Which::Write(""), MOST_EFFECTS / 2),
        };
        let time = SHORTEST_PAUSE + self.part_of(MORE_PAUSE);
        Some(Planned { point, which, after: self.below(most), time })
    }

    fn drawn_kill(&self, troubles: &BTreeSet<Trouble>) -> Kill {
        if troubles.contains(&Trouble::KillsAtCreates) && self.below(3) != 0 {
            let point = if self.below(3) == 0 { Point::Answered } else { Point::Sent };
            return Kill::at_request(point, CREATE, self.below(2));
        }
        if troubles.contains(&Trouble::KillsAtEntries) && self.below(3) != 0 {
            let point = [Point::Unsent, Point::Sent, Point::Answered];
            let point = point[usize::try_from(self.below(3)).unwrap_or_default()];
            return Kill::at_write(point, ENTRIES, self.below(6));
        }
        if troubles.contains(&Trouble::KillsAtRotations) && self.below(4) != 0 {
            let point = if self.below(2) == 0 { Point::Sent } else { Point::Answered };
            return Kill::at_write(point, self.one_of(&ROTATIONS), self.below(6));
        }
        if troubles.contains(&Trouble::KillsAtEffects) && self.below(4) != 0 {
            let point = if self.below(2) == 0 { Point::Sent } else { Point::Answered };
            return Kill::at_write(point, "", self.below(MOST_EFFECTS));
        }
        if troubles.contains(&Trouble::Kills) { Kill::after(self.below(MOST_POINTS)) } else { Kill::never() }
    }

    /// How long a process runs that is not killed at a request.
    fn longest_life(&self, troubles: &BTreeSet<Trouble>) -> Duration {
        if troubles.contains(&Trouble::Intervals) && self.below(2) == 0 {
            return VERY_LONG;
        }
        if troubles.contains(&Trouble::KillsAtCreates) { self.part_of(Duration::from_mins(4)) } else { LONG }
    }

    /// What people have set before the first process starts.
    pub async fn prepare(&self, troubles: &BTreeSet<Trouble>) {
        self.neighbours.settle_a_crowd();
        if troubles.contains(&Trouble::MovingList) {
            self.neighbours.settle(1 + self.below(3));
        }
        if troubles.contains(&Trouble::Quota) {
            // The logins, the operator's own Secret and the two outputs.
            let of_vault = usize::from(!self.vault_login.lock().is_empty());
            self.limit_secrets(4 + of_vault).await;
        }
        if troubles.contains(&Trouble::FullList) {
            self.fill_retained().await;
        }
        if troubles.contains(&Trouble::TakenPaths) {
            let aliases = ["edc", "edc-1", "app", "app-1"];
            aliases.into_iter().filter(|_| self.below(2) == 0).for_each(|alias| self.take_path(alias));
        }
    }

    /// The time that a process has, with what people do meanwhile.
    pub async fn goes_on(&self, troubles: &BTreeSet<Trouble>) {
        let parts = 1 + self.below(4);
        let life = self.longest_life(troubles);
        for _ in 0..parts {
            tokio::time::sleep(life / u32::try_from(parts).unwrap_or(1)).await;
            self.interfere(troubles).await;
            self.interfere_in_vault(troubles).await;
            self.change_specs(troubles).await;
            self.rotate(troubles).await;
            self.interfere_with_workloads(troubles).await;
            self.hold(troubles).await;
            self.change_existing(troubles);
            self.end_overlaps(troubles).await;
            self.change_unobserved(troubles).await;
            self.move_clocks(troubles);
            self.back_up_sometimes(troubles);
            self.restore_portal_sometimes(troubles);
            self.create_those_wanted_again().await;
            if troubles.contains(&Trouble::Suspension) && self.below(2) == 0 && self.may_change() {
                self.suspend(self.below(2) == 0).await;
            }
        }
    }

    /// Waits until the portal has carried out what was sent to it before the troubles ended. The wallet refuses the second user of a
    /// name: it stays pending, and only the portal's support can remove it.
    pub async fn last_creates(&self, troubles: &BTreeSet<Trouble>) {
        // A create without an answer ends when its process does not wait for it any more: a pause makes it late.
        let by_pauses = [Trouble::LostCreates, Trouble::Pauses].iter().all(|kind| troubles.contains(kind));
        if !troubles.contains(&Trouble::VeryLateCreates) && !by_pauses {
            return;
        }
        tokio::time::sleep(VERY_LATE + WALLET_DELAY + Duration::from_mins(1)).await;
        let pending = |_, _: &str, status| status == Status::Pending;
        for user in self.portal.view(|view| view.users_that(COMPANY, pending)) {
            // Any other one is to be found by the operator.
            let is_known = self.has_another(user.id) || self.is_reported(user.id);
            if self.moments.is_of_a_late_name(user.id) && is_known {
                self.record.add(format!("the portal's support removes the pending user {}", user.id));
                let _done = self.portal.set_status(user.id, Status::Deleted);
            }
        }
    }

    /// Whether another user that is not deleted has the same owner.
    fn has_another(&self, id: Uuid) -> bool {
        let users = self.ours_at_the_portal();
        users.values().any(|users| users.len() > 1 && users.iter().any(|user| user.id == id))
    }

    /// Whether a condition of a resource names a user.
    fn is_reported(&self, id: Uuid) -> bool {
        let names = |message: &str| message.contains(&id.to_string());
        self.users().iter().any(|user| {
            let conditions = user["status"]["conditions"].as_array();
            conditions.into_iter().flatten().any(|condition| condition["message"].as_str().is_some_and(names))
        })
    }

    /// The pause before the next process: often shorter than the wait for a create of unknown outcome.
    pub fn pause(&self) -> Duration {
        self.part_of(Duration::from_secs(if self.below(3) == 0 { 120 } else { 8 }))
    }
}
