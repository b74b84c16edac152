//! When two states are the same: a fingerprint of all that can have an effect on what happens next.
//!
//! Two things have no effect by themselves and are left out: which numbers resources, users and attempts have (their order
//! counts), and how long ago something was once its time is over.

mod visits;

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::world::World;
use crate::domain::user::UserId;

/// The fingerprint of a world without a history, which no cache shows.
pub(super) fn fingerprint(world: &World) -> u64 {
    let mut numbers = Form::default();
    numbers.world(world);
    let mut known = numbers.numbers;
    known.sort_unstable();
    known.dedup();
    let mut form = Form { known: Some(known), now: world.now, ..Form::default() };
    form.world(world);
    form.hash.finish()
}

/// Visits a world twice: the first time it collects the numbers, the second time it hashes each with its rank among them.
#[derive(Default)]
struct Form {
    numbers: Vec<u64>,
    known: Option<Vec<u64>>,
    now: u64,
    hash: DefaultHasher,
}

impl Form {
    fn raw(&mut self, what: impl Hash) {
        what.hash(&mut self.hash);
    }

    /// A number that nothing else has.
    fn number(&mut self, number: u64) {
        match &self.known {
            None => self.numbers.push(number),
            Some(known) => known.binary_search(&number).ok().hash(&mut self.hash),
        }
    }

    /// A text that ends with such a number, or has none.
    fn text(&mut self, text: &str) {
        let (word, digits) = text.split_at(text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len()));
        self.raw(word);
        match digits.parse() {
            Ok(number) => self.number(number),
            Err(_) => self.raw(digits),
        }
    }

    fn id(&mut self, id: &UserId) {
        self.text(id.as_str());
    }

    fn ids<'a>(&mut self, ids: impl ExactSizeIterator<Item = &'a UserId>) {
        self.all(ids, Self::id);
    }

    fn all<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut visit: impl FnMut(&mut Self, T)) {
        self.raw(items.len());
        items.for_each(|item| visit(self, item));
    }

    fn some<T>(&mut self, what: Option<T>, visit: impl FnOnce(&mut Self, T)) {
        self.raw(what.is_some());
        if let Some(what) = what {
            visit(self, what);
        }
    }

    /// How long ago it was, up to the time after which it does not matter.
    fn ago(&mut self, since: u64, at_most: u64) {
        let ago = self.now.saturating_sub(since).min(at_most);
        self.raw(ago);
    }

    fn left(&mut self, until: u64) {
        let left = until.saturating_sub(self.now);
        self.raw(left);
    }
}
