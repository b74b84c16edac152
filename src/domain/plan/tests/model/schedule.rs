//! What happens, in an arbitrary order: steps of the processes, and everything that can come in between.

use proptest::prelude::*;

use super::portal::{Fate, User};
use super::process::Process;
use super::world::{Object, Setup, Status, Trouble, World};
use crate::domain::plan::{self, Deletion};
use crate::domain::user::{UserId, UserStatus};

/// One thing that happens. Numbers choose among what is there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// A process does this number of steps of its reconcile.
    Steps(usize, u8),
    /// A process runs undisturbed until it rests, with the newest version of each object.
    Works(usize),
    /// A process continues the create that it carries out.
    Task(usize),
    /// Its cache shows the newest object and Secret, or one between.
    CatchUp(usize, u8),
    /// It reads the user list.
    Sweep(usize),
    /// It is killed, and starts at once.
    Crash(usize),
    /// The time for a verification has come.
    VerificationDue(usize),
    Time(u64),
    NextCreate(Fate),
    PortalDown(bool),
    PortalRefuses(bool),
    IdpDown(bool),
    Unwritable(bool),
    Suspended(bool),
    AccessWithdrawn(bool),
    NextPatchUnclear(bool),
    NextChangeUnclear(bool),
    NextStatusLost,
    NextSearchWaits,
    /// A person edits the annotation of the attempt, so that it cannot be read.
    AttemptGarbled,
    StatusWiped,
    /// Somebody writes another user into the status: one that is not ours, none at all, or ours of another generation.
    StatusForged(u8),
    StatusRestored(u8),
    ObjectRestored(u8),
    Deleted,
    Released,
    /// After its deletion an object of the same name is created.
    Recreated,
    Rotate,
    UserRemoved(u8),
    UserReset(u8),
    ClientMissing(u8),
    ClientRestored(u8),
    SecretRemoved,
    SecretEdited,
}

pub(super) fn a_setup() -> impl Strategy<Value = Setup> {
    let policy =
        prop_oneof![4 => Just(Deletion::Delete), 1 => Just(Deletion::Revoke), 1 => Just(Deletion::Retain)];
    (
        any::<bool>(),
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.3),
        policy,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
        prop_oneof![3 => Just(100_usize), 2 => 0..3_usize],
        a_rotation(),
    )
        .prop_map(
            |(external, may_delete, release_undeletable, policy, foreign, stuck, list_limit, rotation)| {
                let (strategy, overlap) = rotation;
                Setup {
                    external,
                    may_delete,
                    release_undeletable,
                    policy,
                    strategy,
                    overlap,
                    stuck,
                    foreign,
                    list_limit,
                }
            },
        )
}

/// How a credential is replaced, and the overlap.
fn a_rotation() -> impl Strategy<Value = (plan::Strategy, u64)> {
    let strategy = prop_oneof![
        2 => Just(plan::Strategy::Auto),
        1 => Just(plan::Strategy::InPlace),
        1 => Just(plan::Strategy::Replace),
    ];
    (strategy, prop_oneof![Just(0_u64), 1..300_u64])
}

pub(super) fn an_event() -> impl Strategy<Value = Event> {
    let p = || 0..2_usize;
    let n = any::<u8>;
    // What blocks everything is repaired more often than it happens.
    let rarely = || prop::bool::weighted(0.3);
    let fate = prop_oneof![
        (1..=30_u64).prop_map(Fate::Slow),
        Just(Fate::AnswerLost),
        Just(Fate::Swallowed),
        Just(Fate::Refused),
    ];
    let time = prop_oneof![2 => 1..12_u64, 2 => 12..70_u64, 1 => 70..400_u64];
    prop_oneof![
        24 => (p(), 1..10_u8).prop_map(|(p, k)| Event::Steps(p, k)),
        24 => p().prop_map(Event::Works),
        10 => p().prop_map(Event::Task),
        6 => (p(), n()).prop_map(|(p, k)| Event::CatchUp(p, k)),
        4 => p().prop_map(Event::Sweep),
        4 => p().prop_map(Event::Crash),
        2 => p().prop_map(Event::VerificationDue),
        8 => time.prop_map(Event::Time),
        5 => fate.prop_map(Event::NextCreate),
        1 => rarely().prop_map(Event::PortalDown),
        1 => rarely().prop_map(Event::PortalRefuses),
        1 => rarely().prop_map(Event::IdpDown),
        1 => rarely().prop_map(Event::Unwritable),
        1 => rarely().prop_map(Event::Suspended),
        1 => rarely().prop_map(Event::AccessWithdrawn),
        1 => any::<bool>().prop_map(Event::NextPatchUnclear),
        2 => any::<bool>().prop_map(Event::NextChangeUnclear),
        1 => Just(Event::NextStatusLost),
        2 => Just(Event::NextSearchWaits),
        1 => Just(Event::AttemptGarbled),
        2 => Just(Event::StatusWiped),
        2 => n().prop_map(Event::StatusForged),
        2 => n().prop_map(Event::StatusRestored),
        3 => n().prop_map(Event::ObjectRestored),
        1 => Just(Event::Deleted),
        1 => Just(Event::Released),
        3 => Just(Event::Recreated),
        3 => Just(Event::Rotate),
        2 => n().prop_map(Event::UserRemoved),
        2 => n().prop_map(Event::UserReset),
        2 => n().prop_map(Event::ClientMissing),
        2 => n().prop_map(Event::ClientRestored),
        1 => Just(Event::SecretRemoved),
        1 => Just(Event::SecretEdited),
    ]
}

