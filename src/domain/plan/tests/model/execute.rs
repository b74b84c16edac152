//! The rules by which a step is carried out: the only place where the model says what an executor does.
//!
//! - A reconcile begins with the object (from the cache, or live after a conflict) and continues until the plan settles. A conflict, a
//!   lost answer, or a portal that fails ends it; what it knew is lost, and the next one reads live.
//! - `Create` is one merge patch with the version that was seen: finalizer and annotation. An unclear answer is settled by
//!   reading back. Then a task sends the POST within ten seconds of the patch or not at all; it runs beside the reconciles, and
//!   there is one per resource and process. What came of it is remembered by the attempt.
//! - `Search` is shared work that continues when a reconcile ends. While that task or another search is in progress it yields
//!   nothing, and the reconcile ends; a later one sees every user of the name at one moment, each confirmed by its details.
//! - `Publish` creates the Secret if none was seen, else overwrites the version that was seen.
//! - The status write that names a user, and both finalizer writes, carry the version that was seen.
//! - What the login may not is answered as forbidden.

use super::portal::CREATE_TIMEOUT;
use super::process::{Known, Last, RETRY, Reconcile, Task};
use super::world::{World, digest};
use crate::domain::attempt::Attempt;
use crate::domain::plan::{
    Confirmed, CredentialAt, Done, Read, Report, Settled, Step, UserRef, Verified, Write, plan,
};
use crate::domain::user::{UserId, UserKind, UserStatus};

use super::super::builders::pin;
use super::super::words::in_words;

/// A reconcile with more steps than this does not end.
const STEP_LIMIT: u32 = 60;
/// The POST starts within this time of the patch.
const POST_WITHIN: u64 = 10;

/// Whether the reconcile continues.
pub(super) type GoesOn = bool;

impl World {
    /// One step of a process's reconcile; whether it continues.
    pub(super) fn step(&mut self, p: usize) -> GoesOn {
        let Some(mut reconcile) = self.processes[p].reconcile.take().or_else(|| Reconcile::begin(self, p))
        else {
            return false;
        };
        let observed = self.observe(p, &reconcile);
        let step = plan(&observed);
        reconcile.steps += 1;
        self.note(|| format!("process {p}: {}", in_words(&step)));
        if reconcile.steps > STEP_LIMIT {
            self.forbid(format!("process {p} does not end its reconcile"));
            return false;
        }
        let goes_on = match step {
            Step::Read(read) => self.read(p, &mut reconcile, &read),
            Step::Write(write) => self.write(p, &mut reconcile, &write),
            Step::Settled(rest) => {
                self.rest(p, &reconcile, &rest);
                false
            }
        };
        if goes_on {
            self.processes[p].reconcile = Some(reconcile);
        }
        goes_on
    }

    /// Ends a reconcile that found a change; the next one reads again.
    pub(super) fn reconcile_again(&mut self, p: usize) -> GoesOn {
        let last = (self.versions.len() - 1, self.secret_versions.len() - 1);
        let process = &mut self.processes[p];
        process.wants_live = true;
        (process.cache, process.secret_cache) = last;
        false
    }

