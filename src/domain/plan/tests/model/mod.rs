//! Two operator processes, one portal, and everything that can go wrong between them.
//!
//! Each run takes an arbitrary schedule: steps of either process, kills, pauses, stale caches, creates that the portal carries
//! out late or never, lost answers, refusals, backups that put status or object back, hands in the portal and at the Secret.
//! Nothing forbidden may happen before that (`judge`). When the faults stop, both processes settle, and then there is one
//! user, published and known, or none.
//!
//! By default [`SCHEDULES`] schedules of up to [`EVENTS`] events are run; `PROPTEST_CASES` sets another number. `exhaustive` takes
//! every schedule of a small scope.

mod execute;
mod exhaustive;
mod judge;
mod portal;
mod process;
mod rotation;
mod schedule;
mod stories;
mod world;

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::runs;
use process::RETRY;
use schedule::{Event, a_setup, an_event};
use world::{Setup, World};

/// The number of interleavings that are run by default.
const SCHEDULES: u32 = 10_000;
/// The highest number of events in one of them.
const EVENTS: usize = 60;

/// Runs a schedule to its end; what went wrong, with the story of how.
fn run(setup: Setup, events: &[Event]) -> Result<World, String> {
    let mut world = World::new(setup);
    for event in events {
        world.happens(*event);
    }
    world.run_until_calm();
    world.judge_calm();
    if world.wrong.is_empty() {
        return Ok(world);
    }
    Err(format!("{}\n{}", world.wrong.join("\n"), world.story.join("\n")))
}

/// What the schedules of a test reached, as a proof that the model does something.
#[derive(Debug, Default)]
struct Tally {
    schedules: u32,
    events: usize,
    creates: usize,
    with_several_users: u32,
    with_a_deletion: u32,
}

impl Tally {
    fn count(&mut self, world: &World, events: usize) {
        self.schedules += 1;
        self.events += events;
        self.creates += world.portal.posts.len();
        let created = world.portal.posts.iter().filter(|post| matches!(post.outcome, Some(Ok(_)))).count();
        self.with_several_users += u32::from(created > 1);
        self.with_a_deletion += u32::from(world.versions.iter().any(|object| object.deleting));
    }
}

#[test]
fn whatever_happens_there_is_one_user_in_the_end() {
    let mut runner = TestRunner::new(ProptestConfig { source_file: Some(file!()), ..runs(SCHEDULES) });
    let tally = RefCell::new(Tally::default());
    let done = runner.run(&(a_setup(), vec(an_event(), 0..EVENTS)), |(setup, events)| {
        let world = run(setup, &events).map_err(TestCaseError::fail)?;
        tally.borrow_mut().count(&world, events.len());
        Ok(())
    });
    println!("{:?}", tally.borrow());
    if let Err(failure) = done {
        panic!("{failure}");
    }
}

/// Restarts and time, and nothing else.
fn a_restart_or_time() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => Just(Event::Crash(0)),
        6 => Just(Event::Works(0)),
        3 => (1..200_u64).prop_map(Event::Time),
    ]
}

proptest! {
    #![proptest_config(runs(SCHEDULES / 10))]

    /// One POST for each restart, and one for each time that a refusal is waited out.
    #[test]
    fn a_portal_that_always_refuses_gets_few_requests(
        mut setup in a_setup(),
        events in vec(a_restart_or_time(), 0..EVENTS),
    ) {
        setup.foreign = false;
        let mut world = World::new(setup);
        world.happens(Event::PortalRefuses(true));
        let begin = world.now;
        for event in &events {
            world.happens(*event);
        }
        let restarts = events.iter().filter(|e| matches!(e, Event::Crash(_))).count() as u64;
        let allowed = 1 + restarts + (world.now - begin) / RETRY;
        let asked = world.portal.posts.len() as u64;
        prop_assert!(asked <= allowed, "asked {asked} times, allowed {allowed}\n{}", world.story.join("\n"));
        prop_assert!(world.portal.users.iter().all(|u| u.by_hand));
    }
}
