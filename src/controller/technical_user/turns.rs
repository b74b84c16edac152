//! Whose turn it is to have a user created, where creates that hang hold all places that a Portal's limiter has for them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::controller::objects::Key;
use crate::controller::registry::PortalKey;

/// The resources that wait, per Portal, in the order in which they came.
#[derive(Debug, Default)]
pub struct Turns(Mutex<HashMap<PortalKey, VecDeque<Key>>>);

impl Turns {
    fn lock(&self) -> MutexGuard<'_, HashMap<PortalKey, VecDeque<Key>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This resource waits. One that waits already keeps its turn.
    pub fn wait(&self, portal: &PortalKey, key: &Key) {
        let mut turns = self.lock();
        let waiting = turns.entry(portal.clone()).or_default();
        if !waiting.contains(key) {
            waiting.push_back(key.clone());
        }
    }

    /// A create at this Portal has ended: whose turn is next.
    pub fn next(&self, portal: &PortalKey) -> Option<Key> {
        let mut turns = self.lock();
        let waiting = turns.get_mut(portal)?;
        let next = waiting.pop_front();
        if waiting.is_empty() {
            turns.remove(portal);
        }
        next
    }

    /// This resource waits no more: its create has begun, or it is gone.
    pub fn leave(&self, key: &Key) {
        self.lock().retain(|_, waiting| {
            waiting.retain(|other| other != key);
            !waiting.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_the_order_of_the_first_wait() {
        let turns = Turns::default();
        let key = |name: &str| Key { namespace: "n".into(), name: name.into() };
        let portal = |name: &str| PortalKey { namespace: "n".into(), name: name.into() };
        for name in ["a", "b", "a", "c", "d"] {
            turns.wait(&portal("p"), &key(name));
        }
        turns.wait(&portal("q"), &key("e"));
        turns.leave(&key("b"));
        let order: Vec<_> = std::iter::from_fn(|| turns.next(&portal("p"))).collect();
        assert_eq!(order, ["a", "c", "d"].map(key));
        turns.leave(&key("e"));
        assert_eq!(turns.next(&portal("q")), None);
    }
}
