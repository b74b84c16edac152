//! The search: every state that can be reached, breadth first, so that the first failure has a shortest trace.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::world::{Setup, World};
use super::form::fingerprint;
use super::judge::judge;
use super::moves::{Budget, Move, moves};
use super::rest::{self, Next};

/// What is searched.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    pub setup: Setup,
    pub beginning: Beginning,
    pub budget: Budget,
}

/// How the resource is at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    New,
    Ready,
}

impl Scope {
    fn beginning(&self) -> World {
        let mut world = World::new(self.setup.clone());
        if self.beginning == Beginning::Ready {
            world.works_undisturbed(0);
            (0..world.processes.len()).for_each(|p| world.catch_up(p, 0));
        }
        world
    }
}

/// The most moves from a state to rest.
const LONGEST_WAY: usize = 1000;

/// How much was searched.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    pub states: usize,
    /// The longest of the shortest ways to a state, in moves.
    pub depth: usize,
    /// The different states from which rest was awaited.
    pub rests: usize,
}

impl fmt::Display for Extent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, depth, rests } = self;
        write!(f, "{states} states, {depth} moves deep, rest awaited from {rests}")
    }
}

/// How a state was reached.
struct Step {
    from: Option<usize>,
    by: Option<Move>,
}

/// A state whose moves are still to be done.
struct Open {
    world: World,
    left: Budget,
    step: usize,
}

struct Search<'a> {
    scope: &'a Scope,
    seen: BTreeSet<u64>,
    steps: Vec<Step>,
    /// States without faults that are known to come to rest.
    resting: BTreeSet<u64>,
}

/// Searches the whole scope; what is wrong, with the trace that leads there.
pub(super) fn search(scope: &Scope) -> Result<Extent, String> {
    let mut search = Search { scope, seen: BTreeSet::new(), steps: Vec::new(), resting: BTreeSet::new() };
    let mut world = scope.beginning();
    world.silent = true;
    let mut layer = Vec::from_iter(search.reach(world, scope.budget, None, None)?);
    let mut depth = 0;
    while !layer.is_empty() {
        layer = search.next_layer(layer)?;
        depth += usize::from(!layer.is_empty());
    }
    Ok(Extent { states: search.seen.len(), depth, rests: search.resting.len() })
}

impl Search<'_> {
    fn next_layer(&mut self, layer: Vec<Open>) -> Result<Vec<Open>, String> {
        let mut next = Vec::new();
        for Open { world, left, step } in layer {
            for (by, left) in moves(&world, left) {
                if let Some(world) = by.applied(&world) {
                    next.extend(self.reach(world, left, Some(step), Some(by))?);
                }
            }
        }
        Ok(next)
    }

    /// Judges a state that was not reached before.
    fn reach(
        &mut self,
        mut world: World,
        left: Budget,
        from: Option<usize>,
        by: Option<Move>,
    ) -> Result<Option<Open>, String> {
        world.forget_history();
        let mut form = DefaultHasher::new();
        (fingerprint(&world), left).hash(&mut form);
        if !self.seen.insert(form.finish()) {
            return Ok(None);
        }
        let step = self.steps.len();
        self.steps.push(Step { from, by });
        let restores = self.scope.budget.restores - left.restores;
        let judged = judge(&world, restores).and_then(|()| self.rests(&world));
        judged.map_err(|wrong| format!("{wrong}\n{}", self.trace(step)))?;
        Ok(Some(Open { world, left, step }))
    }

    /// From here on nothing fails: the world comes to rest, and is as it should be then.
    fn rests(&mut self, from: &World) -> Result<(), String> {
        let (mut world, mut passed) = (from.clone(), Vec::new());
        for _ in 0..LONGEST_WAY {
            let form = fingerprint(&world);
            if self.resting.contains(&form) {
                self.resting.extend(passed);
                return Ok(());
            }
            passed.push(form);
            match rest::next(&world, form) {
                Next::Moved(next) => world = *next,
                Next::Rests => {
                    self.resting.extend(passed);
                    return Ok(());
                }
                Next::Wrong(wrong) => return Err(format!("once nothing fails: {wrong}")),
            }
        }
        Err("once nothing fails: it does not come to rest".into())
    }

    /// The story of a state, from the beginning, and what comes after it once faults stop.
    fn trace(&self, mut step: usize) -> String {
        let mut moves = Vec::from_iter(self.steps[step].by);
        while let Some(from) = self.steps[step].from {
            moves.extend(self.steps[from].by);
            step = from;
        }
        let mut world = self.scope.beginning();
        moves.into_iter().rev().flat_map(Move::events).for_each(|event| world.happens(event));
        world.run_until_calm();
        world.story.join("\n")
    }
}
