//! Decisions that were wrong once, each with its cause.

use std::time::Duration;

use super::super::{AttemptState, Confirmed, Deletion, Done, Listed, Verified};
use super::builders::{
    a_deleted_resource, a_new_resource, a_ready_resource, a_recorded_resource, candidate, contents, details,
    id, in_the_secret, shown_for,
};
use super::{Observation, check};
use crate::domain::blocker::Blocker;
use crate::domain::identity::LAST_GENERATION;
use crate::domain::reason::Reason;
use crate::domain::user::UserStatus;

const REFUSED: Verified = Verified::Refused { unknown_client: false };

/// The answer about the credential that was read replaced the refusal of the published one, which was the only sign that the
/// resource was not in order: a secret that a person reset was never published again.
#[test]
fn a_credential_that_was_changed_in_the_portal_is_published_again() {
    let refused = || a_ready_resource().verified(in_the_secret(), REFUSED);
    let changed = || refused().seen("u1", details().but(|u| u.contents = Some(contents("d2"))));
    check(vec![
        ("read it", refused(), "read u1"),
        ("another one: verify it", changed(), "verify what was read"),
        ("it works", changed().verified(shown_for("u1"), Verified::Accepted), "publish u1 g1"),
        ("the same: try once more", refused().seen("u1", details()), "verify what was read"),
        (
            "the same, and it works",
            refused().seen("u1", details()).verified(shown_for("u1"), Verified::Accepted),
            "ready (u1 g1), verify in time",
        ),
        (
            "the same, and it does not work",
            refused().seen("u1", details()).verified(shown_for("u1"), REFUSED),
            "credential CredentialRefused (u1 g1), try again",
        ),
    ]);
}

/// The chosen one of two users was deleted before its details were read, and another generation was created although the
/// other user existed.
#[test]
fn a_user_that_was_deleted_since_the_search_does_not_hide_its_duplicate() {
    let two = || a_new_resource().writable().searched(vec![candidate("ua", 1), candidate("ub", 1)]);
    check(vec![
        ("gone", two().seen_gone("ua"), "read ub"),
        ("on its way out", two().seen("ua", details().in_state(UserStatus::PendingDeletion)), "read ub"),
        ("left behind", two().seen("ua", details().retained()), "read ub"),
        ("another's", two().seen("ua", details().of_other_resource()), "read ub"),
        ("both gone", two().seen_gone("ua").seen_gone("ub"), "create g2 [id-discovery]"),
    ]);
}

/// A status and an annotation can have any number: adding one to the largest was a panic, and a generation beyond the last was
/// requested with a name that is in use.
#[test]
fn no_generation_beyond_the_last_is_created_whatever_status_and_annotation_say() {
    let exhausted = "user GenerationsExhausted STALLED";
    let gone = |generation| {
        let recorded = a_ready_resource().recorded_as("u1", generation).in_the_list(Listed::Missing);
        recorded.seen_gone("u1").writable()
    };
    let after_the_last = candidate("u9", LAST_GENERATION);
    check(vec![
        ("a status of the largest number", gone(i64::MAX).searched(vec![]), exhausted),
        (
            "an attempt of the largest number",
            a_new_resource()
                .attempt(i64::MAX, AttemptState::Created(id("u1")))
                .seen_gone("u1")
                .searched(vec![])
                .writable(),
            exhausted,
        ),
        (
            "an attempt beyond the last, to retry",
            a_new_resource().attempt(LAST_GENERATION + 1, AttemptState::RefusedRetry).writable(),
            exhausted,
        ),
        (
            "the last one is gone since the search",
            gone(1).searched(vec![after_the_last]).seen_gone("u9"),
            exhausted,
        ),
    ]);
}

