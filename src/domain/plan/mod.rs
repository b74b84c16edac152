//! The heart: what to do next for one `TechnicalUser`.
//!
//! [`plan`] is total and pure. Whoever carries its steps out puts what came of them into the [`Observation`] and asks
//! again, until a [`Step::Settled`] ends the reconcile.
//!
//! One file for each subject: `created` is the way of a user that the operator owns, `existing` that of one that is there
//! already, `deletion` the way out. `pin` compares portal and company, `settle` gives an open attempt its time, `current`
//! finds the user that can serve, `create` leads to a new one and `candidates` chooses among users that are there, `publish`
//! verifies and publishes, `tidy` removes what was created twice, `retain` keeps users in the portal; `bounds` holds what no
//! step may exceed. A function that returns `Result<T, Step>` returns in `Err` the step that comes before all that follows.

mod bounds;
mod candidates;
mod create;
mod created;
mod current;
mod deletion;
mod existing;
mod holding;
mod observation;
mod pin;
mod publish;
mod retain;
mod selector;
mod settle;
mod settled;
mod step;
#[cfg(test)]
mod tests;
mod tidy;
mod token_roles;

use holding::Holding;
pub use observation::{
    AttemptState, Confirmed, CredentialAt, Deletion, Desired, DesiredUser, Done, Known, Listed, Named,
    Observation, OpenAttempt, OutputId, PortalFacts, Recorded, RecordedPortal, RecordedUser, Searched,
    SecretView, Selection, Timers, UserFacts, UserView, Users, Verified,
};
pub use pin::{ambiguous, company, of_attempt as attempt_pin};
pub use selector::Selector;
pub use settled::{Report, Requeue, Settled, Stage};
pub use step::{Read, Step, UserRef, Write};
pub use token_roles::reports_token_roles;

use crate::domain::identity::Hint;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;

/// What to do next.
#[must_use]
pub fn plan(o: &Observation) -> Step {
    match bounds::within(o, publish::or_remove_former(o, wanted(o))) {
        Step::Settled(settled) => Step::Settled(as_reported_while_connecting(o, settled)),
        step => step,
    }
}

fn wanted(o: &Observation) -> Step {
    // A Secret that somebody wrote since is looked at before anybody else is asked.
    if !o.deleting && o.recorded.user.is_some() && matches!(o.secret, SecretView::Ours { digest: None, .. }) {
        return Step::Read(Read::Secret);
    }
    match (&o.desired, o.deleting) {
        (_, true) => deletion::plan(o),
        (Desired::Create(desired), false) => created::plan(o, desired),
        (Desired::Existing { selector }, false) => existing::plan(o, selector),
    }
}

/// What was reported before a restart holds until the Portal is connected again.
fn as_reported_while_connecting(o: &Observation, settled: Settled) -> Settled {
    if o.connecting && o.portal.is_err() && o.reported && settled.report != Report::Gone {
        return Settled { current: None, report: Report::Unchanged, ..settled };
    }
    settled
}

/// Whether a hint is that of this copy of the installation, or of one that it takes over.
fn ours(o: &Observation, portal: &PortalFacts, hint: &Hint) -> Result<(), Blocker> {
    if *hint == o.hint || portal.taken_over.contains(hint) {
        return Ok(());
    }
    Err(Blocker::lasting(
        Reason::TakenFromOtherCluster,
        format!(
            "The user of this resource was created by instance \"{}\" of another cluster (hint {hint}, this cluster has {}). \
             The operator changes nothing. If the other cluster does not exist any more, annotate the Portal with \
             technicaluser.dev/take-over={hint} to manage its users. If it is running, install one of the two with another \
             --instance.",
            o.owner.instance, o.hint
        ),
    ))
}

/// The end of a pass that something keeps from going on. A resource that is as it should be stays ready through what
/// passes by itself.
fn blocked(o: &Observation, blocker: &Blocker, requeue: Requeue) -> Step {
    if !blocker.stalled && Holding::of(o).is_as_recorded(o) {
        Step::settled(Report::StillReady, requeue)
    } else {
        Step::user_blocked(blocker.clone(), requeue)
    }
}

/// The end of a pass that was interrupted by something that passes.
#[must_use]
pub fn interrupted(o: &Observation, blocker: &Blocker, requeue: Requeue) -> Settled {
    let step = if o.deleting {
        Step::settled(Report::Deleting(Blocker { stalled: false, ..blocker.clone() }), requeue)
    } else {
        blocked(o, blocker, requeue)
    };
    let rest = match step {
        Step::Settled(rest) => rest,
        Step::Read(_) | Step::Write(_) => Settled {
            current: None,
            report: Stage::User.blocked(blocker.clone()),
            requeue,
            rotation_handled: false,
        },
    };
    let settled = match just_made(o) {
        Some(current) if !o.deleting && rest.current.is_none() => {
            Settled { rotation_handled: o.rotation_under_way(&current), current: Some(current), ..rest }
        }
        _ => rest,
    };
    as_reported_while_connecting(o, settled)
}

/// The user that this process made and that no status names yet: there is no need to look at it to write it down.
fn just_made(o: &Observation) -> Option<UserRef> {
    let open = o.attempt.as_ref()?;
    let generation = open.generation().filter(|generation| *generation > o.recorded_generation())?;
    let AttemptState::Made(id) = &open.state else { return None };
    let here = o.portal.as_ref().is_ok_and(|portal| pin::is_here(o, portal));
    here.then(|| UserRef::created(id.clone(), generation))
}
