//! Two operator processes, one portal, and everything that can go wrong between them.
//!
//! Each run takes an arbitrary schedule: steps of either process, kills, pauses, stale caches, creates that the portal carries
//! out late or never, lost answers, refusals, backups that put status or object back, hands in the portal and at the Secret.
//! On the way nothing forbidden may happen (`judge`); when the faults stop, both processes come to rest, and then there is one
//! user, published and known, or none.
//!
//! By default [`SCHEDULES`] schedules of up to [`EVENTS`] events are run; `PROPTEST_CASES` asks for more.

mod execute;
mod judge;
mod portal;
mod process;
mod schedule;
mod world;

use proptest::collection::vec;
use proptest::prelude::*;

use super::runs;
use schedule::{Event, a_setup, an_event};
use world::{Setup, World};

/// So many interleavings are run by default.
const SCHEDULES: u32 = 10_000;
/// So many things happen in one of them, at most.
const EVENTS: usize = 60;

/// Runs a schedule to its end; what went wrong, with the story of how.
fn run(setup: Setup, events: &[Event]) -> Result<(), String> {
    let mut world = World::new(setup);
    for event in events {
        world.happens(*event);
    }
    world.comes_to_rest();
    world.judge_calm();
    if world.wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{}\n{}", world.wrong.join("\n"), world.story.join("\n")))
}

proptest! {
    #![proptest_config(runs(SCHEDULES))]

    #[test]
    fn whatever_happens_there_is_one_user_in_the_end(setup in a_setup(), events in vec(an_event(), 0..EVENTS)) {
        run(setup, &events).map_err(TestCaseError::fail)?;
    }
}
