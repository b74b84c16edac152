//! When Portals and Vaults are checked, and when the user lists of portals are read.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::controller::objects::Key;

/// A check that is requested begins after this time.
const HURRY: Duration = Duration::from_secs(5);

/// What the last check depended on, and when the next one is due.
#[derive(Debug, Clone, Default)]
struct Checked {
    /// What the check depended on.
    inputs: String,
    due: Option<Instant>,
    /// When the user list is to be read again; at once where that is not known.
    sweep_due: Option<Instant>,
    /// When the next check is due that was requested since the last one began.
    hurried: Option<Instant>,
}

/// The checks of all objects of one kind.
#[derive(Debug, Default)]
pub struct Checks(Mutex<BTreeMap<Key, Checked>>);

impl Checks {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, Checked>> {
        self.0.lock()
    }

    /// The time until the next check is due; none where something that it depends on changed.
    #[must_use]
    pub fn due_in(&self, key: &Key, inputs: &str) -> Duration {
        match self.all().get(key) {
            Some(Checked { inputs: then, due: Some(due), .. }) if then == inputs => {
                due.saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        }
    }

    /// The time until the next reading of the user list is due; none where something that it depends on changed.
    #[must_use]
    pub fn sweep_due_in(&self, key: &Key, inputs: &str) -> Duration {
        match self.all().get(key) {
            Some(Checked { inputs: then, sweep_due: Some(due), .. }) if then == inputs => {
                due.saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        }
    }

    /// A check begins: it serves all requests before it.
    pub fn begin(&self, key: &Key) {
        self.all().entry(key.clone()).or_default().hurried = None;
    }

    /// A check has ended; the next one is due after this time. `swept`: and the user list need not be read before.
    pub fn ended(&self, key: &Key, inputs: &str, next: Duration, swept: bool) {
        let due = Instant::now() + next;
        let mut all = self.all();
        let checked = all.entry(key.clone()).or_default();
        if swept {
            checked.sweep_due = Some(due);
        } else if checked.inputs != inputs {
            checked.sweep_due = None;
        }
        inputs.clone_into(&mut checked.inputs);
        // A caller that asked during the reconcile may know what it did not find.
        checked.due = Some(checked.hurried.map_or(due, |hurried| hurried.min(due)));
    }

    /// The server refused a request: the login is read again soon, but not at once for each refusal. The user list is not read
    /// for it.
    pub fn hurry(&self, key: &Key) {
        if let Some(checked) = self.all().get_mut(key) {
            let soon = Instant::now() + HURRY;
            checked.due = Some(checked.due.map_or(soon, |due| due.min(soon)));
            checked.hurried = Some(checked.hurried.map_or(soon, |hurried| hurried.min(soon)));
        }
    }

    /// What a check found could not be written: the next check is soon, and reads all of it again.
    pub fn repeat(&self, key: &Key) {
        self.hurry(key);
        if let Some(checked) = self.all().get_mut(key) {
            checked.sweep_due = None;
        }
    }

    /// Forgets an object that is deleted.
    pub fn forget(&self, key: &Key) {
        self.all().remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hurried_check_does_not_read_the_user_list() {
        let (memory, key) = (Checks::default(), Key { namespace: "n".into(), name: "p".into() });
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
            "that check failed before it read the list"
        );
        memory.ended(&key, "b", interval, true);
        memory.repeat(&key);
        assert_eq!(memory.sweep_due_in(&key, "b"), Duration::ZERO);
        assert_eq!(memory.due_in(&key, "b"), HURRY);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_is_requested_during_another_follows_it() {
        let (memory, key) = (Checks::default(), Key { namespace: "n".into(), name: "p".into() });
        memory.begin(&key);
        memory.hurry(&key);
        tokio::time::advance(Duration::from_secs(2)).await;
        memory.ended(&key, "a", Duration::from_mins(5), true);
        assert_eq!(memory.due_in(&key, "a"), Duration::from_secs(3));
        tokio::time::advance(Duration::from_secs(3)).await;
        memory.begin(&key);
        memory.ended(&key, "a", Duration::from_mins(5), true);
        assert_eq!(memory.due_in(&key, "a"), Duration::from_mins(5), "the request was served");
    }
}
