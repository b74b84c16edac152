//! One operator process: what it remembers, and what it observes at the beginning of a reconcile and during it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::builders::{a_new_resource, a_pin, a_portal, id, owner, the_secret};
use super::super::support::users::Candidate;
use super::portal::{CREATE_TIMEOUT, User, view};
use super::world::{Object, Secret, Version, World, digest};
use crate::domain::access::Grants;
use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::ownership::Origin;
use crate::domain::plan::{
    AttemptState, Confirmed, CredentialAt, Desired, Done, Listed, Named, Observation, OpenAttempt,
    OutputState, OutputView, RecordedUser, UserView, Verified,
};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserKind, UserStatus};

/// After a refusal a create is tried again.
pub(super) const RETRY: u64 = 300;
/// Twice the time that a create may take.
pub(super) const SETTLE_TIME: u64 = 2 * CREATE_TIMEOUT;

/// What this process knows of the last attempt that it carried out or saw, as the memory of the controller has it. It is lost
/// with the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Last {
    /// The attempt, or the text of an annotation that cannot be read.
    pub id: String,
    pub known: Known,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    InFlight,
    Created(UserId),
    /// Certainly no user was created.
    Refused,
    /// Since this moment the portal may carry it out while this process does not wait for the answer.
    Unknown {
        since: u64,
    },
}

/// What a process knows of a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KnownReset {
    Ended,
    /// The outputs hold what it led to.
    Compared,
    /// Since this moment the portal may carry it out.
    Unknown {
        since: u64,
    },
}

/// The task that creates a user. It runs beside the reconciles.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub attempt: String,
    pub generation: i64,
    pub patched: u64,
    pub sent: Option<u64>,
    /// The answer to the patch was lost: it is settled by reading back.
    pub unclear: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Process {
    pub last: Option<Last>,
    /// The portal has refused a create to this process, which asks it again at this time.
    pub refused_until: Option<u64>,
    /// The last reading of the list: who was there, in which state.
    pub snapshot: Option<Vec<User>>,
    /// Whose users are, once read.
    pub confirmed: BTreeMap<UserId, Confirmed>,
    /// Which version of the object and of the Secret its cache shows.
    pub cache: usize,
    pub secret_cache: usize,
    /// The next reconcile reads the object from the apiserver.
    pub wants_live: bool,
    pub task: Option<Task>,
    /// What it knows of the last reset.
    pub reset: Option<(String, KnownReset)>,
    pub reconcile: Option<Reconcile>,
    pub verification_due: bool,
    /// How its last reconcile ended.
    pub report: String,
}

/// What is known in one reconcile.
#[derive(Debug, Clone)]
pub(super) struct Reconcile {
    pub object: Object,
    pub live: bool,
    pub secret: Option<Secret>,
    pub secret_read: bool,
    pub search: Option<Vec<Candidate>>,
    pub read: Vec<(UserId, Option<User>)>,
    /// The credential that was read last, and whether it was proved.
    pub credential: Option<(UserId, u32)>,
    pub proved: Option<(UserId, u32)>,
    pub verifications: Vec<(CredentialAt, Verified)>,
    pub writable: Option<bool>,
    /// The status was written with the name of the output.
    pub named: bool,
    pub done: Vec<(UserId, Done)>,
    pub confirmed: BTreeMap<UserId, Confirmed>,
    pub steps: u32,
}

impl Reconcile {
    /// `None` where there is no object.
    pub(super) fn begin(world: &World, p: usize) -> Option<Self> {
        let process = &world.processes[p];
        let object = if process.wants_live {
            world.object.clone()?
        } else {
            world.object.as_ref()?;
            world.versions[process.cache].clone()
        };
        Some(Self {
            object,
            live: false,
            secret: world.secret_versions[process.secret_cache].clone(),
            secret_read: false,
            search: None,
            read: Vec::new(),
            credential: None,
            proved: None,
            verifications: Vec::new(),
            writable: None,
            named: false,
            done: Vec::new(),
            confirmed: BTreeMap::new(),
            steps: 0,
        })
    }

    pub(super) fn secret_version(&self) -> Option<Version> {
        self.secret.as_ref().map(|s| s.version)
    }
}

