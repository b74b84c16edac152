//! What two operator processes share: the object, its Secret, the Portal's list of retained users, and a clock.

use std::collections::BTreeSet;

use super::portal::Portal;
use super::process::Process;
use crate::domain::attempt::Attempt;
use crate::domain::plan::{Deletion, Strategy};
use crate::domain::user::UserId;

/// What stays the same through one run.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read on its own")]
pub(super) struct Setup {
    /// The requested role creates wallet users.
    pub external: bool,
    pub may_delete: bool,
    pub release_undeletable: bool,
    pub policy: Deletion,
    /// How a credential that serves is replaced on request, and how long its user is kept then, in seconds.
    pub strategy: Strategy,
    pub overlap: u64,
    /// The wallet service never answers for a successor.
    pub stuck: bool,
    /// A user of another owner has a name of this resource.
    pub foreign: bool,
    /// So many entries has the Portal's list of retained users room for.
    pub list_limit: usize,
}

/// The object as the apiserver has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    /// Which object of the name it is.
    pub uid: u64,
    pub rv: u64,
    pub finalizer: bool,
    pub creating: Option<Attempt>,
    /// The last reset that was written down.
    pub resetting: Option<Attempt>,
    /// A person has edited the annotation, so that it cannot be read; each edit has its own number.
    pub garbled: Option<u64>,
    pub deleting: bool,
    pub released: bool,
    /// The value of the annotation, and the one acted on.
    pub rotate: u64,
    pub status: Status,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Status {
    pub user: Option<(UserId, i64, bool)>,
    /// The user and the generation that the proof is of.
    pub proof: Option<(UserId, i64)>,
    pub credential: bool,
    /// The number of the credential that was published last, and that credential.
    pub number: i64,
    pub published: Option<(UserId, u32)>,
    /// The users that were replaced, and until when they are kept.
    pub retiring: Vec<(UserId, i64, Option<u64>)>,
    /// The digest of what was written, and the Secret's version then.
    pub written: Option<(String, Version)>,
    pub rotated: u64,
    pub portal: bool,
}

/// A Secret's uid and resourceVersion.
pub(super) type Version = (u64, u64);

/// Our Secret. It holds a user's credential (the user, and which of its secrets), or what a hand wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    pub version: Version,
    pub user: UserId,
    pub content: Option<(UserId, u32)>,
}

pub(super) fn digest(content: Option<&(UserId, u32)>) -> String {
    content.map_or_else(|| "by hand".to_owned(), |(user, version)| format!("{user} {version}"))
}

/// What fails until it is repaired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read on its own")]
pub(super) struct Trouble {
    pub portal_down: bool,
    pub idp_down: bool,
    pub unwritable: bool,
    pub suspended: bool,
    /// Every create is refused.
    pub refuses: bool,
    /// The answer of the next patch of an attempt is lost, and it was carried out or not.
    pub unclear_patch: Option<bool>,
    /// The next status write is lost.
    pub status_lost: bool,
    /// The next search is not at its end when it is asked for.
    pub search_waits: bool,
    /// The Portal's `access` no longer serves the namespace.
    pub access_withdrawn: bool,
    /// The answer of the next deletion, reset or change of a description is lost, and it was carried out or not.
    pub unclear_change: Option<bool>,
}

#[derive(Debug, Clone)]
pub(super) struct World {
    pub setup: Setup,
    pub now: u64,
    pub counter: u64,
    pub portal: Portal,
    pub object: Option<Object>,
    /// Every version that the object had: stale caches and backups show an earlier one.
    pub versions: Vec<Object>,
    /// The attempts that were ever written on an object.
    pub announced: BTreeSet<String>,
    /// A person has released an object of the name.
    pub was_released: bool,
    pub secret: Option<Secret>,
    pub secret_versions: Vec<Option<Secret>>,
    /// The Portal's list of retained users, the newest last.
    pub retained: Vec<UserId>,
    /// What was ever listed there.
    pub ever_retained: BTreeSet<UserId>,
    pub trouble: Trouble,
    pub processes: Vec<Process>,
    /// Something was restored to an earlier moment: what was known since is lost.
    pub restored_at: u64,
    /// What must never happen, and did.
    pub wrong: Vec<String>,
    /// What happened, for the report of a failure.
    pub story: Vec<String>,
    /// What happens is not added to the story.
    pub silent: bool,
}

