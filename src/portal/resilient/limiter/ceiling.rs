//! How many requests may be in progress at once: as many as the server serves, between 1 and the limit that a person gave.
//!
//! Additive increase and decrease, as TCP does it: one less for each sign of too much load, one more after a number of answers without
//! one. A 429 or a 503 is such a sign. So is an answer that took much longer than answers to this operation take; but not the answer to
//! a create, which may take minutes in the wallet service alone, nor a page of the list, whose duration depends on its filter.

use std::time::Duration;

use crate::portal::observe::Operation;

/// After so many answers without a sign of too much load, one more request may be in progress.
const CALM: u32 = 20;

/// An answer that takes this many times the usual is a sign of too much load.
const SLOW: u32 = 8;

/// No answer that comes within this time is one.
const QUICK: Duration = Duration::from_secs(1);

/// The usual time follows a slower answer by one part in so many, and a faster one at once.
const FOLLOWS: u32 = 32;

/// What an answer says of the load of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// It was served.
    Served,
    /// It was refused because of too much load: a 429 or a 503.
    TooMuch,
    /// Neither: another error, or no answer.
    Unknown,
}

/// The number of requests that may be in progress.
#[derive(Debug)]
pub(super) struct Ceiling {
    most: u32,
    allowed: u32,
    calm: u32,
    /// The usual time of an answer, by operation. Few operations: a list is enough.
    usual: Vec<(Operation, Duration)>,
}

impl Ceiling {
    /// As many as this at most; 0 counts as 1.
    pub(super) fn new(most: u32) -> Self {
        let most = most.max(1);
        Self { most, allowed: most, calm: 0, usual: Vec::new() }
    }

    /// How many may be in progress now.
    pub(super) const fn allowed(&self) -> u32 {
        self.allowed
    }

    /// An answer came after this time.
    pub(super) fn answered(&mut self, operation: Operation, load: Load, took: Duration) {
        match load {
            Load::TooMuch => self.decrease(),
            Load::Served if self.is_slow(operation, took) => self.decrease(),
            Load::Served if operation != Operation::List => self.served(),
            Load::Served | Load::Unknown => {}
        }
    }

    fn decrease(&mut self) {
        self.allowed = self.allowed.saturating_sub(1).max(1);
        self.calm = 0;
    }

    fn served(&mut self) {
        self.calm += 1;
        if self.calm >= CALM {
            self.allowed = self.allowed.saturating_add(1).min(self.most);
            self.calm = 0;
        }
    }

    /// Whether an answer took much longer than usual; it counts for what is usual.
    fn is_slow(&mut self, operation: Operation, took: Duration) -> bool {
        if matches!(operation, Operation::Create | Operation::List) {
            return false;
        }
        let Some((_, usual)) = self.usual.iter_mut().find(|(known, _)| *known == operation) else {
            self.usual.push((operation, took));
            return false;
        };
        let is_slow = took > QUICK && took > usual.saturating_mul(SLOW);
        *usual = took.min(*usual + took.saturating_sub(*usual) / FOLLOWS);
        is_slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);

    fn answered(ceiling: &mut Ceiling, load: Load, times: u32) -> u32 {
        for _ in 0..times {
            ceiling.answered(Operation::Details, load, SOON);
        }
        ceiling.allowed()
    }

    #[test]
    fn each_refusal_for_load_takes_one_and_many_answers_give_one_back() {
        let mut ceiling = Ceiling::new(4);
        assert_eq!(answered(&mut ceiling, Load::TooMuch, 1), 3);
        assert_eq!(answered(&mut ceiling, Load::TooMuch, 9), 1, "one request is always allowed");
        assert_eq!(answered(&mut ceiling, Load::Served, CALM - 1), 1);
        assert_eq!(answered(&mut ceiling, Load::Unknown, CALM), 1, "an error shows nothing");
        assert_eq!(answered(&mut ceiling, Load::Served, 1), 2);
        assert_eq!(answered(&mut ceiling, Load::Served, CALM - 1), 2);
        assert_eq!(answered(&mut ceiling, Load::TooMuch, 1), 1);
        assert_eq!(answered(&mut ceiling, Load::Served, CALM - 1), 1, "counted from the last refusal");
        assert_eq!(answered(&mut ceiling, Load::Served, 10 * CALM), 4, "never more than the limit");
        assert_eq!(Ceiling::new(0).allowed(), 1);
    }

    #[test]
    fn an_answer_that_takes_much_longer_than_usual_takes_one() {
        let mut ceiling = Ceiling::new(4);
        let mut after = |operation, took| {
            ceiling.answered(operation, Load::Served, took);
            ceiling.allowed()
        };
        let long = Duration::from_secs(3);
        assert_eq!(after(Operation::Details, SOON), 4);
        assert_eq!(after(Operation::Delete, long), 4, "nothing is known of this operation yet");
        assert_eq!(after(Operation::Details, QUICK), 4, "a short time in itself");
        assert_eq!(after(Operation::Details, long), 3);
        assert_eq!(after(Operation::Delete, long), 3, "as usual");
        for operation in [Operation::Create, Operation::List] {
            assert_eq!((after(operation, SOON), after(operation, long * 60)), (3, 3));
        }
        // Another portal is slower for good: that becomes the usual time.
        let left = (0..200).map(|_| after(Operation::Details, long)).collect::<Vec<_>>();
        assert_eq!((left[0], left.iter().min(), left[199]), (2, Some(&1), 4), "{left:?}");
    }

    #[test]
    fn pages_of_the_list_do_not_raise_it() {
        let mut ceiling = Ceiling::new(4);
        ceiling.answered(Operation::List, Load::TooMuch, SOON);
        for _ in 0..10 * CALM {
            ceiling.answered(Operation::List, Load::Served, SOON);
        }
        assert_eq!(ceiling.allowed(), 3);
    }
}
