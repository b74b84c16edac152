//! Rotation: whether the user or its secret is to be replaced and how, what serves meanwhile, and when a request is handled.
//!
//! A request by annotation replaces a user that is pending or unusable. A credential that serves is replaced on request, and
//! when it is as old as the spec permits: by a successor of the user, or by a reset of its secret.

use super::observation::{Desired, Observation, PortalFacts, Strategy, UserView};
use super::settled::{Report, Settled};
use super::step::{Notice, Step, UserRef};
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
        Condition::Pending => o.rotation.requested && !is_from_request(o, user),
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
    let open = super::reset::may_be_carried_out(o);
    !open && (o.rotation.requested || super::reset::is_to_be_compared(o))
}

/// Whether the user that the status names is being replaced while it serves. An attempt to create a later one is then that of
/// its successor.
pub(super) fn is_in_progress(o: &Observation) -> bool {
    let Some(recorded) = &o.recorded.user else { return false };
    let serves = recorded.active
        && o.recorded.credential_published
        && !matches!(o.view(&recorded.id), Some(UserView::Gone | UserView::ClientMissing));
    serves && is_asked_for(o, &recorded.id) && how(o) != Ok(How::InPlace)
}

/// Whether a rotation of the user that the status names is asked for, and did not end in this reconcile.
fn is_asked_for(o: &Observation, id: &UserId) -> bool {
    let recorded = o.recorded.user.as_ref().is_some_and(|recorded| recorded.id == *id);
    recorded && (o.rotation.requested || o.rotation.due) && !super::reset::had_effect(o, id)
}

/// The next step of a resource, with its step as far as the user that serves is concerned. Its credential is replaced only while
/// it is in order, and what keeps that from being done is not reported as a fault of the resource.
pub(super) fn after(
    o: &Observation,
    portal: &PortalFacts,
    step: Step,
    replace: impl FnOnce(&UserRef) -> Step,
) -> Step {
    let user = match &step {
        Step::Settled(Settled { report: Report::Ready, current: Some(user), .. }) => user.clone(),
        _ => return step,
    };
    if !is_asked_for(o, &user.id) {
        return step;
    }
    match how(o) {
        Ok(How::Replace) => meanwhile(step, replace(&user)),
        Ok(How::InPlace) => meanwhile(step, super::reset::next(o, portal, &user)),
        Err(answer) => refused(o, step, answer),
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
    let Step::Settled(serving) = serving else { return serving };
    let rotation = Rotated::answered(o.rotation.requested, answer);
    Step::Settled(Settled { rotation, ..serving })
}

/// The step that leads to the other credential. Where that waits for something, the one that is replaced serves.
fn meanwhile(serving: Step, next: Step) -> Step {
    match (serving, next) {
        (Step::Settled(serving), Step::Settled(waiting)) if waiting.report != Report::Ready => {
            let requeue = serving.requeue.sooner(waiting.requeue);
            let news = match waiting.report {
                Report::Blocked { blocker, .. } => Some(Box::new(News::Waiting(blocker))),
                _ => waiting.rotation.news,
            };
            let rotation = Rotated { news, ..serving.rotation };
            Step::Settled(Settled { requeue, rotation, ..serving })
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
    /// What is reported of it.
    pub news: Option<Box<News>>,
}

/// What is reported of a rotation that was not carried out (yet).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A Warning Event that says why a request is refused, or why a credential is not replaced that is due; sent once the
    /// status is written.
    Answer(Notice),
    /// What a rotation waits for that is in progress.
    Waiting(Blocker),
}

impl Rotated {
    /// A rotation in progress waits for this.
    #[must_use]
    pub(super) fn waits_for(blocker: Blocker) -> Self {
        Self { news: Some(Box::new(News::Waiting(blocker))), ..Self::default() }
    }

    /// Why a rotation is not carried out.
    #[must_use]
    pub fn answer(&self) -> Option<&Notice> {
        match self.news.as_deref() {
            Some(News::Answer(notice)) => Some(notice),
            Some(News::Waiting(_)) | None => None,
        }
    }

    /// What a rotation waits for.
    #[must_use]
    pub fn waiting(&self) -> Option<&Blocker> {
        match self.news.as_deref() {
            Some(News::Waiting(blocker)) => Some(blocker),
            Some(News::Answer(_)) | None => None,
        }
    }

    /// A request is handled by this answer.
    fn answered(handled: bool, answer: Notice) -> Self {
        Self { handled, news: Some(Box::new(News::Answer(answer))), ..Self::default() }
    }
}

/// The end of a reconcile with this user.
pub(super) fn at_the_end(o: &Observation, user: &UserRef, report: &Report) -> Rotated {
    if matches!(o.desired, Desired::Existing { .. }) && o.rotation.requested && *report == Report::Ready {
        return Rotated::answered(true, not_created());
    }
    let reset = *report == Report::Ready && super::reset::had_effect(o, &user.id);
    let handled = o.rotation.requested && (is_from_request(o, user) || reset);
    Rotated { handled, compromised: handled && o.rotation.compromised, ..Rotated::default() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::plan::{Read, Requeue, Stage};

    fn settled(report: Report, id: &str, requeue: Requeue) -> Step {
        let current = Some(UserRef::created(UserId::new(id), 1));
        Step::Settled(Settled { current, ..Settled::new(report, requeue) })
    }

    fn waiting(blocker: &Blocker, requeue: Requeue) -> Step {
        let Step::Settled(serving) = settled(Report::Ready, "u1", requeue) else { unreachable!() };
        let rotation = Rotated::waits_for(blocker.clone());
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
