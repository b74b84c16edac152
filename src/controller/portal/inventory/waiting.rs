//! Which resource waits for what from the list: shared work of the Portal, so it continues when the reconcile that requested
//! it ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::{Inventory, KnownUsers};
use crate::controller::objects::Key;
use crate::portal::PortalError;

/// What a resource needs from the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A proof of absence that began after this time; any of this process where it is `None`.
    Proof(Option<Instant>),
    /// A reading that began after this time, and on which a mass disappearance was judged.
    Judgement(Instant),
}

/// Why the list does not answer yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// It is being read, or a proof is in progress; who asked is woken at the end.
    Waiting,
    /// The last try failed; it is tried again while anybody waits.
    Failing(PortalError),
}

#[derive(Debug, Default)]
pub(super) struct Search {
    /// The list is read until no resource waits.
    pub(super) running: bool,
    pub(super) waiting: BTreeMap<Key, Waiting>,
    /// Why the last try failed.
    pub(super) failure: Option<PortalError>,
    /// How many that wait the metric counts.
    counted: i64,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) need: Need,
    /// The prefix of the names whose absence is enough, until it was looked for in vain.
    pub(super) name: Option<String>,
    /// Its reconcile has ended: it is to be woken.
    left: bool,
}

impl KnownUsers {
    pub(super) fn meets(&self, need: Need) -> bool {
        match need {
            Need::Proof(None) => self.proved.is_some(),
            Need::Proof(Some(after)) => self.proved.is_some_and(|began| began >= after),
            Need::Judgement(after) => self.judged.is_some_and(|began| began >= after),
        }
    }

    /// Whether one that waits has what it waits for.
    pub(super) fn answers(&self, waiting: &Waiting) -> bool {
        self.meets(waiting.need)
            || waiting.name.as_ref().is_some_and(|name| self.is_absent(name, waiting.need))
    }

    /// Ends the waiting of these; the keys of those that are to be woken.
    pub(super) fn release(&mut self, which: impl Fn(&Self, &Waiting) -> bool) -> Vec<Key> {
        let ended: Vec<Key> = self
            .search
            .waiting
            .iter()
            .filter(|(_, waiting)| which(self, waiting))
            .map(|(key, _)| key.clone())
            .collect();
        let mut left =
            |key: Key| self.search.waiting.remove(&key).filter(|waiting| waiting.left).map(|_| key);
        ended.into_iter().filter_map(&mut left).collect()
    }
}

impl Inventory {
    /// Waits for what a resource needs from the list, as long as that is near. Where it is not, the list is read all the
    /// same, and `who` is woken at the end.
    pub async fn meet(self: &Arc<Self>, who: &Key, need: Need) -> Result<(), Unmet> {
        self.meet_for(who, need, None).await
    }

    /// As [`Self::meet`] with a proof, for a resource that needs only that no user has a name with its prefix.
    pub async fn prove_absent(
        self: &Arc<Self>,
        who: &Key,
        prefix: &str,
        after: Option<Instant>,
    ) -> Result<(), Unmet> {
        self.meet_for(who, Need::Proof(after), Some(prefix)).await
    }

    async fn meet_for(self: &Arc<Self>, who: &Key, need: Need, name: Option<&str>) -> Result<(), Unmet> {
        let deadline = Instant::now() + self.patience();
        let is_met =
            |state: &KnownUsers| state.meets(need) || name.is_some_and(|name| state.is_absent(name, need));
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            {
                let mut state = self.state();
                if is_met(&state) {
                    state.search.waiting.remove(who);
                    return Ok(());
                }
                self.request(&mut state, who, (need, name));
                if let Some(error) = state.search.failure.clone() {
                    self.leave_search(&mut state, who);
                    return Err(Unmet::Failing(error));
                }
            }
            if timeout_at(deadline, ended).await.is_err() {
                let mut state = self.state();
                if is_met(&state) {
                    state.search.waiting.remove(who);
                    return Ok(());
                }
                self.request(&mut state, who, (need, name));
                self.leave_search(&mut state, who);
                return Err(Unmet::Waiting);
            }
        }
    }

    /// Whether the list answers what a resource needs. Where it does not, it is read, and `who` is woken at the end.
    pub fn is_met(self: &Arc<Self>, who: &Key, need: Need) -> bool {
        let mut state = self.state();
        if state.meets(need) {
            return true;
        }
        self.request(&mut state, who, (need, None));
        self.leave_search(&mut state, who);
        false
    }

    fn request(self: &Arc<Self>, state: &mut KnownUsers, who: &Key, (need, name): (Need, Option<&str>)) {
        let first = || Waiting { need, name: name.map(str::to_owned), left: false };
        let waiting = state.search.waiting.entry(who.clone()).or_insert_with(first);
        waiting.need = need;
        // Once it was looked for in vain, or something else is needed, only the pair of readings ends it.
        waiting.name = waiting.name.take().filter(|known| name == Some(known));
        if !state.search.running {
            state.search.running = true;
            state.search.failure = None;
            self.process.tasks.spawn(Arc::clone(self).search_once());
        }
    }

    fn leave_search(&self, state: &mut KnownUsers, who: &Key) {
        if let Some(waiting) = state.search.waiting.get_mut(who) {
            waiting.left = true;
        }
        self.count(state);
    }

    /// Counts who waits.
    pub(super) fn count(&self, state: &mut KnownUsers) {
        let waiting = i64::try_from(state.search.waiting.len()).unwrap_or(i64::MAX);
        self.metrics.search_waits(waiting - state.search.counted);
        state.search.counted = waiting;
    }
}
