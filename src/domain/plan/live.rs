//! The way of a resource that makes its user: access, roles, an open attempt, a search, a create, then the credential.

use std::time::Duration;

use crate::domain::reason::Reason;
use crate::domain::roles::{self, Blocker};
use crate::domain::user::NewUser;

use super::candidates::{self, Choice};
use super::follow::follow;
use super::observation::{
    AttemptState, Candidate, Confirmed, DesiredUser, Observation, OpenAttempt, PortalFacts, RecordedUser,
    SecretView,
};
use super::pin::{self, Pinned};
use super::settled::{Report, Requeue};
use super::step::{Read, Step, UserRef, Write};
use super::{blocked, bounds};

pub(super) fn plan(o: &Observation, desired: &DesiredUser) -> Step {
    let portal = match &o.portal {
        Ok(portal) => portal,
        Err(blocker) => return blocked(o, blocker, Requeue::Backoff),
    };
    match pin::check(o, portal) {
        Pinned::Here => {}
        Pinned::Next(step) => return step,
        Pinned::Blocked(blocker, requeue) => return blocked(o, &blocker, requeue),
    }
    if o.recorded.user.is_none()
        && let Err(blocker) = pin::company_of_new_user(o, portal)
    {
        return blocked(o, &blocker, o.timers.recheck());
    }
    if (o.recorded.user.is_some() || o.attempt.is_some()) && !o.finalizer {
        return Step::Write(Write::AddFinalizer);
    }
    match attempt_ahead(o) {
        Some(open) => {
            // Where the annotation cannot be read, every generation from the first on is looked for.
            let generation = open.generation().unwrap_or(1);
            match &open.state {
                AttemptState::InFlight => in_flight(o),
                AttemptState::Settling(left) => settling(o, open, *left),
                AttemptState::Refused(blocker) => blocked(o, blocker, Requeue::Backoff),
                AttemptState::Made(id) => follow(o, desired, portal, &UserRef { id: id.clone(), generation }),
                AttemptState::RefusedRetry => make(o, desired, portal, generation),
                AttemptState::Settled => find_or_make(o, desired, portal, generation),
            }
        }
        None => match &o.recorded.user {
            Some(user) => follow_recorded(o, desired, portal, user),
            None => find_or_make(o, desired, portal, 1),
        },
    }
}

/// An attempt whose outcome is unknown has its time.
fn settling(o: &Observation, open: &OpenAttempt, left: Duration) -> Step {
    // Another process may have told why the portal refused it: both need not say two things by turns.
    if o.reported_reason.is_some_and(tells_a_refusal) {
        return Step::settled(Report::Unchanged, Requeue::In(left));
    }
    waiting(o, Reason::SettlingAttempt, settling_words(open), Requeue::In(left))
}

/// What a resource says while an attempt whose outcome is unknown has its time.
pub(super) fn settling_words(open: &OpenAttempt) -> &'static str {
    if open.attempt.is_some() {
        "an earlier create was interrupted; the portal may still complete it, so the user is looked for in a moment"
    } else {
        "the annotation technicaluser.dev/creating cannot be read, so a create may be in progress; the operator waits until \
         the portal has completed it, and then searches for the user"
    }
}

/// Before another user is created, a create that may be in progress has its time: one whose annotation cannot be read, and
/// so may be of any generation, and one whose generation a status names that nothing proves. A resource whose user is
/// recorded and as it should be does not wait for it.
fn unsettled_attempt(o: &Observation) -> Option<Step> {
    let open = o.attempt.as_ref()?;
    match open.state {
        AttemptState::InFlight => Some(in_flight(o)),
        AttemptState::Settling(left) => {
            Some(waiting(o, Reason::SettlingAttempt, settling_words(open), Requeue::In(left)))
        }
        _ => None,
    }
}

fn in_flight(o: &Observation) -> Step {
    if is_settled_elsewhere(o) {
        return Step::settled(Report::Unchanged, o.timers.recheck());
    }
    waiting(o, Reason::Creating, "the portal is asked for a user", o.timers.recheck())
}

/// Another process waits for the create that this one has in progress, and reports it. Each status wakes both: two reasons
/// would replace each other again and again.
pub(super) fn is_settled_elsewhere(o: &Observation) -> bool {
    o.reported_reason == Some(Reason::SettlingAttempt)
}

/// Whether a condition's reason is one that a refused create gives.
fn tells_a_refusal(reason: Reason) -> bool {
    use Reason::{CreateRefused, NoUserCreated, PermissionMissing, PortalError, RoleNotOffered};
    matches!(reason, CreateRefused | NoUserCreated | PermissionMissing | PortalError | RoleNotOffered)
}

