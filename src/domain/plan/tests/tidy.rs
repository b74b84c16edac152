//! Duplicates.

use super::super::{Confirmed, Done};
use super::builders::{a_ready_resource, a_recorded_resource, candidate, contents, details, there};
use super::support::users::Candidate;
use super::{Observation, check};
use crate::domain::identity::Mark;
use crate::domain::user::UserStatus;

const READY: &str = "ready (u1 g1), verify in time";

/// The extra user is ours by its details as well.
fn twice(extra: Candidate) -> Observation {
    let mark = match &extra.named.confirmed {
        Confirmed::Ours(hint) => details().mark.map(|mark| Mark { hint: hint.clone(), ..mark }),
        _ => details().mark,
    };
    a_ready_resource().sibling(extra).read_live().seen("u9", details().marked(mark))
}

fn extra() -> Candidate {
    candidate("u9", 1)
}

#[test]
fn a_duplicate_is_deleted_after_the_status_names_the_other_user_and_after_a_live_read() {
    check(vec![
        ("whose is it?", twice(extra().is(Confirmed::Unread)), "confirm u9"),
        ("ours: read it again, live", a_ready_resource().sibling(extra()), "read the object"),
        ("ours, live: its details", a_ready_resource().sibling(extra()).read_live(), "read u9"),
        ("ours by its details", twice(extra()), "delete u9"),
        ("deleted", twice(extra()).done("u9", Done::Deleted), READY),
        (
            "not before the survivor is published",
            a_recorded_resource().sibling(extra()).read_live(),
            "read u1",
        ),
        (
            "not while another one is recorded",
            a_ready_resource().recorded_as("u2", 2).sibling(candidate("u1", 1)).read_live(),
            "read u2",
        ),
    ]);
}

#[test]
fn only_a_certain_duplicate_is_deleted() {
    check(vec![
        ("another's", twice(extra().is(Confirmed::Foreign)), READY),
        ("client missing", twice(extra().is(Confirmed::ClientMissing)), READY),
        ("gone", twice(extra().is(Confirmed::Gone)), READY),
        ("of another cluster", twice(extra().is(Confirmed::Ours(there()))), READY),
        (
            "of another cluster that is taken over",
            twice(extra().is(Confirmed::Ours(there()))).portal_but(|p| p.taken_over = vec![there()]),
            "delete u9",
        ),
        ("marked as retained", twice(extra().is(Confirmed::Retained).listed_as_retained()), READY),
        ("pending: it cannot be deleted yet", twice(extra().in_state(UserStatus::Pending)), READY),
        ("on its way out", twice(extra().is(Confirmed::Unread).in_state(UserStatus::PendingDeletion)), READY),
        ("while suspended", twice(extra()).suspended(), READY),
    ]);
}

#[test]
fn a_duplicate_that_cannot_be_deleted_is_revoked_and_listed() {
    let forbidden = |extra: Candidate| twice(extra).portal_but(|p| p.may_delete = false);
    let wallet = || extra().external();
    check(vec![
        ("revoked", forbidden(extra()), "reset u9"),
        ("marked", forbidden(extra()).done("u9", Done::Reset), "mark u9 retained"),
        (
            "listed",
            forbidden(extra()).done("u9", Done::Reset).done("u9", Done::MarkedRetained),
            "list u9 retained",
        ),
        ("listed already", forbidden(extra()).done("u9", Done::RecordedRetained), READY),
        ("a wallet user is not reset", forbidden(wallet()), "mark u9 retained"),
        ("forbidden by the portal's answer", twice(extra()).done("u9", Done::DeleteForbidden), "reset u9"),
        ("refused", twice(wallet()).done("u9", Done::DeleteRefused("linked".into())), "mark u9 retained"),
    ]);
}

#[test]
fn the_published_one_of_two_is_kept() {
    let other_published = || a_ready_resource().with_secret_of("u9", "d9");
    let its_details = || details().but(|u| u.contents = Some(contents("d9")));
    check(vec![
        ("the status names the other one", other_published().sibling(extra()), "read u9"),
        (
            "and follows it",
            other_published().sibling(extra()).seen("u9", its_details()),
            "verify what was read",
        ),
        ("not where it is another's", other_published().sibling(extra().is(Confirmed::Foreign)), "read u1"),
    ]);
}