impl World {
    /// A user as a candidate; whose it is comes from what was read.
    pub(super) fn candidate(&self, user: &User, confirmed: Confirmed) -> Candidate {
        let named = Named {
            generation: user.generation,
            status: user.status,
            kind: user.kind,
            client_id: (user.status == UserStatus::Active).then(|| format!("sa-{}", user.id)),
            confirmed,
            listed_as_retained: self.retained.len() >= self.setup.list_limit
                || self.retained.contains(&user.id),
        };
        Candidate { id: user.id.clone(), named }
    }

    pub(super) fn confirm(&self, id: &UserId) -> Confirmed {
        match self.portal.user(id) {
            None => Confirmed::Gone,
            Some(user) if user.client_missing => Confirmed::ClientMissing,
            Some(user) if user.mark.owner != owner() => Confirmed::Foreign,
            Some(user) if user.mark.retained => Confirmed::Retained,
            Some(user) => Confirmed::Ours(user.mark.hint.clone()),
        }
    }

    /// The time of an attempt that this process does not know begins when it is seen, but not while a request of this process is in
    /// progress.
    fn attempt_state(&mut self, p: usize, attempt: &str) -> AttemptState {
        if matches!(self.processes[p].last, Some(Last { known: Known::InFlight, .. })) {
            return AttemptState::InFlight;
        }
        let now = self.now;
        let refusal = self.refusal(p);
        let unknown = || Last { id: attempt.to_owned(), known: Known::Unknown { since: now } };
        let last = &mut self.processes[p].last;
        let last = match last.take().filter(|last| last.id == attempt) {
            Some(known) => last.insert(known),
            None => last.insert(unknown()),
        };
        match &last.known {
            Known::InFlight => AttemptState::InFlight,
            Known::Created(id) => AttemptState::Created(id.clone()),
            Known::Refused => refusal.map_or(AttemptState::RefusedRetry, AttemptState::Refused),
            Known::Unknown { since } => match (since + SETTLE_TIME).saturating_sub(now) {
                0 => AttemptState::Settled,
                left => AttemptState::Settling(Duration::from_secs(left)),
            },
        }
    }

    fn refusal(&self, p: usize) -> Option<Blocker> {
        let until = self.processes[p].refused_until.filter(|until| self.now < *until);
        until.map(|_| Blocker::lasting(Reason::PortalError, "refused"))
    }

    /// Whether the list, as this process read it, shows a user to be ours and of this generation.
    pub(super) fn is_shown(&self, p: usize, (id, generation): &(UserId, i64)) -> bool {
        let users = self.processes[p].snapshot.iter().flatten();
        let confirmed = self.processes[p].confirmed.get(id);
        let is_other = matches!(confirmed, Some(Confirmed::Foreign | Confirmed::Retained));
        !is_other && users.into_iter().any(|u| u.id == *id && u.generation == *generation && !u.by_hand)
    }

