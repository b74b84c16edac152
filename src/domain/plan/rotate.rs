//! Rotation: whether the user or its secret is to be replaced and how, what serves meanwhile, and when a request is handled.
//!
//! A request by annotation replaces a user that is pending or unusable. A credential that serves is replaced on request, and
//! when it is as old as the spec permits: by a successor of the user, or by a reset of its secret. Other roles in the spec replace
//! the user.

use super::observation::{
    AttemptState, Desired, Observation, OpenAttempt, OutputId, PortalFacts, ResetState, Rotation, Searched,
    Strategy, UserView,
};
use super::reset;
use super::retire::{self, RECORDED_AFTER};
use super::settled::{Report, Requeue, Settled};
use super::step::{Notice, Read, Step, UserRef, Write};
use super::{holding, role_change};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserKind};

/// Whether a user is to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// It stays.
    No,
    /// It gets a successor.
    Successor,
}

/// What is known of a user that cannot serve, when a rotation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// It waits for the wallet service.
    Pending,
    /// Its client is missing in the identity provider.
    ClientMissing,
}

/// Whether a user that cannot serve is to be replaced.
pub(super) fn due(o: &Observation, user: &UserRef, condition: Condition) -> Due {
    let successor = match condition {
        Condition::Pending => {
            let is_given_up = o.rotation.gives_up.as_ref() == Some(&user.id);
            o.rotation.requested && (is_given_up || !is_from_request(o, user))
        }
        Condition::ClientMissing => o.rotation.requested,
    };
    if successor { Due::Successor } else { Due::No }
}

/// How a credential that serves gets its successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// By a successor of the user.
    Replace,
    /// By a reset of its secret.
    InPlace,
}

/// Whether anything is to be decided about a rotation, so that the user's details are read: a request, or whether a reset had
/// an effect. They are not read while the portal may still carry a reset out.
pub(super) fn is_undecided(o: &Observation) -> bool {
    let open = reset::may_be_carried_out(o);
    !open && (o.rotation.requested || reset::is_to_be_compared(o))
}

/// Whether the user that the status names serves, as far as is known: its credential is published, and nothing that was read shows
/// that it cannot be used.
pub(super) fn serves(o: &Observation) -> bool {
    let Some(recorded) = &o.recorded.user else { return false };
    recorded.active
        && o.recorded.credential_published
        && !matches!(o.view(&recorded.id), Some(UserView::Gone | UserView::ClientMissing))
}

/// Whether the user that the status names is being replaced by another one while it serves. An attempt to create a later one is
/// then that of its successor.
pub(super) fn is_in_progress(o: &Observation) -> bool {
    let Some(recorded) = &o.recorded.user else { return false };
    serves(o) && decide(o, &recorded.id).needs_successor()
}

/// Whether a rotation has begun: a create or a reset was recorded whose outcome is open. It is completed outside of a window, too.
#[must_use]
pub fn has_begun(o: &Observation, rotation: &Rotation) -> bool {
    let may_have_led_to = |open: &OpenAttempt| {
        let refused = matches!(open.state, AttemptState::Refused(_) | AttemptState::RefusedRetry);
        !refused
            && !open.is_closed()
            && open.generation().is_some_and(|generation| generation > o.recorded_generation())
            && role_change::has_roles_of_spec(o, open)
    };
    let reset = rotation.reset.as_ref().map(|reset| &reset.state);
    let resets = matches!(reset, Some(ResetState::InFlight | ResetState::Settling(_) | ResetState::Ended));
    resets || o.attempt.as_ref().is_some_and(may_have_led_to)
}

/// The attempt to create a successor that is not needed: the user that the status names serves by its details, and is not to be
/// replaced by another one (any more). A successor that exists all the same is a duplicate.
fn unneeded<'a>(o: &'a Observation, serving: &UserId) -> Option<&'a OpenAttempt> {
    let recorded = o.recorded.user.as_ref().is_some_and(|recorded| recorded.id == *serving);
    let reads = recorded && serves(o) && o.facts(serving).is_some();
    holding::next(o).filter(|_| reads && !is_in_progress(o))
}

