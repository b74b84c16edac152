//! Whose turn it is to have a user created, where creates that hang hold all places that a Portal's limiter has for them.

use std::collections::{BTreeMap, VecDeque};

use parking_lot::{Mutex, MutexGuard};

use crate::controller::context::Context;
use crate::controller::objects::Key;

/// The turns of all Portals.
#[derive(Debug, Default)]
pub struct Turns(Mutex<Waiters>);

#[derive(Debug, Default)]
struct Waiters {
    /// The resources that wait, per Portal, in the order in which they came.
    waiting: BTreeMap<Key, VecDeque<Key>>,
    /// The resources that were woken because it is their turn, until they use it.
    woken: BTreeMap<Key, Key>,
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock()
    }

    /// This resource waits. One that waits already keeps its turn.
    pub fn wait(&self, portal: &Key, key: &Key) {
        let mut state = self.lock();
        // Another resource has taken its place: the end of that create is the next turn.
        state.woken.remove(key);
        let waiting = state.waiting.entry(portal.clone()).or_default();
        if !waiting.contains(key) {
            waiting.push_back(key.clone());
        }
    }

    /// A place for a create at this Portal is free: whose turn is next.
    fn next(&self, portal: &Key) -> Option<Key> {
        let mut state = self.lock();
        let waiting = state.waiting.get_mut(portal)?;
        let next = waiting.pop_front();
        if waiting.is_empty() {
            state.waiting.remove(portal);
        }
        state.woken.extend(next.clone().map(|key| (key, portal.clone())));
        next
    }

    /// The create of this resource has begun: it has used its turn.
    pub fn begin(&self, key: &Key) {
        self.leave(key);
        self.lock().woken.remove(key);
    }

    /// This resource waits no more. A turn that it has is not used by that.
    pub fn leave(&self, key: &Key) {
        self.lock().waiting.retain(|_, waiting| {
            waiting.retain(|other| other != key);
            !waiting.is_empty()
        });
    }

    /// Takes the turn of a resource that was woken for it and did not use it.
    fn take_unused(&self, key: &Key) -> Option<Key> {
        self.lock().woken.remove(key)
    }
}

/// A place for a create at this Portal is free: the next resource has its turn.
pub(in crate::controller::technical_user) fn wake_next(ctx: &Context, portal: &Key) {
    if let Some(next) = ctx.memory.turns.next(portal) {
        ctx.wake(&next);
    }
}

/// A reconcile of this resource has ended, or the resource is gone: where it was its turn and it began no create, the next one
/// has its turn.
pub fn pass_on(ctx: &Context, key: &Key) {
    if let Some(portal) = ctx.memory.turns.take_unused(key) {
        wake_next(ctx, &portal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_the_order_of_the_first_wait() {
        let turns = Turns::default();
        let key = |name: &str| Key { namespace: "n".into(), name: name.into() };
        let portal = |name: &str| Key { namespace: "n".into(), name: name.into() };
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

    #[test]
    fn a_turn_that_is_not_used_is_the_next_ones() {
        let turns = Turns::default();
        let key = |name: &str| Key { namespace: "n".into(), name: name.into() };
        let portal = Key { namespace: "n".into(), name: "p".into() };
        for name in ["changed", "gone", "creates", "overtaken", "last"] {
            turns.wait(&portal, &key(name));
        }
        assert_eq!(turns.next(&portal), Some(key("changed")));
        assert_eq!(turns.take_unused(&key("changed")), Some(portal.clone()), "it began no create");
        assert_eq!(turns.next(&portal), Some(key("gone")));
        turns.leave(&key("gone"));
        assert_eq!(turns.take_unused(&key("gone")), Some(portal.clone()), "its turn is not lost with it");
        assert_eq!(turns.next(&portal), Some(key("creates")));
        turns.begin(&key("creates"));
        assert_eq!(turns.take_unused(&key("creates")), None, "it is used");
        assert_eq!(turns.next(&portal), Some(key("overtaken")));
        turns.wait(&portal, &key("overtaken"));
        assert_eq!(
            turns.take_unused(&key("overtaken")),
            None,
            "another one has its place, and passes on the turn"
        );
        assert_eq!(turns.next(&portal), Some(key("last")));
        assert_eq!(turns.next(&portal), Some(key("overtaken")));
        assert_eq!(turns.take_unused(&key("waits for no turn")), None);
    }
}
