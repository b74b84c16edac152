//! The users that a successor has replaced: named in the status until they are deleted.

use std::time::Duration;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::credential::SECONDS;
use crate::api::technical_user::{RecordedRetiring, TechnicalUserStatus};
use crate::controller::technical_user::observe::overlap;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{self, Report, Settled, UserRef};
use crate::domain::user::UserId;

/// Names the user that the status named until now, and other users that were created before the current one.
pub(super) fn record_predecessors(reconcile: &Reconcile, new: &mut TechnicalUserStatus, current: &UserRef) {
    let o = &reconcile.observation;
    // Others can write a status: a user that nothing proves to be the resource's is not named as its predecessor.
    let proved = |id: &str| {
        o.recorded.user.as_ref().is_some_and(|recorded| recorded.proved && recorded.id == UserId::new(id))
    };
    let replaced = new.user.as_ref().filter(|before| proved(&before.id)).filter(|before| {
        let earlier = before.generation.is_some_and(|before| before < current.generation());
        earlier && before.id != current.id.as_str() && !plan::is_settled(o, &UserId::new(&before.id))
    });
    let replaced = replaced.map(|user| RecordedRetiring {
        id: user.id.clone(),
        generation: user.generation,
        client_id: user.client_id.clone(),
        name: user.name.clone(),
        proof: user.proof.clone(),
        ..RecordedRetiring::default()
    });
    let listed = plan::unrecorded_predecessors(o, current).map(|(id, named)| RecordedRetiring {
        id: id.to_string(),
        generation: Some(named.generation),
        client_id: named.client_id.clone(),
        ..RecordedRetiring::default()
    });
    for entry in replaced.into_iter().chain(listed) {
        if new.retiring.iter().all(|there| there.id != entry.id) {
            new.retiring.push(entry);
        }
    }
    // Those that were replaced before have the role too, as far as anybody knows.
    let taken = plan::takes_roles_away(o, current);
    new.retiring.iter_mut().for_each(|entry| entry.without_overlap |= taken);
}

/// Removes the entries of users that are deleted, and says how long the others are kept once the credential of the current user is
/// in all outputs. A shorter overlap counts for those that are kept already.
pub(super) fn record_retiring(reconcile: &Reconcile, new: &mut TechnicalUserStatus, settled: &Settled) {
    let current = new.user.as_ref().map(|user| user.id.clone());
    new.retiring.retain(|entry| {
        Some(&entry.id) != current.as_ref()
            && !plan::is_settled(&reconcile.observation, &UserId::new(&entry.id))
    });
    for entry in &mut new.retiring {
        entry.compromised |= settled.rotation.compromised;
    }
    if settled.report != Report::Ready {
        return;
    }
    for entry in &mut new.retiring {
        let at_once = entry.compromised || entry.without_overlap;
        let overlap = if at_once { Duration::ZERO } else { overlap(reconcile) };
        keep_for(&mut entry.delete_after, overlap, reconcile.ctx.process.clock.now());
    }
}

/// Says until when something is kept that was replaced: from the write of this status on, which may be long after the reconcile began.
/// A shorter overlap counts for what is kept already. The status has no fractions of a second: the time is never too early.
pub(super) fn keep_for(delete_after: &mut Option<String>, overlap: Duration, now: Timestamp) {
    let until = delete_after.as_deref().and_then(|time| time.parse::<Timestamp>().ok());
    let seconds = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    let Ok(end) = now.checked_add(overlap).and_then(|end| end.round(seconds)) else { return };
    if until.is_none_or(|until| end < until) {
        *delete_after = Some(end.strftime(SECONDS).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_kept_for_the_whole_overlap() {
        let minute = Duration::from_mins(1);
        for (until, now, expected) in [
            (None, "2026-11-22T12:00:00Z", "2026-11-22T12:01:00Z"),
            // The status has no fractions of a second.
            (None, "2026-11-22T12:00:00.001Z", "2026-11-22T12:01:01Z"),
            (Some("2026-11-22T12:01:01Z"), "2026-11-22T12:00:00.5Z", "2026-11-22T12:01:01Z"),
            (Some("2026-11-22T12:00:30Z"), "2026-11-22T12:00:00Z", "2026-11-22T12:00:30Z"),
            (Some("2026-11-23T12:00:00Z"), "2026-11-22T12:00:00Z", "2026-11-22T12:01:00Z"),
        ] {
            let mut delete_after = until.map(str::to_owned);
            keep_for(&mut delete_after, minute, now.parse().unwrap());
            assert_eq!(delete_after.as_deref(), Some(expected), "{until:?} at {now}");
        }
    }
}
