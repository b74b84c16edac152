//! Outputs that the spec no longer names.

use std::time::Duration;

use super::super::{Observation, RestartTarget, Verified, WorkloadId, WorkloadKind, WorkloadView};
use super::builders::{a_ready_resource, a_recorded_resource, details, shown_for};
use super::check;

#[test]
fn a_former_output_is_removed_once_the_new_one_is_written() {
    let moved = || a_recorded_resource().read_live().with_former_output("former").seen("u1", details());
    let written = || {
        let written = moved().with_secret_of("u1", "d1").verified(shown_for("u1"), Verified::Accepted);
        written.recorded_content("d1")
    };
    check(vec![
        ("not verified", moved(), "verify what was read"),
        ("not written", moved().verified(shown_for("u1"), Verified::Accepted), "publish u1 g1"),
        ("written and recorded", written(), "remove Secret \"former\""),
        ("the spec may name it again by now", written().but(|o| o.live = false), "read the object"),
        ("removed", written().but(|o| o.to_remove.clear()), "ready (u1 g1), verify in time"),
        (
            "two of them, one after the other",
            written().with_former_output("other").but(|o| drop(o.to_remove.remove(0))),
            "remove Secret \"other\"",
        ),
        (
            "the new one belongs to another resource",
            moved().with_foreign_secret().verified(shown_for("u1"), Verified::Accepted),
            "output OutputNotOurs STALLED (u1 g1), try again",
        ),
        (
            "the user is gone",
            a_recorded_resource().read_live().with_former_output("former").seen_gone("u1"),
            "search",
        ),
    ]);
}

#[test]
fn the_oldest_of_too_many_former_outputs_is_removed_at_once() {
    let renamed = |times: usize| {
        let o = a_recorded_resource().read_live().with_foreign_secret().seen("u1", details());
        (0..times).fold(o, |o, n| o.with_former_output(&format!("former-{n}")))
    };
    check(vec![
        ("not too many", renamed(16), "output OutputNotOurs STALLED (u1 g1), try again"),
        ("one more", renamed(17), "remove Secret \"former-0\""),
        (
            "before another one is written",
            renamed(17).without_secret().verified(shown_for("u1"), Verified::Accepted),
            "remove Secret \"former-0\"",
        ),
        ("not under deletion", renamed(17).without_finalizer().but(|o| o.deleting = true), "gone"),
    ]);
}

/// Until then a process that is started again assumes that the former output is the one that holds the credential.
#[test]
fn a_former_output_is_kept_until_the_status_records_those_that_replace_it() {
    let written = || {
        let o = a_recorded_resource().read_live().with_former_output("former").seen("u1", details());
        o.with_secret_of("u1", "d1").verified(shown_for("u1"), Verified::Accepted)
    };
    let begun = |o: Observation| o.but(|o| o.to_remove[0].begun = true);
    let hurried = |o: Observation| o.but(|o| o.to_remove[0].hurried = true);
    let later = "ready (u1 g1), after 1 s";
    check(vec![
        ("it was just written", written(), later),
        ("it was written with another content", written().recorded_content("d0"), later),
        ("the former one was kept for an overlap", begun(written()), later),
        ("a person does not wait for the overlap", hurried(written()), later),
        ("recorded", written().recorded_content("d1"), "remove Secret \"former\""),
    ]);
}

/// Something may still read what was written.
#[test]
fn of_too_many_former_outputs_those_come_first_that_were_never_written() {
    let renamed = |written: usize, never: usize| {
        (0..written + never).fold(a_recorded_resource().read_live(), |o, n| {
            let o = o.with_former_output(&format!("former-{n}"));
            o.but(|o| o.to_remove[n].written = n < written)
        })
    };
    let blocked = |written, never| renamed(written, never).with_foreign_secret().seen("u1", details());
    let unwritten = |written, never| {
        let o = renamed(written, never).seen("u1", details());
        o.without_secret().verified(shown_for("u1"), Verified::Accepted)
    };
    let ready = |written, never| {
        let o = renamed(written, never).seen("u1", details());
        o.with_secret_of("u1", "d1").verified(shown_for("u1"), Verified::Accepted)
    };
    check(vec![
        ("one is in use", blocked(1, 16), "remove Secret \"former-1\""),
        ("before another one is written", unwritten(1, 16), "remove Secret \"former-1\""),
        ("all outputs hold the credential", ready(1, 16), "remove Secret \"former-1\""),
        ("all were written", blocked(17, 0), "remove Secret \"former-0\""),
        ("also before another one is written", unwritten(17, 0), "remove Secret \"former-0\""),
        ("and after it", ready(17, 0), "remove Secret \"former-0\""),
    ]);
}

