//! Users whose names were made for a resource: which one it stands for, and which ones must go.

use crate::domain::identity::LAST_GENERATION;
use crate::domain::ownership::Whose;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;
use crate::domain::user::{UserId, UserStatus};

use super::observation::{Candidate, Confirmed, Done, Observation, PortalFacts, SecretView, UserView};
use super::{UserRef, ours};

/// What the users of our name come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// This one.
    Take(UserRef),
    /// None can be used: make the one of this generation.
    Make(i64),
}

/// Chooses among all users with a name of this resource. `at_least` is the lowest generation that may be taken or made.
pub(super) fn choose(
    o: &Observation,
    portal: &PortalFacts,
    candidates: &[Candidate],
    at_least: i64,
) -> Result<Choice, Blocker> {
    for candidate in candidates {
        if let Confirmed::Ours(hint) = &candidate.confirmed {
            ours(o, portal, hint)?;
        }
    }
    let usable = candidates
        .iter()
        .filter(|c| c.generation >= at_least && usable(c) && !useless_by_its_details(o, portal, &c.id));
    if let Some(best) = usable.min_by_key(|c| rank(o, c)) {
        return Ok(Choice::Take(UserRef { id: best.id.clone(), generation: best.generation }));
    }
    let used_up = candidates.iter().filter(|c| occupies_its_name(c)).map(|c| c.generation).max().unwrap_or(0);
    Ok(Choice::Make(at_least.max(used_up.saturating_add(1)).max(1)))
}

/// Whether a user of this generation may be created: a status or an annotation can name any number.
pub(super) fn can_be_created(generation: i64) -> Result<(), Blocker> {
    if generation <= LAST_GENERATION {
        return Ok(());
    }
    Err(Blocker::lasting(
        Reason::GenerationsExhausted,
        format!(
            "the status or the annotation technicaluser.dev/creating names generation {LAST_GENERATION} or a later one, which no \
             resource reaches; no user is created after it. Delete this TechnicalUser and create it again under another name"
        ),
    ))
}

/// Ours, and on its way to be active or active.
pub(super) fn usable(candidate: &Candidate) -> bool {
    matches!(candidate.confirmed, Confirmed::Ours(_))
        && matches!(candidate.status, UserStatus::Active | UserStatus::Pending)
}

/// What the details say counts for more than what the search said before.
pub(super) fn useless_by_its_details(o: &Observation, portal: &PortalFacts, id: &UserId) -> bool {
    match o.view(id) {
        Some(UserView::Gone) => true,
        Some(UserView::Read(user)) => {
            !matches!(user.status, UserStatus::Active | UserStatus::Pending | UserStatus::Other)
                || matches!(o.whose(portal, id, user), Whose::Other(_) | Whose::Retained | Whose::Unproved)
        }
        Some(UserView::Lost) | None => false,
    }
}

/// A user that is gone leaves its name free; every other keeps it.
fn occupies_its_name(candidate: &Candidate) -> bool {
    candidate.confirmed != Confirmed::Gone
}

/// The published one first, then the highest generation; among equals the active one, then the lowest number of the
/// client id, then the smallest id, so that two processes choose alike.
fn rank(o: &Observation, c: &Candidate) -> (bool, i64, bool, u64, UserId) {
    let published = matches!(&o.secret, SecretView::Ours { user: Some(user), .. } if *user == c.id);
    (
        !published,
        c.generation.saturating_neg(),
        c.status != UserStatus::Active,
        client_number(c),
        c.id.clone(),
    )
}

fn client_number(candidate: &Candidate) -> u64 {
    let digits: String =
        candidate.client_id.iter().flat_map(|id| id.chars()).filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u64::MAX)
}

/// A sibling that must go, now that the status names another user: ours, active, made by this copy of the installation
/// (or one taken over), and not published. The Portal's list of retained users does not count: it is bounded, and what is
/// retained bears a mark that says so.
pub(super) fn duplicate<'a>(
    o: &'a Observation,
    portal: &PortalFacts,
    current: &UserRef,
) -> Option<&'a Candidate> {
    o.siblings.iter().find(|c| {
        c.id != current.id
            && !o.is_done(&c.id, &Done::Deleted)
            && !o.is_done(&c.id, &Done::RecordedRetained)
            && c.status == UserStatus::Active
            && matches!(&c.confirmed, Confirmed::Ours(hint) if ours(o, portal, hint).is_ok())
            && !matches!(&o.secret, SecretView::Ours { user: Some(user), .. } if *user == c.id)
            && may_be_ours(o, portal, &c.id)
    })
}

/// Whether the details, once they were read in this reconcile, do not say that the user is not ours: what is remembered of
/// a mark is older, and a person may have removed it to keep the user.
fn may_be_ours(o: &Observation, portal: &PortalFacts, id: &UserId) -> bool {
    match o.view(id) {
        None => true,
        Some(UserView::Read(user)) => {
            user.status == UserStatus::Active
                && matches!(o.whose(portal, id, user), Whose::Ours(mark) if ours(o, portal, &mark.hint).is_ok())
        }
        Some(UserView::Gone | UserView::Lost) => false,
    }
}

/// A sibling that bears the mark of a retained user and is in no list: somebody was killed in between.
pub(super) fn left_unlisted(o: &Observation) -> Option<&UserId> {
    o.siblings
        .iter()
        .find(|c| {
            c.confirmed == Confirmed::Retained
                && c.status == UserStatus::Active
                && !c.listed_as_retained
                && !o.is_done(&c.id, &Done::RecordedRetained)
        })
        .map(|c| &c.id)
}

/// A sibling that nobody has looked at yet.
pub(super) fn unread(o: &Observation) -> Option<&UserId> {
    o.siblings
        .iter()
        .find(|c| c.confirmed == Confirmed::Unread && c.status != UserStatus::PendingDeletion)
        .map(|c| &c.id)
}
