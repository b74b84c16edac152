//! The rotation of a secret in place: the portal resets it, and the former one is invalid at once. So every output is proved
//! writable first, and what is written on the resource before the request says that a reset is in progress.

use std::time::Duration;

use super::bounds;
use super::current::user_blocked;
use super::observation::{Done, Observation, PortalFacts, ResetState};
use super::settled::{Report, Requeue, Settled, Stage};
use super::step::{Read, Step, UserRef, Write};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

/// How long a resource is `Ready` although the credential in its outputs may be refused: longer than the portal may take for a
/// reset, so that an answer that was lost does not end it.
const PATIENCE: Duration = Duration::from_secs(90);

/// The next step that leads to another secret of a user that serves.
pub(super) fn next(o: &Observation, portal: &PortalFacts, user: &UserRef) -> Step {
    step(o, portal, user).unwrap_or_else(|first| first)
}

fn step(o: &Observation, portal: &PortalFacts, user: &UserRef) -> Result<Step, Step> {
    let waits = |blocker: Blocker, requeue: Requeue| user_blocked(o, user, blocker, requeue);
    bounds::reset(portal).map_err(|blocker| waits(blocker, o.timers.recheck()))?;
    match o.rotation.reset.as_ref().map(|reset| &reset.state) {
        Some(ResetState::InFlight) => return Err(unclear(o, user, in_progress(user), o.timers.recheck())),
        Some(ResetState::Settling(left)) => {
            return Err(unclear(o, user, settling(&user.id), Requeue::In(*left)));
        }
        Some(ResetState::Refused(blocker)) => return Err(waits(blocker.clone(), Requeue::Backoff)),
        Some(ResetState::Ended | ResetState::Compared) | None => {}
    }
    // The secret that is published is invalid after the reset, so it has to be possible to write the next one everywhere.
    let generation = user.generation();
    for output in &o.outputs {
        match output.writable_for(generation) {
            None => return Err(Step::Read(Read::Writable { output: output.id.clone(), generation })),
            Some(Err(blocker)) => {
                let report = Stage::Output.blocked(blocker.clone());
                return Err(Step::settled(report, Requeue::Backoff));
            }
            Some(Ok(())) => {}
        }
    }
    if !o.live {
        return Err(Step::Read(Read::Object));
    }
    let credential = o.rotation.credential.saturating_add(1);
    Ok(Step::Write(Write::RotateSecret { user: user.clone(), credential }))
}

/// The portal may still carry out the reset.
fn unclear(o: &Observation, user: &UserRef, blocker: Blocker, requeue: Requeue) -> Step {
    let left = PATIENCE.saturating_sub(o.rotation.unclear_for);
    let requeue = if left.is_zero() { requeue } else { requeue.sooner(Requeue::In(left)) };
    Step::Settled(Settled::of(o, user, Stage::Credential.blocked(blocker), requeue))
}

/// Whether it has not been known for long whether the credential in the outputs is valid.
pub(super) fn is_unclear_for_long(o: &Observation) -> bool {
    (is_to_be_compared(o) || may_be_carried_out(o)) && o.rotation.unclear_for >= PATIENCE
}

/// Why the credential in the outputs may be refused, where the report does not say it.
#[must_use]
pub fn unverified(o: &Observation, report: &Report) -> Option<Blocker> {
    let user = o.recorded.user.as_ref()?;
    let is_compared = || o.facts(&user.id).is_some_and(|facts| !facts.other_credential);
    let unclear = match report {
        Report::Ready => may_be_carried_out(o),
        Report::StillReady | Report::Blocked { stage: Stage::User, .. } => {
            may_be_carried_out(o) || is_to_be_compared(o) && !is_compared()
        }
        _ => false,
    };
    unclear.then(|| settling(&user.id))
}

/// Whether a reset has ended whose result the outputs may not hold: the user's details show it.
pub(super) fn is_to_be_compared(o: &Observation) -> bool {
    o.rotation.reset.as_ref().is_some_and(|reset| reset.state == ResetState::Ended)
}

/// Whether the portal may still carry out a reset.
pub(super) fn may_be_carried_out(o: &Observation) -> bool {
    let state = o.rotation.reset.as_ref().map(|reset| &reset.state);
    matches!(state, Some(ResetState::InFlight | ResetState::Settling(_)))
}

/// Whether a reset led to the secret that the user's details show: it was carried out in this reconcile, or the details show
/// another credential than the status names. They may have been read before its outcome is known, such as for a new spec.
pub(super) fn had_effect(o: &Observation, id: &UserId) -> bool {
    if !is_to_be_compared(o) && !may_be_carried_out(o) {
        return false;
    }
    o.is_done(id, &Done::SecretRotated) || o.facts(id).is_some_and(|facts| facts.other_credential)
}

fn in_progress(user: &UserRef) -> Blocker {
    Blocker::passing(
        Reason::Rotating,
        format!("The operator is resetting the secret of user {} in the portal", user.id),
    )
}

fn settling(id: &UserId) -> Blocker {
    Blocker::passing(
        Reason::Rotating,
        format!(
            "It is not known whether the portal has reset the secret of user {id}. The operator waits until the portal has had its \
             time, and reads the secret then."
        ),
    )
}
