//! A user that serves is replaced: its successor is created, verified and published, and serves from then on.

use std::time::Duration;

use super::super::{
    AttemptState, Confirmed, Done, Listed, OpenReset, RecordedUser, ResetState, RetiringUser, Searched,
    Strategy, Verified,
};
use super::builders::{
    a_deleted_resource, a_ready_resource, candidate, contents, details, details_of, id, pin, shown_for,
    the_entry,
};
use super::{Observation, check};
use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::ownership::Origin;
use crate::domain::plan::predecessor::{is_settled, unrecorded};
use crate::domain::plan::{OutputState, UserRef, has_begun};
use crate::domain::reason::Reason;
use crate::domain::user::{UserKind, UserStatus};

/// It is time for a successor of `u1`.
fn due() -> Observation {
    a_ready_resource().but(|o| o.rotation.due = true)
}

/// The portal has created the successor, in this reconcile or an earlier one that recorded no end.
fn created() -> Observation {
    due().attempt(2, AttemptState::Created(id("u2")))
}

fn proved() -> Observation {
    let successor = details_of(2).but(|user| user.contents = Some(contents("d2")));
    created().seen("u2", successor).verified(shown_for("u2"), Verified::Accepted)
}

fn held_by(user: &str, digest: &str) -> OutputState {
    OutputState::Ours { user: Some(id(user)), digest: Some(digest.into()), metadata_as_wanted: true }
}

#[test]
fn a_user_that_serves_is_replaced_when_it_is_time() {
    check(vec![
        ("it is not time", a_ready_resource(), "ready (u1 g1), verify in time"),
        ("whether a successor exists", due(), "search"),
        ("none: its outputs", due().searched(vec![]), "prove the output writable"),
        ("then its create", due().searched(vec![]).writable().read_live(), "create g2 [id-discovery]"),
        ("its details", created(), "read u2"),
        ("its credential", proved(), "publish u2 g2"),
        ("it serves", proved().with_secret_of("u2", "d2"), "ready (u2 g2), after 1 s"),
    ]);
}

#[test]
fn a_successor_that_waits_for_the_wallet_is_reported_as_stuck_after_a_time() {
    let pending = || created().seen("u2", details_of(2).external().in_state(UserStatus::Pending));
    check(vec![
        ("in time", pending().pending_for(30), "ready (u1 g1), poll, rotation: waits for Pending"),
        (
            "too long",
            pending().pending_for(31),
            "ready (u1 g1), poll, rotation: waits for PendingTooLong STALLED",
        ),
        (
            "a person asks for another one in its place",
            pending()
                .pending_for(31)
                .rotate()
                .but(|o| o.rotation.gives_up = Some(id("u2")))
                .seen("u1", details())
                .searched(vec![])
                .writable()
                .read_live(),
            "create g3 [id-discovery]",
        ),
    ]);
}

/// An entry in Vault that all users of the resource share.
fn fixed(o: Observation) -> Observation {
    o.but(|o| {
        o.outputs[0].alias_is_fixed = true;
        o.rotation.strategy = Strategy::Replace;
    })
}

#[test]
fn a_user_that_serves_is_not_replaced_where_the_alias_of_its_entry_is_fixed() {
    let requested = |o: Observation| o.but(|o| o.rotation.requested = true);
    let refused = "ready (u1 g1), verify in time, answer AliasFixed";
    check(vec![
        ("it is not time", fixed(a_ready_resource()), "ready (u1 g1), verify in time"),
        ("it is time", fixed(due()), refused),
        (
            "nothing is asked of the portal for it",
            fixed(due()).searched(vec![]).writable().read_live(),
            refused,
        ),
        (
            "a request is handled",
            requested(fixed(due())).seen("u1", details()),
            "ready (u1 g1), verify in time, request handled, answer AliasFixed",
        ),
        (
            "of several outputs one is enough",
            fixed(due().with_output(&the_entry(), held_by("u1", "d1")).recorded_content("d1")),
            refused,
        ),
        ("an output without the credential comes first", fixed(due()).without_secret(), "read u1"),
        (
            "a user without a client has no valid credential: its successor is searched for",
            requested(fixed(a_ready_resource())).seen_without_client("u1").but(|o| o.searched = Searched::No),
            "list u1 retained",
        ),
        (
            "and published",
            fixed(a_ready_resource())
                .seen_without_client("u1")
                .attempt(2, AttemptState::Created(id("u2")))
                .seen("u2", details_of(2).but(|user| user.contents = Some(contents("d2"))))
                .verified(shown_for("u2"), Verified::Accepted),
            "publish u2 g2",
        ),
    ]);
}

