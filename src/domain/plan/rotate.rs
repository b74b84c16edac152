//! Rotation: whether a user is to be replaced, what serves meanwhile, when the request is handled, and when the predecessor
//! retires.
//!
//! A request by annotation replaces a user that is pending or unusable. A user that serves is replaced when it is time, unless an
//! output has one place for all users.

use super::observation::Observation;
use super::settled::{Report, Settled};
use super::step::{Notice, Step, UserRef};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// Whether a user is to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It stays.
    No,
    /// It gets a successor.
    Successor,
}

/// What is known of the user that a rotation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// It serves: its verified credential is published.
    Serves,
    /// It waits for the wallet service.
    Pending,
    /// Its client is missing in the identity provider.
    ClientMissing,
}

/// Whether a user is to be replaced.
pub(super) fn due(o: &Observation, user: &UserRef, condition: Condition) -> Due {
    let successor = match condition {
        // A request is answered with an Event.
        Condition::Serves => o.rotation.due,
        Condition::Pending => o.rotation.requested && !is_from_request(o, user),
        Condition::ClientMissing => o.rotation.requested,
    };
    if successor { Due::Successor } else { Due::No }
}

/// Whether anything is to be decided about a rotation, so that the user's details are read.
pub(super) fn is_undecided(o: &Observation) -> bool {
    o.rotation.requested
}

/// Whether the user that the status names is being replaced while it serves. An attempt to create a later one is then that of
/// its successor.
pub(super) fn is_in_progress(o: &Observation) -> bool {
    let recorded = o.recorded.user.as_ref().map(|user| UserRef { id: user.id.clone(), origin: user.origin });
    recorded.is_some_and(|user| due(o, &user, Condition::Serves) == Due::Successor)
}

/// The next step of a resource, with its step as far as the user that serves is concerned. The user is replaced only while
/// it is in order, and what keeps its successor from being created or published is not reported as a fault of the resource.
pub(super) fn after(o: &Observation, step: Step, replace: impl FnOnce(&UserRef) -> Step) -> Step {
    match &step {
        Step::Settled(Settled { report: Report::Ready, current: Some(user), .. })
            if due(o, user, Condition::Serves) == Due::Successor =>
        {
            if let Some(answer) = refusal(o) {
                return refused(o, step, answer);
            }
            let next = replace(user);
            meanwhile(step, next)
        }
        _ => step,
    }
}

/// Why a user that serves is not replaced. Where nothing valid is published, this does not prevent a successor.
fn refusal(o: &Observation) -> Option<Notice> {
    let fixed = o.outputs.iter().find(|output| output.alias_is_fixed)?;
    Some(Notice {
        reason: Reason::AliasFixed,
        note: format!(
            "The operator does not replace the user: the {} has the same alias for each user, so programs that run would find \
             the secret of the successor there and send it with the client ID of this user. Use an entry that the \
             operator owns, in a Vault whose aliasMode is PerGeneration.",
            fixed.id
        ),
    })
}

/// The user that serves is kept, and a request for its replacement is handled.
fn refused(o: &Observation, serving: Step, answer: Notice) -> Step {
    let Step::Settled(serving) = serving else { return serving };
    let rotation = Rotated { handled: o.rotation.requested, answer: Some(Box::new(answer)) };
    Step::Settled(Settled { rotation, ..serving })
}

/// The step that leads to the successor. Where that waits for something, the user that is replaced serves.
fn meanwhile(serving: Step, next: Step) -> Step {
    match (serving, next) {
        (Step::Settled(serving), Step::Settled(waiting)) if waiting.report != Report::Ready => {
            let requeue = serving.requeue.sooner(waiting.requeue);
            Step::Settled(Settled { requeue, ..serving })
        }
        (_, next) => next,
    }
}

/// Whether the user was created by the request: it has a later generation than the status names.
fn is_from_request(o: &Observation, user: &UserRef) -> bool {
    o.rotation.requested && user.generation() > o.recorded_generation() && o.recorded_generation() > 0
}

/// What the status records of the rotation at the end of a reconcile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// The request by annotation was carried out (or is ignored).
    pub handled: bool,
    /// A Warning Event that answers the request, or says why a user is not replaced that is due; sent once the status is written.
    pub answer: Option<Box<Notice>>,
}

/// The end of a reconcile with this user. The request to replace a user that serves is answered with an Event.
pub(super) fn at_the_end(o: &Observation, user: &UserRef, report: &Report) -> Rotated {
    let serves = *report == Report::Ready && o.rotation.requested && !o.rotation.due;
    let is_the_same = o.recorded.user.as_ref().is_some_and(|recorded| recorded.id == user.id);
    let ignored = || {
        Notice {
        reason: Reason::RequestIgnored,
        note: "The user works. This release replaces only users whose client is missing or that are stuck, so it ignores the \
               request"
            .to_owned(),
    }
    };
    let answer = (serves && is_the_same).then(|| Box::new(ignored()));
    Rotated { handled: serves || is_from_request(o, user), answer }
}

/// Why a user beside the current one is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Retirement {
    /// What is reported once it is deleted.
    pub notice: Notice,
    /// Why, in words.
    pub why: &'static str,
}

/// Whether a user beside the current one may be deleted: its credential is in no output any more, as far as all are known.
pub(super) fn retirement(o: &Observation, id: &UserId) -> Option<Retirement> {
    if o.is_published(id) || o.outputs.iter().any(|output| output.unknown().is_some()) {
        return None;
    }
    let notice =
        Notice { reason: Reason::DuplicateRemoved, note: format!("User {id} was deleted in the portal") };
    Some(Retirement { notice, why: "a second user was created for the resource" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::blocker::Blocker;
    use crate::domain::plan::{Read, Requeue, Stage};

    fn settled(report: Report, id: &str, requeue: Requeue) -> Step {
        let current = Some(UserRef::created(UserId::new(id), 1));
        Step::Settled(Settled { current, ..Settled::new(report, requeue) })
    }

    #[test]
    fn a_user_serves_until_its_successor_is_published() {
        let (hour, minute) = (Duration::from_hours(1), Duration::from_mins(1));
        let serving = settled(Report::Ready, "u1", Requeue::In(hour));
        let pending = Stage::User.blocked(Blocker::passing(Reason::Pending, "it waits"));
        let refused = Stage::User.blocked(Blocker::lasting(Reason::CreateRefused, "the portal refuses"));
        for (next, expected) in [
            (settled(pending, "u2", Requeue::In(minute)), settled(Report::Ready, "u1", Requeue::In(minute))),
            (settled(refused, "u2", Requeue::Backoff), settled(Report::Ready, "u1", Requeue::Backoff)),
            (Step::settled(Report::Unchanged, Requeue::Never), serving.clone()),
            (Step::Read(Read::Search), Step::Read(Read::Search)),
            (
                settled(Report::Ready, "u2", Requeue::In(hour)),
                settled(Report::Ready, "u2", Requeue::In(hour)),
            ),
        ] {
            assert_eq!(meanwhile(serving.clone(), next), expected);
        }
    }
}
