//! What can happen next: each process does its next step, time passes, and what a budget still permits goes wrong.

use super::super::portal::Fate;
use super::super::schedule::Event;
use super::super::world::{Trouble, World};

/// How often each kind of trouble may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    /// The process that has lost its lease begins a reconcile.
    pub reconciles: u8,
    /// The leader is killed, and the next one begins without a memory.
    pub crashes: u8,
    /// A create is slow or refused, or its answer is lost.
    pub creates: u8,
    /// The answer to another request is lost.
    pub answers: u8,
    /// The object is restored from a backup: from its beginning, or as a cache shows it. Or its status is lost.
    pub restores: u8,
    /// The object is deleted.
    pub deletions: u8,
    /// After that an object of the same name is created.
    pub replacements: u8,
}

/// One thing that happens, and what fails while it happens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    fault: Option<Event>,
    event: Event,
}

/// The process that has the lease. The other one has lost it, does not know it, and does what it has begun.
const LEADER: usize = 0;

/// A create is sent within the first of these, and carried out within the two after it; an attempt settles in three.
const TICK: u64 = 20;

/// What the portal may do with a create: at once, at the next tick, or at the one after it.
const FATES: [Fate; 5] =
    [Fate::Slow(TICK / 2), Fate::Slow(TICK + TICK / 2), Fate::AnswerLost, Fate::Swallowed, Fate::Refused];

impl Move {
    /// The events, in their order.
    pub(super) fn events(self) -> impl Iterator<Item = Event> {
        self.fault.into_iter().chain([self.event])
    }

    /// The world after it; `None` if it is without an effect, because the step does not meet the fault.
    pub(super) fn applied(self, to: &World) -> Option<World> {
        let mut world = to.clone();
        self.events().for_each(|event| world.happens(event));
        let met = world.trouble == Trouble::default() && world.portal.fate == Fate::Done;
        met.then_some(world)
    }
}

/// Collects the moves, each with the budget after it.
struct Moves {
    left: Budget,
    found: Vec<(Move, Budget)>,
}

impl Moves {
    fn add(&mut self, event: Event) {
        self.found.push((Move { fault: None, event }, self.left));
    }

    /// Adds it where its budget is not spent.
    fn spend(&mut self, fault: Option<Event>, event: Event, of: fn(&mut Budget) -> &mut u8) {
        let mut left = self.left;
        let budget = of(&mut left);
        if *budget > 0 {
            *budget -= 1;
            self.found.push((Move { fault, event }, left));
        }
    }

    fn of_a_process(&mut self, world: &World, p: usize) {
        let process = &world.processes[p];
        match (&process.reconcile, &world.object) {
            (None, None) => {}
            (None, Some(_)) if p != LEADER => {
                self.spend(None, Event::Steps(p, 1), |left| &mut left.reconciles);
            }
            _ => self.of_a_reconcile(p),
        }
        if let Some(task) = &process.task {
            self.add(Event::Task(p));
            for fate in FATES.into_iter().filter(|_| task.sent.is_none()) {
                self.spend(Some(Event::NextCreate(fate)), Event::Task(p), |left| &mut left.creates);
            }
        }
        if p == LEADER {
            self.spend(None, Event::Crash(p), |left| &mut left.crashes);
        }
        // A reconcile uses the cache when it begins.
        if p == LEADER || self.left.reconciles > 0 {
            self.add(Event::CatchUp(p, 0));
        }
    }

    fn of_a_reconcile(&mut self, p: usize) {
        self.add(Event::Steps(p, 1));
        let faults = [
            Event::NextPatchUnclear(false),
            Event::NextPatchUnclear(true),
            Event::NextChangeUnclear(false),
            Event::NextChangeUnclear(true),
            Event::NextStatusLost,
        ];
        for fault in faults {
            self.spend(Some(fault), Event::Steps(p, 1), |left| &mut left.answers);
        }
    }

    fn of_people(&mut self, world: &World) {
        let Some(object) = &world.object else {
            return self.spend(None, Event::Recreated, |left| &mut left.replacements);
        };
        if object.deleting {
            return;
        }
        self.spend(None, Event::Deleted, |left| &mut left.deletions);
        self.spend(None, Event::StatusWiped, |left| &mut left.restores);
        for earlier in 0..u8::try_from(world.versions.len() - 1).unwrap_or(u8::MAX) {
            self.spend(None, Event::ObjectRestored(earlier), |left| &mut left.restores);
        }
    }
}

/// All that can happen next.
pub(super) fn moves(world: &World, left: Budget) -> Vec<(Move, Budget)> {
    let mut moves = Moves { left, found: Vec::new() };
    (0..world.processes.len()).for_each(|p| moves.of_a_process(world, p));
    moves.of_people(world);
    moves.add(Event::Time(TICK));
    moves.found
}
