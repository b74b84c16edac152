//! From an active user to outputs that hold its verified credential, and the checks after that.

use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::user::UserKind;

use super::observation::{CredentialAt, Desired, Observation, OutputState, OutputView, UserFacts, Verified};
use super::selector::Selector;
use super::settled::{Report, Requeue, Settled, Stage};
use super::step::{Read, Step, UserRef, Write};

/// The periodic verification if it is due. It comes before anything that may fail, such as reading another user.
pub(super) fn check(o: &Observation, current: &UserRef) -> Option<Step> {
    let due = !o.is_verified_at_all() && o.timers.verification.is_zero();
    due.then(|| Step::Read(verify_published(o, current)))
}

/// Asks about the published credential. All outputs hold the same one. If none can be read back, the one that the portal shows
/// is asked about; an output that holds another one is found by its digest then.
fn verify_published(o: &Observation, current: &UserRef) -> Read {
    let holds = |output: &OutputView| output.holds(&current.id, output.recorded.as_ref());
    let published = o.outputs.iter().find(|output| output.can_be_read_back() && holds(output));
    match (published, o.view(&current.id)) {
        (Some(output), _) => Read::Verify(CredentialAt::Output(output.id.clone())),
        (None, None) => Read::User(current.id.clone()),
        (None, Some(_)) => Read::Verify(CredentialAt::Portal(current.id.clone())),
    }
}

/// Everything is as recorded, and nothing is to be done.
pub(super) fn keep(o: &Observation, current: &UserRef) -> Step {
    if let Some(step) = still_ready(o, current) {
        return step;
    }
    match &o.published_proof {
        // An outage of the token endpoint says nothing about a credential that was verified before.
        Some(Verified::Unreachable(_)) => settled(o, current, Report::StillReady, Requeue::Backoff),
        _ => settled(o, current, Report::Ready, o.timers.healthy()),
    }
}

/// The end of a reconcile in which the state of an output is unknown and the resource was ready: a store that is down says
/// nothing about what was written to it. The entry of the output in the status reports it. What only a person can repair in the
/// store is reported as such.
fn still_ready(o: &Observation, current: &UserRef) -> Option<Step> {
    let mut unknown = o.outputs.iter().filter_map(OutputView::unknown);
    if let Some(lasting) = unknown.clone().find(|blocker| blocker.stalled) {
        return Some(blocked(o, current, lasting));
    }
    let still = unknown.next().is_some() && o.spec_observed;
    still.then(|| settled(o, current, Report::StillReady, Requeue::Backoff))
}

/// Verifies the credential that the user's details show, and publishes it to each output that does not hold it. An output that
/// cannot be written does not prevent the others.
pub(super) fn publish(o: &Observation, current: &UserRef, user: &UserFacts) -> Step {
    if user.contents.is_none() {
        return settled(o, current, Stage::Credential.blocked(not_shown(current)), Requeue::Backoff);
    }
    let holds = |output: &OutputView| output.holds(&current.id, user.content(&output.id));
    let out_of_reach = |output: &OutputView| {
        let unknown = || output.unknown().filter(|_| !holds(output)).cloned();
        why_not_served(user, output).or_else(unknown)
    };
    let blocker = o.outputs.iter().find_map(out_of_reach);
    let ours: Vec<&OutputView> = o.outputs.iter().filter(|output| out_of_reach(output).is_none()).collect();
    if let (Some(blocker), true) = (&blocker, ours.is_empty()) {
        let check = check(o, current).filter(|_| o.recorded.credential_published);
        return check.unwrap_or_else(|| blocked(o, current, blocker));
    }
    if let Some(unread) = ours.iter().find(|output| output.is_unread()) {
        return Step::Read(Read::Output(unread.id.clone()));
    }
    let unknown = o.outputs.iter().find_map(OutputView::unknown);
    let end = |requeue| match blocker.as_ref().or(unknown.filter(|_| !o.spec_observed)) {
        Some(blocker) => blocked(o, current, blocker),
        None => still_ready(o, current).unwrap_or_else(|| settled(o, current, Report::Ready, requeue)),
    };
    let (held, missing): (Vec<&OutputView>, Vec<&OutputView>) =
        ours.into_iter().partition(|output| holds(output));
    let as_recorded = |output: &&OutputView| output.recorded.as_ref() == user.content(&output.id);
    // A credential that was verified once and is still published needs no second verification.
    let proved_before =
        o.recorded.credential_published && held.iter().all(as_recorded) && !is_refused(o, current);
    if proved_before && missing.is_empty() {
        // An outage of the token endpoint says nothing of it; it is tried again later.
        let requeue = if is_unreachable(o, current) { Requeue::Backoff } else { o.timers.healthy() };
        return check(o, current).unwrap_or_else(|| end(requeue));
    }
    if proved_before
        && !held.is_empty()
        && o.proof_of(&current.id).is_none()
        && let Some(step) = without_a_token(o, current, &missing)
    {
        return step;
    }
    let blocker = match o.proof_of(&current.id) {
        Some(Verified::Accepted) => {
            return write_next(o, current, &missing).unwrap_or_else(|| end(o.timers.healthy()));
        }
        Some(Verified::Refused { unknown_client }) => refused(o, current, user, *unknown_client),
        Some(Verified::Unreachable(reason)) => unreachable(reason),
        None => return Step::Read(Read::Verify(CredentialAt::Portal(current.id.clone()))),
    };
    settled(o, current, Stage::Credential.blocked(blocker), Requeue::Backoff)
}

