//! When a resource is reconciled again that no watch reports.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::conditions::USER_READY;
use crate::api::portal::PortalSpec;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::status::since::Since;
use crate::domain::plan::Timers;
use crate::domain::reason::Reason;

/// How often published credentials are tried.
pub(super) fn verification_interval(portal: Option<&PortalSpec>) -> Duration {
    let interval = portal.and_then(|spec| spec.verification?.interval);
    interval.map_or(Duration::from_hours(1), Duration::from)
}

/// The timers at the start of a reconcile.
pub(super) fn timers(
    ctx: &Context,
    key: &Key,
    verification_interval: Duration,
    pending_for: Option<Duration>,
) -> Timers {
    let random = &ctx.process.random;
    let poll = ctx.memory.change(key, |user| poll(&mut user.pending, pending_for));
    let due_in = ctx.memory.change(key, |user| user.verification.due_in(verification_interval, random));
    Timers { recheck: random.spread(RECHECK), poll: random.spread(poll), verification: due_in, other: None }
}

/// What no watch reports, such as the labels of namespaces, is checked again after this time.
const RECHECK: Duration = Duration::from_mins(2);

/// The time before the state of a pending user is read again: about as long as this process has seen it pending, by its own
/// clock, from 2 s to half a minute; 5 minutes where it has been pending for half an hour by the status.
fn poll(pending: &mut Since, pending_for: Option<Duration>) -> Duration {
    let Some(by_status) = pending_for else {
        pending.forget();
        return FIRST_POLL;
    };
    let seen_for = pending.elapsed(Reason::Pending.as_str());
    if by_status > Duration::from_mins(30) {
        Duration::from_mins(5)
    } else {
        seen_for.clamp(FIRST_POLL, Duration::from_secs(30))
    }
}

const FIRST_POLL: Duration = Duration::from_secs(2);

/// How long the user has been pending, by the status; `None` where it is not.
pub(super) fn pending_for(status: &TechnicalUserStatus, now: Timestamp) -> Option<Duration> {
    let condition = status.conditions.iter().find(|c| c.type_ == USER_READY && c.status == "False")?;
    let pending =
        [Reason::Pending.as_str(), Reason::PendingTooLong.as_str()].contains(&condition.reason.as_str());
    // Another process may have written the time by a clock that runs ahead of ours.
    pending
        .then(|| Duration::try_from(now.duration_since(condition.last_transition_time.0)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pending_user_is_read_less_often_with_time_by_the_process_s_own_clock() {
        let mut pending = Since::default();
        // By a clock that runs behind the one that wrote the status, it has not waited at all.
        let mut poll = |by_status| poll(&mut pending, by_status).as_secs();
        let mut waits = Vec::new();
        for _ in 0..7 {
            let wait = poll(Some(Duration::ZERO));
            waits.push(wait);
            tokio::time::advance(Duration::from_secs(wait)).await;
        }
        assert_eq!(waits, [2, 2, 4, 8, 16, 30, 30]);
        assert_eq!(poll(Some(Duration::from_mins(31))), 300);
        assert_eq!((poll(None), poll(Some(Duration::ZERO))), (2, 2), "the next one begins again");
    }

    #[test]
    fn a_wait_that_a_faster_clock_wrote_down_has_not_begun() {
        let status: TechnicalUserStatus = serde_json::from_value(json!({"conditions": [{
            "type": USER_READY, "status": "False", "reason": "Pending", "message": "",
            "lastTransitionTime": "2026-11-22T12:00:00Z",
        }]}))
        .unwrap();
        for (now, waited) in [("2026-11-22T12:05:00Z", 300), ("2026-11-22T11:00:00Z", 0)] {
            assert_eq!(
                pending_for(&status, now.parse().unwrap()),
                Some(Duration::from_secs(waited)),
                "{now}"
            );
        }
    }
}
