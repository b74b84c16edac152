//! The users beside the current one, predecessors and duplicates: deleted, or reset and retained, after the status names the user
//! that is kept.

use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserKind, UserStatus};

use super::candidates;
use super::holding::Holding;
use super::observation::{Done, Observation, PortalFacts, ToRemove, UserFacts, UserView};
use super::predecessor::Retirement;
use super::retain::{LEFT_FOR_SUCCESSOR, RETAINED_EARLIER, mark_retained, record_retained};
use super::step::{Notice, Read, Step, UserRef, Write};

pub(super) fn tidy(o: &Observation, portal: &PortalFacts, current: &UserRef) -> Option<Step> {
    if portal.suspended {
        return None;
    }
    if let Some(id) = candidates::unread(o) {
        return Some(Step::Read(Read::Confirm(id.clone())));
    }
    if let Some(left) = candidates::left_unlisted(o) {
        return Some(record_retained(left, RETAINED_EARLIER));
    }
    let (id, retirement) = Holding::retiring(o, portal, current).next()?;
    if !o.live {
        return Some(Step::Read(Read::Object));
    }
    let Some(view) = o.view(id) else { return Some(Step::Read(Read::User(id.clone()))) };
    let user = match view {
        UserView::Read(user) => user,
        UserView::ClientMissing if o.retiring(id).is_some() => {
            return Some(record_retained(id, LEFT_FOR_SUCCESSOR));
        }
        UserView::ClientMissing | UserView::Gone => return None,
    };
    Some(dispose(o, portal, id, user, retirement))
}

/// The end of a user that was created for the resource with other roles than the spec names by now, and that nobody has used: it
/// is deleted before another one is created. `None` once it is done, and if it cannot be deleted (yet).
pub(super) fn delete_with_other_roles(
    o: &Observation,
    portal: &PortalFacts,
    id: &UserId,
    user: &UserFacts,
) -> Option<Step> {
    let done = o.is_done(id, &Done::Deleted) || o.is_done(id, &Done::RecordedRetained);
    // Programs may use what is in an output that the spec no longer names.
    let may_hold = |former: &ToRemove| former.written && former.user.as_ref().is_none_or(|user| user == id);
    let unknown =
        o.outputs.iter().any(|output| output.unknown().is_some()) || o.to_remove.iter().any(may_hold);
    if done || portal.suspended || unknown || user.status != UserStatus::Active {
        return None;
    }
    if !o.live {
        return Some(Step::Read(Read::Object));
    }
    let why = "it was created with other roles than create.roles names by now";
    let note = format!("User {id} was deleted in the portal: {why}");
    let retirement = Retirement { notice: Notice { reason: Reason::DuplicateRemoved, note }, why };
    Some(dispose(o, portal, id, user, retirement))
}

/// Deletes a user, or resets its secret and keeps it in the portal if the login cannot delete it.
fn dispose(
    o: &Observation,
    portal: &PortalFacts,
    id: &UserId,
    user: &UserFacts,
    retirement: Retirement,
) -> Step {
    if portal.may_delete && !o.delete_is_refused(id) {
        return Step::Write(Write::Delete { id: id.clone(), notice: retirement.notice });
    }
    let listed = o.users.get(id).and_then(|known| known.named.as_ref());
    let kind = listed.map_or(user.kind, |named| named.kind);
    if kind == UserKind::Internal && !o.is_done(id, &Done::Reset) {
        Step::Write(Write::Reset(id.clone()))
    } else if !o.is_done(id, &Done::MarkedRetained) {
        mark_retained(o, id, user)
    } else {
        record_retained(id, &format!("{}, and this login cannot delete it", retirement.why))
    }
}
