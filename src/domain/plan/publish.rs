//! From an active user to an output that holds its verified credential, and the checks after that.

use crate::domain::reason::Reason;
use crate::domain::roles::Blocker;

use super::observation::{CredentialAt, Observation, SecretView, UserFacts, Verified};
use super::settled::{Report, Requeue, Settled, Stage};
use super::step::{Read, Step, UserRef, Write};

/// The periodic verification if it is due. It comes before anything that may fail, such as reading another user.
pub(super) fn check(o: &Observation) -> Option<Step> {
    let due = !o.is_verified_at_all() && o.timers.verification.is_zero();
    due.then_some(Step::Read(Read::Verify(CredentialAt::Output)))
}

/// Everything is as recorded, and nothing is to be done.
pub(super) fn keep(o: &Observation, current: &UserRef) -> Step {
    match &o.published_proof {
        // An outage of the token endpoint says nothing about a credential that was verified before.
        Some(Verified::Unreachable(_)) => settled(o, current, Report::StillReady, Requeue::Backoff),
        _ => settled(o, current, Report::Ready, o.timers.healthy()),
    }
}

/// Verifies the credential that the user's details show, and publishes it if the output does not hold it.
pub(super) fn publish(o: &Observation, current: &UserRef, user: &UserFacts) -> Step {
    let Some(wanted) = &user.digest else {
        return settled(
            o,
            current,
            Stage::Credential.blocked(Blocker::passing(
                Reason::CredentialNotShown,
                format!(
                    "The portal shows no credential for user {}, or does not report the token endpoint of the wallet. Portals \
                     before 2.3 never report it: set walletTokenUrl in the Portal.",
                    current.id
                ),
            )),
            Requeue::Backoff,
        );
    };
    let published = match &o.secret {
        SecretView::Foreign(owner) => {
            return settled(
                o,
                current,
                Stage::Output.blocked(Blocker::lasting(
                    Reason::SecretNotOurs,
                    format!(
                        "A Secret with this name exists and belongs to {owner}. The operator does not change it. Delete it, \
                         or name another Secret in outputs."
                    ),
                )),
                Requeue::Backoff,
            );
        }
        SecretView::Absent => false,
        SecretView::Ours { digest: None, .. } => return Step::Read(Read::Secret),
        SecretView::Ours { digest: Some(digest), metadata_as_wanted, user: holder, .. } => {
            digest == wanted && *metadata_as_wanted && holder.as_ref() == Some(&current.id)
        }
    };
    // A credential that was verified once and is still published needs no second verification.
    let proved = published
        && o.recorded.credential_published
        && o.recorded.digest.as_ref() == Some(wanted)
        && !is_refused(o, current);
    if proved {
        // An outage of the token endpoint says nothing of it; it is tried again later.
        let unreachable = matches!(o.published_proof, Some(Verified::Unreachable(_)));
        let requeue = if unreachable { Requeue::Backoff } else { o.timers.healthy() };
        return check(o).unwrap_or_else(|| settled(o, current, Report::Ready, requeue));
    }
    match o.proof_of(&current.id) {
        Some(Verified::Accepted) if published => {
            settled(o, current, Report::Ready, o.timers.healthy())
        }
        Some(Verified::Accepted) => match &o.writable {
            Some(Err(blocker)) => settled(o, current, Stage::Output.blocked(blocker.clone()), Requeue::Backoff),
            _ => Step::Write(Write::Publish(current.clone())),
        },
        Some(Verified::Refused { .. }) => settled(
            o,
            current,
            Stage::Credential.blocked(Blocker::passing(
                Reason::CredentialRefused,
                format!(
                    "The token endpoint refuses the credential that the portal shows for user {}, so the operator does not \
                     publish it. The credential of a marketplace subscription is accepted when the subscription is active.",
                    current.id
                ),
            )),
            Requeue::Backoff,
        ),
        Some(Verified::Unreachable(reason)) => {
            settled(o, current, Stage::Credential.blocked(unreachable(reason)), Requeue::Backoff)
        }
        None => Step::Read(Read::Verify(CredentialAt::Portal(current.id.clone()))),
    }
}

/// An output that the spec no longer names is removed after the credential is in the one that it names, and before it is removed
/// from the status.
pub(super) fn or_remove_former(o: &Observation, step: Step) -> Step {
    match (&step, o.former_outputs.first()) {
        (Step::Settled(Settled { report: Report::Ready, .. }), Some(former)) => {
            Step::Write(Write::RemoveOutput(former.clone()))
        }
        _ => step,
    }
}

/// Whether the token endpoint refused in this reconcile the credential in the output, or the one that the portal shows.
fn is_refused(o: &Observation, user: &UserRef) -> bool {
    [o.published_proof.as_ref(), o.proof_of(&user.id)]
        .iter()
        .any(|answer| matches!(answer, Some(Verified::Refused { .. })))
}

pub(super) fn unreachable(reason: &str) -> Blocker {
    Blocker::passing(
        Reason::TokenEndpointUnreachable,
        format!(
            "The operator cannot verify the credential, because its token endpoint cannot be reached: {reason}. Check \
             whether an egress rule or a proxy setting for this host is missing."
        ),
    )
}

pub(super) fn settled(o: &Observation, current: &UserRef, report: Report, requeue: Requeue) -> Step {
    // A healthy user is not replaced: the request is answered with an Event.
    let answered = report == Report::Ready && o.rotation_requested;
    let rotation_handled = answered || o.rotation_in_progress(current);
    Step::Settled(Settled { current: Some(current.clone()), report, requeue, rotation_handled })
}
