//! The outputs that the spec no longer names: how long each is kept.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::keys;
use crate::api::technical_user::RecordedOutput;
use crate::controller::objects::annotation;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::user::UserId;
use crate::k8s::stored::StoredObject;

/// Sees how long each output is kept that the spec no longer names, and whether it was ever written.
pub(super) fn see_retiring(reconcile: &mut Reconcile) {
    let overlap = overlap(reconcile);
    for former in &mut reconcile.observation.to_remove {
        let recorded = reconcile.resource.history.recorded(&former.output);
        let until = recorded.and_then(|output| output.delete_after.as_deref());
        former.hurried = ends_overlap(&reconcile.object, &former.output.name);
        former.begun = until.is_some();
        former.written = recorded.is_some_and(RecordedOutput::is_written);
        former.user = recorded.and_then(user_of);
        former.kept_for = kept_for(overlap, until, reconcile.now);
    }
}

/// Whose credential an output holds, unless a write has begun that is not recorded.
fn user_of(recorded: &RecordedOutput) -> Option<UserId> {
    recorded.begun.is_empty().then(|| recorded.entry.as_ref().map(|entry| UserId::new(&entry.user)))?
}

/// How long the spec keeps an output that it no longer names, and a user that was replaced.
pub(in crate::controller::technical_user) fn overlap(reconcile: &Reconcile) -> Duration {
    reconcile
        .spec
        .rotation
        .as_ref()
        .and_then(|rotation| rotation.overlap)
        .map_or(Duration::ZERO, Duration::from)
}

/// Whether a person asks for the end of something before its overlap has passed: an output by its name, a user by its id.
pub(super) fn ends_overlap(object: &StoredObject, name: &str) -> bool {
    let names = annotation(object, keys::END_OVERLAP).into_iter();
    names.flat_map(|names| names.split([',', ' '])).any(|named| named == name)
}

/// A shorter overlap counts for what is kept already, a longer one does not.
pub(super) fn kept_for(overlap: Duration, until: Option<&str>, now: Timestamp) -> Duration {
    let until = until.and_then(|until| until.parse::<Timestamp>().ok());
    let left = until.map(|until| Duration::try_from(until.duration_since(now)).unwrap_or_default());
    left.map_or(overlap, |left| left.min(overlap))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_kept_until_the_recorded_time_and_not_longer_than_the_overlap() {
        let (hour, now) = (Duration::from_hours(1), "2026-11-22T12:00:00Z".parse().unwrap());
        for (until, left) in [
            (None, hour),
            (Some("2026-11-22T12:10:00Z"), Duration::from_mins(10)),
            (Some("2026-11-22T11:59:59Z"), Duration::ZERO),
            (Some("2026-11-23T12:00:00Z"), hour),
            (Some("not a time"), hour),
        ] {
            assert_eq!(kept_for(hour, until, now), left, "{until:?}");
        }
    }
}