/// A successor was created, or may be, and then the rotation is refused or not asked for any more.
#[test]
fn a_successor_that_is_not_needed_is_not_published() {
    let attempt = |state: AttemptState| a_ready_resource().attempt(2, state);
    let created = || attempt(AttemptState::Created(id("u2")));
    let seen = |o: Observation| o.seen("u1", details());
    let listed = |o: Observation| o.sibling(candidate("u2", 2)).seen("u2", details_of(2)).read_live();
    let refused =
        |o: Observation| o.but(|o| o.rotation.due = true).but(|o| o.outputs[0].alias_is_fixed = true);
    let needs_delete = |o: Observation| {
        o.portal_but(|p| p.may_delete = false).but(|o| {
            o.rotation.due = true;
            o.rotation.kind = Some(UserKind::External);
        })
    };
    let external = || details().external().but(|user| user.roles_in_tokens = false);
    check(vec![
        ("whether the user serves", created(), "read u1"),
        ("it does", seen(created()), "close the attempt"),
        ("also if the list shows the successor", listed(seen(created())), "close the attempt"),
        ("it is closed once", seen(created()).closed(), "ready (u1 g1), verify in time"),
        ("then the successor is a duplicate", listed(created().closed()), "delete u2"),
        (
            "the next one has another generation, because that one may appear after all",
            seen(attempt(AttemptState::Settled).closed()).rotate().searched(vec![]).writable().read_live(),
            "create g3 [id-discovery]",
        ),
        (
            "no process waits for it again",
            seen(attempt(AttemptState::Settling(Duration::from_secs(42))).closed())
                .rotate()
                .searched(vec![])
                .writable()
                .read_live(),
            "create g3 [id-discovery]",
        ),
        (
            "its user is searched for before the resource is deleted",
            a_deleted_resource()
                .in_the_list(Listed::There(UserStatus::Active))
                .attempt(2, AttemptState::Settled)
                .closed(),
            "search",
        ),
        ("nobody knows whether there is one", seen(attempt(AttemptState::Settled)), "search"),
        ("the list shows it", seen(attempt(AttemptState::Settled)).searched(vec![]), "close the attempt"),
        ("there is none", seen(attempt(AttemptState::RefusedRetry)), "close the attempt"),
        ("it is being created", seen(attempt(AttemptState::InFlight)), "ready (u1 g1)"),
        (
            "the portal may still create it",
            seen(attempt(AttemptState::Settling(Duration::from_secs(42)))),
            "ready (u1 g1), after 42 s",
        ),
        ("an output holds its credential", seen(created()).with_secret_of("u2", "d2"), "read u2"),
        (
            "it serves then, and is recorded",
            seen(created())
                .with_secret_of("u2", "d2")
                .seen("u2", details_of(2).but(|user| user.contents = Some(contents("d2"))))
                .verified(shown_for("u2"), Verified::Accepted),
            "ready (u2 g2), after 1 s",
        ),
        ("the user is gone", created().seen_gone("u1"), "read u2"),
        ("the alias is fixed: whether the user serves", fixed(refused(created())), "read u1"),
        ("it does, so the successor is no help", fixed(refused(seen(created()))), "close the attempt"),
        (
            "that is said while the portal may still create it",
            fixed(refused(seen(attempt(AttemptState::InFlight)))),
            "ready (u1 g1), answer AliasFixed",
        ),
        ("a login that may not delete", needs_delete(created().seen("u1", external())), "close the attempt"),
        (
            "the secret is reset in place instead",
            refused(seen(created())).but(|o| o.rotation.kind = Some(UserKind::Internal)),
            "close the attempt",
        ),
    ]);
}

#[test]
fn a_request_is_not_answered_before_the_successor_that_is_due() {
    let requested = due().but(|o| o.rotation.requested = true).seen("u1", details());
    check(vec![("a successor is searched for", requested, "search")]);
}

/// The list shows the successor, which is not published yet.
fn listed_successor(o: Observation) -> Observation {
    o.sibling(candidate("u2", 2)).read_live()
}

