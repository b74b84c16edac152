//! What of a new status is reported as an event.

use crate::api::conditions::{CONSUMERS_RESTARTED, READY, ROTATING};
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::controller::technical_user::reference;
use crate::domain::plan::Notice;
use crate::domain::reason::Reason;

/// A condition that got worse is reported by one Event.
pub(super) fn announce(reconcile: &Reconcile, new: &TechnicalUserStatus) {
    for type_ in [READY, CONSUMERS_RESTARTED, ROTATING] {
        announce_worse(reconcile, new, type_);
    }
}

fn announce_worse(reconcile: &Reconcile, new: &TechnicalUserStatus, type_: &str) {
    let shown = |status: &TechnicalUserStatus| {
        status
            .conditions
            .iter()
            .find(|c| c.type_ == type_)
            .map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()))
    };
    let (before, after) = (shown(&reconcile.status), shown(new));
    if let Some((status, reason, message)) = after {
        let changed = before.is_none_or(|(_, old, _)| old != reason);
        let reason = Reason::parse(&reason).filter(|reason| status != "True" && !reason.is_progress());
        if let (true, Some(reason)) = (changed, reason) {
            reconcile.ctx.events.warning(
                reference(&reconcile.ctx, &reconcile.key),
                reason.as_str(),
                "Reconcile",
                &message,
            );
        }
    }
}

/// The answer to a request for a rotation.
pub(super) fn answer(reconcile: &Reconcile, notice: &Notice) {
    let resource = reference(&reconcile.ctx, &reconcile.key);
    reconcile.ctx.events.warning(resource, notice.reason.as_str(), "Rotate", &notice.note);
}