    /// What this process knows now.
    pub(super) fn observe(&mut self, p: usize, reconcile: &Reconcile) -> Observation {
        let object = reconcile.object.clone();
        let status = &object.status;
        let recorded = status.user.as_ref().map(|(id, _, _)| id.clone());
        let generation = status.user.as_ref().map_or(0, |(_, g, _)| *g);
        let user = status.user.clone().map(|(id, generation, active)| {
            let named = (id, generation);
            let proved = status.proof.as_ref() == Some(&named) || self.is_shown(p, &named);
            RecordedUser { id: named.0, origin: Origin::of(Some(generation)), active, proved, asked: None }
        });
        let attempt = if let Some(edit) = object.garbled {
            let state = self.attempt_state(p, &format!("edit{edit}"));
            Some(OpenAttempt { attempt: None, state })
        } else {
            let settled = |attempt: &Attempt| user.as_ref().is_some_and(|user| user.settles(attempt));
            object.creating.clone().filter(|attempt| !settled(attempt)).and_then(|attempt| {
                let state = self.attempt_state(p, &attempt.id);
                let recorded = recorded.clone().map(|id| (AttemptState::Created(id), generation));
                let made_here = recorded == Some((state.clone(), attempt.generation));
                (!made_here).then_some(OpenAttempt { attempt: Some(attempt), state })
            })
        };
        let trouble = self.trouble;
        let rotation = self.rotation(p, &object);
        let process = &self.processes[p];
        let listed = match (&process.snapshot, &recorded) {
            (Some(users), Some(id)) => {
                users.iter().find(|u| u.id == *id).map_or(Listed::Missing, |u| Listed::There(u.status))
            }
            _ => Listed::Unknown,
        };
        let siblings =
            process.snapshot.iter().flatten().filter(|u| Some(&u.id) != recorded.as_ref() && !u.by_hand);
        let siblings = siblings.map(|user| {
            let known = reconcile.confirmed.get(&user.id).or_else(|| process.confirmed.get(&user.id));
            self.candidate(user, known.cloned().unwrap_or(Confirmed::Unread))
        });
        let mut o = a_new_resource();
        if let Desired::Create(desired) = &mut o.desired {
            desired.deletion = self.setup.policy;
            desired.roles = vec![if self.setup.external { "wallet" } else { "discovery" }.to_owned()];
        }
        o = siblings.fold(o, Observation::sibling);
        o.deleting = object.deleting;
        o.released = object.released;
        o.rotation = rotation;
        o.finalizer = object.finalizer;
        o.live = reconcile.live;
        // The model's status has no conditions.
        o.reported = true;
        o.spec_observed = recorded.is_some();
        o.recorded.portal = status.portal.then(a_pin);
        o.name_doubted = process.snapshot.iter().flatten().any(|u| {
            user.as_ref().is_some_and(|user| {
                user.id == u.id && (u.by_hand || u.generation != user.origin.generation().unwrap_or(0))
            })
        });
        o.recorded.user = user;
        o.recorded.credential_published = status.credential;
        o.attempt = attempt;
        o.refusal = self.refusal(p);
        o.portal = Ok(a_portal()).map(|mut portal| {
            portal.may_delete = self.setup.may_delete;
            portal.release_undeletable = self.setup.release_undeletable;
            portal.suspended = trouble.suspended;
            if trouble.access_withdrawn {
                portal.grants = Grants::default();
            }
            portal
        });
        if trouble.portal_down {
            o.portal = Err(Blocker::passing(Reason::Unreachable, "down"));
        }
        if let Some(id) = &recorded {
            o.users.entry(id).listed = listed;
        }
        if let Some(found) = &reconcile.search {
            o = o.searched(found.clone());
        }
        for (id, user) in &reconcile.read {
            o = o.view_of(id, view(user.as_ref()));
            if let (Some(UserView::Read(facts)), Some(user)) = (&mut o.users.entry(id).details, user) {
                let shown = Some((id.clone(), user.version));
                facts.other_credential = status.published.is_some() && status.published != shown;
            }
        }
        o.outputs = vec![the_output(reconcile)];
        for (at, answer) in &reconcile.verifications {
            o = o.verified(at.clone(), answer.clone());
        }
        if process.verification_due {
            o.timers.verification = Duration::ZERO;
        }
        for (id, done) in &reconcile.done {
            o = o.done(id.as_str(), done.clone());
        }
        o
    }

    pub(super) fn kind(&self) -> UserKind {
        if self.setup.external { UserKind::External } else { UserKind::Internal }
    }

    /// Users of others: one with another resource's mark and a name of this resource, and one that a person created.
    pub(super) fn not_ours() -> [UserId; 2] {
        [id("foreign"), id("by-hand")]
    }
}

impl World {
    /// Users that are not ours, and one that is in no portal.
    pub(super) fn forged_ids() -> [UserId; 3] {
        let [foreign, by_hand] = Self::not_ours();
        [foreign, by_hand, id("nobody")]
    }
}

fn the_output(reconcile: &Reconcile) -> OutputView {
    let can_be_written =
        |can| if can { Ok(()) } else { Err(Blocker::lasting(Reason::OutputNotWritable, "quota")) };
    let written = reconcile.object.status.written.as_ref();
    OutputView {
        outlives_resource: false,
        alias_is_fixed: false,
        in_status: written.is_some() || reconcile.named,
        id: the_secret(),
        state: state_of_secret(reconcile),
        recorded: written.map(|(digest, _)| digest.clone()),
        writable: reconcile.writable.map(can_be_written),
        place_per_user: false,
        places: BTreeMap::new(),
        readable: true,
    }
}

/// The digest is known if the status has it for this version, else after the content was read.
fn state_of_secret(reconcile: &Reconcile) -> OutputState {
    let Some(secret) = &reconcile.secret else { return OutputState::Absent };
    let as_written =
        reconcile.object.status.written.as_ref().filter(|(_, version)| *version == secret.version);
    let read = reconcile.secret_read.then(|| digest(secret.content.as_ref()));
    OutputState::Ours {
        user: Some(secret.user.clone()),
        digest: read.or_else(|| as_written.map(|(digest, _)| digest.clone())),
        metadata_as_wanted: true,
    }
}