#[test]
fn a_successor_that_one_output_holds_is_published_to_the_others() {
    let both = || proved().with_output(&the_entry(), held_by("u1", "d1")).recorded_content("d1");
    let first = || both().with_secret_of("u2", "d2");
    check(vec![
        ("none", both(), "publish u2 g2"),
        ("the first", first(), "publish u2 g2 to the Entry"),
        ("a list that shows it takes it for no duplicate", listed_successor(both()), "publish u2 g2"),
        ("also once the list shows it", first().sibling(candidate("u2", 2)), "publish u2 g2 to the Entry"),
        ("also where the predecessor was read", first().seen("u1", details()), "publish u2 g2 to the Entry"),
    ]);
}

/// `u2` serves, and the status says how long its predecessor `u1` is kept.
fn replaced(kept_for: Duration, begun: bool) -> Observation {
    let user =
        RecordedUser { id: id("u1"), origin: Origin::Created(1), active: true, proved: true, asked: None };
    a_ready_resource().recorded_as("u2", 2).with_secret_of("u2", "d2").recorded_content("d2").but(|o| {
        o.rotation.overlap = Duration::from_mins(10);
        o.rotation.retiring =
            vec![RetiringUser { user, kept_for, begun, hurried: false, without_overlap: false }];
    })
}

fn listed(o: Observation) -> Observation {
    o.sibling(candidate("u1", 1))
}

#[test]
fn a_predecessor_is_deleted_after_the_overlap_once_nothing_holds_its_credential() {
    let minute = Duration::from_mins(1);
    let over = || listed(replaced(Duration::ZERO, true)).read_live();
    let seen = |o: Observation| o.seen("u1", details());
    let former = |o: Observation, written| {
        o.with_former_output("former").but(|o| {
            o.to_remove[0].written = written;
            o.to_remove[0].kept_for = Duration::from_mins(1);
            o.to_remove[0].begun = true;
        })
    };
    check(vec![
        ("it is kept", listed(replaced(minute, true)), "ready (u2 g2), after 60 s"),
        ("the overlap has not begun", listed(replaced(minute, false)), "ready (u2 g2), after 60 s"),
        ("the overlap has passed", over(), "read u1"),
        ("its end", seen(over()), "delete u1"),
        ("a former output holds its credential", former(seen(over()), true), "ready (u2 g2), after 60 s"),
        ("a former output that was never written", former(seen(over()), false), "delete u1"),
        ("a person keeps it", over().seen("u1", details().marked(None)), "ready (u2 g2), verify in time"),
        ("it was deleted by hand", over().seen_gone("u1"), "ready (u2 g2), verify in time"),
        ("no list shows it", replaced(Duration::ZERO, true).read_live().seen("u1", details()), "delete u1"),
        (
            "a person hurries",
            seen(listed(replaced(minute, true)).but(|o| o.rotation.retiring[0].hurried = true)).read_live(),
            "delete u1",
        ),
        (
            "a status from before the replacement: it is named first",
            seen(listed(replaced(minute, true)).but(|o| o.rotation.retiring.clear())).read_live(),
            "ready (u2 g2), verify in time",
        ),
        (
            "a duplicate of the same generation is not kept",
            replaced(minute, true)
                .but(|o| o.rotation.retiring.clear())
                .sibling(candidate("u9", 2))
                .read_live()
                .seen("u9", details_of(2)),
            "delete u9",
        ),
        ("the login may not delete", seen(over()).portal_but(|p| p.may_delete = false), "reset u1"),
        ("its client is missing", over().seen_without_client("u1"), "list u1 retained"),
        (
            "of another owner",
            over().but(|o| {
                if let Some(named) = &mut o.users.entry(&id("u1")).named {
                    (named.confirmed, named.status) = (Confirmed::Foreign, UserStatus::Active);
                }
            }),
            "ready (u2 g2), verify in time",
        ),
    ]);
}

/// A wallet user that was deleted is listed for a while.
#[test]
fn only_a_predecessor_that_is_there_is_named_as_replaced() {
    let unnamed = |status| {
        replaced(Duration::from_mins(1), true)
            .but(|o| o.rotation.retiring.clear())
            .sibling(candidate("u1", 1).in_state(status))
    };
    let current = UserRef::created(id("u2"), 2);
    let named = |o: &Observation| unrecorded(o, &current).map(|(id, _)| id.clone()).collect::<Vec<_>>();
    for status in [UserStatus::Active, UserStatus::Pending] {
        assert_eq!(named(&unnamed(status)), [id("u1")], "{status:?}");
        assert!(!is_settled(&unnamed(status), &id("u1")));
    }
    for status in [UserStatus::PendingDeletion, UserStatus::Deleted] {
        assert_eq!(named(&unnamed(status)), [], "{status:?}");
        assert!(is_settled(&unnamed(status), &id("u1")));
    }
    let read = |user| unnamed(UserStatus::Active).seen("u1", user);
    assert_eq!(named(&read(details())), [id("u1")]);
    assert_eq!(named(&read(details().marked(None))), [], "a person has removed its mark to keep it");
}

