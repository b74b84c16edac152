//! When a resource is reconciled again that no watch reports.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::conditions::{ROTATING, USER_READY};
use crate::api::portal::PortalSpec;
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::status::since::Since;
use crate::domain::plan::{FIRST_PENDING_POLL, PENDING_LIMIT, Timers, pending_poll};
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

/// The time before the state of a pending user is read again.
fn poll(pending: &mut Since, pending_for: Option<Duration>) -> Duration {
    let Some(by_status) = pending_for else {
        pending.forget();
        return FIRST_PENDING_POLL;
    };
    pending_poll(pending.elapsed(Reason::Pending.as_str()), by_status)
}

/// How long the user or its successor has been pending, by the status; `None` where neither is.
pub(super) fn pending_for(status: &TechnicalUserStatus, now: Timestamp) -> Option<Duration> {
    let too_long = |condition: &Condition| condition.reason == Reason::PendingTooLong.as_str();
    let is_pending = |type_: &str| {
        let mut all = status.conditions.iter().filter(|condition| condition.type_ == type_);
        all.find(|condition| condition.reason == Reason::Pending.as_str() || too_long(condition))
    };
    let user = is_pending(USER_READY).filter(|condition| condition.status == "False");
    let successor = is_pending(ROTATING);
    let condition = user.or(successor)?;
    // Another process may have written the time by a clock that runs ahead of ours.
    let waited = Duration::try_from(now.duration_since(condition.last_transition_time.0)).unwrap_or_default();
    // The condition of a rotation is False, and has another time, once it is stuck.
    let is_stuck = user.is_none() && too_long(condition);
    Some(if is_stuck { waited + PENDING_LIMIT + Duration::from_secs(1) } else { waited })
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

    /// The user serves meanwhile, so only the condition of the rotation says for how long its successor has been pending.
    #[test]
    fn a_successor_is_pending_by_the_condition_of_the_rotation() {
        let waited = |status: &str, reason: &str| {
            let condition = |type_: &str, status: &str, reason: &str| {
                json!({
                    "type": type_, "status": status, "reason": reason, "message": "",
                    "lastTransitionTime": "2026-11-22T12:00:00Z",
                })
            };
            let conditions =
                [condition(USER_READY, "True", "UserActive"), condition(ROTATING, status, reason)];
            let status = serde_json::from_value(json!({ "conditions": conditions })).unwrap();
            pending_for(&status, "2026-11-22T12:05:00Z".parse().unwrap()).map(|waited| waited.as_secs())
        };
        assert_eq!(waited("True", "Pending"), Some(300));
        assert_eq!(waited("False", "PendingTooLong"), Some(1800 + 1 + 300), "it stays so");
        assert_eq!(waited("True", "RolesChanged"), None);
    }
}
