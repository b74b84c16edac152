//! Rotation: resets of a secret, and the users that were replaced, as the executor handles them.

use std::time::Duration;

use super::execute::GoesOn;
use super::process::{KnownReset, Reconcile, SETTLE_TIME};
use super::world::{Object, Status, World};
use crate::domain::attempt::Attempt;
use crate::domain::ownership::Origin;
use crate::domain::plan::{
    Done, OpenReset, RecordedUser, Report, ResetState, RetiringUser, Rotation, Settled, UserRef,
};
use crate::domain::user::{UserId, UserKind};

use super::super::builders::pin;

impl World {
    /// What the object and the memory of a process say of the rotation.
    pub(super) fn rotation(&mut self, p: usize, object: &Object) -> Rotation {
        let status = &object.status;
        let open = object.resetting.clone().filter(|attempt| attempt.generation > status.number);
        let reset = open.map(|attempt| {
            let state = self.reset_state(p, &attempt.id);
            OpenReset { attempt: Some(attempt), state }
        });
        let retiring = status.retiring.iter().map(|(id, generation, until)| {
            let left = until.map(|until| until.saturating_sub(self.now));
            RetiringUser {
                user: RecordedUser {
                    id: id.clone(),
                    origin: Origin::of(Some(*generation)),
                    active: true,
                    proved: self.is_shown(p, &(id.clone(), *generation)),
                    asked: None,
                },
                kept_for: Duration::from_secs(left.unwrap_or(self.setup.overlap)),
                begun: until.is_some(),
                hurried: false,
                without_overlap: false,
            }
        });
        Rotation {
            requested: status.user.is_some() && object.rotate != status.rotated,
            strategy: self.setup.strategy,
            kind: Some(self.kind()),
            credential: status.number,
            overlap: Duration::from_secs(self.setup.overlap),
            retiring: retiring.collect(),
            reset,
            ..Rotation::default()
        }
    }

    fn reset_state(&mut self, p: usize, id: &str) -> ResetState {
        let now = self.now;
        let known = &mut self.processes[p].reset;
        if known.as_ref().is_none_or(|(known, _)| known != id) {
            *known = Some((id.to_owned(), KnownReset::Unknown { since: now }));
        }
        match known.as_ref().map(|(_, state)| *state) {
            Some(KnownReset::Compared) => ResetState::Compared,
            Some(KnownReset::Unknown { since }) if since + SETTLE_TIME > now => {
                ResetState::Settling(Duration::from_secs(since + SETTLE_TIME - now))
            }
            _ => ResetState::Ended,
        }
    }

    /// A patch with the version that was seen, then the request. An answer that is lost leaves the outcome unknown; a process that
    /// is killed in between is that of a request that is not carried out.
    pub(super) fn rotate_secret(
        &mut self,
        p: usize,
        reconcile: &mut Reconcile,
        user: &UserRef,
        credential: i64,
    ) -> GoesOn {
        if self.trouble.portal_down || self.trouble.suspended {
            return false;
        }
        self.judge_touch(&user.id);
        if reconcile.writable != Some(true) {
            self.forbid(format!("resets {} and may not be able to write it", user.id));
        }
        let id = format!("reset{}", self.fresh());
        let attempt = Attempt::new(credential, id.clone(), pin());
        if !self.write_object(Some(reconcile.object.rv), |object| object.resetting = Some(attempt)) {
            return self.reconcile_again(p);
        }
        let unclear = self.trouble.unclear_change.take();
        let internal =
            |user: &&mut super::portal::User| user.kind == UserKind::Internal && !user.client_missing;
        if unclear != Some(false)
            && let Some(user) = self.portal.user_mut(&user.id).filter(internal)
        {
            user.version += 1;
        }
        let since = self.now;
        let known = if unclear.is_some() { KnownReset::Unknown { since } } else { KnownReset::Ended };
        self.processes[p].reset = Some((id, known));
        self.take_up(reconcile);
        reconcile.read.retain(|(read, _)| *read != user.id);
        (reconcile.credential, reconcile.proved) = (None, None);
        reconcile.verifications.clear();
        if unclear.is_none() {
            reconcile.done.push((user.id.clone(), Done::SecretRotated));
        }
        true
    }

    /// The outputs hold what a reset led to.
    pub(super) fn compared(&mut self, p: usize, reconcile: &Reconcile) {
        let now = self.now;
        let open = reconcile.object.resetting.as_ref().map(|attempt| attempt.id.clone());
        if let Some((id, known)) = &mut self.processes[p].reset
            && Some(&*id) == open.as_ref()
        {
            let has_ended = match *known {
                KnownReset::Unknown { since } => since + SETTLE_TIME <= now,
                KnownReset::Ended | KnownReset::Compared => true,
            };
            if has_ended {
                *known = KnownReset::Compared;
            }
        }
    }

    /// Names the users that this one has replaced.
    pub(super) fn keep_predecessors(
        &self,
        p: usize,
        reconcile: &Reconcile,
        current: &UserRef,
        status: &mut Status,
    ) {
        let is_gone = |id: &UserId| {
            reconcile.read.iter().any(|(read, user)| read == id && user.is_none())
                || reconcile.is_done_with(id)
        };
        let replaced = status.user.iter().map(|(id, generation, _)| (id.clone(), *generation));
        let before = reconcile.object.status.proof.clone();
        let replaced =
            replaced.filter(|replaced| before.as_ref() == Some(replaced) || self.is_shown(p, replaced));
        let listed = self.processes[p].snapshot.iter().flatten();
        let listed = listed.filter(|user| self.setup.overlap > 0 && user.bears_our_live_mark());
        let listed: Vec<_> = listed.map(|user| (user.id.clone(), user.generation)).collect();
        let earlier: Vec<(UserId, i64)> = replaced
            .chain(listed)
            .filter(|(id, generation)| {
                *id != current.id && *generation < current.generation() && !is_gone(id)
            })
            .collect();
        for (id, generation) in earlier {
            if status.retiring.iter().all(|(there, ..)| *there != id) {
                status.retiring.push((id, generation, None));
            }
        }
    }

    /// Removes those that are gone, and says how long the others are kept.
    pub(super) fn end_retirements(&self, reconcile: &Reconcile, rest: &Settled, status: &mut Status) {
        let current = status.user.as_ref().map(|(id, ..)| id.clone());
        let is_gone = |id: &UserId| {
            reconcile.read.iter().rev().find(|(read, _)| read == id).is_some_and(|(_, user)| user.is_none())
                || reconcile.is_done_with(id)
        };
        status.retiring.retain(|(id, ..)| Some(id) != current.as_ref() && !is_gone(id));
        if rest.report == Report::Ready {
            for (.., until) in &mut status.retiring {
                *until = Some(until.unwrap_or(self.now + self.setup.overlap));
            }
        }
    }
}

impl Reconcile {
    fn is_done_with(&self, id: &UserId) -> bool {
        self.done
            .iter()
            .any(|(user, done)| user == id && matches!(done, Done::Deleted | Done::RecordedRetained))
    }
}