    fn read(&mut self, p: usize, reconcile: &mut Reconcile, read: &Read) -> GoesOn {
        match read {
            Read::Object => match &self.object {
                Some(object) if object.uid != reconcile.object.uid => return self.reconcile_again(p),
                Some(object) => {
                    // What is published is read with it.
                    reconcile.object = object.clone();
                    reconcile.secret.clone_from(&self.secret);
                    reconcile.secret_read = false;
                    reconcile.live = true;
                }
                None => return false,
            },
            Read::Output(_) => {
                reconcile.secret.clone_from(&self.secret);
                reconcile.secret_read = true;
            }
            // The model has no `existing`, and no workloads.
            Read::Narrow | Read::Workload(_) => return false,
            Read::Writable { .. } => reconcile.writable = Some(!self.trouble.unwritable),
            Read::Search => {
                if self.trouble.portal_down {
                    return false;
                }
                // Own creates are not in progress during the scans: it waits, and the reconcile ends.
                let waits = std::mem::take(&mut self.trouble.search_waits);
                if waits || self.processes[p].task.is_some() {
                    self.processes[p].report = "waits for the search".into();
                    return false;
                }
                let users = self.portal.users.clone();
                let found = users
                    .iter()
                    .filter(|u| !u.by_hand)
                    .map(|u| self.candidate(u, self.confirm(&u.id)))
                    .collect();
                self.processes[p].snapshot = Some(users);
                reconcile.search = Some(found);
            }
            Read::User(id) => {
                if self.trouble.portal_down {
                    return false;
                }
                let user = self.portal.user(id).cloned();
                let shown = user.as_ref().filter(|u| !u.client_missing && u.status == UserStatus::Active);
                // What was read of another user before is kept, as the controller keeps the details of each.
                let of_this = |credential: &(UserId, u32)| credential.0 == *id;
                if shown.is_some() || reconcile.credential.as_ref().is_some_and(of_this) {
                    reconcile.credential = shown.map(|u| (id.clone(), u.version));
                }
                reconcile.read.push((id.clone(), user));
            }
            Read::Confirm(id) => {
                if self.trouble.portal_down {
                    return false;
                }
                let confirmed = self.confirm(id);
                // What may change without a write is read again in the next reconcile.
                if matches!(confirmed, Confirmed::Ours(_) | Confirmed::Foreign | Confirmed::Retained) {
                    self.processes[p].confirmed.insert(id.clone(), confirmed.clone());
                }
                reconcile.confirmed.insert(id.clone(), confirmed);
            }
            Read::Verify(proof) => {
                let credential = match proof {
                    CredentialAt::Portal(id) => reconcile.credential.clone().filter(|(of, _)| of == id),
                    CredentialAt::Output(_) => self.secret.as_ref().and_then(|s| s.content.clone()),
                };
                let said = self.token_endpoint(credential.as_ref());
                if matches!(proof, CredentialAt::Portal(_)) && said == Verified::Accepted {
                    reconcile.proved = credential;
                }
                if matches!(proof, CredentialAt::Output(_)) && said == Verified::Accepted {
                    self.processes[p].verification_due = false;
                }
                reconcile.verifications.push((proof.clone(), said));
            }
        }
        true
    }

    pub(super) fn token_endpoint(&self, credential: Option<&(UserId, u32)>) -> Verified {
        if self.trouble.idp_down {
            return Verified::Unreachable("down".into());
        }
        let user = credential.and_then(|(id, _)| self.portal.user(id)).filter(|u| !u.client_missing);
        match (user, credential) {
            (Some(user), Some((_, version)))
                if user.status == UserStatus::Active && user.version == *version =>
            {
                Verified::Accepted
            }
            (user, _) => Verified::Refused { unknown_client: user.is_none() },
        }
    }

    fn write(&mut self, p: usize, reconcile: &mut Reconcile, write: &Write) -> GoesOn {
        let rv = Some(reconcile.object.rv);
        match write {
            // The model's portal never moves, its spec always names one output, and takes over no user.
            Write::RecordPortal
            | Write::Adopt { .. }
            | Write::ReportDeletion(_)
            | Write::UsersAreDone(_)
            | Write::RemoveOutput(_)
            | Write::AbandonOutput { .. }
            | Write::Restart(_) => {}
            Write::RecordOutput { .. } => reconcile.named = true,
            Write::AddFinalizer => {
                if !self.write_object(rv, |o| o.finalizer = true) {
                    return self.reconcile_again(p);
                }
                self.take_up(reconcile);
            }
            Write::RemoveFinalizer => {
                self.judge_letting_go(p);
                if !self.write_object(rv, |o| o.finalizer = false) {
                    return self.reconcile_again(p);
                }
                return false;
            }
            Write::CloseAttempt => {
                self.judge_closed_attempt(reconcile);
                if !self.write_object(rv, |o| o.creating.iter_mut().for_each(|attempt| attempt.closed = true))
                {
                    return self.reconcile_again(p);
                }
                self.take_up(reconcile);
            }
            Write::Create { generation, .. } => return self.create(p, reconcile, *generation),
            Write::RotateSecret { user, credential } => {
                return self.rotate_secret(p, reconcile, user, *credential);
            }
            Write::Publish { user, .. } => return self.publish(p, reconcile, user),
            Write::RecordRetained { id, .. } => {
                self.list_retained(id);
                reconcile.done.push((id.clone(), Done::RecordedRetained));
            }
            Write::Describe { user, .. } => return self.describe(p, reconcile, user),
            Write::Delete { id, .. } | Write::Reset(id) | Write::MarkRetained { id, .. } => {
                if self.trouble.portal_down || self.trouble.suspended {
                    return false;
                }
                self.judge_change(reconcile, id);
                let unclear = self.trouble.unclear_change.take();
                let done = (unclear != Some(false)).then(|| self.change(p, write, id));
                if unclear.is_some() {
                    return false;
                }
                reconcile.done.extend(done.map(|done| (id.clone(), done)));
            }
        }
        true
    }

