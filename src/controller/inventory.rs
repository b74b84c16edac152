//! The user list of one portal, read once for all `TechnicalUser`s, and what its readings prove.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedRwLockReadGuard, RwLock};
use tokio::time::Instant;

use crate::domain::identity::{Mark, parse_own_name};
use crate::domain::inventory::Snapshot;
use crate::domain::user::{ListedUser, UserId};
use crate::portal::{Lane, Portal, PortalError};

/// How many readings a proof may take before it is given up for now: the list moves too fast.
const READINGS_FOR_A_PROOF: usize = 5;

/// Lets creates and deletes of one company through, or a proof, never both.
///
/// A proof needs two readings in a row while none of our changes is under way. Those that wait for it are released
/// together.
#[derive(Debug, Clone, Default)]
pub struct CompanyGate(Arc<RwLock<()>>);

impl CompanyGate {
    /// Waits for a running proof; a change may go on for as long as the guard lives.
    pub async fn change(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.0).read_owned().await
    }
}

/// The user list of one portal as one login sees it.
pub struct Inventory {
    portal: Arc<dyn Portal>,
    gate: CompanyGate,
    reading: AsyncMutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    snapshot: Option<Arc<Snapshot>>,
    /// Our own changes since the last reading began: written through, and again over a reading that missed them.
    changes: Vec<(Instant, UserId, Option<ListedUser>)>,
    /// The marks of users that were read, remembered by id.
    marks: HashMap<UserId, Option<Mark>>,
    /// When the first reading of the last proving pair began.
    proved: Option<Instant>,
    /// So many known users vanished at once that no loss is believed.
    loss: Option<usize>,
}

/// What a reading changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The users whose entry is new, other or gone.
    pub users: HashSet<UserId>,
    /// What the names of changed users of our form begin with.
    pub prefixes: HashSet<String>,
}

impl Inventory {
    /// An inventory that was not read yet.
    #[must_use]
    pub fn new(portal: Arc<dyn Portal>, gate: CompanyGate) -> Self {
        Self { portal, gate, reading: AsyncMutex::new(()), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last reading, with our own changes written through.
    #[must_use]
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.state().snapshot.clone()
    }

    /// Whoever changes users of this company waits here for a running proof.
    pub async fn change(&self) -> OwnedRwLockReadGuard<()> {
        self.gate.change().await
    }

    /// Reads the list by the clock.
    pub async fn sweep(&self) -> Result<Changes, PortalError> {
        let _one_at_a_time = self.reading.lock().await;
        self.read(Lane::Background).await.map(|(changes, _)| changes)
    }

    async fn read(&self, lane: Lane) -> Result<(Changes, bool), PortalError> {
        let began = Instant::now();
        let scan = self.portal.scan(lane).await?;
        let stable = scan.stable;
        let mut new = Snapshot::new(scan.users, scan.complete);
        let mut state = self.state();
        state.changes.retain(|(at, ..)| *at >= began);
        for (_, id, user) in &state.changes {
            match user {
                Some(user) => new.put(user.clone()),
                None => new.remove(id),
            }
        }
        let old = state.snapshot.take().unwrap_or_default();
        let changes = difference(&old, &new);
        state.snapshot = Some(Arc::new(new));
        Ok((changes, stable))
    }

    /// A snapshot in which a name that is not there is proved absent: by two readings in a row, none of our changes under
    /// way, both begun after `after` (any since this process looks at the portal where it is `None`).
    pub async fn prove(&self, after: Option<Instant>) -> Result<Arc<Snapshot>, PortalError> {
        let proved = |state: &State| match (state.proved, after) {
            (Some(began), Some(after)) if began < after => None,
            (Some(_), _) => state.snapshot.clone(),
            (None, _) => None,
        };
        let _no_change = self.gate.0.write().await;
        let _one_at_a_time = self.reading.lock().await;
        if let Some(snapshot) = proved(&self.state()) {
            return Ok(snapshot);
        }
        let mut first: Option<Instant> = None;
        for _ in 0..READINGS_FOR_A_PROOF {
            let began = Instant::now();
            let (_, stable) = self.read(Lane::Interactive).await?;
            match (stable, first) {
                (false, _) => first = None,
                (true, None) => first = Some(began),
                (true, Some(pair_began)) => {
                    let mut state = self.state();
                    state.proved = Some(pair_began);
                    return Ok(state.snapshot.clone().unwrap_or_default());
                }
            }
        }
        Err(PortalError::BadAnswer { reason: "the user list changes too fast to be read twice" })
    }

    /// Writes a user of ours through, new or changed.
    pub fn put(&self, user: ListedUser) {
        self.write_through(user.id.clone(), Some(user));
    }

    /// Writes a user of ours through that is gone.
    pub fn remove(&self, id: &UserId) {
        self.write_through(id.clone(), None);
    }

    fn write_through(&self, id: UserId, user: Option<ListedUser>) {
        let mut state = self.state();
        if let Some(snapshot) = &mut state.snapshot {
            let snapshot = Arc::make_mut(snapshot);
            match &user {
                Some(user) => snapshot.put(user.clone()),
                None => snapshot.remove(&id),
            }
        }
        state.changes.push((Instant::now(), id, user));
    }

    /// The mark of a user whose details were read; the outer `None` where they were not.
    #[must_use]
    pub fn mark(&self, id: &UserId) -> Option<Option<Mark>> {
        self.state().marks.get(id).cloned()
    }

    /// Remembers a user's mark.
    pub fn remember(&self, id: &UserId, mark: Option<Mark>) {
        self.state().marks.insert(id.clone(), mark);
    }

    /// So many known users vanished at once that no loss is believed.
    #[must_use]
    pub fn loss_suspected(&self) -> Option<usize> {
        self.state().loss
    }

    /// Sets or lifts the suspicion.
    pub fn suspect_loss(&self, missing: Option<usize>) {
        self.state().loss = missing;
    }
}

fn difference(old: &Snapshot, new: &Snapshot) -> Changes {
    let mut changes = Changes::default();
    let mut note = |user: &ListedUser| {
        changes.users.insert(user.id.clone());
        changes.prefixes.extend(parse_own_name(&user.name).map(|own| own.prefix));
    };
    new.users().filter(|user| old.get(&user.id) != Some(user)).for_each(&mut note);
    old.users().filter(|user| new.get(&user.id).is_none()).for_each(&mut note);
    changes
}