impl World {
    pub(super) fn new(setup: Setup) -> Self {
        let object = Object { rv: 1, ..Object::default() };
        let portal = Portal::new(setup.foreign);
        Self {
            now: 1000,
            counter: 1,
            portal,
            versions: vec![object.clone()],
            announced: BTreeSet::new(),
            was_released: false,
            object: Some(object),
            secret: None,
            secret_versions: vec![None],
            retained: Vec::new(),
            ever_retained: BTreeSet::new(),
            trouble: Trouble::default(),
            processes: vec![Process::default(), Process::default()],
            restored_at: 0,
            wrong: Vec::new(),
            story: Vec::new(),
            silent: false,
            setup,
        }
    }

    /// A number that nothing else has.
    pub(super) fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if !self.silent {
            self.story.push(format!("{:>6} {}", self.now, what()));
        }
    }

    pub(super) fn forbid(&mut self, what: String) {
        self.note(|| format!("WRONG: {what}"));
        self.wrong.push(what);
    }

    /// Changes the object. With a version, only where it is the current one; whether it was changed.
    pub(super) fn write_object(&mut self, rv: Option<u64>, change: impl FnOnce(&mut Object)) -> bool {
        let next = self.fresh();
        let Some(object) = &mut self.object else { return false };
        if rv.is_some_and(|rv| rv != object.rv) {
            return false;
        }
        change(object);
        object.rv = next;
        self.announced.extend(object.creating.as_ref().map(|attempt| attempt.id.clone()));
        self.versions.push(object.clone());
        // The apiserver removes what is under deletion and held by no finalizer; the Secret goes with it.
        if object.deleting && !object.finalizer {
            self.object = None;
            self.put_secret(None);
        }
        true
    }

    /// Keeps of the versions of object and Secret the first one, those that a cache shows, and the last one.
    pub(super) fn forget_history(&mut self) {
        let shown = |cached: fn(&mut Process) -> &mut usize, processes: &mut [Process], last: usize| {
            let mut kept = vec![0];
            for (p, process) in processes.iter_mut().enumerate() {
                kept.push(std::mem::replace(cached(process), p + 1));
            }
            kept.push(last);
            kept
        };
        let objects = shown(|process| &mut process.cache, &mut self.processes, self.versions.len() - 1);
        let last = self.secret_versions.len() - 1;
        let secrets = shown(|process| &mut process.secret_cache, &mut self.processes, last);
        self.versions = objects.into_iter().map(|at| self.versions[at].clone()).collect();
        self.secret_versions = secrets.into_iter().map(|at| self.secret_versions[at].clone()).collect();
    }

    /// Lists a user as retained; a full list drops its oldest entry.
    pub(super) fn list_retained(&mut self, id: &UserId) {
        self.ever_retained.insert(id.clone());
        if !self.retained.contains(id) {
            self.retained.push(id.clone());
            let excess = self.retained.len().saturating_sub(self.setup.list_limit);
            self.retained.drain(..excess);
        }
    }

    pub(super) fn put_secret(&mut self, secret: Option<Secret>) {
        self.secret.clone_from(&secret);
        self.secret_versions.push(secret);
    }

    /// Writes the Secret: creates it if there is none, else replaces only the version that was seen.
    pub(super) fn write_secret(&mut self, seen: Option<Version>, content: (UserId, u32)) -> Option<Version> {
        if self.secret.as_ref().map(|s| s.version) != seen || self.object.is_none() {
            return None;
        }
        let rv = self.fresh();
        let version = (seen.map_or(rv, |(uid, _)| uid), rv);
        self.put_secret(Some(Secret { version, user: content.0.clone(), content: Some(content) }));
        Some(version)
    }
}
