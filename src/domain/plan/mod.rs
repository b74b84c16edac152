//! The heart: what to do next for one `TechnicalUser`.
//!
//! [`plan`] is total and pure. Whoever carries its steps out puts what came of them into the [`Observation`] and asks
//! again, until a [`Step::Rest`] ends the pass. `live` leads a resource to its user, `follow` that user
//! to a published credential, `existing` does so
//! for a user that is there already, `deletion` takes the user back; `candidates` chooses among users of our name.

mod candidates;
mod credential;
mod deletion;
mod existing;
mod follow;
mod live;
mod observation;
mod step;
#[cfg(test)]
mod tests;

pub use observation::{
    AttemptState, Candidate, Confirmed, Deletion, Desired, DesiredUser, Done, Listed, Observation,
    OpenAttempt, PortalFacts, Proof, Recorded, RecordedPortal, RecordedUser, SecretView, UserFacts, UserView,
    Verified,
};
pub use step::{Current, Read, Report, Rest, Step, Wake, Write};

use crate::domain::identity::Hint;
use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;

/// What to do next.
#[must_use]
pub fn plan(o: &Observation) -> Step {
    // A Secret that somebody wrote since is looked at before anybody else is asked.
    if !o.deleting && o.recorded.user.is_some() && matches!(o.secret, SecretView::Ours { digest: None, .. }) {
        return Step::Read(Read::Secret);
    }
    match (&o.desired, o.deleting) {
        (_, true) => deletion::plan(o),
        (Desired::Create(desired), false) => live::plan(o, desired),
        (Desired::Existing { selector }, false) => existing::plan(o, selector),
    }
}

/// Whether the Portal still leads to the portal and company that the status and the attempt speak of, and whether it was
/// this copy of the installation that spoke. Where not, nothing may be concluded and nothing written.
fn same_portal(o: &Observation, portal: &PortalFacts) -> Result<(), Blocker> {
    let company_changed = |was: String| {
        Blocker::lasting(
            Reason::CompanyChanged,
            format!(
                "the Portal now leads to {} of company {}, but this resource's user is {was}; nothing is touched. \
                 Correct the Portal's address and login, or release this resource (annotation technicaluser.dev/release \
                 on its deletion) and make a new one",
                portal.url,
                portal.bpn.as_deref().unwrap_or("(unknown)"),
            ),
        )
    };
    if let Some(recorded) = &o.recorded.portal {
        if recorded.pin != portal.pin {
            let company = recorded.bpn.as_deref().unwrap_or("(unknown)");
            return Err(company_changed(format!("in {} of company {company}", recorded.url)));
        }
        ours(o, portal, &recorded.hint)?;
    }
    match &o.attempt {
        Some(OpenAttempt { attempt: Some(attempt), .. }) if attempt.pin != portal.pin => {
            Err(company_changed("being made in another one".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Whether a hint is that of this copy of the installation, or of one that it takes over.
fn ours(o: &Observation, portal: &PortalFacts, hint: &Hint) -> Result<(), Blocker> {
    if *hint == o.hint || portal.taken_over.contains(hint) {
        return Ok(());
    }
    Err(Blocker::lasting(
        Reason::TakenFromOtherCluster,
        format!(
            "this resource's user was made by instance \"{}\" of another cluster (hint {hint}, here {}); nothing is \
             touched. If that cluster is gone for good, annotate the Portal with technicaluser.dev/take-over: {hint}. If it \
             lives, give one of the two another --instance",
            o.owner.instance, o.hint
        ),
    ))
}

/// The end of a pass that something keeps from going on. A resource that is as it should be stays ready through what
/// passes by itself.
fn blocked(o: &Observation, blocker: &Blocker, wake: Wake) -> Step {
    if !blocker.stalled && follow::as_recorded(o) {
        Step::rest(Report::StillReady, wake)
    } else {
        Step::user_blocked(blocker.clone(), wake)
    }
}

/// The end of a pass that was interrupted by something that passes.
#[must_use]
pub fn interrupted(o: &Observation, blocker: &Blocker, wake: Wake) -> Rest {
    let step = if o.deleting {
        Step::rest(Report::Deleting(Blocker { stalled: false, ..blocker.clone() }), wake)
    } else {
        blocked(o, blocker, wake)
    };
    let rest = match step {
        Step::Rest(rest) => rest,
        Step::Read(_) | Step::Write(_) => {
            Rest { current: None, report: Report::User(blocker.clone()), wake, rotation_handled: false }
        }
    };
    match just_made(o) {
        Some(current) if !o.deleting && rest.current.is_none() => {
            Rest { rotation_handled: o.rotation_under_way(&current), current: Some(current), ..rest }
        }
        _ => rest,
    }
}

/// The user that this process made and that no status names yet: there is no need to look at it to write it down.
fn just_made(o: &Observation) -> Option<Current> {
    let open = o.attempt.as_ref()?;
    let generation = open.generation().filter(|generation| *generation > o.recorded_generation())?;
    let AttemptState::Made(id) = &open.state else { return None };
    let here = o.portal.as_ref().is_ok_and(|portal| same_portal(o, portal).is_ok());
    here.then(|| Current { id: id.clone(), generation })
}
