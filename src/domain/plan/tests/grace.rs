//! A blocker that may end when another object appears: not `Stalled` at first, and checked often.

use std::time::Duration;

use super::super::{Observation, Requeue, interrupted, plan};
use super::builders::{a_new_resource, a_ready_resource, an_existing};
use super::words::in_words;
use crate::domain::access::Grants;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;

/// Compares the steps as they are planned.
fn check(rows: Vec<(&str, Observation, &str)>) {
    for (about, observed, expected) in rows {
        assert_eq!(in_words(&plan(&observed)), expected, "{about}");
    }
}

fn seconds(time: u64) -> Duration {
    Duration::from_secs(time)
}

fn without_portal(o: Observation) -> Observation {
    o.but(|o| o.portal = Err(Blocker::lasting(Reason::PortalNotFound, "there is no Portal")))
}

#[test]
fn a_portal_that_is_missing_may_appear_within_two_minutes() {
    let missing = || without_portal(a_new_resource());
    let waited = |time| missing().waited_for(Reason::PortalNotFound, seconds(time));
    check(vec![
        ("at first", missing(), "user PortalNotFound, try again after 10 s"),
        ("for a while", waited(60), "user PortalNotFound, try again after 10 s"),
        ("almost to the end", waited(113), "user PortalNotFound, try again after 7 s"),
        ("at the end", waited(120), "user PortalNotFound STALLED, try again"),
        ("long after", waited(3600), "user PortalNotFound STALLED, try again"),
        (
            "it has waited for something else",
            missing().waited_for(Reason::AccessDenied, seconds(3600)),
            "user PortalNotFound, try again after 10 s",
        ),
        (
            "a status reported the wait before a restart",
            missing().but(|o| o.waiting.reported = Some((Reason::PortalNotFound, seconds(115)))),
            "user PortalNotFound, try again after 5 s",
        ),
        (
            "a status reports it as stalled",
            missing().but(|o| o.waiting.stalled = Some(Reason::PortalNotFound)),
            "user PortalNotFound STALLED, try again",
        ),
    ]);
}

#[test]
fn a_rule_and_a_user_may_appear_as_well() {
    check(vec![
        (
            "a rule of the Portal",
            a_new_resource().portal_but(|portal| portal.grants = Grants::default()),
            "user AccessDenied, after 10 s",
        ),
        ("an existing user", an_existing(&[]), "user UserNotFound, after 10 s"),
    ]);
}

#[test]
fn what_a_person_has_to_change_is_stalled_at_once() {
    check(vec![
        ("roles", a_new_resource().roles(&["discovery", "wallet"]), "user RolesMixed STALLED"),
        ("an ambiguous selector", an_existing(&["u1", "u2"]), "user UserAmbiguous STALLED"),
    ]);
}

#[test]
fn a_resource_that_is_ready_waits_like_a_new_one() {
    check(vec![(
        "its Portal is deleted",
        without_portal(a_ready_resource()),
        "user PortalNotFound, try again after 10 s",
    )]);
}

#[test]
fn an_interrupted_reconcile_waits_like_any_other() {
    let denied = Blocker::lasting(Reason::AccessDenied, "no rule");
    let end = |o: &Observation| in_words(&interrupted(o, &denied, Requeue::Backoff));
    assert_eq!(end(&a_new_resource()), "user AccessDenied, try again after 10 s");
    let waited = a_new_resource().waited_for(Reason::AccessDenied, seconds(120));
    assert_eq!(end(&waited), "user AccessDenied STALLED, try again");
}
