//! Generations that a name has no digits for, and the last one.

use super::super::Confirmed;
use super::builders::{a_new_resource, a_ready_resource, candidate};
use super::check;
use crate::domain::identity::LAST_GENERATION;

#[test]
fn no_user_is_created_after_the_last_generation() {
    let exhausted = "user GenerationsExhausted STALLED";
    let used = |generation| {
        a_new_resource().writable().searched(vec![candidate("u1", generation).is(Confirmed::Retained)])
    };
    check(vec![
        ("the last but one is used", used(LAST_GENERATION - 1), "create g2147483647 [id-discovery]"),
        ("the last is used", used(LAST_GENERATION), exhausted),
        (
            "the recorded user of the last generation is gone",
            a_ready_resource()
                .recorded_as("u1", LAST_GENERATION)
                .with_foreign_secret()
                .seen_gone("u1")
                .writable()
                .searched(vec![]),
            exhausted,
        ),
    ]);
}

#[test]
fn generations_continue_where_the_digits_of_a_name_begin_again() {
    let used = |generation| {
        a_new_resource().writable().searched(vec![candidate("u1", generation).is(Confirmed::Retained)])
    };
    check(vec![
        ("the last with digits of its own", used(1295), "create g1296 [id-discovery]"),
        ("the first with digits of another", used(1296), "create g1297 [id-discovery]"),
    ]);
}
