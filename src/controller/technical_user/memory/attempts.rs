//! What this process knows of attempts to create users: those that it carries out, and those that resources record.

use std::time::Duration;

use tokio::time::Instant;

use crate::controller::technical_user::refusal::RefusalFingerprint;
use crate::domain::attempt::Attempt;
use crate::domain::blocker::Blocker;
use crate::domain::plan::AttemptState;
use crate::domain::user::UserId;
use crate::portal::CREATE_SETTLE_TIME;

/// After a definite refusal the portal is asked again when something changed, else after this time, doubling.
const FIRST_RETRY: Duration = Duration::from_mins(5);
/// The same after a temporary refusal.
const FIRST_RETRY_PASSING: Duration = Duration::from_secs(5);
const LONGEST_RETRY: Duration = Duration::from_hours(2);

/// The outcome of an attempt of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The portal created this user.
    Created(UserId),
    /// Certainly no user was created.
    Refused(Blocker),
    /// The request was not sent: the next reconcile may send it.
    NotSent,
    /// It is unknown whether the portal created a user.
    Unknown,
}

#[derive(Debug)]
struct Last {
    id: String,
    state: Progress,
}

#[derive(Debug)]
enum Progress {
    InFlight,
    Created(UserId),
    Refused,
    /// Since when the portal may carry it out while no process waits for the answer.
    Unknown {
        since: Instant,
    },
}

/// What the portal refused to this process.
#[derive(Debug)]
struct Refusal {
    blocker: Blocker,
    fingerprint: RefusalFingerprint,
    until: Instant,
    /// The number in a row.
    count: u32,
}

/// The last attempt of a resource, and the last refusal: that one also counts when another process has written an
/// attempt down since, else two would ask the portal by turns for ever.
#[derive(Debug, Default)]
pub struct Attempts {
    last: Option<Last>,
    /// Boxed: few resources have one.
    refusal: Option<Box<Refusal>>,
}

impl Attempts {
    /// This process starts an attempt.
    pub fn begin(&mut self, attempt: &Attempt) {
        self.last = Some(Last { id: attempt.id.clone(), state: Progress::InFlight });
    }