/// It is completed outside of a window, too.
#[test]
fn a_rotation_has_begun_once_a_user_or_a_secret_may_come_of_it() {
    let begun = |o: &Observation| has_begun(o, &o.rotation);
    let attempt = |generation, state| a_ready_resource().attempt(generation, state);
    assert!(!begun(&due()), "nothing was sent");
    for (about, observed, expected) in [
        ("a create in progress", attempt(2, AttemptState::InFlight), true),
        ("of another process", attempt(2, AttemptState::Settling(Duration::from_secs(1))), true),
        ("its user", attempt(2, AttemptState::Created(id("u2"))), true),
        ("the user that serves came of it", attempt(1, AttemptState::Settled), false),
        ("nothing came of it", attempt(2, AttemptState::RefusedRetry), false),
        ("it is closed", attempt(2, AttemptState::Settled).closed(), false),
        ("a reset in progress", reset(a_ready_resource(), ResetState::InFlight), true),
        ("a reset that has ended", reset(a_ready_resource(), ResetState::Ended), true),
        ("one that the outputs hold", reset(a_ready_resource(), ResetState::Compared), false),
    ] {
        assert_eq!(begun(&observed), expected, "{about}");
    }
}

/// The secret is to be reset.
fn in_place() -> Observation {
    a_ready_resource().but(|o| {
        o.rotation.due = true;
        o.rotation.kind = Some(UserKind::Internal);
        o.rotation.strategy = Strategy::InPlace;
        o.rotation.credential = 3;
    })
}

fn reset(o: Observation, state: ResetState) -> Observation {
    let attempt = Some(Attempt::new(4, "a".into(), pin()));
    o.but(|o| o.rotation.reset = Some(OpenReset { attempt, state }))
}

/// The details show another credential than the status names.
fn changed(o: Observation) -> Observation {
    o.seen("u1", details().but(|user| (user.contents, user.other_credential) = (Some(contents("d9")), true)))
}

/// A user was created in place of one that is gone, or its secret was reset by hand: how old its credential is, the status says only
/// afterwards.
#[test]
fn a_credential_is_recorded_before_it_is_replaced() {
    let published = |o| changed(o).verified(shown_for("u1"), Verified::Accepted).with_secret_of("u1", "d9");
    let is_same = || details().but(|user| user.contents = Some(contents("d9")));
    let recorded = |o: Observation| o.recorded_content("d9").seen("u1", is_same());
    let requested = || a_ready_resource().but(|o| o.rotation.requested = true);
    let later = "ready (u1 g1), after 1 s";
    check(vec![
        ("by its age", published(due()), later),
        ("on request", published(requested()), later),
        ("the status names it", recorded(published(due())), "search"),
    ]);
}

