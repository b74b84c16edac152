//! The users beside the current one, predecessors and duplicates: deleted, or reset and retained, after the status names the user
//! that is kept.

use crate::domain::user::UserKind;

use super::candidates;
use super::holding::Holding;
use super::observation::{Done, Observation, PortalFacts, UserView};
use super::retain::{LEFT_FOR_SUCCESSOR, RETAINED_EARLIER, mark_retained, record_retained};
use super::step::{Read, Step, UserRef, Write};

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
    if portal.may_delete && !o.delete_is_refused(id) {
        return Some(Step::Write(Write::Delete { id: id.clone(), notice: retirement.notice }));
    }
    let listed = o.users.get(id).and_then(|known| known.named.as_ref());
    let kind = listed.map_or(user.kind, |named| named.kind);
    Some(if kind == UserKind::Internal && !o.is_done(id, &Done::Reset) {
        Step::Write(Write::Reset(id.clone()))
    } else if !o.is_done(id, &Done::MarkedRetained) {
        mark_retained(o, id, user)
    } else {
        record_retained(id, &format!("{}, and this login cannot delete it", retirement.why))
    })
}