/// The predecessor was restored with the identity provider while its successor was still pending. Its credential was still
/// published, so it was recorded again. That opened the successor's attempt again, which was found and recorded, and so on.
#[test]
fn a_published_predecessor_that_is_restored_does_not_replace_its_successor() {
    let successor = || a_recorded_resource().recorded_as("u2", 2).with_secret_of("u1", "d1");
    let same_generation = || successor().recorded_as("u2", 1);
    check(vec![
        ("a predecessor", successor().sibling(candidate("u1", 1)), "read u2"),
        ("of the same generation", same_generation().sibling(candidate("u1", 1)), "read u1"),
        ("whose is it?", same_generation().sibling(candidate("u1", 1).is(Confirmed::Unread)), "confirm u1"),
    ]);
}

/// A restored resource has the annotation of an early attempt, and the search finds a user of a later generation. The early
/// attempt was open for ever, and each reconcile read the whole list twice.
#[test]
fn an_attempt_for_an_earlier_user_than_the_recorded_one_is_of_no_concern() {
    let later = |state| a_ready_resource().recorded_as("u1", 3).attempt(1, state);
    check(vec![
        ("settled", later(AttemptState::Settled), "ready (u1 g3), verify in time"),
        (
            "not settled",
            later(AttemptState::Settling(Duration::from_secs(9))),
            "ready (u1 g3), verify in time",
        ),
        ("in flight", later(AttemptState::InFlight), "ready (u1 g3), verify in time"),
        (
            "under deletion it is settled all the same",
            later(AttemptState::Settled).but(|o| o.deleting = true),
            "search",
        ),
    ]);
}

/// A release removed the finalizer while the create was in progress, and an unknown user was kept in the portal.
#[test]
fn a_release_waits_for_a_create_in_progress_and_lists_its_user() {
    let released =
        |state| a_deleted_resource().released().done("u1", Done::RecordedRetained).attempt(2, state);
    check(vec![
        ("in flight", released(AttemptState::InFlight), "held Creating"),
        ("created", released(AttemptState::Created(id("u2"))), "list u2 retained"),
        (
            "listed",
            released(AttemptState::Created(id("u2"))).done("u2", Done::RecordedRetained),
            "drop the finalizer",
        ),
        ("unknown outcome", released(AttemptState::Settled), "drop the finalizer"),
    ]);
}

/// A user that is to be retained held its resource because it could not be deleted.
#[test]
fn an_unusable_user_that_is_to_be_retained_is_listed_and_the_finalizer_removed() {
    let missing = || a_deleted_resource().policy(Deletion::Retain).seen_without_client("u1");
    check(vec![
        ("listed", missing(), "list u1 retained"),
        ("released", missing().done("u1", Done::RecordedRetained), "drop the finalizer"),
    ]);
}

/// A process that ended between the mark and the entry in the Portal's list left the user in no list.
#[test]
fn a_user_that_is_marked_as_retained_is_listed_too() {
    let retained = || candidate("u9", 1).is(Confirmed::Retained);
    let deleted = || a_deleted_resource().done("u1", Done::Deleted);
    check(vec![
        ("the recorded one", a_deleted_resource().seen("u1", details().retained()), "list u1 retained"),
        (
            "listed",
            a_deleted_resource().seen("u1", details().retained()).done("u1", Done::RecordedRetained),
            "drop the finalizer",
        ),
        ("another one", deleted().sibling(retained()), "read u9"),
        (
            "another one, read",
            deleted().sibling(retained()).seen("u9", details().retained()),
            "list u9 retained",
        ),
        ("another one, listed", deleted().sibling(retained().listed_as_retained()), "drop the finalizer"),
        ("of a living resource", a_ready_resource().sibling(retained()), "list u9 retained"),
        (
            "of a living resource, listed",
            a_ready_resource().sibling(retained().listed_as_retained()),
            "ready (u1 g1), verify in time",
        ),
        (
            "of a living resource, listed just now",
            a_ready_resource().sibling(retained()).done("u9", Done::RecordedRetained),
            "ready (u1 g1), verify in time",
        ),
    ]);
}

/// The first duplicate was deleted in this reconcile, and the second one was not read.
#[test]
fn one_duplicate_does_not_hide_another() {
    let thrice = || {
        let both = a_ready_resource().sibling(candidate("u8", 1)).sibling(candidate("u9", 1)).read_live();
        both.seen("u8", details()).seen("u9", details())
    };
    check(vec![
        ("the first", thrice(), "delete u8"),
        ("the second", thrice().done("u8", Done::Deleted), "delete u9"),
        (
            "none",
            thrice().done("u8", Done::Deleted).done("u9", Done::Deleted),
            "ready (u1 g1), verify in time",
        ),
    ]);
}

