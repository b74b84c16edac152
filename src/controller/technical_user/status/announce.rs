//! What of a new status is reported as an event.

use crate::api::conditions::{CONSUMERS_RESTARTED, READY, ROTATING};
use crate::api::technical_user::{RecordedOutput, TechnicalUserStatus};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::Notice;
use crate::domain::reason::Reason;

/// A condition that got worse is reported by one Event.
pub(super) fn announce(reconcile: &Reconcile, new: &TechnicalUserStatus) {
    for type_ in [READY, CONSUMERS_RESTARTED, ROTATING] {
        announce_worse(reconcile, new, type_);
    }
    announce_rotation(reconcile, new);
}

/// A credential that a rotation led to has replaced the one of before.
fn announce_rotation(reconcile: &Reconcile, new: &TechnicalUserStatus) {
    let rotation = &reconcile.observation.rotation;
    if !(rotation.requested || rotation.due || rotation.reset.is_some()) {
        return;
    }
    let (Some(before), Some(after)) = (&reconcile.status.credential, &new.credential) else { return };
    if after.generation <= before.generation {
        return;
    }
    let lacks = |output: &&RecordedOutput| {
        output.delete_after.is_none() && output.credential != Some(after.generation)
    };
    let left = match new.outputs.iter().filter(lacks).count() {
        0 => String::new(),
        1 => "; one output does not hold it yet".to_owned(),
        count => format!("; {count} outputs do not hold it yet"),
    };
    let note = format!("Credential {} has replaced credential {}{left}", after.generation, before.generation);
    reconcile.normal(Reason::RotationCompleted, "Rotate", &note);
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
            reconcile.warn(reason, "Reconcile", &message);
        }
    }
}

/// The answer to a request for a rotation.
pub(super) fn answer(reconcile: &Reconcile, notice: &Notice) {
    reconcile.warn(notice.reason, "Rotate", &notice.note);
}
