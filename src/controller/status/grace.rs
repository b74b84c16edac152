//! The grace period: tools that apply many objects at once apply them in any order, and give up at the first `Stalled`.
//!
//! What another object may bring is `Reconciling` for two minutes, and `Stalled` after that.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};

use crate::api::conditions::{READY, STALLED};
use crate::controller::status::since::Since;
use crate::domain::roles::Blocker;

/// For how long something that is missing may still arrive.
pub const GRACE: Duration = Duration::from_mins(2);

/// What is missing or refused is looked at again after this time.
pub const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// How long the grace period lasts on, where this is in one. `waiting` times it by this process's own clock; what lasted
/// before a restart is read off the conditions, and is never longer than the object is old.
pub fn left(
    waiting: &mut Since,
    metadata: &ObjectMeta,
    conditions: &[Condition],
    blocker: Option<&Blocker>,
    now: Timestamp,
) -> Option<Duration> {
    let Some(blocker) = blocker.filter(|blocker| blocker.stalled && blocker.reason.may_arrive()) else {
        waiting.forget();
        return None;
    };
    let reason = blocker.reason.as_str();
    let of = |type_: &str| conditions.iter().find(|c| c.type_ == type_ && c.reason == reason);
    if of(STALLED).is_some_and(|stalled| stalled.status == "True") {
        return None;
    }
    let before = of(READY).filter(|ready| ready.status == "False").map_or(Duration::ZERO, |ready| {
        let age =
            metadata.creation_timestamp.as_ref().map_or(Duration::MAX, |created| passed(created.0, now));
        passed(ready.last_transition_time.0, now).min(age)
    });
    let waited = waiting.elapsed_from(reason, before);
    GRACE.checked_sub(waited).filter(|left| !left.is_zero())
}

/// The time between; none where another clock ran ahead.
fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::api::conditions::{Wanted, brought_up_to_date};
    use crate::domain::reason::Reason;

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
    async fn what_may_arrive_has_two_minutes_from_when_it_is_missing() {
        started_long_ago().await;
        let (mut waiting, metadata) = (Since::default(), ObjectMeta::default());
        let mut left =
            |blocker: &Blocker| left(&mut waiting, &metadata, &[], Some(blocker), Timestamp::UNIX_EPOCH);
        assert_eq!(left(&missing()), Some(GRACE));
        tokio::time::advance(Duration::from_secs(119)).await;
        assert_eq!(left(&missing()), Some(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(left(&missing()), None);
        let denied = Blocker::lasting(Reason::AccessDenied, "not granted");
        assert_eq!(left(&denied), Some(GRACE), "the next thing that is missing has its own time");
        for other in [Reason::RolesMixed, Reason::SecretNotOurs, Reason::WrongCompany] {
            assert_eq!(left(&Blocker::lasting(other, "a person has to act")), None);
        }
        assert_eq!(left(&missing()), Some(GRACE), "in between something else was wrong");
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_goes_on_with_the_time_that_the_conditions_tell() {
        started_long_ago().await;
        let old =
            ObjectMeta { creation_timestamp: Some(Time(Timestamp::UNIX_EPOCH)), ..ObjectMeta::default() };
        let young = ObjectMeta { creation_timestamp: Some(Time(Timestamp::now())), ..ObjectMeta::default() };
        for (metadata, type_, reason, ago, expected) in [
            (&old, crate::api::conditions::RECONCILING, "PortalNotFound", 50, Some(70)),
            (&old, crate::api::conditions::RECONCILING, "PortalNotFound", 500, None),
            // Of another reason nothing is known.
            (&old, crate::api::conditions::RECONCILING, "PortalNotReady", 500, Some(120)),
            // Another clock runs ahead, or behind: an object that is just created waits no longer than it is there.
            (&old, crate::api::conditions::RECONCILING, "PortalNotFound", -500, Some(120)),
            (&young, crate::api::conditions::RECONCILING, "PortalNotFound", 500, Some(120)),
            // What is stalled stays so.
            (&old, STALLED, "PortalNotFound", 5, None),
            (&old, STALLED, "AccessDenied", 5, Some(120)),
        ] {
            let found = left(
                &mut Since::default(),
                metadata,
                &conditions(type_, reason, ago),
                Some(&missing()),
                Timestamp::now(),
            );
            assert_eq!(seconds(found), expected, "{type_} {reason} {ago}");
        }
    }
}