/// Whether a rotation of the user that the status names is asked for, and did not end in this reconcile.
fn is_asked_for(o: &Observation, id: &UserId) -> bool {
    let recorded = o.recorded.user.as_ref().is_some_and(|recorded| recorded.id == *id);
    recorded && (o.rotation.requested || o.rotation.due) && !reset::had_effect(o, id)
}

/// What is decided of the user that serves.
#[derive(Default)]
struct Decision {
    /// How its credential gets a successor.
    how: Option<How>,
    /// Why that which is asked for or due is not carried out.
    answer: Option<Notice>,
    /// The user, if the spec names other roles than it was created with.
    outdated: Option<UserRef>,
    /// Why it is not replaced by one with the roles of the spec.
    roles_kept_because: Option<Blocker>,
}

impl Decision {
    /// Whether another user is to replace it, be it after a reset of its secret.
    fn needs_successor(&self) -> bool {
        self.how == Some(How::Replace) || self.outdated.is_some() && self.roles_kept_because.is_none()
    }
}

fn decide(o: &Observation, id: &UserId) -> Decision {
    let outdated = role_change::outdated(o).filter(|user| user.id == *id);
    let roles_kept_because = outdated.as_ref().and_then(|user| role_change::refused(o, kind(o), user));
    let by_roles = outdated.is_some() && roles_kept_because.is_none();
    let (how, answer) = match is_asked_for(o, id).then(|| how(o)) {
        // The secret that somebody may know is invalid first.
        Some(Ok(How::InPlace)) if o.rotation.compromised => (Some(How::InPlace), None),
        _ if by_roles => (Some(How::Replace), None),
        Some(Ok(how)) => (Some(how), None),
        Some(Err(answer)) => (None, Some(answer)),
        None => (None, None),
    };
    Decision { how, answer, outdated, roles_kept_because }
}

/// The next step of a resource, with its step as far as the user that serves is concerned. Its credential is replaced only while
/// it is in order, and what keeps that from being done is not reported as a fault of the resource.
pub(super) fn after(
    o: &Observation,
    portal: &PortalFacts,
    step: Step,
    replace: impl FnOnce(&UserRef) -> Step,
) -> Step {
    let (user, report) = match &step {
        Step::Settled(Settled { report, current: Some(user), .. }) => (user.clone(), report),
        _ => return step,
    };
    let decision = decide(o, &user.id);
    let only_roles = decision.outdated.is_some() && role_change::is_cured_by_successor(report);
    if *report != Report::Ready && !only_roles {
        return step;
    }
    // What is due or asked for concerns the credential that the status names. One that was published just now is recorded first: else
    // each successor would get another one at once.
    let is_new = o.facts(&user.id).is_some_and(|facts| facts.other_credential) && !retire::is_recorded(o);
    if *report == Report::Ready && is_new && decision.how.is_some() {
        return at_latest(step, Requeue::In(RECORDED_AFTER));
    }
    let step = match unneeded(o, &user.id).map(|open| &open.state) {
        None => step,
        Some(AttemptState::InFlight) => at_latest(step, o.timers.recheck()),
        Some(AttemptState::Settling(left)) => at_latest(step, Requeue::In(*left)),
        // The portal carries it out no more. What it has led to, the list has to show.
        Some(AttemptState::Settled) if o.searched == Searched::No => return Step::Read(Read::Search),
        Some(_) => return Step::Write(Write::CloseAttempt),
    };
    let step = match (decision.how, &decision.outdated) {
        // What is reported from now on rests on a status that says that the former user is in order.
        (Some(How::Replace), Some(outdated)) if !o.reported => {
            at_latest(waiting(step, role_change::replacing(outdated)), Requeue::In(RECORDED_AFTER))
        }
        (Some(How::Replace), _) => meanwhile(step, replace(&user)),
        (Some(How::InPlace), _) if !only_roles => {
            let next = reset::next(o, portal, &user);
            if reset::is_unclear_for_long(o) { next } else { meanwhile(step, next) }
        }
        _ => step,
    };
    let step = match decision.answer {
        Some(answer) => refused(o, step, answer),
        None => step,
    };
    match decision.roles_kept_because.or_else(|| o.rotation.window_fault.clone()) {
        Some(blocker) => waiting(step, blocker),
        None => step,
    }
}