    /// Uses the object as the process wrote it.
    pub(super) fn take_up(&self, reconcile: &mut Reconcile) {
        if let Some(object) = &self.object {
            reconcile.object = object.clone();
        }
    }

    fn create(&mut self, p: usize, reconcile: &mut Reconcile, generation: i64) -> GoesOn {
        if self.processes[p].task.is_some() {
            return self.reconcile_again(p);
        }
        self.judge_create(reconcile, generation);
        let attempt = format!("{}", self.fresh());
        let written = Attempt::new(generation, attempt.clone(), pin());
        let unclear = std::mem::take(&mut self.trouble.unclear_patch);
        let patched = unclear != Some(false)
            && self.write_object(Some(reconcile.object.rv), |o| {
                o.finalizer = true;
                o.creating = Some(written);
                o.garbled = None;
            });
        let now = self.now;
        let process = &mut self.processes[p];
        if !patched && unclear.is_none() {
            process.last = None;
            return self.reconcile_again(p);
        }
        process.last = Some(Last { id: attempt.clone(), known: Known::InFlight });
        process.task =
            Some(Task { attempt, generation, patched: now, sent: None, unclear: unclear.is_some() });
        self.take_up(reconcile);
        // A search before the attempt says nothing of its user.
        reconcile.search = None;
        true
    }

    /// One step of the task that creates a user: read back, POST, wait for the answer.
    pub(super) fn work_at_task(&mut self, p: usize) {
        let Some(mut task) = self.processes[p].task.take() else { return };
        let now = self.now;
        let Some(sent) = task.sent else {
            let written =
                self.object.as_ref().filter(|o| o.garbled.is_none()).and_then(|o| o.creating.as_ref());
            let ours = !task.unclear || written.is_some_and(|a| a.id == task.attempt);
            if !ours || now > task.patched + POST_WITHIN {
                self.note(|| format!("process {p}: nothing sent for {}", task.attempt));
                // One that was never written down does not exist.
                self.processes[p].last = ours.then_some(Last { id: task.attempt, known: Known::Refused });
                return;
            }
            self.note(|| format!("process {p}: POST for {}", task.attempt));
            self.judge_post(&task.attempt);
            self.portal.post(task.attempt.clone(), task.generation, now);
            task.sent = Some(now);
            self.processes[p].task = Some(task);
            return;
        };
        let (kind, refuses) = (self.kind(), self.trouble.refuses);
        self.portal.works(now, kind, refuses, self.setup.stuck);
        let post = self.portal.posts.iter().find(|post| post.attempt == task.attempt);
        let answer = post.filter(|post| post.fate != super::portal::Fate::AnswerLost);
        let known = match answer.and_then(|post| post.outcome.clone()) {
            Some(Ok(id)) => Known::Created(id),
            Some(Err(())) => Known::Refused,
            None if now >= sent + CREATE_TIMEOUT => Known::Unknown { since: now },
            None => {
                self.processes[p].task = Some(task);
                return;
            }
        };
        self.note(|| format!("process {p}: {} is {known:?}", task.attempt));
        if let (Known::Created(id), Some(snapshot)) = (&known, &mut self.processes[p].snapshot) {
            snapshot.extend(self.portal.users.iter().find(|u| u.id == *id).cloned());
        }
        let process = &mut self.processes[p];
        match known {
            Known::Refused => process.refused_until = Some(now + RETRY),
            Known::Created(_) => process.refused_until = None,
            Known::InFlight | Known::Unknown { .. } => {}
        }
        process.last = Some(Last { id: task.attempt, known });
    }

