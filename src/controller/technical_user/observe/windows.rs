//! When a rotation by the interval of the spec begins: at once, or in a window.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::technical_user::{RecordedCredential, RotationWindow};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::windows::Windows;

/// The name of the time zone of a window that names none.
const UTC: &str = "UTC";

/// When the spec asks for the next credential, whatever the windows are.
pub(super) fn due_at(reconcile: &Reconcile, credential: &RecordedCredential) -> Option<Timestamp> {
    let interval = Duration::from(reconcile.spec.rotation.as_ref()?.interval?);
    credential.issued_at.parse::<Timestamp>().ok()?.checked_add(interval).ok()
}

/// When a rotation begins that is due at this time.
pub(super) fn begins(reconcile: &Reconcile, due: Timestamp) -> Option<Timestamp> {
    match spec(reconcile) {
        Some(all) => windows(all, reconcile.now).0.begins(due, reconcile.now),
        None => Some(due),
    }
}

/// Why a window never opens. Those beside it count all the same.
pub(super) fn fault(reconcile: &Reconcile) -> Option<Blocker> {
    let why = windows(spec(reconcile)?, reconcile.now).1?;
    let message = format!(
        "A window of rotation.windows never opens: {why}. The credential stays in all outputs; it is replaced in the other windows, \
         if there are any, and on request."
    );
    Some(Blocker::lasting(Reason::WindowNeverOpens, message))
}

fn spec(reconcile: &Reconcile) -> Option<&[RotationWindow]> {
    reconcile.spec.rotation.as_ref()?.windows.as_deref()
}

/// The windows that open, and why another one does not.
fn windows(all: &[RotationWindow], now: Timestamp) -> (Windows, Option<String>) {
    let (mut windows, mut fault) = (Windows::default(), None);
    for RotationWindow { cron, duration, time_zone } in all {
        let duration = duration.map_or(Duration::ZERO, Duration::from);
        let added = windows.add(cron, duration, time_zone.as_deref().unwrap_or(UTC), now);
        fault = fault.or(added.err());
    }
    (windows, fault)
}