    /// Whether an attempt of this process is in progress.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        matches!(self.last, Some(Last { state: Progress::InFlight, .. }))
    }

    /// Whether the last attempt has created a user, or may still do so.
    #[must_use]
    pub fn may_have_created(&self) -> bool {
        self.last.as_ref().is_some_and(|last| match last.state {
            Progress::InFlight | Progress::Created(_) => true,
            Progress::Refused => false,
            Progress::Unknown { since } => since.elapsed() < CREATE_SETTLE_TIME,
        })
    }

    /// The attempt was never written down: it does not exist.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// The attempt has ended. `fingerprint` is of what a refusal depends on.
    pub fn end(&mut self, attempt: &Attempt, outcome: Outcome, fingerprint: RefusalFingerprint) {
        let state = match outcome {
            Outcome::Created(id) => {
                self.refusal = None;
                Progress::Created(id)
            }
            Outcome::Refused(blocker) => {
                let count = self.refusal.as_ref().map_or(0, |refusal| refusal.count);
                let first = if blocker.stalled { FIRST_RETRY } else { FIRST_RETRY_PASSING };
                let wait = first.saturating_mul(1 << count.min(16)).min(LONGEST_RETRY);
                let (until, count) = (Instant::now() + wait, count.saturating_add(1));
                self.refusal = Some(Box::new(Refusal { blocker, fingerprint, until, count }));
                Progress::Refused
            }
            Outcome::NotSent => Progress::Refused,
            Outcome::Unknown => Progress::Unknown { since: Instant::now() },
        };
        self.last = Some(Last { id: attempt.id.clone(), state });
    }

    /// The task of an attempt has ended without its outcome, such as by a panic: it is unknown what the portal did.
    pub fn abandon(&mut self, attempt: &Attempt) {
        if let Some(last) = &mut self.last
            && last.id == attempt.id
            && matches!(last.state, Progress::InFlight)
        {
            last.state = Progress::Unknown { since: Instant::now() };
        }
    }

    /// What is known of the attempt that is written on the resource; one that this process does not know may be in progress
    /// in another, and its time begins now. Whatever is written there by others, a request of this process is in progress until it
    /// ends.
    pub fn state(&mut self, id: &str, fingerprint: RefusalFingerprint) -> AttemptState {
        if self.in_flight() {
            return AttemptState::InFlight;
        }
        let now = Instant::now();
        let unknown = || Last { id: id.to_owned(), state: Progress::Unknown { since: now } };
        let last = match self.last.take().filter(|last| last.id == id) {
            Some(last) => self.last.insert(last),
            None => self.last.insert(unknown()),
        };
        match &last.state {
            Progress::InFlight => AttemptState::InFlight,
            Progress::Created(id) => AttemptState::Created(id.clone()),
            Progress::Refused => {
                self.refusal(fingerprint).map_or(AttemptState::RefusedRetry, AttemptState::Refused)
            }
            Progress::Unknown { since } => match (*since + CREATE_SETTLE_TIME).checked_duration_since(now) {
                Some(left) if !left.is_zero() => AttemptState::Settling(left),
                _ => AttemptState::Settled,
            },
        }
    }

    /// When the time of the portal for an attempt of unknown outcome is over: a search for its user begins after that.
    #[must_use]
    pub fn settled_at(&self) -> Option<Instant> {
        match self.last.as_ref().map(|last| &last.state) {
            Some(Progress::Unknown { since }) => Some(*since + CREATE_SETTLE_TIME),
            _ => None,
        }
    }

    /// Why the portal refused for the same reasons, while it is too early to ask again.
    #[must_use]
    pub fn refusal(&self, fingerprint: RefusalFingerprint) -> Option<Blocker> {
        self.refused_for(fingerprint)?;
        self.refusal.as_ref().map(|refusal| refusal.blocker.clone())
    }

    /// How long a refusal still keeps the portal from being asked for these reasons.
    #[must_use]
    pub fn refused_for(&self, fingerprint: RefusalFingerprint) -> Option<Duration> {
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.fingerprint == fingerprint)?;
        refusal.until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::identity::Pin;
    use crate::domain::reason::Reason;

    fn of(number: u64) -> RefusalFingerprint {
        RefusalFingerprint::test(number)
    }

    fn attempt(id: &str) -> Attempt {
        Attempt::new(1, id.into(), Pin::read("p"))
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_of_another_process_has_its_time_from_when_it_is_first_seen() {
        let mut attempts = Attempts::default();
        assert_eq!(attempts.state("a", of(0)), AttemptState::Settling(CREATE_SETTLE_TIME));
        tokio::time::advance(CREATE_SETTLE_TIME.saturating_sub(Duration::from_secs(1))).await;
        assert_eq!(attempts.state("a", of(0)), AttemptState::Settling(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(attempts.state("a", of(0)), AttemptState::Settled);
        assert_eq!(attempts.state("b", of(0)), AttemptState::Settling(CREATE_SETTLE_TIME));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_in_progress_until_it_ends_whatever_others_write() {
        let mut attempts = Attempts::default();
        attempts.begin(&attempt("a"));
        assert_eq!(attempts.state("written by a person", of(0)), AttemptState::InFlight);
        attempts.end(&attempt("a"), Outcome::Created(UserId::new("1")), of(0));
        assert_eq!(attempts.state("a", of(0)), AttemptState::Created(UserId::new("1")));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_whose_task_ended_without_an_outcome_settles() {
        let mut attempts = Attempts::default();
        attempts.begin(&attempt("a"));
        attempts.abandon(&attempt("of another task"));
        assert!(attempts.in_flight());
        attempts.abandon(&attempt("a"));
        assert_eq!(attempts.state("a", of(0)), AttemptState::Settling(CREATE_SETTLE_TIME));
        attempts.end(&attempt("a"), Outcome::Created(UserId::new("1")), of(0));
        attempts.abandon(&attempt("a"));
        assert_eq!(attempts.state("a", of(0)), AttemptState::Created(UserId::new("1")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_tried_again_when_something_changed_or_slowly() {
        let mut attempts = Attempts::default();
        let blocker = Blocker::lasting(Reason::CreateRefused, "no");
        attempts.begin(&attempt("a"));
        assert_eq!(attempts.state("a", of(1)), AttemptState::InFlight);
        attempts.end(&attempt("a"), Outcome::Refused(blocker.clone()), of(1));
        assert_eq!(attempts.state("a", of(1)), AttemptState::Refused(blocker.clone()));
        assert_eq!(attempts.state("a", of(2)), AttemptState::RefusedRetry);
        tokio::time::advance(FIRST_RETRY).await;
        assert_eq!(attempts.state("a", of(1)), AttemptState::RefusedRetry);
        attempts.end(&attempt("b"), Outcome::Refused(blocker.clone()), of(1));
        tokio::time::advance(FIRST_RETRY).await;
        assert_eq!(attempts.state("b", of(1)), AttemptState::Refused(blocker), "the second wait is longer");
    }

    #[tokio::test(start_paused = true)]
    async fn a_temporary_refusal_is_tried_again_soon_but_not_for_ever() {
        let mut attempts = Attempts::default();
        let blocker = Blocker::passing(Reason::PortalError, "not now");
        let mut waited = Duration::ZERO;
        for _ in 0..20 {
            attempts.end(&attempt("a"), Outcome::Refused(blocker.clone()), of(1));
            let left = attempts.refused_for(of(1)).unwrap();
            assert!(left >= waited && left <= LONGEST_RETRY, "{left:?} after {waited:?}");
            assert!(!waited.is_zero() || left == FIRST_RETRY_PASSING, "{left:?}");
            tokio::time::advance(left).await;
            assert_eq!(attempts.state("a", of(1)), AttemptState::RefusedRetry);
            waited = left;
        }
        assert_eq!(waited, LONGEST_RETRY);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_counts_also_after_an_attempt_of_another_process() {
        let mut attempts = Attempts::default();
        let blocker = Blocker::lasting(Reason::CreateRefused, "no");
        attempts.begin(&attempt("a"));
        attempts.end(&attempt("a"), Outcome::Refused(blocker.clone()), of(1));
        assert_eq!(attempts.state("b", of(1)), AttemptState::Settling(CREATE_SETTLE_TIME));
        tokio::time::advance(CREATE_SETTLE_TIME).await;
        assert_eq!(attempts.state("b", of(1)), AttemptState::Settled);
        assert_eq!(attempts.refusal(of(1)), Some(blocker));
        assert_eq!(attempts.refusal(of(2)), None, "something changed");
        tokio::time::advance(FIRST_RETRY).await;
        assert_eq!(attempts.refusal(of(1)), None);
        assert_eq!(attempts.refused_for(of(1)), None);
    }
}
