//! What must never happen, checked at each change; and what must be true at rest.

use super::super::builders::owner;
use super::super::support::users::Candidate;
use super::portal::{Fate, User};
use super::process::Reconcile;
use super::world::World;
use crate::domain::plan::{Confirmed, Deletion};
use crate::domain::user::{UserId, UserStatus};

impl World {
    /// A write to a user's description or secret, or its end.
    pub(super) fn judge_touch(&mut self, id: &UserId) {
        if self.portal.user(id).is_some_and(|u| u.by_hand || u.mark.owner != owner()) {
            self.forbid(format!("touches {id}, which is another resource's"));
        }
    }

    /// The end of a user, for a resource that lives: never the one that is named or published.
    pub(super) fn judge_change(&mut self, reconcile: &Reconcile, id: &UserId) {
        self.judge_touch(id);
        if self.object.as_ref().is_some_and(|object| object.uid != reconcile.object.uid) {
            // Nothing can fence the portal off between the live read and a request. A user that another process has deleted or
            // retained meanwhile for the deleted object is used by no later one.
            let usable = |status| matches!(status, UserStatus::Active | UserStatus::Pending);
            if self.portal.user(id).is_none_or(|user| user.mark.retained || !usable(user.status)) {
                return;
            }
            self.forbid(format!("deletes {id} for an object that was deleted, while another has its name"));
        }
        let Some(object) = self.object.as_ref().filter(|o| !o.deleting) else { return };
        let named = |user: &Option<(UserId, i64, bool)>| user.as_ref().is_some_and(|(named, ..)| named == id);
        let named_as_seen = named(&reconcile.object.status.user);
        // A status or a Secret that was put back to an earlier moment in between cannot be known.
        let knowable = reconcile.object.rv > self.restored_at;
        let named_now = named(&object.status.user) && knowable;
        let published = self.secret.as_ref().is_some_and(|s| s.user == *id) && knowable;
        if named_as_seen || named_now || published {
            self.forbid(format!("deletes {id}, which is in use"));
        }
    }

    /// A POST: announced before, and once for an attempt.
    pub(super) fn judge_post(&mut self, attempt: &str) {
        if !self.announced.contains(attempt) {
            self.forbid(format!("POST for {attempt} without a word before"));
        }
        if self.portal.posts.iter().any(|post| post.attempt == attempt) {
            self.forbid(format!("two POSTs for {attempt}"));
        }
    }

    /// An attempt: not where the search has shown a user that serves.
    pub(super) fn judge_create(&mut self, reconcile: &Reconcile, generation: i64) {
        let serves = |c: &&Candidate| {
            matches!(c.named.confirmed, Confirmed::Ours(_))
                && c.named.generation >= generation
                && matches!(c.named.status, UserStatus::Active | UserStatus::Pending)
                && reconcile.read.iter().all(|(id, _)| *id != c.id)
        };
        let found = reconcile.search.iter().flatten().find(serves).map(|c| c.id.clone());
        if let Some(id) = found {
            self.forbid(format!("makes another user beside {id}"));
        }
    }

    /// The end of an attempt that is not needed: not while the portal may carry it out.
    pub(super) fn judge_closed_attempt(&mut self, reconcile: &Reconcile) {
        let Some(attempt) = &reconcile.object.creating else { return };
        if self
            .portal
            .posts
            .iter()
            .any(|post| post.attempt == attempt.id && post.outcome.is_none() && post.fate != Fate::Swallowed)
        {
            self.forbid(format!("closes {}, which the portal may carry out", attempt.id));
        }
    }

    /// The end of a resource: not while a create for it is in progress here.
    pub(super) fn judge_letting_go(&mut self, p: usize) {
        if self.processes[p].task.as_ref().is_some_and(|task| task.sent.is_some()) {
            self.forbid(format!("process {p} removes the finalizer while its create is in progress"));
        }
    }

    /// A full list is no place for one more user; its mark in the portal says that it is retained.
    fn is_listed_or_full(&self, id: &UserId) -> bool {
        self.ever_retained.contains(id) || self.retained.len() >= self.setup.list_limit
    }

    /// What holds once nothing more is done.
    pub(super) fn judge_calm(&mut self) {
        let live: Vec<User> = self.portal.users.iter().filter(|u| u.bears_our_live_mark()).cloned().collect();
        let retained =
            |u: &&User| !u.by_hand && u.mark.owner == owner() && u.mark.retained && !u.client_missing;
        let unlisted = self.portal.users.iter().filter(retained);
        let unlisted: Vec<UserId> =
            unlisted.map(|u| u.id.clone()).filter(|id| !self.is_listed_or_full(id)).collect();
        // A person may release a resource after its user was marked and before it was listed. The sweep, which is not part of the
        // model, then lists the user by its mark.
        let released = self.was_released;
        if !unlisted.is_empty() && !released {
            self.forbid(format!("in no list: {unlisted:?}"));
        }
        match self.object.clone() {
            // Nobody can do anything about a wallet service that never answers.
            Some(_) if self.setup.stuck && live.iter().any(|u| u.status == UserStatus::Pending) => {}
            Some(object) if !object.deleting => {
                let named = object.status.user.as_ref().map(|(id, ..)| id.clone());
                // A user without a client that was left for a successor is listed, and may come back.
                let (in_use, others): (Vec<&User>, Vec<&User>) =
                    live.iter().partition(|u| named.as_ref() == Some(&u.id));
                let unknown = others.iter().any(|u| !self.ever_retained.contains(&u.id));
                if in_use.len() != 1 || unknown {
                    let ids: Vec<&UserId> = live.iter().map(|u| &u.id).collect();
                    self.forbid(format!("the status names {named:?}, the portal has {ids:?}"));
                }
                let content = self.secret.as_ref().and_then(|s| s.content.clone());
                let wanted = in_use.first().map(|u| (u.id.clone(), u.version));
                if content != wanted {
                    self.forbid(format!("published is {content:?}, the portal has {wanted:?}"));
                }
                if !object.finalizer || !object.status.credential {
                    self.forbid("not recorded as it should be".into());
                }
                for p in 0..self.processes.len() {
                    if !self.processes[p].report.starts_with("ready") {
                        self.forbid(format!("process {p} says: {}", self.processes[p].report));
                    }
                }
            }
            Some(_) => {
                let may_be_held = self.setup.external
                    && !self.setup.release_undeletable
                    && (!self.setup.may_delete || self.setup.policy == Deletion::Revoke);
                if !may_be_held {
                    self.forbid(format!("held: {}", self.processes[0].report));
                }
            }
            None => {
                // No process can know what is not in a backup, nor a user of a resource that a person released without the portal, also
                // where the resource was created again since. The next sweep lists it as unclaimed.
                let unknown = live.iter().find(|u| !self.ever_retained.contains(&u.id));
                if let (Some(user), false) = (unknown, self.restored_at > 0 || released) {
                    let id = user.id.clone();
                    self.forbid(format!("left behind: {id}"));
                }
            }
        }
    }
}
