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
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::installation;
    use crate::domain::identity::Hint;
    use crate::domain::ownership::proof;
    use crate::domain::plan::{Confirmed, Done, Named, Requeue};
    use crate::domain::test_support::owner;
    use crate::domain::user::{UserKind, UserStatus};

    /// A resource whose status names `u2`, with this proof, and of which the list shows `u1`.
    async fn resource(proof: &str) -> Reconcile {
        let mut reconcile = Scene::without_portal(&json!({
            "spec": {"rotation": {"overlap": "10m"}},
            "status": {"user": {"id": "u2", "generation": 2, "proof": proof}},
        }))
        .observed()
        .await;
        let named = Named {
            generation: 1,
            status: UserStatus::Active,
            kind: UserKind::Internal,
            client_id: None,
            confirmed: Confirmed::Ours(Hint::read("here")),
            listed_as_retained: false,
        };
        reconcile.observation.users.entry(&UserId::new("u1")).named = Some(named);
        reconcile
    }

    /// The users that are named as replaced by `u3`, with their generations.
    fn replaced(reconcile: &Reconcile) -> Vec<(String, Option<i64>)> {
        let mut new = reconcile.status.clone();
        record_predecessors(reconcile, &mut new, &UserRef::created(UserId::new("u3"), 3));
        new.retiring.into_iter().map(|entry| (entry.id, entry.generation)).collect()
    }

    #[tokio::test]
    async fn the_users_before_the_current_one_are_named_until_they_are_deleted() {
        let of = |id: &str| proof(&installation().digest_key, &owner("edc"), &UserId::new(id), 2);
        let named = |id: &str, generation| (id.to_owned(), Some(generation));
        let mut reconcile = resource(&of("u2")).await;
        assert_eq!(replaced(&reconcile), [named("u2", 2), named("u1", 1)]);
        assert_eq!(replaced(&resource(&of("another")).await), [named("u1", 1)], "anybody can write an id");
        reconcile.observation.users.entry(&UserId::new("u2")).done.push(Done::Deleted);
        assert_eq!(replaced(&reconcile), [named("u1", 1)]);
        reconcile.observation.users.entry(&UserId::new("u1")).done.push(Done::Deleted);
        assert_eq!(replaced(&reconcile), []);
    }

    #[tokio::test]
    async fn a_user_that_was_deleted_is_not_named_as_replaced_any_more() {
        let mut reconcile = resource("").await;
        reconcile.observation.users.entry(&UserId::new("u1")).done.push(Done::Deleted);
        let entry = |id: &str| RecordedRetiring { id: id.into(), ..RecordedRetiring::default() };
        let mut new = reconcile.status.clone();
        new.retiring = vec![entry("u0"), entry("u1"), entry("u2")];
        record_retiring(&reconcile, &mut new, &Settled::new(Report::Ready, Requeue::Never));
        let [kept] = new.retiring.as_slice() else { panic!("{:?}", new.retiring) };
        assert!(kept.id == "u0" && kept.delete_after.is_some(), "u2 is the one that serves: {kept:?}");
    }

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
