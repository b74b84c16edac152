//! The request for a rotation, and what the status says of it.

use kube::api::DynamicObject;

use crate::api::bounds::OBJECT;
use crate::api::keys;
use crate::api::technical_user::Handled;
use crate::controller::objects::annotation;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::Rotation;
use crate::domain::text::distinct;

/// What is known of the rotation. Where there is no status (a restore), a value that is found is recorded, and no rotation
/// follows from it.
pub(super) fn see_rotation(reconcile: &mut Reconcile) {
    let (asked, status) = (handled(&reconcile.object), &reconcile.status);
    let requested = asked.is_some() && asked != status.handled && status.user.is_some();
    reconcile.observation.rotation = Rotation { requested, due: false };
}

/// What the status records once the request is handled. A value may be longer than a status should be.
pub(in crate::controller::technical_user) fn handled(object: &DynamicObject) -> Option<Handled> {
    annotation(object, keys::ROTATE).map(|value| Handled { rotate: Some(distinct(value, OBJECT)) })
}
