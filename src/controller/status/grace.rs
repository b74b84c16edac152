//! How long an object waits for another object that may still appear: the facts of [`crate::domain::grace`], for all kinds.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};

use crate::api::conditions::{READY, STALLED};
use crate::controller::status::since::Since;
use crate::domain::blocker::Blocker;
use crate::domain::grace::Waiting;
use crate::domain::reason::Reason;

/// For what an object has waited. `since` times it by this process's own clock; what lasted before a restart is read off the
/// conditions, and is never longer than the object is old.
#[must_use]
pub fn waiting(since: &Since, metadata: &ObjectMeta, conditions: &[Condition], now: Timestamp) -> Waiting {
    let of = |type_: &str, status: &str| conditions.iter().find(|c| c.type_ == type_ && c.status == status);
    let reported = of(READY, "False").and_then(|ready| {
        let age = metadata.creation_timestamp.as_ref().map_or(Duration::MAX, |at| passed(at.0, now));
        let waited = passed(ready.last_transition_time.0, now).min(age);
        Some((Reason::parse(&ready.reason)?, waited))
    });
    Waiting {
        seen: since.state().and_then(|(state, time)| Some((Reason::parse(state)?, time))),
        reported,
        stalled: of(STALLED, "True").and_then(|stalled| Reason::parse(&stalled.reason)),
    }
}

/// Remembers what an object waits for from now on: nothing, unless something that may still appear is missing.
pub fn remember(since: &mut Since, waiting: &Waiting, blocker: Option<&Blocker>) {
    match blocker.map(|blocker| blocker.reason).filter(|reason| reason.may_appear()) {
        Some(reason) if waiting.stalled == Some(reason) => {}
        Some(reason) => {
            since.elapsed_from(reason.as_str(), waiting.waited_for(reason));
        }
        None => since.forget(),
    }
}

/// The time between; none where another clock ran ahead.
#[must_use]
pub fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::api::conditions::{RECONCILING, Wanted, brought_up_to_date};

    fn missing() -> Blocker {
        Blocker::lasting(Reason::PortalNotFound, "there is no Portal")
    }

    /// The conditions of a resource that waits since `ago` seconds before now.
    fn conditions(type_: &'static str, reason: &'static str, ago: i64) -> Vec<Condition> {
        let wanted = |type_, status| Wanted { type_, status: Some(status), reason, message: String::new() };
        let at = Timestamp::from_second(Timestamp::now().as_second() - ago).unwrap();
        brought_up_to_date(&[], &[wanted(READY, false), wanted(type_, true)], Some(1), at)
    }

    fn seconds(left: Option<Duration>) -> Option<u128> {
        left.map(|left| left.as_millis().div_ceil(1000))
    }

    fn started_long_ago() -> impl Future<Output = ()> {
        tokio::time::advance(Duration::from_hours(1))
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_timed_from_its_beginning_by_this_process_s_own_clock() {
        started_long_ago().await;
        let (mut since, metadata) = (Since::default(), ObjectMeta::default());
        let mut left = |blocker: &Blocker| {
            let waiting = waiting(&since, &metadata, &[], Timestamp::UNIX_EPOCH);
            remember(&mut since, &waiting, Some(blocker));
            seconds(waiting.left(blocker))
        };
        assert_eq!(left(&missing()), Some(120));
        tokio::time::advance(Duration::from_secs(119)).await;
        assert_eq!(left(&missing()), Some(1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(left(&missing()), None);
        let denied = Blocker::lasting(Reason::AccessDenied, "not granted");
        assert_eq!(left(&denied), Some(120), "the next thing that is missing has its own time");
        assert_eq!(left(&Blocker::lasting(Reason::RolesMixed, "a person has to act")), None);
        assert_eq!(left(&missing()), Some(120), "in between something else was wrong");
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_continues_with_the_time_that_the_conditions_name() {
        started_long_ago().await;
        let old =
            ObjectMeta { creation_timestamp: Some(Time(Timestamp::UNIX_EPOCH)), ..ObjectMeta::default() };
        let young = ObjectMeta { creation_timestamp: Some(Time(Timestamp::now())), ..ObjectMeta::default() };
        for (metadata, type_, reason, ago, expected) in [
            (&old, RECONCILING, "PortalNotFound", 50, Some(70)),
            (&old, RECONCILING, "PortalNotFound", 500, None),
            // Of another reason nothing is known.
            (&old, RECONCILING, "PortalNotReady", 500, Some(120)),
            // Another clock runs ahead, or behind: an object that is just created waits no longer than it is there.
            (&old, RECONCILING, "PortalNotFound", -500, Some(120)),
            (&young, RECONCILING, "PortalNotFound", 500, Some(120)),
            // What is stalled stays so.
            (&old, STALLED, "PortalNotFound", 5, None),
            (&old, STALLED, "AccessDenied", 5, Some(120)),
        ] {
            let mut since = Since::default();
            let of =
                |since: &Since| waiting(since, metadata, &conditions(type_, reason, ago), Timestamp::now());
            let first = of(&since);
            assert_eq!(seconds(first.left(&missing())), expected, "{type_} {reason} {ago}");
            remember(&mut since, &first, Some(&missing()));
            tokio::time::advance(Duration::from_secs(10)).await;
            let later = expected.and_then(|left| left.checked_sub(10));
            assert_eq!(seconds(of(&since).left(&missing())), later, "{type_} {reason} {ago}, 10 s later");
        }
    }
}
