//! The user list of one portal, read once for all `TechnicalUser`s, and what its readings prove.
//!
//! `reading` reads the list once and takes the result over, `sweep` does so periodically, `search` until the list
//! answers what resources wait for, who are in `waiting`; `names` proves single names absent by a few pages. `gate` keeps this
//! process's own creates and deletes apart from a proof by readings.
//! `pending` reads the short list of the users that the wallet service has not created yet.

mod gate;
mod names;
mod pending;
mod reading;
mod search;
mod sweep;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Mutex as AsyncMutex, Notify};
use tokio::time::Instant;

pub use gate::{Change, CompanyGate, Kind, WeakCompanyGate};
pub use waiting::{Need, Unmet};

use crate::controller::objects::Key;
use crate::domain::identity::Mark;
use crate::domain::inventory::{Changes, Snapshot};
use crate::domain::user::{ListedUser, UserDetails, UserId, UserStatus};
use crate::metrics::Metrics;
use crate::portal::Portal;
use crate::process::Process;
use pending::PendingUsers;
use reading::Stable;
use sweep::Sweep;
use waiting::Search;

/// How long a reconcile waits for the list before it gives its place back: a short list is read within that time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Receives what the readings of a list yield, independent of who requested them.
#[async_trait]
pub trait Listener: Send + Sync {
    /// A reading was taken over: judges whether too many users are missing, then wakes the resources concerned.
    async fn list_read(&self, inventory: &Inventory, changes: &Changes);

    /// What these resources waited for has come: the end of a search, or of the time that their user was pending.
    fn wake(&self, waiting: Vec<Key>);

    /// A sweep ended that no reconcile waits for any more.
    fn sweep_ended(&self);
}

/// The user list of one portal as one login sees it.
pub struct Inventory {
    portal: Arc<dyn Portal>,
    gate: CompanyGate,
    listener: Arc<dyn Listener>,
    metrics: Metrics,
    process: Process,
    /// One reading at a time.
    reading: AsyncMutex<()>,
    state: Mutex<KnownUsers>,
    /// A reading, a search or a sweep ended.
    ended: Notify,
}

#[derive(Default)]
struct KnownUsers {
    snapshot: Snapshot,
    /// How many readings were taken over.
    readings: u64,
    /// When the last reading began, and how long it took.
    read: Option<(Instant, Duration)>,
    /// This process's own changes since the last reading began.
    written: Vec<(Instant, UserId)>,
    /// The marks of users whose details were read.
    marks: BTreeMap<UserId, Option<Mark>>,
    /// The last reading, where it was stable.
    last: Option<Stable>,
    /// When the first reading of the last proving pair began.
    proved: Option<Instant>,
    /// The names that a page proved absent, as prefixes, and when the search for each began.
    absent: BTreeMap<String, Instant>,
    /// How many pages were read for single names since the last pair of readings.
    pages_for_names: u64,
    /// When the last reading began on which a mass disappearance was judged, and its number.
    judged: Option<Instant>,
    judged_number: u64,
    /// How many known users disappeared at once, where they are too many to believe it of any of them.
    disappeared: Option<usize>,
    search: Search,
    sweep: Sweep,
    pending: PendingUsers,
}

