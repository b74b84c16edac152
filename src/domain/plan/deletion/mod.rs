//! The plan of a resource under deletion: each of its users is deleted, revoked or retained, then what outlives the resource of
//! its outputs is removed, then the finalizer.

mod outputs;
mod targets;
mod user;

use std::time::Duration;

use self::outputs::{ABANDON_AFTER, Abandon, without_outputs};
use self::targets::{in_flight, targets};
use self::user::{delete_user, is_left_to_a_person};
use super::observation::{AfterUsers, AttemptState, Desired, Done, Observation, PortalFacts, UserView};
use super::pin::{self, Pinned};
use super::retain::record_retained;
use super::settled::{Report, Requeue};
use super::step::{Read, Step, Write};
use crate::domain::blocker::Blocker;
use crate::domain::ownership::{Origin, Whose};
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

pub(super) fn plan(o: &Observation) -> Step {
    if !o.finalizer {
        return Step::gone();
    }
    if o.protected {
        return prevented();
    }
    if o.released {
        return released(o);
    }
    let policy = match &o.desired {
        Desired::Create(desired) => desired.deletion,
        // An existing user is never changed.
        Desired::Existing { .. } => return without_outputs(o, Abandon::Never),
    };
    match o.users_done {
        Some(AfterUsers::NoneIsValid) => return without_outputs(o, Abandon::After(ABANDON_AFTER)),
        Some(AfterUsers::OneMayBeValid) => return without_outputs(o, Abandon::Never),
        None => {}
    }
    let portal = match &o.portal {
        Ok(portal) => portal,
        Err(blocker) => return hold(blocker, Requeue::Backoff),
    };
    match pin::check(o, portal) {
        Pinned::Here => {}
        Pinned::Next(step) => return step,
        Pinned::Blocked(blocker, requeue) => return hold(&blocker, requeue),
    }
    if portal.suspended {
        return Step::held(
            Reason::PortalSuspended,
            "The Portal is suspended (suspend: true). The operator keeps the user until suspend is false.",
            o.timers.recheck(),
        );
    }
    let targets = match targets(o) {
        Ok(targets) => targets,
        Err(step) => return step,
    };
    // One user that cannot be deleted does not prevent the deletion of the others.
    let mut held = None;
    for id in &targets {
        match delete_user(o, portal, policy, id) {
            Some(step @ Step::Settled(_)) => held = held.or(Some(step)),
            // Another object may have the name by now, and use the user.
            Some(step) if changes_a_user(&step) && !o.live => return Step::Read(Read::Object),
            Some(step) => return reported(o, step),
            None => {}
        }
    }
    let without_users = if o.to_remove.is_empty() {
        Write::RemoveFinalizer
    } else {
        Write::UsersAreDone(after_users(o, portal, &targets))
    };
    held.unwrap_or(Step::Write(without_users))
}

/// Whether a credential of these users, with which all is done, may still be accepted: that of a user that was kept and whose
/// secret was not reset just now.
fn after_users(o: &Observation, portal: &PortalFacts, targets: &[UserId]) -> AfterUsers {
    let may_be_valid = |id: &UserId| {
        let is_of_other = match o.view(id) {
            Some(UserView::Read(user)) => match o.whose(portal, id, user) {
                Whose::Other(_) | Whose::Unclaimed(_) => true,
                Whose::OursWithoutMark => is_left_to_a_person(o, id),
                _ => false,
            },
            _ => false,
        };
        is_of_other || (o.is_done(id, &Done::RecordedRetained) && !o.is_done(id, &Done::Reset))
    };
    if targets.iter().any(may_be_valid) { AfterUsers::OneMayBeValid } else { AfterUsers::NoneIsValid }
}

/// Reports a deletion before the request to the portal, which may need some time. Until then the status is that of the live
/// resource. What was reported since the deletion began is not replaced: a deletion that fails repeatedly would change it
/// each time.
fn reported(o: &Observation, step: Step) -> Step {
    let words = match &step {
        Step::Write(Write::Delete { id, .. }) => format!("The operator is deleting user {id} in the portal"),
        Step::Write(Write::Reset(id)) => {
            format!("The operator is resetting the secret of user {id} in the portal")
        }
        _ => return step,
    };
    // It is not prevented any more.
    let is_known = o.reported && o.reported_reason != Some(Reason::DeletionPrevented);
    if is_known { step } else { Step::Write(Write::ReportDeletion(words)) }
}

fn changes_a_user(step: &Step) -> bool {
    matches!(step, Step::Write(Write::Delete { .. } | Write::Reset(_) | Write::MarkRetained { .. }))
}

fn hold(blocker: &Blocker, requeue: Requeue) -> Step {
    Step::settled(Report::Deleting(Blocker { stalled: false, ..blocker.clone() }), requeue)
}

/// A person prevented the deletion. Nothing is changed, also if another annotation releases the resource: both may have been set by
/// mistake, and only this end can be corrected. The watch reports when the annotation is removed.
fn prevented() -> Step {
    let message = "The deletion is prevented by the annotation technicaluser.dev/prevent-deletion=true: each value but false prevents \
                   it. The operator changes neither the user in the portal nor an output. To continue the deletion, remove the \
                   annotation, or set technicaluser.dev/prevent-deletion=false. A deletion cannot be undone: to keep the user, \
                   set deletionPolicy to Retain first.";
    Step::settled(Report::Deleting(Blocker::lasting(Reason::DeletionPrevented, message)), Requeue::Never)
}

/// A person released the resource without a request to the portal: the users that are known are listed. A create in progress
/// is waited for.
fn released(o: &Observation) -> Step {
    let created = match o.attempt.as_ref().map(|open| &open.state) {
        Some(AttemptState::InFlight) => return in_flight(o),
        Some(AttemptState::Created(id)) => Some(id),
        _ => None,
    };
    let recorded = o.recorded_users().filter(|user| user.origin != Origin::Existing).map(|user| &user.id);
    recorded.chain(created).find(|id| !o.is_done(id, &Done::RecordedRetained)).map_or_else(
        || without_outputs(o, Abandon::After(Duration::ZERO)),
        |id| record_retained(id, "the resource was released by annotation, without a request to the portal"),
    )
}
