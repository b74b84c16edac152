//! Users with names of a resource: which one it uses, and which ones are not read or listed yet.

use crate::domain::blocker::Blocker;
use crate::domain::identity::LAST_GENERATION;
use crate::domain::ownership::Whose;
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserStatus};

use super::holding::siblings;
use super::observation::{Confirmed, Done, Named, Observation, OpenAttempt, PortalFacts, UserView};
use super::{UserRef, ours, role_change};

/// The choice among the users with a name of this resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// Use this one.
    Take(UserRef),
    /// None can be used: create the one of this generation.
    Create(i64),
}

/// Chooses among all users with a name of this resource. `at_least` is the lowest generation that may be used or created.
pub(super) fn choose(o: &Observation, portal: &PortalFacts, at_least: i64) -> Result<Choice, Blocker> {
    for (_, named) in o.users.named() {
        if let Confirmed::Ours(hint) = &named.confirmed {
            ours(o, portal, hint)?;
        }
    }
    let usable = o.users.named().filter(|(id, named)| {
        named.generation >= at_least && usable(named) && !useless_by_its_details(o, portal, id)
    });
    if let Some((id, best)) = usable.min_by_key(|(id, named)| rank(o, id, named)) {
        return Ok(Choice::Take(UserRef::created(id.clone(), best.generation)));
    }
    let used_up =
        o.users.named().filter(|(_, named)| occupies_its_name(named)).map(|(_, named)| named.generation);
    let next = used_up.max().unwrap_or(0).max(given_up(o)).saturating_add(1);
    Ok(Choice::Create(at_least.max(next)))
}

/// The generation of an attempt that is not repeated, because its user is not needed or would have other roles than the next one; 0
/// without any. Its user may appear after all, and is not to be taken for the next one.
fn given_up(o: &Observation) -> i64 {
    let given_up = |open: &&OpenAttempt| open.is_closed() || !role_change::has_roles_of_spec(o, open);
    o.attempt.as_ref().filter(given_up).and_then(OpenAttempt::generation).unwrap_or(0)
}

/// Whether a user of this generation may be created: a status or an annotation can name any number.
pub(super) fn can_be_created(generation: i64) -> Result<(), Blocker> {
    if generation <= LAST_GENERATION {
        return Ok(());
    }
    Err(Blocker::lasting(
        Reason::GenerationsExhausted,
        format!(
            "The status or the annotation technicaluser.dev/creating names generation {LAST_GENERATION} or a later one, which \
             no resource reaches. The operator creates no later user. Delete this TechnicalUser and create it again with \
             another name."
        ),
    ))
}

/// Created for this resource, and active or pending.
pub(super) fn usable(named: &Named) -> bool {
    matches!(named.confirmed, Confirmed::Ours(_))
        && matches!(named.status, UserStatus::Active | UserStatus::Pending)
}

/// Whether the details, which are newer than the search, show that a user cannot be used.
pub(super) fn useless_by_its_details(o: &Observation, portal: &PortalFacts, id: &UserId) -> bool {
    match o.view(id) {
        Some(UserView::Gone) => true,
        Some(UserView::Read(user)) => {
            !matches!(user.status, UserStatus::Active | UserStatus::Pending | UserStatus::Other)
                || matches!(
                    o.whose(portal, id, user),
                    Whose::Other(_) | Whose::Unclaimed(_) | Whose::Retained | Whose::Unproved
                )
        }
        Some(UserView::ClientMissing) | None => false,
    }
}

/// Every user occupies its name, except one that does not exist any more.
fn occupies_its_name(named: &Named) -> bool {
    named.confirmed != Confirmed::Gone
}

/// The published one first, then the highest generation; among equals the active one, then the lowest number of the
/// client ID, then the smallest id, so that two processes choose the same one.
fn rank(o: &Observation, id: &UserId, named: &Named) -> (bool, i64, bool, u64, UserId) {
    (
        !o.is_published(id),
        named.generation.saturating_neg(),
        named.status != UserStatus::Active,
        client_number(named),
        id.clone(),
    )
}

fn client_number(named: &Named) -> u64 {
    let digits: String =
        named.client_id.iter().flat_map(|id| id.chars()).filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(u64::MAX)
}

/// A sibling with the mark of a retained user that is in no list: the operator was stopped in between.
pub(super) fn left_unlisted(o: &Observation) -> Option<&UserId> {
    let unlisted = |id: &UserId, named: &Named| {
        named.confirmed == Confirmed::Retained
            && named.status == UserStatus::Active
            && !named.listed_as_retained
            && !o.is_done(id, &Done::RecordedRetained)
    };
    siblings(o).find(|(id, named)| unlisted(id, named)).map(|(id, _)| id)
}

/// A sibling whose details were not read yet.
pub(super) fn unread(o: &Observation) -> Option<&UserId> {
    let unread =
        |named: &Named| named.confirmed == Confirmed::Unread && named.status != UserStatus::PendingDeletion;
    siblings(o).find(|(_, named)| unread(named)).map(|(id, _)| id)
}