/// What comes before a token request for outputs that do not hold the credential, while others do: if none of them can be
/// written, no token is requested.
fn without_a_token(o: &Observation, current: &UserRef, missing: &[&OutputView]) -> Option<Step> {
    let generation = current.generation();
    let writable = |output: &OutputView| output.writable_for(generation).cloned();
    if let Some(unasked) = missing.iter().find(|output| writable(output).is_none()) {
        return Some(Step::Read(Read::Writable { output: unasked.id.clone(), generation }));
    }
    let none_can_be_written = missing.iter().all(|output| matches!(writable(output), Some(Err(_))));
    none_can_be_written.then(|| check(o, current).or_else(|| write_next(o, current, missing))).flatten()
}

/// The write of the first output that can be written, or why none can.
fn write_next(o: &Observation, current: &UserRef, missing: &[&OutputView]) -> Option<Step> {
    let mut denied = None;
    for output in missing {
        if let Some(Err(blocker)) = output.writable_for(current.generation()) {
            denied = denied.or(Some(blocker));
        } else {
            let write = Write::Publish { user: current.clone(), output: output.id.clone() };
            return Some(Step::Write(before_the_first(o, current, output).unwrap_or(write)));
        }
    }
    denied.map(|blocker| blocked(o, current, blocker))
}

/// What comes before the first write to a place: the finalizer, if Kubernetes does not remove the place with the resource, and the
/// entry in the status, also if the output has another place for each content, or is added to others. Otherwise no process would
/// remove it if this one ends in between and the spec changes.
fn before_the_first(o: &Observation, current: &UserRef, output: &OutputView) -> Option<Write> {
    if output.outlives_resource && !o.finalizer {
        return Some(Write::AddFinalizer);
    }
    let is_named = output.in_status || !output.outlives_resource && !o.recorded.credential_published;
    let record = || Write::RecordOutput { user: current.clone(), output: output.id.clone() };
    (!is_named || o.goes_elsewhere(&current.id, &output.id)).then(record)
}

fn blocked(o: &Observation, current: &UserRef, blocker: &Blocker) -> Step {
    settled(o, current, Stage::Output.blocked(blocker.clone()), Requeue::Backoff)
}

fn answers<'a>(o: &'a Observation, user: &UserRef) -> impl Iterator<Item = &'a Verified> {
    o.published_proof.iter().chain(o.proof_of(&user.id))
}

/// Whether the token endpoint refused in this reconcile the credential in an output, or the one that the portal shows.
fn is_refused(o: &Observation, user: &UserRef) -> bool {
    answers(o, user).any(|answer| matches!(answer, Verified::Refused { .. }))
}

fn is_unreachable(o: &Observation, user: &UserRef) -> bool {
    answers(o, user).any(|answer| matches!(answer, Verified::Unreachable(_)))
}

/// Why an output gets no credential, whatever the token endpoint answers: it is not ours, or its content cannot be built.
fn why_not_served(user: &UserFacts, output: &OutputView) -> Option<Blocker> {
    foreign(output).or_else(|| user.invalid(&output.id).cloned())
}

pub(super) fn foreign(output: &OutputView) -> Option<Blocker> {
    let OutputState::Foreign(owner) = &output.state else { return None };
    let kind = &output.id.kind;
    Some(Blocker::lasting(
        Reason::OutputNotOurs,
        format!(
            "The {} exists and belongs to {owner}. The operator does not change it. Delete it, or name another {kind} in \
             outputs.",
            output.id
        ),
    ))
}

fn not_shown(current: &UserRef) -> Blocker {
    Blocker::passing(
        Reason::CredentialNotShown,
        format!(
            "The portal shows no credential for user {}, or does not report the token endpoint of the wallet. Portals before \
             2.3 never report it: set walletTokenUrl in the Portal.",
            current.id
        ),
    )
}

fn refused(o: &Observation, current: &UserRef, user: &UserFacts, unknown_client: bool) -> Blocker {
    let is_of_an_offer = matches!(&o.desired, Desired::Existing { selector: Selector::Offer(_) });
    let was_accepted = o.recorded.credential_published
        && o.recorded.user.as_ref().is_some_and(|recorded| recorded.id == current.id);
    // The client of an internal user is disabled until the subscription is active.
    if is_of_an_offer && !was_accepted && unknown_client && user.kind == UserKind::Internal {
        return Blocker::passing(
            Reason::WaitingForProvider,
            format!(
                "The token endpoint does not accept the credential of user {} yet. It accepts it once the provider of the offer \
                 has activated the subscription.",
                current.id
            ),
        );
    }
    Blocker::passing(
        Reason::CredentialRefused,
        format!(
            "The token endpoint refuses the credential that the portal shows for user {}, so the operator does not publish it. \
             The credential of a marketplace subscription is accepted when the subscription is active.",
            current.id
        ),
    )
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
    Step::Settled(Settled::of(o, current, report, requeue))
}
