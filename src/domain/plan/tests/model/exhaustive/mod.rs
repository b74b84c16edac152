//! All schedules of a small scope, where the runs beside it take some of a large one.
//!
//! A scope has one resource, the portal with users of others, and a budget of troubles. The search visits each state that any
//! order of steps, time and troubles leads to, judges it, and follows it to rest as if nothing failed from there on. It
//! compares states by all that has an effect (`form`), so it ends although time does not.
//!
//! The small scopes are part of the unit tests; `make exhaustive` adds the large ones.

mod form;
mod judge;
mod moves;
mod rest;
mod search;

use super::world::Setup;
use crate::domain::plan::{Deletion, Strategy};
use moves::Budget;
use search::{Beginning, Scope, search};

/// A budget without any trouble.
const NONE: Budget =
    Budget { reconciles: 0, crashes: 0, creates: 0, answers: 0, restores: 0, deletions: 0, replacements: 0 };

fn holds(name: &str, beginning: Beginning, budget: Budget) {
    let setup = Setup {
        strategy: Strategy::Auto,
        overlap: 0,
        external: false,
        may_delete: true,
        release_undeletable: false,
        policy: Deletion::Delete,
        stuck: false,
        foreign: true,
        list_limit: 100,
    };
    match search(&Scope { setup, beginning, budget }) {
        Ok(extent) => println!("{name}: {extent}"),
        Err(wrong) => panic!("{name}: {wrong}"),
    }
}

#[test]
fn a_create_with_a_crash_and_lost_answers() {
    let budget = Budget { crashes: 1, creates: 1, answers: 1, ..NONE };
    holds("create", Beginning::New, budget);
}

#[test]
fn a_create_of_two_processes() {
    holds("create, two processes", Beginning::New, Budget { reconciles: 1, ..NONE });
}

#[test]
fn a_deletion_and_a_replacement_with_a_crash_and_a_lost_answer() {
    let budget = Budget { crashes: 1, answers: 1, deletions: 1, replacements: 1, ..NONE };
    holds("deletion", Beginning::Ready, budget);
}

#[test]
fn a_restore_with_a_crash() {
    holds("restore", Beginning::New, Budget { crashes: 1, restores: 1, ..NONE });
}

#[test]
#[ignore = "large: make exhaustive"]
fn a_create_a_deletion_and_a_replacement_with_all_troubles_of_one_process() {
    let budget = Budget { crashes: 1, creates: 1, answers: 1, deletions: 1, replacements: 1, ..NONE };
    holds("create to replacement", Beginning::New, budget);
}

#[test]
#[ignore = "large: make exhaustive"]
fn a_restore_between_a_late_create_and_a_replacement() {
    let budget = Budget { creates: 1, restores: 1, deletions: 1, replacements: 1, ..NONE };
    holds("restore to replacement", Beginning::New, budget);
}

#[test]
#[ignore = "large: make exhaustive"]
fn a_late_create_of_two_processes() {
    let budget = Budget { reconciles: 1, creates: 1, ..NONE };
    holds("late create, two processes", Beginning::New, budget);
}

#[test]
#[ignore = "large: make exhaustive"]
fn a_process_that_lost_its_lease_and_reconciles_twice() {
    holds("create, two reconciles", Beginning::New, Budget { reconciles: 2, ..NONE });
}

#[test]
#[ignore = "large: make exhaustive"]
fn a_deletion_and_a_replacement_of_two_processes() {
    let budget = Budget { reconciles: 1, deletions: 1, replacements: 1, ..NONE };
    holds("deletion, two processes", Beginning::Ready, budget);
}