    fn publish(&mut self, p: usize, reconcile: &mut Reconcile, current: &UserRef) -> GoesOn {
        let Some(credential) = reconcile.credential.clone() else {
            self.forbid("publishes what was not read".into());
            return false;
        };
        if self.trouble.access_withdrawn {
            self.forbid(format!("publishes {} without access", current.id));
        }
        self.judge_touch(&current.id);
        if credential.0 != current.id || reconcile.proved.as_ref() != Some(&credential) {
            self.forbid(format!("publishes for {} what was not proved: {credential:?}", current.id));
        }
        let Some(version) = self.write_secret(reconcile.secret_version(), credential) else {
            return self.reconcile_again(p);
        };
        reconcile.secret = self.secret.clone().filter(|s| s.version == version);
        reconcile.secret_read = true;
        true
    }

    fn describe(&mut self, p: usize, reconcile: &mut Reconcile, current: &UserRef) -> GoesOn {
        self.judge_touch(&current.id);
        let Some(user) = self.portal.user_mut(&current.id) else { return self.reconcile_again(p) };
        user.mark.generation = current.generation();
        user.mark.retained = false;
        let user = user.clone();
        reconcile.read.push((current.id.clone(), Some(user)));
        true
    }

    fn change(&mut self, p: usize, write: &Write, id: &UserId) -> Done {
        match write {
            Write::Delete { .. } if !self.setup.may_delete => Done::DeleteForbidden,
            Write::Delete { .. } => match self.portal.delete(id) {
                Ok(()) => {
                    let left = self.portal.user(id).cloned();
                    if let Some(snapshot) = &mut self.processes[p].snapshot {
                        snapshot.retain(|u| u.id != *id);
                        snapshot.extend(left);
                    }
                    Done::Deleted
                }
                Err(()) => Done::DeleteRefused("409".into()),
            },
            Write::Reset(_) => {
                if let Some(user) = self.portal.user_mut(id).filter(|u| u.kind == UserKind::Internal) {
                    user.version += 1;
                }
                Done::Reset
            }
            _ => {
                if let Some(user) = self.portal.user_mut(id).filter(|u| u.status == UserStatus::Active) {
                    user.mark.retained = true;
                    self.processes[p].confirmed.insert(id.clone(), Confirmed::Retained);
                }
                Done::MarkedRetained
            }
        }
    }

    /// Writes the status if it changes; the next reconcile shows whether the write succeeded.
    fn rest(&mut self, p: usize, reconcile: &Reconcile, rest: &Settled) {
        self.processes[p].report = in_words(&Step::Settled(rest.clone()));
        self.processes[p].wants_live = false;
        let mut status = reconcile.object.status.clone();
        if let Some(current) = &rest.current {
            self.keep_predecessors(p, reconcile, current, &mut status);
            let same = status.user.as_ref().is_some_and(|(id, ..)| *id == current.id);
            let read = reconcile.read.iter().rev().find(|(id, _)| *id == current.id);
            let seen = read.map(|(_, user)| user.as_ref().filter(|user| !user.client_missing));
            let active = match seen {
                Some(user) => user.is_some_and(|user| user.status == UserStatus::Active),
                None => status.user.as_ref().is_some_and(|(.., active)| *active),
            };
            let user = (current.id.clone(), current.generation());
            // The plan follows no user to its end whose details do not say that it is ours.
            if matches!(seen, Some(Some(_))) || self.is_shown(p, &user) {
                status.proof = Some(user);
            }
            status.user = Some((current.id.clone(), current.generation(), active));
            status.portal = true;
            if !same {
                status.credential = false;
                status.written = None;
            }
            if rest.report == Report::Ready {
                status.credential = true;
                // If the content was not read, it is as the status says.
                if let Some(secret) = reconcile.secret.as_ref().filter(|_| reconcile.secret_read) {
                    status.written = Some((digest(secret.content.as_ref()), secret.version));
                    if status.published != secret.content {
                        status.number += 1;
                        status.published.clone_from(&secret.content);
                    }
                }
                self.compared(p, reconcile);
            }
        }
        self.end_retirements(reconcile, rest, &mut status);
        if rest.rotation.handled || (status.user.is_some() && reconcile.object.status.user.is_none()) {
            status.rotated = reconcile.object.rotate;
        }
        if status == reconcile.object.status || std::mem::take(&mut self.trouble.status_lost) {
            return;
        }
        if !self.write_object(Some(reconcile.object.rv), |o| o.status = status) {
            self.reconcile_again(p);
        }
    }
}
