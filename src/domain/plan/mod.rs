//! The core of the operator: the next step for one `TechnicalUser`.
//!
//! [`plan`] is total and pure. The caller carries out its step, puts the result into the [`Observation`] and calls it again,
//! until a [`Step::Settled`] ends the reconcile.
//!
//! One file for each subject: `created` plans a resource whose user the operator owns, `existing` one whose user exists
//! already, `deletion` one under deletion. `pin` compares portal and company, `settle` waits for an open attempt, `current`
//! finds the user that can serve, `rotate` says whether its credential is to be replaced, `role_change` whether the spec names other
//! roles than it was created with, `create` leads to a new one and
//! `candidates` chooses among existing ones, `reset` replaces just the secret, `publish` verifies and publishes, `restart` restarts
//! the workloads that read the outputs, `retire` removes former outputs, `predecessor` says how long a user is kept that was replaced, `tidy` deletes such users and
//! duplicates, `retain` keeps
//! users in the portal; `bounds` checks what no step may exceed; `suspended` ends the plan of a suspended resource before its first
//! write, and `planned` describes what would be written. A function that returns `Result<T, Step>` returns in `Err` the step that comes before all that follows.

mod adopt;
mod bounds;
mod candidates;
mod create;
mod created;
mod current;
mod deletion;
mod existing;
mod holding;
mod observation;
mod output_reports;
mod pin;
mod planned;
mod predecessor;
mod publish;
mod reset;
mod restart;
mod retain;
mod retire;
mod role_change;
mod rotate;
mod selected;
mod selector;
mod settle;
mod settled;
mod step;
mod suspended;
#[cfg(test)]
mod tests;
mod tidy;
mod token_roles;

pub use current::{FIRST_PENDING_POLL, PENDING_LIMIT, pending_poll};
use holding::Holding;
pub use observation::*;
pub use output_reports::{OutputReport, holds_credential, report_of};
pub use pin::{ambiguous, company, of_attempt as attempt_pin};
pub use planned::{MOST_PLANNED, Planned};
pub use predecessor::{is_settled, unrecorded as unrecorded_predecessors};
pub use reset::unverified;
pub use restart::{Restarted, pending as restart_pending};
pub use retain::LEFT_FOR_SUCCESSOR;
pub use retire::MOST_FORMER;
pub use role_change::{has_roles_of_spec, roles_asked, takes_roles_away};
pub use rotate::{Rotated, has_begun};
pub use selector::{OfferSelector, Selector};
pub use settled::{Report, Requeue, Settled, Stage};
pub use step::{Notice, Read, Step, UserRef, Write};
pub use token_roles::reports_token_roles;

use crate::domain::blocker::Blocker;
use crate::domain::grace::RETRY_INTERVAL;
use crate::domain::identity::Hint;
use crate::domain::reason::Reason;

/// What to do next.
#[must_use]
pub fn plan(o: &Observation) -> Step {
    let step = match bounds::within(o, retire::or_remove_former(o, wanted(o))) {
        Step::Settled(settled) => Step::Settled(within_grace(o, as_reported_while_connecting(o, settled))),
        step => step,
    };
    suspended::stop(o, restart::before_the_end(o, step))
}

fn wanted(o: &Observation) -> Step {
    // Only the finalizer can prevent a deletion, also that of a resource with an existing user, whose outputs would be lost.
    if o.protected && !o.deleting && !o.finalizer && o.recorded.user.is_some() {
        return Step::Write(Write::AddFinalizer);
    }
    // An output that another client wrote since is read before any request to the portal.
    let unread = o.outputs.iter().find(|output| output.is_unread());
    if let Some(output) = unread.filter(|_| !o.deleting && o.recorded.user.is_some()) {
        return Step::Read(Read::Output(output.id.clone()));
    }
    match (&o.desired, o.deleting) {
        (_, true) => deletion::plan(o),
        (Desired::Create(desired), false) => created::plan(o, desired),
        (Desired::Existing { selector }, false) => existing::plan(o, selector),
    }
}

/// What was reported before a restart is kept until the Portal is connected again.
fn as_reported_while_connecting(o: &Observation, settled: Settled) -> Settled {
    if o.connecting && o.portal.is_err() && o.reported && settled.report != Report::Gone {
        return Settled { current: None, report: Report::Unchanged, ..settled };
    }
    settled
}

/// A blocker that may end when another object appears is not `Stalled` at first, and is checked often.
fn within_grace(o: &Observation, mut settled: Settled) -> Settled {
    if let Report::Blocked { blocker, .. } = &mut settled.report
        && let Some(left) = o.waiting.left(blocker)
    {
        blocker.stalled = false;
        settled.requeue = settled.requeue.at(left.min(RETRY_INTERVAL));
    }
    settled
}

/// Whether a hint is that of this installation, or of one that it takes over.
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

/// The end of a reconcile that a blocker ends. A resource that is as recorded is still ready if the blocker is temporary.
fn blocked(o: &Observation, blocker: &Blocker, requeue: Requeue) -> Step {
    let holding = Holding::of(o);
    let as_before = holding.is_as_recorded(o) || holding.was_in_order(o) && rotate::serves(o);
    if !blocker.stalled && as_before && !reset::is_unclear_for_long(o) {
        let mut settled = Settled::new(Report::StillReady, requeue);
        if rotate::is_in_progress(o) {
            *settled.rotation = Rotated::waits_for(blocker.clone());
        }
        Step::Settled(settled)
    } else {
        Step::user_blocked(blocker.clone(), requeue)
    }
}

/// What comes after a temporary blocker interrupted the plan: the end of the reconcile, or a restart, which needs no portal.
#[must_use]
pub fn interrupted(o: &Observation, blocker: &Blocker, requeue: Requeue) -> Step {
    let step = if o.deleting {
        Step::settled(Report::Deleting(Blocker { stalled: false, ..blocker.clone() }), requeue)
    } else {
        blocked(o, blocker, requeue)
    };
    let rest = match step {
        Step::Settled(rest) => rest,
        Step::Read(_) | Step::Write(_) => Settled::new(Stage::User.blocked(blocker.clone()), requeue),
    };
    let settled = match just_created(o) {
        Some(current) if !o.deleting && rest.current.is_none() && !rotate::serves(o) => {
            Settled::of(o, &current, rest.report, rest.requeue)
        }
        _ => rest,
    };
    let settled = within_grace(o, as_reported_while_connecting(o, settled));
    suspended::stop(o, restart::before_the_end(o, Step::Settled(settled)))
}

/// The user that this process created and that no status names yet. It is recorded without being read, unless the one that
/// it replaces serves.
fn just_created(o: &Observation) -> Option<UserRef> {
    let open = holding::next(o)?;
    let generation = open.generation()?;
    let AttemptState::Created(id) = &open.state else { return None };
    let here = o.portal.as_ref().is_ok_and(|portal| pin::is_here(o, portal));
    here.then(|| UserRef::created(id.clone(), generation))
}
