//! What is reported when a credential begins to be replaced.

use crate::api::keys;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::reason::Reason;

/// Reports the start of a rotation, if the step belongs to one. `step` says what the operator does, as a sentence.
pub(super) fn announce_start(reconcile: &Reconcile, step: &str) {
    let (rotation, recorded) = (&reconcile.observation.rotation, &reconcile.observation.recorded);
    if !recorded.credential_published {
        return;
    }
    let why = if rotation.compromised {
        format!("the annotation {} asks for it", keys::COMPROMISED)
    } else if rotation.requested {
        format!("the annotation {} asks for it", keys::ROTATE)
    } else if rotation.due {
        "it is as old as rotation.interval permits".to_owned()
    } else {
        return;
    };
    let note = format!("The operator replaces credential {}, because {why}. {step}.", rotation.credential);
    reconcile.normal(Reason::RotationStarted, "Rotate", &note);
}
