//! The users that a successor has replaced: how long each is kept, and when no entry in the status has to name it any more.

use std::time::Duration;

use super::holding::siblings;
use super::observation::{Confirmed, Done, Named, Observation, RetiringUser, UserView};
use super::retire::{RECORDED_AFTER, are_restarted};
use super::role_change::takes_roles_away;
use super::rotate;
use super::settled::Requeue;
use super::step::{Notice, UserRef};
use crate::domain::ownership::Whose;
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserStatus};

/// Why a user beside the current one is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Retirement {
    /// What is reported once it is deleted.
    pub notice: Notice,
    /// Why, in words.
    pub why: &'static str,
}

/// Whether a user beside the current one may be deleted, and why: its credential is in no output any more, as far as all are
/// known, and the time is over in which programs may still use it.
pub(super) fn retirement(o: &Observation, current: &UserRef, id: &UserId) -> Option<Retirement> {
    if o.is_published(id) || o.outputs.iter().any(|output| output.unknown().is_some()) {
        return None;
    }
    match o.retiring(id) {
        Some(retiring) if is_over(o, retiring) => Some(Retirement {
            notice: Notice {
                reason: Reason::PredecessorRemoved,
                note: format!(
                    "User {id} was deleted in the portal: its successor {} has replaced it",
                    current.id
                ),
            },
            why: "a successor has replaced it",
        }),
        Some(_) => None,
        None if is_kept(o) && is_predecessor(o, current, id) => None,
        None if is_successor(o, current, id) => {
            let needed = rotate::is_in_progress(o);
            (!needed).then(|| not_needed(&current.id, id))
        }
        None => Some(Retirement {
            notice: Notice {
                reason: Reason::DuplicateRemoved,
                note: format!("User {id} was deleted in the portal"),
            },
            why: "a second user was created for the resource",
        }),
    }
}

fn not_needed(current: &UserId, id: &UserId) -> Retirement {
    Retirement {
        notice: Notice {
            reason: Reason::DuplicateRemoved,
            note: format!(
                "User {id} was deleted in the portal: it was created to replace {current}, which stays"
            ),
        },
        why: "it was created to replace another user, which stays",
    }
}

/// Whether a predecessor is kept for a time, which the status then says.
fn is_kept(o: &Observation) -> bool {
    !o.rotation.overlap.is_zero() || !o.restarts.targets.is_empty()
}

/// Whether nothing reads the credential of a predecessor any more: the overlap has passed, the workloads were restarted, and no
/// former output holds it.
fn is_over(o: &Observation, retiring: &RetiringUser) -> bool {
    let is_kept = || !retiring.kept_for.is_zero() || o.to_remove.iter().any(|former| former.written);
    retiring.hurried || are_restarted(o, retiring.begun) && (retiring.without_overlap || !is_kept())
}

/// Whether a user with a name of this resource was created before the current one.
fn is_predecessor(o: &Observation, current: &UserRef, id: &UserId) -> bool {
    named(o, id).is_some_and(|named| named.generation < current.generation())
}

/// Whether a user with a name of this resource was created after the current one: to replace it.
fn is_successor(o: &Observation, current: &UserRef, id: &UserId) -> bool {
    named(o, id).is_some_and(|named| named.generation > current.generation())
}

fn named<'a>(o: &'a Observation, id: &UserId) -> Option<&'a Named> {
    o.users.get(id)?.named.as_ref()
}

/// The users with names of this resource that the status has to name as replaced by this one, and does not: those of a status
/// from before the replacement.
pub fn unrecorded<'a>(
    o: &'a Observation,
    current: &'a UserRef,
) -> impl Iterator<Item = (&'a UserId, &'a Named)> {
    siblings(o).filter(move |(id, named)| {
        is_kept(o)
            && **id != current.id
            && matches!(named.confirmed, Confirmed::Ours(_))
            && is_predecessor(o, current, id)
            && o.retiring(id).is_none()
            && !is_settled(o, id)
    })
}

/// Whether nothing is left to do with a user: the status need not name it any more. A person may have removed the mark of one to keep
/// it.
#[must_use]
pub fn is_settled(o: &Observation, id: &UserId) -> bool {
    let is_ours = |facts| match &o.portal {
        Ok(portal) => matches!(o.whose(portal, id, facts), Whose::Ours(_)),
        Err(_) => true,
    };
    o.is_done(id, &Done::Deleted)
        || o.is_done(id, &Done::RecordedRetained)
        || matches!(o.view(id), Some(UserView::Gone))
        || o.facts(id).is_some_and(|facts| !is_ours(facts))
        || named(o, id).is_some_and(|named| {
            // The portal lists a wallet user for a while after it was deleted.
            matches!(named.status, UserStatus::PendingDeletion | UserStatus::Deleted)
                || matches!(named.confirmed, Confirmed::Foreign | Confirmed::Gone)
        })
}

/// When the next predecessor is deleted.
pub(super) fn again(o: &Observation, current: Option<&UserRef>, requeue: Requeue) -> Requeue {
    let replaced = match (&o.recorded.user, current) {
        (Some(recorded), Some(current)) if recorded.id != current.id => {
            let at_once = o.rotation.compromised || takes_roles_away(o, current);
            let overlap = if at_once { Duration::ZERO } else { o.rotation.overlap };
            Some(overlap.max(RECORDED_AFTER))
        }
        _ => None,
    };
    let left = o.rotation.retiring.iter().filter_map(|retiring| match retiring.kept_for {
        // What else it waits for has a timer of its own.
        left if retiring.begun && (left.is_zero() || retiring.without_overlap) => None,
        left => Some(left.max(RECORDED_AFTER)),
    });
    left.chain(replaced).fold(requeue, |requeue, left| requeue.sooner(Requeue::In(left)))
}
