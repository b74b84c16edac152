//! Rotation: whether a user needs a successor by request, when the request is handled, and when the predecessor retires.
//!
//! Today only a request by annotation begins one, and only where the user is pending or unusable: a healthy user is not
//! replaced.

use super::observation::Observation;
use super::settled::Report;
use super::step::UserRef;
use crate::domain::user::UserId;

/// Whether this user is to get a successor by request.
pub(super) fn is_requested(o: &Observation, user: &UserRef) -> bool {
    o.rotation.requested && !is_in_progress(o, user)
}

/// Whether the user was created by the request: it has a later generation than the status names.
pub(super) fn is_in_progress(o: &Observation, user: &UserRef) -> bool {
    o.rotation.requested && user.generation() > o.recorded_generation() && o.recorded_generation() > 0
}

/// Whether the request is handled by the end of this reconcile. That of a healthy user is answered with an Event.
pub(super) fn is_handled(o: &Observation, user: &UserRef, report: &Report) -> bool {
    (*report == Report::Ready && o.rotation.requested) || is_in_progress(o, user)
}

/// Whether a former user may be deleted: its credential is in no output any more.
pub(super) fn may_retire(o: &Observation, id: &UserId) -> bool {
    !o.is_published(id)
}