/// In a mass disappearance no successors were created, but resources under deletion lost their finalizers, and their users were
/// restored without a resource.
#[test]
fn a_mass_disappearance_releases_no_resource() {
    let gone = || a_deleted_resource().seen_gone("u1");
    let suspicious = |o: Observation| o.portal_but(|p| p.mass_disappearance = Some(7));
    check(vec![
        ("believed", gone(), "drop the finalizer"),
        ("not believed", suspicious(gone()), "held LossSuspected"),
        ("a release needs no belief", suspicious(gone()).released(), "list u1 retained"),
    ]);
}

/// Of two equal users without a mark, the one that was not recorded was used as the recorded one.
#[test]
fn an_unmarked_user_is_ours_by_its_id_alone() {
    let unmarked = || details().marked(None);
    check(vec![(
        "its twin is recorded",
        a_deleted_resource()
            .seen("u1", unmarked())
            .done("u1", Done::Deleted)
            .sibling(candidate("u2", 1))
            .seen("u2", unmarked()),
        "drop the finalizer",
    )]);
}

/// A finalizer that a person removed during a create was not added again, and a deletion then kept the user in the portal.
#[test]
fn an_open_attempt_holds_its_resource() {
    let open = |state| a_new_resource().attempt(1, state).without_finalizer();
    check(vec![
        ("in flight", open(AttemptState::InFlight), "put the finalizer"),
        ("settling", open(AttemptState::Settling(Duration::from_secs(9))), "put the finalizer"),
        ("settled", open(AttemptState::Settled), "put the finalizer"),
    ]);
}

/// One process has a create in progress, and rests meanwhile; another does not know of it. Each status woke both, and each
/// wrote its own reason over that of the other.
#[test]
fn two_processes_do_not_report_one_create_by_turns() {
    let reported = |o: Observation| o.but(|o| o.reported_reason = Some(Reason::SettlingAttempt));
    let new = || a_new_resource().attempt(1, AttemptState::InFlight);
    let deleted = || a_new_resource().attempt(1, AttemptState::InFlight).but(|o| o.deleting = true);
    check(vec![
        ("in progress", new(), "user Creating"),
        ("the other one waits for it", reported(new()), "as reported"),
        ("under deletion", deleted(), "held Creating"),
        ("the other one waits for it, under deletion", reported(deleted()), "as reported"),
    ]);
}

/// Two processes repeated a refused attempt in turn, one a minute, for ever: each handled the attempt of the other as one with
/// an unknown outcome. And each overwrote the report of the other in the status without a pause.
#[test]
fn two_processes_do_not_ask_a_refusing_portal_by_turns() {
    let refusal = || Blocker::lasting(Reason::CreateRefused, "no");
    let refused = |o: Observation| o.but(|o| o.refusal = Some(refusal()));
    let reported = |o: Observation, reason| o.but(|o| o.reported_reason = Some(reason));
    let settling = || a_new_resource().attempt(1, AttemptState::Settling(Duration::from_secs(9)));
    let settled = || a_new_resource().attempt(1, AttemptState::Settled).writable();
    check(vec![
        ("it has its time", settling(), "user SettlingAttempt, after 9 s"),
        ("the other one has reported", reported(settling(), Reason::CreateRefused), "as reported, after 9 s"),
        ("reported before", reported(settling(), Reason::PortalNotReady), "user SettlingAttempt, after 9 s"),
        ("the user is searched", refused(settled()), "search"),
        ("it is there", refused(settled()).searched(vec![candidate("u1", 1)]), "read u1"),
        (
            "it is not: too early",
            refused(settled()).searched(vec![]),
            "user CreateRefused STALLED, try again",
        ),
        ("it is not", settled().searched(vec![]), "create g1 [id-discovery]"),
    ]);
}

