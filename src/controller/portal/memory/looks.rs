//! When the portals are looked at, and when their user lists are read.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::controller::objects::Key;

/// A look that somebody asks for begins after this time.
const HURRY: Duration = Duration::from_secs(5);

/// What was looked at last, and when the next look is due.
#[derive(Debug, Clone, Default)]
struct Looked {
    /// What the look depended on.
    circumstances: String,
    due: Option<Instant>,
    /// When the user list is to be read again; at once where that is not known.
    sweep_due: Option<Instant>,
    /// When the next look is due that somebody asked for since the last one began.
    hurried: Option<Instant>,
}

/// The looks at all Portals.
#[derive(Debug, Default)]
pub struct Looks(Mutex<BTreeMap<Key, Looked>>);

impl Looks {
    fn portals(&self) -> MutexGuard<'_, BTreeMap<Key, Looked>> {
        self.0.lock()
    }

    /// How long the next look at the portal has time; none where something that it depends on changed.
    #[must_use]
    pub fn due_in(&self, key: &Key, circumstances: &str) -> Duration {
        match self.portals().get(key) {
            Some(Looked { circumstances: then, due: Some(due), .. }) if then == circumstances => {
                due.saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        }
    }

    /// How long the next reading of the user list has time; none where something that it depends on changed.
    #[must_use]
    pub fn sweep_due_in(&self, key: &Key, circumstances: &str) -> Duration {
        match self.portals().get(key) {
            Some(Looked { circumstances: then, sweep_due: Some(due), .. }) if then == circumstances => {
                due.saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        }
    }

    /// A look begins: it answers all that asked for one before.
    pub fn begin(&self, key: &Key) {
        self.portals().entry(key.clone()).or_default().hurried = None;
    }

    /// A look has ended; the next one is due after this time. `swept`: and the user list need not be read before.
    pub fn ended(&self, key: &Key, circumstances: &str, next: Duration, swept: bool) {
        let due = Instant::now() + next;
        let mut portals = self.portals();
        let looked = portals.entry(key.clone()).or_default();
        if swept {
            looked.sweep_due = Some(due);
        } else if looked.circumstances != circumstances {
            looked.sweep_due = None;
        }
        circumstances.clone_into(&mut looked.circumstances);
        // A caller that asked during the reconcile may know what it did not find.
        looked.due = Some(looked.hurried.map_or(due, |hurried| hurried.min(due)));
    }

    /// Somebody was refused by the portal: the login is read again soon, not at once for each who asks. The user list is
    /// not read for it.
    pub fn hurry(&self, key: &Key) {
        if let Some(looked) = self.portals().get_mut(key) {
            let soon = Instant::now() + HURRY;
            looked.due = Some(looked.due.map_or(soon, |due| due.min(soon)));
            looked.hurried = Some(looked.hurried.map_or(soon, |hurried| hurried.min(soon)));
        }
    }

    /// What a look found could not be written: all of it is found again soon.
    pub fn repeat(&self, key: &Key) {
        self.hurry(key);
        if let Some(looked) = self.portals().get_mut(key) {
            looked.sweep_due = None;
        }
    }

    /// Forgets a Portal that is gone.
    pub fn forget(&self, key: &Key) {
        self.portals().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hurried_look_does_not_read_the_user_list() {
        let (memory, key) = (Looks::default(), Key { namespace: "n".into(), name: "p".into() });
        let interval = Duration::from_mins(5);
        memory.begin(&key);
        assert_eq!(memory.sweep_due_in(&key, "a"), Duration::ZERO);
        memory.ended(&key, "a", interval, true);
        // Every refusal of 60 resources wakes the Portal.
        for _ in 0..60 {
            memory.hurry(&key);
            assert_eq!(memory.due_in(&key, "a"), HURRY);
            tokio::time::advance(HURRY).await;
            let left = memory.sweep_due_in(&key, "a");
            memory.begin(&key);
            if left.is_zero() {
                break;
            }
            memory.ended(&key, "a", left, false);
            assert_eq!(memory.due_in(&key, "a"), left);
        }
        assert_eq!(memory.sweep_due_in(&key, "a"), Duration::ZERO, "not before its time");
        memory.ended(&key, "a", interval, true);
        assert_eq!(memory.sweep_due_in(&key, "b"), Duration::ZERO, "a loss was accepted");
        memory.ended(&key, "b", HURRY, false);
        assert_eq!(
            memory.sweep_due_in(&key, "b"),
            Duration::ZERO,
            "that look failed before it read the list"
        );
        memory.ended(&key, "b", interval, true);
        memory.repeat(&key);
        assert_eq!(memory.sweep_due_in(&key, "b"), Duration::ZERO);
        assert_eq!(memory.due_in(&key, "b"), HURRY);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_a_look_while_one_is_in_progress_gets_another() {
        let (memory, key) = (Looks::default(), Key { namespace: "n".into(), name: "p".into() });
        memory.begin(&key);
        memory.hurry(&key);
        tokio::time::advance(Duration::from_secs(2)).await;
        memory.ended(&key, "a", Duration::from_mins(5), true);
        assert_eq!(memory.due_in(&key, "a"), Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(3)).await;
        memory.begin(&key);
        memory.ended(&key, "a", Duration::from_mins(5), true);
        assert_eq!(memory.due_in(&key, "a"), Duration::from_mins(5), "it was answered");
    }
}