#[test]
fn a_secret_is_reset_once_every_output_can_be_written() {
    let settling = |o| reset(o, ResetState::Settling(Duration::from_secs(20)));
    check(vec![
        ("its output", in_place(), "prove the output writable"),
        (
            "an output cannot be written",
            in_place().unwritable(),
            "ready (u1 g1), try again, rotation: waits for OutputNotWritable STALLED",
        ),
        ("the object", in_place().writable(), "read the object"),
        ("the reset", in_place().writable().read_live(), "reset u1 g1 for credential 4"),
        (
            "not while the Portal is suspended",
            in_place().suspended(),
            "ready (u1 g1), rotation: waits for PortalSuspended",
        ),
        (
            "nor without the permission",
            in_place().portal_but(|p| p.may_create = false),
            "ready (u1 g1), rotation: waits for PermissionMissing STALLED",
        ),
        (
            "in flight",
            reset(in_place(), ResetState::InFlight),
            "ready (u1 g1), after 90 s, rotation: waits for Rotating",
        ),
        (
            "its outcome is not known",
            settling(in_place()),
            "ready (u1 g1), after 20 s, rotation: waits for Rotating",
        ),
        (
            "for a minute and a half",
            settling(in_place()).but(|o| o.rotation.unclear_for = Duration::from_secs(80)),
            "ready (u1 g1), after 10 s, rotation: waits for Rotating",
        ),
        (
            "for longer",
            settling(in_place()).but(|o| o.rotation.unclear_for = Duration::from_secs(90)),
            "credential Rotating (u1 g1), after 20 s",
        ),
        (
            "a request does not read what the portal may still change",
            settling(in_place().rotate()),
            "ready (u1 g1), after 20 s, rotation: waits for Rotating",
        ),
        (
            "read for another reason: it had an effect",
            changed(settling(in_place().rotate()))
                .verified(shown_for("u1"), Verified::Accepted)
                .with_secret_of("u1", "d9"),
            "ready (u1 g1), verify in time, request handled",
        ),
        (
            "done: the secret is read",
            reset(in_place().done("u1", Done::SecretRotated), ResetState::Ended),
            "read u1",
        ),
        ("it is verified", changed(reset(in_place(), ResetState::Ended)), "verify what was read"),
        (
            "and published",
            changed(reset(in_place(), ResetState::Ended)).verified(shown_for("u1"), Verified::Accepted),
            "publish u1 g1",
        ),
        (
            "the end, and suspended meanwhile",
            changed(reset(in_place().rotate(), ResetState::Ended))
                .verified(shown_for("u1"), Verified::Accepted)
                .with_secret_of("u1", "d9")
                .on_hold(),
            "ready (u1 g1), verify in time, request handled",
        ),
        (
            "the end",
            changed(reset(in_place().rotate(), ResetState::Ended))
                .verified(shown_for("u1"), Verified::Accepted)
                .with_secret_of("u1", "d9"),
            "ready (u1 g1), verify in time, request handled",
        ),
        (
            "it had no effect",
            reset(in_place(), ResetState::Ended).seen("u1", details()),
            "prove the output writable",
        ),
        ("compared: another one", reset(in_place(), ResetState::Compared), "prove the output writable"),
        (
            "of an external user",
            in_place().but(|o| o.rotation.kind = Some(UserKind::External)),
            "ready (u1 g1), verify in time, answer ResetNotPossible",
        ),
    ]);
}

#[test]
fn a_window_that_never_opens_is_reported_whatever_else_there_is_to_do() {
    let fault = |o: Observation| {
        o.but(|o| o.rotation.window_fault = Some(Blocker::lasting(Reason::WindowNeverOpens, "30 February")))
    };
    let reported = "ready (u1 g1), verify in time, rotation: waits for WindowNeverOpens STALLED";
    check(vec![
        ("no other window is open", fault(a_ready_resource()), reported),
        ("another one is", fault(due()), "search"),
        ("a request waits for none", fault(a_ready_resource().rotate()).seen("u1", details()), "search"),
        (
            "what the rotation waits for comes first",
            fault(due()).attempt(2, AttemptState::Settling(Duration::from_secs(42))),
            "ready (u1 g1), after 42 s, rotation: waits for SettlingAttempt",
        ),
        (
            "a resource that is not ready reports that",
            fault(a_ready_resource())
                .roles(&["discovery"])
                .seen("u1", details().but(|u| u.roles.clear()))
                .but(|o| o.spec_observed = false),
            "user RolesMissing STALLED (u1 g1)",
        ),
    ]);
}

#[test]
fn auto_replaces_the_user_if_that_leaves_nothing_and_cuts_nothing_off() {
    let auto = || due().but(|o| o.rotation.kind = Some(UserKind::Internal));
    let external = || due().but(|o| o.rotation.kind = Some(UserKind::External));
    let without_delete = |o: Observation| o.portal_but(|p| p.may_delete = false);
    let fixed = |o: Observation| o.but(|o| o.outputs[0].alias_is_fixed = true);
    check(vec![
        ("internal", auto(), "search"),
        ("the login may not delete", without_delete(auto()), "prove the output writable"),
        (
            "a connector has the client ID",
            auto().but(|o| o.rotation.linked = true),
            "prove the output writable",
        ),
        ("the alias is fixed", fixed(auto()), "prove the output writable"),
        (
            "compromised: the secret is invalid at once",
            auto().rotate().but(|o| o.rotation.compromised = true).seen("u1", details()),
            "prove the output writable",
        ),
        ("external", external(), "search"),
        (
            "external, the login may not delete",
            without_delete(external()),
            "ready (u1 g1), verify in time, answer RotationNeedsDelete",
        ),
        (
            "the same on request",
            without_delete(external()).rotate().seen("u1", details().external()),
            "search",
        ),
        (
            "external, the alias is fixed",
            fixed(external()),
            "ready (u1 g1), verify in time, answer AliasFixed",
        ),
    ]);
}