fn pick(n: u8, len: usize) -> usize {
    usize::from(n) % len.max(1)
}

impl World {
    pub(super) fn happens(&mut self, event: Event) {
        if !matches!(event, Event::Steps(..) | Event::Task(_)) {
            self.note(|| format!("{event:?}"));
        }
        match event {
            Event::Steps(p, steps) => {
                for _ in 0..steps {
                    if !self.step(p) {
                        break;
                    }
                }
            }
            Event::Works(p) => self.works_undisturbed(p),
            Event::Task(p) => self.work_at_task(p),
            Event::CatchUp(p, n) => self.catch_up(p, usize::from(n % 3)),
            Event::Sweep(p) => self.sweep(p),
            Event::Crash(p) => {
                self.processes[p] = Process::default();
                self.catch_up(p, 0);
            }
            Event::VerificationDue(p) => self.processes[p].verification_due = true,
            Event::Time(seconds) => self.now += seconds,
            Event::NextCreate(fate) => self.portal.fate = fate,
            Event::PortalDown(on) => self.trouble.portal_down = on,
            Event::PortalRefuses(on) => self.trouble.refuses = on,
            Event::IdpDown(on) => self.trouble.idp_down = on,
            Event::Unwritable(on) => self.trouble.unwritable = on,
            Event::Suspended(on) => self.trouble.suspended = on,
            Event::AccessWithdrawn(on) => self.trouble.access_withdrawn = on,
            Event::NextPatchUnclear(carried_out) => self.trouble.unclear_patch = Some(carried_out),
            Event::NextChangeUnclear(carried_out) => self.trouble.unclear_change = Some(carried_out),
            Event::NextStatusLost => self.trouble.status_lost = true,
            Event::NextSearchWaits => self.trouble.search_waits = true,
            Event::Rotate => {
                let value = self.fresh();
                self.write_object(None, |o| o.rotate = value);
            }
            Event::AttemptGarbled => {
                let edit = self.fresh();
                self.write_object(None, |o| o.garbled = Some(edit));
            }
            Event::Released => self.was_released |= self.write_object(None, |o| o.released = true),
            Event::Recreated => self.recreate(),
            Event::Deleted => {
                self.write_object(None, |o| o.deleting = true);
            }
            Event::StatusWiped | Event::StatusRestored(_) | Event::ObjectRestored(_) => self.restore(event),
            Event::StatusForged(n) => self.forge(n),
            Event::UserRemoved(n) => self.by_hand(n, |users, at| {
                users.remove(at);
            }),
            Event::UserReset(n) => self.by_hand(n, |users, at| users[at].version += 1),
            Event::ClientMissing(n) => self.by_hand(n, |users, at| users[at].client_missing = true),
            Event::ClientRestored(n) => self.by_hand(n, |users, at| users[at].client_missing = false),
            Event::SecretRemoved => self.put_secret(None),
            Event::SecretEdited => self.edit_secret(),
        }
        let kind = self.kind();
        self.portal.works(self.now, kind, self.trouble.refuses, self.setup.stuck);
    }

    /// The cache shows all but the newest `behind` versions; it never returns to an earlier one.
    pub(super) fn catch_up(&mut self, p: usize, behind: usize) {
        let last = (self.versions.len() - 1, self.secret_versions.len() - 1);
        let process = &mut self.processes[p];
        process.cache = process.cache.max(last.0.saturating_sub(behind));
        process.secret_cache = process.secret_cache.max(last.1.saturating_sub(behind));
    }

    pub(super) fn sweep(&mut self, p: usize) {
        if !self.trouble.portal_down {
            self.processes[p].snapshot = Some(self.portal.users.clone());
        }
    }

    /// A backup brings back the status, or annotation and status, of an earlier moment.
    fn restore(&mut self, event: Event) {
        let Some(object) = self.object.as_ref().filter(|o| !o.deleting) else { return };
        let earlier: Object = match event {
            Event::StatusRestored(n) | Event::ObjectRestored(n) => {
                self.versions[pick(n, self.versions.len())].clone()
            }
            _ => Object { rotate: object.rotate, ..Object::default() },
        };
        self.restored_at = self.fresh();
        self.write_object(None, |o| {
            o.status = earlier.status;
            if matches!(event, Event::ObjectRestored(_)) {
                o.creating = earlier.creating;
                o.resetting = earlier.resetting;
                o.garbled = earlier.garbled;
                o.finalizer = earlier.finalizer;
                o.rotate = earlier.rotate;
            }
        });
    }

