//! Each write is held against what is allowed once more, whatever its plan has looked at before.

use super::super::bounds::within;
use super::super::{Step, UserRef, Write};
use super::builders::{a_deleted_resource, a_new_resource, a_ready_resource, id};
use crate::domain::ownership::Origin;
use crate::domain::user::NewUser;

fn create() -> Write {
    Write::Create {
        generation: 1,
        user: NewUser { name: "n".into(), description: String::new(), role_ids: Vec::new() },
    }
}

fn describe() -> Write {
    let user = UserRef { id: id("u1"), origin: Origin::Created(1) };
    Write::Describe { user, name: "n".into(), description: String::new() }
}

fn is_held_back(observed: &super::Observation, write: Write) -> bool {
    !matches!(within(observed, Step::Write(write)), Step::Write(_))
}

#[test]
fn nothing_is_written_to_a_portal_that_cannot_be_used() {
    for observed in [a_new_resource(), a_ready_resource(), a_deleted_resource()] {
        let blocked = observed.portal_blocked_for_good();
        assert!(is_held_back(&blocked, create()) && is_held_back(&blocked, describe()));
        for elsewhere in [Write::AddFinalizer, Write::CloseAttempt] {
            assert!(!is_held_back(&blocked, elsewhere));
        }
    }
}

#[test]
fn nothing_is_written_to_a_suspended_portal() {
    let suspended = a_ready_resource().suspended();
    assert!(is_held_back(&suspended, create()) && is_held_back(&suspended, describe()));
    assert!(!is_held_back(&suspended, Write::AddFinalizer));
    assert!(!is_held_back(&a_ready_resource(), describe()));
}
