//! An output with another place for each user of the resource: the place is asked about that is written next.

use super::super::{AttemptState, Confirmed, OutputId, OutputState, Verified};
use super::builders::{
    A_PLACE_FOR_EACH, a_new_resource, a_ready_resource, candidate, contents, details, down, shown_for,
};
use super::{Observation, check};

fn the_places() -> OutputId {
    OutputId { kind: A_PLACE_FOR_EACH.into(), name: "edc".into() }
}

/// The Secret can be written, and beside it is an output with a place for each user, which is absent.
fn with_places(o: Observation) -> Observation {
    let o = o.writable().with_output(&the_places(), OutputState::Absent);
    o.but(|o| o.output_mut(&the_places()).unwrap().place_per_user = true)
}

/// The place for the user of this generation can be written, or not.
fn asked(o: Observation, generation: i64, writable: bool) -> Observation {
    let answer = if writable { Ok(()) } else { Err(down()) };
    o.but(|o| o.output_mut(&the_places()).unwrap().asked(generation, answer))
}

/// The entry of the present user was deleted.
fn deleted() -> Observation {
    let o = with_places(a_ready_resource()).recorded_content("d1");
    let mut held = contents("d1");
    held.insert(the_places(), Ok("d1".to_owned()));
    let user = details().but(|user| user.contents = Some(held));
    o.seen("u1", user)
}

#[test]
fn a_user_is_created_once_its_own_place_can_be_written() {
    let new = || with_places(a_new_resource());
    let later = || new().searched(vec![candidate("u1", 1).is(Confirmed::Retained)]).read_live();
    check(vec![
        ("the first one", new(), "prove the place of g1 writable"),
        ("it can", asked(new(), 1, true), "search"),
        ("it cannot", asked(new(), 1, false), "user OutputNotWritable, try again"),
        ("a later one says nothing of it", asked(new(), 2, true), "prove the place of g1 writable"),
        ("then its create", asked(new().searched(vec![]).read_live(), 1, true), "create g1 [id-discovery]"),
        ("a later one", asked(later(), 1, true), "prove the place of g2 writable"),
        ("its create", asked(asked(later(), 1, false), 2, true), "create g2 [id-discovery]"),
        (
            "a create that was refused",
            new().attempt(3, AttemptState::RefusedRetry),
            "prove the place of g3 writable",
        ),
    ]);
}

#[test]
fn the_place_of_a_successor_does_not_prevent_the_repair_of_the_present_one() {
    let verified = |o: Observation| o.verified(shown_for("u1"), Verified::Accepted);
    check(vec![
        ("asked", deleted(), "prove the place of g1 writable"),
        (
            "that of a successor cannot be written",
            asked(deleted(), 2, false),
            "prove the place of g1 writable",
        ),
        ("repaired", verified(asked(asked(deleted(), 1, true), 2, false)), "publish u1 g1 to the Places"),
        ("it cannot be repaired", asked(deleted(), 1, false), "output OutputNotWritable (u1 g1), try again"),
    ]);
}