    /// Somebody who may write a status names another user, as if it were active and published, half of the time with the
    /// generation of the last attempt.
    fn forge(&mut self, n: u8) {
        let ours = self.portal.users.iter().find(|u| u.bears_our_live_mark()).map(|u| u.id.clone());
        let ids: Vec<UserId> = Self::forged_ids().into_iter().chain(ours).collect();
        let id = ids[pick(n, ids.len())].clone();
        let number = n / 4;
        let attempted = self.object.as_ref().and_then(|o| o.creating.as_ref()).map(|a| a.generation);
        let generation = attempted.filter(|_| number.is_multiple_of(2)).unwrap_or(1 + i64::from(number % 3));
        self.restored_at = self.fresh();
        self.write_object(None, |o| {
            o.finalizer = true;
            o.status.portal = true;
            o.status.user = Some((id, generation, number % 4 < 2));
            o.status.credential = number.is_multiple_of(5);
        });
    }

    /// A person removes a forged user from the status.
    fn correct_forged_status(&mut self) {
        let forged_ids = Self::forged_ids();
        let forged = |o: &Object| o.status.user.as_ref().is_some_and(|(id, ..)| forged_ids.contains(id));
        if self.object.as_ref().is_some_and(forged) {
            self.note(|| "the forged status is removed".to_owned());
            self.write_object(None, |o| o.status = Status::default());
        }
    }

    /// A person applies the manifest again after the object was deleted.
    fn recreate(&mut self) {
        if self.object.is_none() {
            let number = self.fresh();
            let object = Object { uid: number, rv: number, ..Object::default() };
            self.versions.push(object.clone());
            self.object = Some(object);
        }
    }

    /// Somebody does something to one of our users.
    fn by_hand(&mut self, n: u8, change: impl FnOnce(&mut Vec<User>, usize)) {
        let not_ours = Self::not_ours();
        let active = |u: &User| u.status == UserStatus::Active && !not_ours.contains(&u.id);
        let ids: Vec<UserId> = self.portal.users.iter().filter(|u| active(u)).map(|u| u.id.clone()).collect();
        let Some(id) = ids.get(pick(n, ids.len())) else { return };
        if let Some(at) = self.portal.users.iter().position(|u| u.id == *id) {
            change(&mut self.portal.users, at);
        }
    }

    fn edit_secret(&mut self) {
        let rv = self.fresh();
        if let Some(mut secret) = self.secret.clone() {
            secret.version.1 = rv;
            secret.content = None;
            self.put_secret(Some(secret));
        }
    }

    /// Faults stop, and the processes continue until nothing more is done.
    pub(super) fn run_until_calm(&mut self) {
        self.faults_stop();
        let mut calm = 0;
        for _ in 0..ROUNDS {
            calm = if self.has_calm_round() { calm + 1 } else { 0 };
            if calm == CALM {
                return;
            }
        }
        self.forbid("does not come to rest".into());
    }

    fn faults_stop(&mut self) {
        self.note(|| "faults stop".to_owned());
        self.trouble = Trouble::default();
        self.portal.fate = Fate::Done;
        for user in &mut self.portal.users {
            user.client_missing = false;
        }
        self.correct_forged_status();
    }

    /// Each process works for a round; whether nothing was written.
    pub(super) fn has_calm_round(&mut self) -> bool {
        let before = self.state();
        self.now += 100;
        let kind = self.kind();
        self.portal.works(self.now, kind, false, self.setup.stuck);
        for p in 0..self.processes.len() {
            self.processes[p].verification_due = true;
            self.works_undisturbed(p);
            self.sweep(p);
        }
        self.state() == before
    }

    /// A process carries its create out, then its reconcile, and the next one where the object has changed since.
    pub(super) fn works_undisturbed(&mut self, p: usize) {
        for _ in 0..3 {
            while self.processes[p].task.is_some() {
                self.work_at_task(p);
                self.now += 1;
            }
            self.catch_up(p, 0);
            while self.step(p) {
                self.work_at_task(p);
            }
        }
    }

    /// What is written somewhere; a calm round changes nothing of it.
    fn state(&self) -> String {
        let rv = self.object.as_ref().map(|o| o.rv);
        let users: Vec<_> =
            self.portal.users.iter().map(|u| (&u.id, u.status, u.version, u.mark.retained)).collect();
        format!("{rv:?} {:?} {users:?} {:?} {}", self.secret, self.retained, self.portal.posts.len())
    }
}

/// The highest number of rounds of 100 seconds, most of them waiting: for attempts to settle, for refusals to be tried again,
/// for the wallet service.
const ROUNDS: u32 = 60;
/// Calm is what has not changed for this number of rounds, longer than any of these waits.
const CALM: u32 = 6;