/// The attempt that is to be settled: one for a later user than the status names. What comes of an earlier one is a duplicate.
///
/// One that cannot be read is ahead of a resource without a user. Where a user is recorded, what comes of it is found in the
/// list as a duplicate, and it is waited for before a successor is created.
pub(super) fn attempt_ahead(o: &Observation) -> Option<&OpenAttempt> {
    o.attempt.as_ref().filter(|open| match open.generation() {
        Some(generation) => generation > o.recorded_generation(),
        None => o.recorded.user.is_none(),
    })
}

/// The sibling whose credential the Secret holds, where the status names another user: one that was made twice, or a status
/// from before a replacement. A predecessor that is still published does not count: its successor is on the way.
fn published_instead(o: &Observation) -> Option<&Candidate> {
    let SecretView::Ours { user: Some(published), .. } = &o.secret else { return None };
    let recorded = o.recorded.user.as_ref()?;
    o.siblings
        .iter()
        .find(|c| c.id == *published && recorded.id != *published && c.generation >= recorded.generation)
}

/// Goes on with the recorded user, or with the one that is published instead.
fn follow_recorded(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    user: &RecordedUser,
) -> Step {
    match published_instead(o) {
        Some(published) if published.confirmed == Confirmed::Unread => {
            Step::Read(Read::Confirm(published.id.clone()))
        }
        Some(published)
            if candidates::usable(published)
                && !candidates::useless_by_its_details(o, portal, &published.id) =>
        {
            let current = UserRef { id: published.id.clone(), generation: published.generation };
            follow(o, desired, portal, &current)
        }
        _ => {
            let current = UserRef { id: user.id.clone(), generation: user.generation };
            follow(o, desired, portal, &current)
        }
    }
}

fn waiting(o: &Observation, reason: Reason, message: &str, requeue: Requeue) -> Step {
    blocked(o, &Blocker::passing(reason, message), requeue)
}

/// Looks for a user of this generation or a later one, and makes it where there is none.
fn find_or_make(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, at_least: i64) -> Step {
    let Some(found) = &o.search else {
        // What was never asked of the portal is not looked for there either while it cannot be asked.
        let first = if attempt_ahead(o).is_none() { ready_to_make(o, desired, portal) } else { Ok(None) };
        return match first {
            Ok(step) => step.unwrap_or(Step::Read(Read::Search)),
            Err(step) => step,
        };
    };
    match candidates::choose(o, portal, found, at_least) {
        Ok(Choice::Take(current)) => follow(o, desired, portal, &current),
        Ok(Choice::Make(generation)) => make(o, desired, portal, generation),
        Err(blocker) => blocked(o, &blocker, o.timers.recheck()),
    }
}

/// Everything that must hold before the portal is asked for a user, then the asking.
pub(super) fn make(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, generation: i64) -> Step {
    if let Err(blocker) = candidates::can_be_created(generation) {
        return blocked(o, &blocker, o.timers.recheck());
    }
    if let Some(step) = unsettled_attempt(o) {
        return step;
    }
    match ready_to_make(o, desired, portal) {
        Ok(Some(step)) | Err(step) => return step,
        Ok(None) => {}
    }
    // A definite refusal of this process left nothing behind that a search could find.
    let refused_here = attempt_ahead(o).is_some_and(|open| open.state == AttemptState::RefusedRetry);
    if o.search.is_none() && !refused_here {
        return Step::Read(Read::Search);
    }
    if let Some(refusal) = &o.refusal {
        return blocked(o, refusal, Requeue::Backoff);
    }
    match roles::resolve(&desired.roles, &portal.roles) {
        Ok(resolved) => {
            let user = NewUser {
                name: o.owner.user_name(generation, desired.name.as_deref()),
                description: o.description(generation),
                role_ids: resolved.ids,
            };
            Step::Write(Write::Create { generation, user })
        }
        Err(blocker) => blocked(o, &blocker, o.timers.recheck()),
    }
}

/// What has to be found out before a user is made (`Ok(Some)`), or what stands in the way (`Err`).
fn ready_to_make(o: &Observation, desired: &DesiredUser, portal: &PortalFacts) -> Result<Option<Step>, Step> {
    bounds::create(o, desired, portal).map_err(|blocker| blocked(o, &blocker, o.timers.recheck()))?;
    match &o.writable {
        None => Ok(Some(Step::Read(Read::Writable))),
        Some(Err(blocker)) => Err(Step::user_blocked(blocker.clone(), Requeue::Backoff)),
        Some(Ok(())) => Ok(None),
    }
}
