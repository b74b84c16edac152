//! Schedules that are too rare for chance, or that went wrong once.

use super::portal::Fate;
use super::run;
use super::schedule::Event::{self, *};
use super::world::{Setup, World};
use crate::domain::plan::{Deletion, Strategy};

fn internal() -> Setup {
    Setup {
        strategy: Strategy::Auto,
        overlap: 0,
        external: false,
        may_delete: true,
        release_undeletable: false,
        policy: Deletion::Delete,
        stuck: false,
        foreign: false,
        list_limit: 100,
    }
}

fn external() -> Setup {
    Setup { external: true, ..internal() }
}

fn ends_well(setup: Setup, events: &[Event]) -> World {
    run(setup, events).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn users(world: &World) -> usize {
    world.portal.users.iter().filter(|u| u.bears_our_live_mark()).count()
}

#[test]
fn an_unusable_user_that_is_restored_does_not_alternate_with_its_pending_successor() {
    let stuck = Setup { stuck: true, ..external() };
    let published = [Works(0), Time(300), Works(0), Sweep(0)];
    let successor = [ClientMissing(0), Rotate, Sweep(0), Works(0), ClientRestored(0), Sweep(0), Works(0)];
    let world = ends_well(stuck, &[&published[..], &successor[..]].concat());
    assert_eq!(
        (users(&world), world.portal.posts.len()),
        (2, 2),
        "one without a client, listed and back; one stuck"
    );
}

#[test]
fn a_create_that_is_not_in_a_backup_leaves_no_second_user() {
    let create_is_slow = [NextCreate(Fate::Slow(30)), Steps(0, 3), Task(0), Crash(0)];
    let forgotten = [ObjectRestored(0), CatchUp(1, 0), Works(1), Time(31), Sweep(1), Works(1)];
    let world = ends_well(internal(), &[&create_is_slow[..], &forgotten[..]].concat());
    assert_eq!((users(&world), world.portal.posts.len()), (1, 2));
}

#[test]
fn a_release_waits_for_the_create_in_flight() {
    let create_is_slow = [NextCreate(Fate::Slow(20)), Steps(0, 4), Task(0)];
    let released = [Deleted, Released, CatchUp(0, 0), Steps(0, 5), Time(20), Task(0), Works(0)];
    let world = ends_well(internal(), &[&create_is_slow[..], &released[..]].concat());
    assert!(world.object.is_none());
    assert!(world.portal.users.iter().all(|u| u.by_hand || world.ever_retained.contains(&u.id)), "listed");
}

#[test]
fn a_process_that_was_paused_after_its_patch_asks_nothing_of_the_portal() {
    let world = ends_well(internal(), &[Steps(0, 3), Time(11), Task(0), Works(1)]);
    assert_eq!((users(&world), world.portal.posts.len()), (1, 1));
}

#[test]
fn the_user_of_an_interrupted_create_is_found_and_not_created_again() {
    let killed = [NextCreate(Fate::Slow(30)), Steps(0, 3), Task(0), Crash(0), Works(1), Works(0)];
    let world = ends_well(internal(), &killed);
    assert_eq!((users(&world), world.portal.posts.len()), (1, 1));
}

#[test]
fn a_secret_that_was_reset_in_the_portal_is_published_again() {
    let world = ends_well(internal(), &[Works(0), UserReset(0), VerificationDue(0), Works(0)]);
    let published = world.secret.and_then(|secret| secret.content).map(|(_, version)| version);
    assert_eq!(published, Some(2));
}

#[test]
fn an_attempt_that_was_edited_while_the_portal_creates_the_user_leaves_no_second_user() {
    let create_is_slow = [NextCreate(Fate::Slow(25)), Steps(0, 3), Task(0), AttemptGarbled, Crash(0)];
    let searched = [CatchUp(1, 0), Works(1), Works(0), Time(26), Sweep(1), Works(1)];
    let world = ends_well(internal(), &[&create_is_slow[..], &searched[..]].concat());
    assert_eq!((users(&world), world.portal.posts.len()), (1, 1));
}

#[test]
fn a_deletion_finds_the_user_of_an_attempt_that_was_edited() {
    let create_is_slow =
        [NextCreate(Fate::Slow(25)), Steps(0, 3), Task(0), AttemptGarbled, Deleted, Crash(0)];
    let world = ends_well(internal(), &[&create_is_slow[..], &[CatchUp(0, 0), Works(0)][..]].concat());
    assert!(world.object.is_none());
    assert_eq!(users(&world), 0);
}

#[test]
fn a_deletion_that_is_late_leaves_the_next_object_of_the_name_its_user() {
    let both_see_the_end = [Works(0), Deleted, CatchUp(0, 0), CatchUp(1, 0), Sweep(1), Steps(1, 1)];
    let the_next_one = [Works(0), Recreated, Works(0), Steps(1, 9), Works(1)];
    let world = ends_well(internal(), &[&both_see_the_end[..], &the_next_one[..]].concat());
    assert_eq!((users(&world), world.portal.posts.len()), (1, 2));
}

#[test]
fn a_deletion_without_an_answer_is_completed() {
    for carried_out in [true, false] {
        let events = [Works(0), NextChangeUnclear(carried_out), Deleted, Works(0), Works(0)];
        let world = ends_well(internal(), &events);
        assert!(world.object.is_none() && users(&world) == 0);
    }
}

#[test]
fn a_forged_generation_does_not_hide_the_user_of_a_create_in_progress() {
    let create_is_slow = [NextCreate(Fate::Slow(25)), Steps(0, 3), Task(0), Crash(0), Sweep(0)];
    for n in [0, 1, 2, 8] {
        let forged = [StatusForged(n), Deleted, CatchUp(0, 0), Works(0), Works(1), Time(26), Sweep(0)];
        let foreign = Setup { foreign: true, ..internal() };
        let world = ends_well(foreign, &[&create_is_slow[..], &forged[..]].concat());
        assert!(world.object.is_none() && users(&world) == 0, "{n}");
    }
}

#[test]
fn a_forged_status_neither_deletes_nor_publishes_the_user_that_it_names() {
    for n in [0, 1, 2, 3] {
        let foreign = Setup { foreign: true, ..internal() };
        let world = ends_well(foreign.clone(), &[Works(0), StatusForged(n), Sweep(0), Works(0), Works(1)]);
        assert_eq!(users(&world), 1, "its own user is published again");
        let world = ends_well(foreign, &[Works(0), StatusForged(n), Deleted, Works(0), Works(1)]);
        assert!(world.object.is_none());
        assert!(World::not_ours().iter().all(|id| world.portal.user(id).is_some()));
    }
}

/// A process was paused between its live read and its request, while another one ended the deletion and the resource was
/// created again.
#[test]
fn a_process_that_was_paused_in_a_deletion_changes_no_user_of_the_next_resource() {
    let setup = Setup { may_delete: false, ..internal() };
    let paused = [Works(0), Deleted, CatchUp(0, 108), ClientRestored(0), Steps(0, 2)];
    let world = ends_well(setup, &[&paused[..], &[Works(1), Recreated]].concat());
    assert_eq!((users(&world), world.portal.posts.len()), (1, 2));
    let first = world.portal.users.iter().find(|user| user.mark.generation == 1 && !user.by_hand);
    assert!(first.is_some_and(|user| user.mark.retained && world.ever_retained.contains(&user.id)));
}

/// The outcome of its create is unknown, a person releases it, and it is created again for a moment.
#[test]
fn a_user_that_was_marked_before_a_release_is_left_to_the_sweep() {
    let setup = Setup { may_delete: false, ..internal() };
    let marked = [Works(0), Deleted, StatusForged(0), NextChangeUnclear(false), CatchUp(0, 15)];
    let released = [Steps(0, 4), Steps(0, 5), Released, Crash(0)];
    let world = ends_well(setup, &[&marked[..], &released[..]].concat());
    assert!(world.object.is_none() && world.portal.users.iter().any(|user| user.mark.retained));
}

#[test]
fn a_user_of_a_released_resource_is_left_to_the_sweep() {
    let setup = Setup { may_delete: false, ..external() };
    let released =
        [NextCreate(Fate::AnswerLost), Steps(1, 3), Deleted, Released, Works(1), Recreated, Deleted];
    assert_eq!(users(&ends_well(setup, &released)), 1);
}
