//! The grace period: tools that apply many objects at once apply them in any order, and give up at the first `Stalled`.
//!
//! What may end when another object appears is `Reconciling` for two minutes, and `Stalled` after that.

use std::time::Duration;

use super::blocker::Blocker;
use super::reason::Reason;

/// How long something that is missing may still appear.
pub const GRACE: Duration = Duration::from_mins(2);

/// What is missing or refused is checked again after this time.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(10);

/// For what an object has waited until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// For what it has waited last, and how long, by this process's own clock.
    pub seen: Option<(Reason, Duration)>,
    /// The same by the conditions that another process, or this one, has written.
    pub reported: Option<(Reason, Duration)>,
    /// What the conditions report as `Stalled`.
    pub stalled: Option<Reason>,
}

impl Waiting {
    /// For how long it has waited for this. What lasted before a restart is known by the conditions alone.
    #[must_use]
    pub fn waited_for(&self, reason: Reason) -> Duration {
        let of = |known: Option<(Reason, Duration)>| known.filter(|(known, _)| *known == reason);
        of(self.seen).or(of(self.reported)).map_or(Duration::ZERO, |(_, time)| time)
    }

    /// How long the grace period of a blocker lasts on, where it is in one. What is stalled stays so.
    #[must_use]
    pub fn left(&self, blocker: &Blocker) -> Option<Duration> {
        if !blocker.stalled || !blocker.reason.may_appear() || self.stalled == Some(blocker.reason) {
            return None;
        }
        GRACE.checked_sub(self.waited_for(blocker.reason)).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn left(waiting: Waiting, reason: Reason) -> Option<Duration> {
        waiting.left(&Blocker::lasting(reason, "missing"))
    }

    #[test]
    fn what_may_appear_has_two_minutes_from_when_it_is_missing() {
        let seen = |time| Waiting { seen: Some((Reason::PortalNotFound, time)), ..Waiting::default() };
        assert_eq!(left(Waiting::default(), Reason::PortalNotFound), Some(GRACE));
        assert_eq!(left(seen(MINUTE), Reason::PortalNotFound), Some(MINUTE));
        assert_eq!(left(seen(GRACE), Reason::PortalNotFound), None);
        assert_eq!(left(seen(GRACE), Reason::AccessDenied), Some(GRACE), "the next thing has its own time");
        for other in [Reason::RolesMixed, Reason::OutputNotOurs, Reason::WrongCompany] {
            assert_eq!(left(Waiting::default(), other), None, "a person has to act");
        }
        let passing = Blocker::passing(Reason::PortalNotFound, "missing");
        assert_eq!(Waiting::default().left(&passing), None, "it is not stalled anyway");
    }

    #[test]
    fn a_restart_continues_with_the_time_that_the_conditions_name() {
        let reported = Some((Reason::PortalNotFound, MINUTE));
        let after_a_restart = Waiting { reported, ..Waiting::default() };
        assert_eq!(left(after_a_restart, Reason::PortalNotFound), Some(MINUTE));
        assert_eq!(left(after_a_restart, Reason::AccessDenied), Some(GRACE));
        let both = Waiting { seen: Some((Reason::PortalNotFound, MINUTE / 2)), ..after_a_restart };
        assert_eq!(left(both, Reason::PortalNotFound), Some(MINUTE * 3 / 2), "this process's clock decides");
        let stalled = Waiting { stalled: Some(Reason::PortalNotFound), ..Waiting::default() };
        assert_eq!(left(stalled, Reason::PortalNotFound), None);
        assert_eq!(left(stalled, Reason::AccessDenied), Some(GRACE));
    }
}
