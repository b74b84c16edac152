//! The last generation that a name can spell.

use super::super::Confirmed;
use super::builders::{a_new_resource, a_ready_resource, candidate};
use super::check;
use crate::domain::identity::LAST_GENERATION;

#[test]
fn a_generation_that_no_name_can_spell_is_not_made() {
    let exhausted = "user GenerationsExhausted STALLED";
    let used = |generation| {
        a_new_resource().writable().searched(vec![candidate("u1", generation).is(Confirmed::Retained)])
    };
    check(vec![
        ("the last but one is used", used(LAST_GENERATION - 1), "create g1295 [id-discovery]"),
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