impl Inventory {
    /// An inventory that was not read yet.
    #[must_use]
    pub fn new(
        portal: Arc<dyn Portal>,
        gate: CompanyGate,
        listener: Arc<dyn Listener>,
        metrics: Metrics,
        process: Process,
    ) -> Self {
        Self {
            portal,
            gate,
            listener,
            metrics,
            process,
            reading: AsyncMutex::new(()),
            state: Mutex::default(),
            ended: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, KnownUsers> {
        self.state.lock()
    }

    /// Reads the list as it is known; `None` before the first reading.
    pub fn with<T>(&self, read: impl FnOnce(&Snapshot) -> T) -> Option<T> {
        let state = self.state();
        (state.readings > 0).then(|| read(&state.snapshot))
    }

    /// The entry of a user.
    #[must_use]
    pub fn get(&self, id: &UserId) -> Option<ListedUser> {
        self.with(|snapshot| snapshot.get(id).cloned())?
    }

    /// Starts a create or a delete, for as long as the result lives. While a proof is in progress it waits for its end,
    /// as long as that is near; [`Unmet::Waiting`] where it is not, and `who` is woken then.
    pub async fn change(&self, who: &Key, kind: Kind) -> Result<Change, Unmet> {
        if let Some(change) = self.gate.change(kind, self.patience()).await {
            return Ok(change);
        }
        self.gate.block(who);
        // The proof may have ended before that was remembered.
        self.gate.try_change(kind).ok_or(Unmet::Waiting)
    }

    /// How long a reconcile waits for a reading: not at all where the last one took longer than it would wait.
    fn patience(&self) -> Duration {
        let long = self.state().read.is_some_and(|(_, took)| took > PATIENCE);
        if long { Duration::ZERO } else { PATIENCE }
    }

    /// Writes a user of ours through, new or changed.
    pub fn put(&self, user: ListedUser) {
        let mut state = self.state();
        state.forget_name_of(&user.name);
        state.written.push((Instant::now(), user.id.clone()));
        state.snapshot.put(user);
    }

    /// Writes through that a user of ours is deleted.
    pub fn remove(&self, id: &UserId) {
        let mut state = self.state();
        let name = state.snapshot.get(id).map(|user| user.name.clone());
        state.forget_name_of(name.as_deref().unwrap_or_default());
        state.written.push((Instant::now(), id.clone()));
        state.snapshot.remove(id);
        state.marks.remove(id);
        state.pending.forget(id);
    }

    /// The mark of a user whose details were read; the outer `None` where they were not.
    #[must_use]
    pub fn mark(&self, id: &UserId) -> Option<Option<Mark>> {
        self.state().marks.get(id).cloned()
    }

    /// The users of the list that bear such a mark, as far as their details were read, whatever their names are.
    pub fn marked(&self, fits: impl Fn(&Mark) -> bool) -> Vec<ListedUser> {
        let state = self.state();
        let marked = |(id, mark): (&UserId, &Option<Mark>)| {
            mark.as_ref().filter(|mark| fits(mark)).and_then(|_| state.snapshot.get(id)).cloned()
        };
        state.marks.iter().filter_map(marked).collect()
    }

    /// Writes through that the wallet service has created a user, which the list shows as pending: its details were read.
    pub fn put_active(&self, details: &UserDetails) {
        let pending = self.get(&details.id).filter(|listed| listed.status == UserStatus::Pending);
        if let Some(listed) = pending.filter(|_| details.status == UserStatus::Active) {
            self.put(ListedUser { status: details.status, client_id: details.client_id.clone(), ..listed });
        }
    }

    /// Remembers a user's mark.
    pub fn remember(&self, id: &UserId, mark: Option<Mark>) {
        self.state().marks.insert(id.clone(), mark);
    }

    /// Whether the list confirms that a user is gone whose details answered, at this time, that the portal knows no such
    /// user. A reading that began later and shows the user as active or pending contradicts that: a replica of the portal
    /// may lag behind.
    pub async fn confirms_gone(
        self: &Arc<Self>,
        who: &Key,
        id: &UserId,
        since: Instant,
    ) -> Result<bool, Unmet> {
        self.meet(who, Need::Judgement(since)).await?;
        let state = self.state();
        let shown = state.snapshot.shown_since(id, state.judged_number);
        Ok(shown.is_none_or(|user| !matches!(user.status, UserStatus::Active | UserStatus::Pending)))
    }

    /// How many known users disappeared at once, where they are too many to believe it of any of them.
    #[must_use]
    pub fn mass_disappearance(&self) -> Option<usize> {
        self.state().disappeared
    }

    /// Whether a mass disappearance was judged on any reading.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.state().judged.is_some()
    }

    /// Sets or lifts the suspicion.
    pub fn suspect_mass_disappearance(&self, missing: Option<usize>) {
        self.state().disappeared = missing;
    }
}