/// A resource under deletion ignored a user that was just created and then missing in the identity provider: when the identity
/// provider was restored, the user was there again.
#[test]
fn an_unusable_user_with_a_name_of_the_resource_is_deleted_too() {
    let deleted = || a_deleted_resource().done("u1", Done::Deleted);
    let settled = || a_new_resource().but(|o| o.deleting = true).attempt(1, AttemptState::Settled);
    let missing = || candidate("u9", 1).is(Confirmed::ClientMissing);
    check(vec![
        ("beside another one", deleted().sibling(missing()), "read u9"),
        ("found", settled().searched(vec![missing()]), "read u9"),
        (
            "held",
            settled().searched(vec![missing()]).seen_without_client("u9"),
            "held Undeletable, try again",
        ),
        (
            "held, whatever the Portal's list says",
            deleted().sibling(missing().listed_as_retained()).seen_without_client("u9"),
            "held Undeletable, try again",
        ),
        (
            "left for its successor",
            deleted().recorded_as("u1", 2).sibling(missing()).seen_without_client("u9"),
            "list u9 retained",
        ),
        (
            "left for its successor, and listed",
            deleted()
                .recorded_as("u1", 2)
                .sibling(missing())
                .seen_without_client("u9")
                .done("u9", Done::RecordedRetained),
            "drop the finalizer",
        ),
    ]);
}

/// Deleted right after a restart, before any reading of the list: the predecessor of the recorded user was ignored.
#[test]
fn a_deletion_does_not_rely_on_a_list_that_does_not_know_the_recorded_user() {
    let with = |listed| a_deleted_resource().in_the_list(listed);
    let predecessor = || vec![candidate("u0", 1), candidate("u1", 2)];
    check(vec![
        ("no list", with(Listed::Unknown), "search"),
        ("an older list", with(Listed::Missing), "search"),
        ("a list that shows it", with(Listed::There(UserStatus::Active)), "read u1"),
        ("found", with(Listed::Unknown).searched(predecessor()).done("u1", Done::Deleted), "read u0"),
        (
            "the deletion itself took it from the list",
            with(Listed::Missing).done("u1", Done::Deleted),
            "drop the finalizer",
        ),
    ]);
}

/// A Portal's list of retained users is bounded; when it was full, no duplicate was deleted, and a deletion kept users in the portal.
#[test]
fn a_full_list_of_retained_users_changes_nothing_but_the_list() {
    let full = |candidate: super::support::users::Candidate| candidate.listed_as_retained();
    let deleted = || a_deleted_resource().done("u1", Done::Deleted);
    let duplicate = || a_ready_resource().sibling(full(candidate("u9", 1)));
    check(vec![
        ("a duplicate", duplicate(), "read the object"),
        ("a duplicate, live: its details", duplicate().read_live(), "read u9"),
        ("a duplicate by its details", duplicate().read_live().seen("u9", details()), "delete u9"),
        ("a deletion", deleted().sibling(full(candidate("u9", 1))), "read u9"),
        (
            "one with the mark of a retained user is kept",
            deleted().sibling(full(candidate("u9", 1).is(Confirmed::Retained))),
            "drop the finalizer",
        ),
        (
            "and is not listed again",
            a_ready_resource().sibling(full(candidate("u9", 1).is(Confirmed::Retained))),
            "ready (u1 g1), verify in time",
        ),
    ]);
}

/// A sibling that could not be read ended each reconcile before the published credential was verified.
#[test]
fn the_periodic_verification_comes_before_other_users_are_read() {
    let due = || a_ready_resource().sibling(candidate("u9", 1).is(Confirmed::Unread)).verification_due();
    check(vec![
        ("due", due(), "verify what is published"),
        ("accepted", due().verified(in_the_secret(), Verified::Accepted), "confirm u9"),
        (
            "refused: the credential is read first",
            due().verified(in_the_secret(), Verified::Refused { unknown_client: false }),
            "read u1",
        ),
        (
            "the endpoint does not answer",
            due().verified(in_the_secret(), Verified::Unreachable("down".into())),
            "confirm u9",
        ),
    ]);
}