/// The end of a reconcile, and the next one after this time at the latest.
fn at_latest(step: Step, requeue: Requeue) -> Step {
    match step {
        Step::Settled(settled) => {
            Step::Settled(Settled { requeue: settled.requeue.sooner(requeue), ..settled })
        }
        step => step,
    }
}

/// How the credential that serves is replaced, or why it is not. Where nothing valid is published, that does not prevent a
/// successor.
fn how(o: &Observation) -> Result<How, Notice> {
    let may_delete = o.portal.as_ref().map_or(true, |portal| portal.may_delete);
    let internal = kind(o) == Some(UserKind::Internal);
    let how = match o.rotation.strategy {
        Strategy::InPlace if !internal => return Err(no_reset()),
        Strategy::InPlace => How::InPlace,
        // The secret that somebody may know is invalid at once.
        Strategy::Auto if internal && o.rotation.compromised => How::InPlace,
        Strategy::Auto if internal && (!may_delete || o.rotation.linked || fixed(o).is_some()) => {
            How::InPlace
        }
        Strategy::Auto | Strategy::Replace => How::Replace,
    };
    match how {
        How::InPlace => Ok(how),
        How::Replace => match fixed(o) {
            Some(answer) => Err(answer),
            None if !may_delete && !o.rotation.requested => Err(needs_delete()),
            None => Ok(how),
        },
    }
}

/// The kind of the user that the status names.
fn kind(o: &Observation) -> Option<UserKind> {
    let read = o.recorded.user.as_ref().and_then(|user| o.facts(&user.id)).map(|facts| facts.kind);
    read.or(o.rotation.kind)
}

/// Why a user is not replaced of whose outputs one has a fixed alias.
fn fixed(o: &Observation) -> Option<Notice> {
    let fixed = o.outputs.iter().find(|output| output.alias_is_fixed)?;
    Some(Notice { reason: Reason::AliasFixed, note: alias_is_fixed(&fixed.id) })
}

/// What an output with a fixed alias means for a successor.
pub(super) fn alias_is_fixed(output: &OutputId) -> String {
    format!(
        "The operator does not replace the user: the {output} has the same alias for each user, so programs that run would find the \
         secret of the successor there and send it with the client ID of this user. Use an entry that the operator owns, in a \
         Vault whose aliasMode is PerGeneration."
    )
}

fn not_created() -> Notice {
    let note = "The operator did not create the user, so it does not replace its credential".to_owned();
    Notice { reason: Reason::RequestIgnored, note }
}

fn no_reset() -> Notice {
    let note = "The portal cannot reset the secret of an external user, so the strategy InPlace cannot be carried out. Set \
                rotation.strategy to Replace or Auto."
        .to_owned();
    Notice { reason: Reason::ResetNotPossible, note }
}

fn needs_delete() -> Notice {
    let note = "The Portal's login may not delete users, so the operator does not replace the user periodically: each \
                rotation would leave a user in the portal. Give the Portal a deletion login (deleteAuth), or remove \
                rotation.interval and request each rotation by the annotation technicaluser.dev/rotate=now."
        .to_owned();
    Notice { reason: Reason::RotationNeedsDelete, note }
}

