//! What happens where nothing fails any more: the same next move in each state, until nothing changes.
//!
//! Most of these moves are those of the search, so each state of it is one move away from another one, and rest is awaited once
//! for all of them.

use super::super::schedule::Event;
use super::super::world::World;
use super::form::fingerprint;

/// The world after the next move.
pub(super) enum Next {
    Moved(Box<World>),
    /// No move changes anything, and all is as it should be.
    Rests,
    Wrong(String),
}

/// The next move from a world with this fingerprint.
pub(super) fn next(world: &World, form: u64) -> Next {
    let changed = |change: &dyn Fn(&mut World)| {
        let mut next = world.clone();
        change(&mut next);
        next.forget_history();
        (!next.wrong.is_empty() || fingerprint(&next) != form).then_some(next)
    };
    let processes = 0..world.processes.len();
    let in_progress = processes.clone().flat_map(|p| in_progress(world, p));
    let next = in_progress
        .into_iter()
        .find_map(|event| changed(&|world| world.happens(event)))
        .or_else(|| processes.into_iter().find_map(|p| changed(&|world| world.works_undisturbed(p))))
        .or_else(|| {
            changed(&|world| {
                world.has_calm_round();
            })
        });
    match next {
        Some(World { wrong, .. }) if !wrong.is_empty() => Next::Wrong(wrong.join("; ")),
        Some(next) => Next::Moved(Box::new(next)),
        None => at_rest(world),
    }
}

/// What a process has begun.
fn in_progress(world: &World, p: usize) -> Vec<Event> {
    let process = &world.processes[p];
    let task = process.task.is_some().then_some(Event::Task(p));
    let reconcile = process.reconcile.is_some().then_some(Event::Steps(p, 1));
    task.into_iter().chain([Event::CatchUp(p, 0)]).chain(reconcile).collect()
}

/// Judges a world that does not change any more.
fn at_rest(world: &World) -> Next {
    let mut world = world.clone();
    if world.processes.iter().any(|process| process.reconcile.is_some() || process.task.is_some()) {
        return Next::Wrong("a reconcile does not end".into());
    }
    if !world.has_calm_round() {
        world.forbid("is written again and again".into());
    }
    world.judge_calm();
    if world.wrong.is_empty() { Next::Rests } else { Next::Wrong(world.wrong.join("; ")) }
}
