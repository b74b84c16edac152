//! Pending users: a list that the portal narrows shows which of them still are, in place of the details of each.
//!
//! A reading wakes the resources whose users it does not show any more, and these read the details. A user that the list does not show
//! although its details say that it is pending is left to the timer of its resource, as are all of them while the list cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Inventory;
use crate::controller::objects::Key;
use crate::domain::plan::pending_poll;
use crate::domain::user::{UserDetails, UserId, UserStatus};
use crate::portal::{Lane, PortalError};

/// The list is read for at most one part of the time in so many.
const SHARE: u32 = 10;

/// The longest pause that follows from that.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Details are read again after this time, whatever the list shows: a list that is behind for ever keeps no user from being used.
const READ_AGAIN_AFTER: Duration = Duration::from_mins(5);

/// A user that no reconcile has asked for since this time is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);

#[derive(Debug, Default)]
pub(super) struct PendingUsers {
    users: BTreeMap<(Key, UserId), PendingUser>,
    /// There is a task that reads the list.
    watched: bool,
    /// The list is not read before this time.
    paused_until: Option<Instant>,
    /// A user was added.
    added: Arc<Notify>,
}

#[derive(Debug)]
struct PendingUser {
    /// Its details, and when they were read.
    details: UserDetails,
    read: Instant,
    /// When they first showed that it is pending.
    since: Instant,
    /// When a reconcile last asked for it.
    asked: Instant,
    /// When the list is read for it next.
    next: Instant,
    /// The list shows it, as far as is known.
    listed: bool,
}

impl PendingUser {
    fn plan_next(&mut self, now: Instant) {
        let pending_for = now.saturating_duration_since(self.since);
        self.next = now + pending_poll(pending_for, pending_for);
    }
}

impl Inventory {
    /// The details of a user that were read for a resource, if the user is still pending as far as is known. The list is read until it is
    /// not, and the resource is woken then.
    pub fn still_pending(&self, who: &Key, id: &UserId) -> Option<UserDetails> {
        let mut state = self.state();
        let user = state.pending.users.get_mut(&(who.clone(), id.clone()))?;
        user.asked = Instant::now();
        (user.listed && user.read.elapsed() < READ_AGAIN_AFTER).then(|| user.details.clone())
    }

    /// The details of a user were read for a resource, or the answer to its create shows them.
    pub fn details_read(self: &Arc<Self>, who: &Key, details: &UserDetails) {
        let (mut state, key, now) = (self.state(), (who.clone(), details.id.clone()), Instant::now());
        let pending = &mut state.pending;
        // No secret is kept here.
        if details.status != UserStatus::Pending || details.credential.is_some() {
            pending.users.remove(&key);
            return;
        }
        let details = details.clone();
        if let Some(known) = pending.users.get_mut(&key) {
            (known.details, known.asked, known.read) = (details, now, now);
            return;
        }
        let mut user = PendingUser { details, read: now, since: now, asked: now, next: now, listed: true };
        user.plan_next(now);
        pending.users.insert(key, user);
        pending.added.notify_one();
        if !std::mem::replace(&mut pending.watched, true) {
            let watch = watch(Arc::downgrade(self), Arc::clone(&pending.added));
            self.process.tasks.spawn(watch);
        }
    }

    /// An answer of the portal contradicts that a user is pending: its details are read next.
    pub fn doubt_pending(&self, id: &UserId) {
        self.state().pending.forget(id);
    }

    /// When the list is read next; `None` ends the task, as no user is pending.
    fn next_reading_of_pending(&self) -> Option<Instant> {
        let mut state = self.state();
        let pending = &mut state.pending;
        pending.users.retain(|_, user| user.asked.elapsed() < FORGOTTEN_AFTER);
        let next = pending.users.values().map(|user| user.next).min();
        pending.watched = next.is_some();
        next.max(pending.paused_until.filter(|_| next.is_some()))
    }

    async fn read_pending(&self) {
        let began = Instant::now();
        let answer = self.portal.pending(Lane::Interactive).await;
        let shown = answer.map(|scan| scan.users.into_iter().map(|user| user.id).collect());
        let ended = self.state().pending.read(began, shown.as_ref());
        if let Err(error) = shown {
            tracing::debug!(%error, "The list of pending users cannot be read");
        }
        if !ended.is_empty() {
            self.listener.wake(ended);
        }
    }
}

impl PendingUsers {
    /// Forgets a user, whichever resource has read it.
    pub(super) fn forget(&mut self, id: &UserId) {
        self.users.retain(|(_, pending), _| pending != id);
    }

    /// Takes over a reading that began at this time: which resources are to be woken.
    fn read(&mut self, began: Instant, shown: Result<&BTreeSet<UserId>, &PortalError>) -> Vec<Key> {
        let now = Instant::now();
        let pause = now.saturating_duration_since(began).saturating_mul(SHARE - 1).min(LONGEST_PAUSE);
        self.paused_until = Some(now + pause);
        let mut ended = Vec::new();
        for ((key, id), user) in self.users.iter_mut().filter(|(_, user)| user.since < began) {
            user.plan_next(now);
            match shown {
                Ok(shown) if shown.contains(id) => user.listed = true,
                Ok(_) if std::mem::replace(&mut user.listed, false) => ended.push(key.clone()),
                Ok(_) => {}
                Err(_) => user.listed = false,
            }
        }
        ended
    }
}

/// Reads the list as long as a user is pending. A connection that was replaced is not kept for it.
async fn watch(inventory: Weak<Inventory>, added: Arc<Notify>) {
    while let Some(next) = inventory.upgrade().and_then(|inventory| inventory.next_reading_of_pending()) {
        tokio::select! {
            biased;
            // It may be due sooner.
            () = added.notified() => {}
            () = sleep_until(next) => {
                let Some(inventory) = inventory.upgrade() else { return };
                inventory.read_pending().await;
            }
        }
    }
}