/// The credential that serves is kept, and a request for its replacement is handled.
fn refused(o: &Observation, serving: Step, answer: Notice) -> Step {
    let Step::Settled(mut serving) = serving else { return serving };
    (serving.rotation.answer, serving.rotation.handled) = (Some(answer), o.rotation.requested);
    Step::Settled(serving)
}

/// The end of a reconcile that reports what the rotation waits for, unless it reports that already.
fn waiting(serving: Step, blocker: Blocker) -> Step {
    let Step::Settled(mut serving) = serving else { return serving };
    serving.rotation.waiting.get_or_insert(blocker);
    Step::Settled(serving)
}

/// The step that leads to the other credential. Where that waits for something, the one that is replaced serves.
fn meanwhile(serving: Step, next: Step) -> Step {
    match (serving, next) {
        (Step::Settled(mut serving), Step::Settled(next)) if next.report != Report::Ready => {
            serving.requeue = serving.requeue.sooner(next.requeue);
            let Rotated { answer, waiting, .. } = match next.report {
                Report::Blocked { blocker, .. } => Rotated::waits_for(blocker),
                _ => *next.rotation,
            };
            (serving.rotation.answer, serving.rotation.waiting) = (answer, waiting);
            Step::Settled(serving)
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
    /// The request by annotation was carried out (or is refused).
    pub handled: bool,
    /// The request that was carried out says that the former credential is compromised: no overlap.
    pub compromised: bool,
    /// A Warning Event that says why a request is refused, or why a credential is not replaced that is due; sent once the
    /// status is written.
    pub answer: Option<Notice>,
    /// What a rotation waits for.
    pub waiting: Option<Blocker>,
}

impl Rotated {
    /// A rotation in progress waits for this.
    #[must_use]
    pub(super) fn waits_for(blocker: Blocker) -> Self {
        Self { waiting: Some(blocker), ..Self::default() }
    }

    /// A request is handled by this answer.
    fn answered(handled: bool, answer: Notice) -> Self {
        Self { handled, answer: Some(answer), ..Self::default() }
    }
}

/// The end of a reconcile with this user.
pub(super) fn at_the_end(o: &Observation, user: &UserRef, report: &Report) -> Rotated {
    if matches!(o.desired, Desired::Existing { .. }) && o.rotation.requested && *report == Report::Ready {
        return Rotated::answered(true, not_created());
    }
    let reset = *report == Report::Ready && reset::had_effect(o, &user.id);
    let handled = o.rotation.requested && (is_from_request(o, user) || reset);
    Rotated { handled, compromised: handled && o.rotation.compromised, ..Rotated::default() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::plan::Stage;

    fn settled(report: Report, id: &str, requeue: Requeue) -> Step {
        let current = Some(UserRef::created(UserId::new(id), 1));
        Step::Settled(Settled { current, ..Settled::new(report, requeue) })
    }

    fn waiting(blocker: &Blocker, requeue: Requeue) -> Step {
        let Step::Settled(serving) = settled(Report::Ready, "u1", requeue) else { unreachable!() };
        let rotation = Box::new(Rotated::waits_for(blocker.clone()));
        Step::Settled(Settled { rotation, ..serving })
    }

    #[test]
    fn a_user_serves_until_its_successor_is_published() {
        let (hour, minute) = (Duration::from_hours(1), Duration::from_mins(1));
        let serving = settled(Report::Ready, "u1", Requeue::In(hour));
        let pending = Blocker::passing(Reason::Pending, "it waits");
        let refused = Blocker::lasting(Reason::CreateRefused, "the portal refuses");
        let at_the_user = |blocker: &Blocker| Stage::User.blocked(blocker.clone());
        for (next, expected) in [
            (
                settled(at_the_user(&pending), "u2", Requeue::In(minute)),
                waiting(&pending, Requeue::In(minute)),
            ),
            (settled(at_the_user(&refused), "u2", Requeue::Backoff), waiting(&refused, Requeue::Backoff)),
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