#[test]
fn a_former_output_is_kept_until_its_readers_are_restarted() {
    let kept = |due: bool, begun: bool| {
        a_ready_resource().read_live().with_former_output("former").but(|o| {
            o.to_remove[0].begun = begun;
            o.restarts.targets.push(RestartTarget {
                id: WorkloadId { kind: WorkloadKind::Deployment, name: "edc".into() },
                due,
                view: due.then_some(WorkloadView::Missing),
            });
        })
    };
    let now = "remove Secret \"former\"";
    let hurried = kept(true, true).but(|o| o.to_remove[0].hurried = true);
    check(vec![
        ("a restart is due, and has a timer of its own", kept(true, true), "ready (u1 g1), WorkloadNotFound"),
        ("which are due is known in the next reconcile", kept(false, false), "ready (u1 g1), after 1 s"),
        ("none is due", kept(false, true), now),
        ("a person does not wait for it", hurried, now),
    ]);
}

#[test]
fn a_former_output_is_kept_for_the_overlap() {
    let day = Duration::from_hours(24);
    let kept = |time: Duration| a_ready_resource().read_live().with_output_kept_for("former", time);
    let now = "remove Secret \"former\"";
    check(vec![
        ("longer than the verification", kept(day), "ready (u1 g1), verify in time"),
        ("it ends first", kept(Duration::from_secs(7)), "ready (u1 g1), after 7 s"),
        ("over", kept(Duration::ZERO), now),
        ("one is over", kept(day).with_former_output("other"), "remove Secret \"other\""),
        (
            "not before the rest is published",
            kept(Duration::ZERO).with_secret_of("u1", "dx").seen("u1", details()),
            "verify what was read",
        ),
        (
            "the oldest of too many",
            (0..16).fold(kept(day), |o, n| o.with_output_kept_for(&format!("former-{n}"), day)),
            now,
        ),
        ("deleted with the resource", kept(day).but(|o| (o.deleting, o.finalizer) = (true, false)), "gone"),
    ]);
}

/// What a cache shows may be old: the spec may name the Secret again. The status that names it is written only to the resource as it
/// was seen.
#[test]
fn an_output_that_was_found_is_removed_after_the_status_names_it() {
    let found = || a_ready_resource().read_live().with_unnamed_output("found");
    let hurried = found().but(|o| o.to_remove[0].hurried = true);
    let kept = |time| found().but(|o| o.to_remove[0].kept_for = time);
    let many = |o: Observation| (0..16).fold(o, |o, n| o.with_former_output(&format!("former-{n}")));
    let blocked = a_recorded_resource().read_live().with_foreign_secret().seen("u1", details());
    let next = "ready (u1 g1), after 1 s";
    check(vec![
        ("it is named first", found(), next),
        ("also on request", hurried, next),
        ("for the overlap", kept(Duration::from_secs(7)), "ready (u1 g1), after 7 s"),
        (
            "then it is removed",
            found().but(|o| (o.to_remove[0].unnamed, o.to_remove[0].begun) = (false, true)),
            "remove Secret \"found\"",
        ),
        ("beside another one", found().with_former_output("former"), "remove Secret \"former\""),
        ("of too many", many(blocked.with_unnamed_output("found")), "remove Secret \"former-0\""),
        ("deleted with the resource", found().but(|o| (o.deleting, o.finalizer) = (true, false)), "gone"),
    ]);
}
