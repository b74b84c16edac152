//! A user that is there: from its details to its credential, or to its successor.

use std::time::Duration;

use crate::domain::ownership::{self, Whose};
use crate::domain::reason::Reason;
use crate::domain::roles::{self, Blocker, quoted};
use crate::domain::user::{UserKind, UserStatus};

use super::candidates::{self, Choice};
use super::live::{attempt_ahead, make};
use super::observation::{
    CredentialAt, DesiredUser, Done, Listed, Observation, PortalFacts, SecretView, UserFacts, UserView,
    Verified,
};
use super::retain::{LEFT_FOR_SUCCESSOR, RETAINED_EARLIER, mark_retained, record_retained};
use super::settled::{Report, Requeue, Settled, Stage};
use super::step::{Read, Step, UserRef, Write};
use super::{blocked, bounds, credential, ours, pin, token_roles};

/// Whether status, Secret and list agree that all is as it should be, so that nobody has to be asked.
pub(super) fn as_recorded(o: &Observation) -> bool {
    let Some(user) = &o.recorded.user else { return false };
    let secret_as_recorded = match &o.secret {
        SecretView::Ours { user: published, digest, metadata_as_wanted } => {
            *metadata_as_wanted
                && digest.is_some()
                && *digest == o.recorded.digest
                && published.as_ref() == Some(&user.id)
        }
        _ => false,
    };
    // Once the credential was read, there was a reason to doubt the published one.
    let doubted =
        matches!(o.verification, Some((CredentialAt::Portal(_), _) | (_, Verified::Refused { .. })));
    let listed = matches!(o.listed, Listed::Unknown | Listed::There(UserStatus::Active));
    // A user that was taken over gets a mark of this copy of the installation.
    let made_here = o.recorded.portal.as_ref().is_none_or(|portal| portal.hint == o.hint);
    let pinned_here = o.portal.as_ref().map_or(true, |portal| pin::is_here(o, portal));
    user.active
        && made_here
        && pinned_here
        && o.recorded.credential
        && secret_as_recorded
        && listed
        && !doubted
        && o.spec_observed
        && attempt_ahead(o).is_none()
}

/// Goes on with the user that the resource stands for.
pub(super) fn follow(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    current: &UserRef,
) -> Step {
    let recorded = o.recorded.user.as_ref().is_some_and(|u| u.id == current.id);
    let renamed = o.name_doubted && bounds::describe(portal).is_ok();
    if recorded && as_recorded(o) && !o.rotation_requested && !o.roles_doubted && !renamed {
        if o.is_login(portal, &current.id) {
            return blocked(o, &ownership::login_blocker(&current.id), o.timers.recheck());
        }
        return credential::check(o)
            .or_else(|| tidy(o, portal, current))
            .unwrap_or_else(|| credential::keep(o, current));
    }
    match o.view(&current.id) {
        None => Step::Read(Read::User(current.id.clone())),
        Some(UserView::Gone) => gone(o, desired, portal, current),
        Some(UserView::Lost) => lost(o, desired, portal, current),
        Some(UserView::Read(user)) => with_details(o, desired, portal, current, user),
    }
}

/// Removes users that were made twice, once the status names the one that stays.
fn tidy(o: &Observation, portal: &PortalFacts, current: &UserRef) -> Option<Step> {
    if portal.suspended {
        return None;
    }
    if let Some(id) = candidates::unread(o) {
        return Some(Step::Read(Read::Confirm(id.clone())));
    }
    if let Some(left) = candidates::left_unlisted(o) {
        return Some(record_retained(left, RETAINED_EARLIER));
    }
    let extra = candidates::duplicate(o, portal, current)?;
    if !o.live {
        return Some(Step::Read(Read::Object));
    }
    let id = extra.id.clone();
    if o.view(&id).is_none() {
        return Some(Step::Read(Read::User(id)));
    }
    let done = |what: &Done| o.is_done(&extra.id, what);
    let undeletable = !portal.may_delete
        || done(&Done::DeleteForbidden)
        || o.done.iter().any(|(user, d)| *user == extra.id && matches!(d, Done::DeleteRefused(_)));
    if !undeletable {
        return Some(Step::Write(Write::Delete(id)));
    }
    let Some(UserView::Read(user)) = o.view(&id) else { return None };
    Some(if extra.kind == UserKind::Internal && !done(&Done::Reset) {
        Step::Write(Write::Reset(id))
    } else if !done(&Done::MarkedRetained) {
        mark_retained(o, &id, user)
    } else {
        record_retained(&id, "a second user was created for the resource, and this login cannot delete it")
    })
}

fn with_details(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    current: &UserRef,
    user: &UserFacts,
) -> Step {
    // What is not ours is not recorded either: the status then tells nothing of it.
    match o.whose(portal, &current.id, user) {
        Whose::Other(mark) => {
            let blocker = Blocker::lasting(
                Reason::MarkedByOther,
                format!("user {} bears the mark of {}; it is not touched", current.id, mark.owner),
            );
            return blocked(o, &blocker, o.timers.recheck());
        }
        Whose::OperatorLogin => {
            return blocked(o, &ownership::login_blocker(&current.id), o.timers.recheck());
        }
        Whose::Unproved => {
            return blocked(o, &ownership::unproved_blocker(&current.id), o.timers.recheck());
        }
        Whose::Retained => return successor(o, desired, portal, current),
        Whose::Ours(mark) => {
            if let Err(blocker) = ours(o, portal, &mark.hint) {
                return blocked(o, &blocker, o.timers.recheck());
            }
        }
        Whose::OursWithoutMark => {}
    }
    // A status can name another generation than the portal shows.
    let generation = o.generation_shown(user).unwrap_or(current.generation);
    let current = &UserRef { id: current.id.clone(), generation };
    match user.status {
        UserStatus::Active => active(o, desired, portal, current, user),
        UserStatus::Pending => pending(o, desired, portal, current),
        UserStatus::PendingDeletion | UserStatus::Deleted | UserStatus::Inactive => {
            gone(o, desired, portal, current)
        }
        UserStatus::Other => user_blocked(
            o,
            current,
            Blocker::lasting(
                Reason::UserInactive,
                format!("user {} is in a state that this operator does not know", current.id),
            ),
            Requeue::Backoff,
        ),
    }
}

fn active(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    current: &UserRef,
    user: &UserFacts,
) -> Step {
    let missing = roles::missing(&desired.roles, &user.roles);
    if !missing.is_empty() {
        return user_blocked(
            o,
            current,
            Blocker::lasting(
                Reason::RolesMissing,
                format!(
                    "user {} lacks {}: the portal did not give what was asked for, and cannot change the roles of a user; its \
                 credential is not published",
                    current.id,
                    quoted(&missing)
                ),
            ),
            o.timers.recheck(),
        );
    }
    if let Err(blocker) = bounds::granted(o, desired, portal) {
        return user_blocked(o, current, blocker, o.timers.recheck());
    }
    if let Err(blocker) = bounds::has_granted_roles_only(&portal.grants, &current.id, user) {
        return user_blocked(o, current, blocker, o.timers.recheck());
    }
    if let Some(step) = token_roles::check(o, &desired.roles, &portal.grants, current, user) {
        return step;
    }
    // Without its name, a user is not found again where the status is lost.
    let described =
        user.description == o.description(current.generation) && o.is_named(&user.name, current.generation);
    let blocker = match bounds::describe(portal) {
        Ok(()) if !described => return describe(o, current, user),
        Ok(()) => None,
        // The spec was changed and is not carried out; a person's edit in the portal is put right when that is possible.
        Err(blocker) => Some(blocker).filter(|_| !described && !o.spec_observed),
    };
    match (credential::publish(o, current, user), blocker) {
        // The Secret is as it should be, the user is not.
        (Step::Settled(Settled { report: Report::Ready, .. }), Some(blocker)) => {
            user_blocked(o, current, blocker, o.timers.recheck())
        }
        (step, _) => step,
    }
}

fn pending(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, current: &UserRef) -> Step {
    if o.rotation_requested && !o.rotation_under_way(current) {
        return successor(o, desired, portal, current);
    }
    user_blocked(o, current, pending_blocker(o, current), o.timers.poll())
}

/// How long a wallet service may take before a person is asked to look: it runs every five minutes.
const PENDING_LIMIT: Duration = Duration::from_mins(30);

/// What a pending user's condition says; an alarm after [`PENDING_LIMIT`].
pub(super) fn pending_blocker(o: &Observation, current: &UserRef) -> Blocker {
    let id = &current.id;
    if o.pending_for.is_some_and(|time| time > PENDING_LIMIT) {
        return Blocker::lasting(
            Reason::PendingTooLong,
            format!(
                "user {id} has waited for the wallet service for more than {} minutes; it may be stuck, which only the portal's \
                 operator can repair. To have another one created: annotate this resource with technicaluser.dev/rotate={id}",
                PENDING_LIMIT.as_secs() / 60
            ),
        );
    }
    Blocker::passing(
        Reason::Pending,
        format!("user {id} waits for the wallet service, which usually answers within five minutes"),
    )
}

fn lost(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, current: &UserRef) -> Step {
    // What is known of the time of a loss is known of the recorded user alone.
    let certain = o.loss_confirmed && o.recorded.user.as_ref().is_some_and(|u| u.id == current.id);
    if o.rotation_requested || certain {
        if !o.is_done(&current.id, &Done::RecordedRetained) && !portal.suspended {
            return record_retained(&current.id, LEFT_FOR_SUCCESSOR);
        }
        return successor(o, desired, portal, current);
    }
    if matches!(o.secret, SecretView::Ours { .. }) && o.verification.is_none() {
        return Step::Read(Read::Verify(CredentialAt::Output));
    }
    user_blocked(
        o,
        current,
        Blocker::lasting(
            Reason::IdentityLost,
            format!(
                "the portal lists user {0}, but its identity provider has lost the client: it can be neither used nor deleted. If \
             the identity provider is being restored, wait. Else ask for a successor: annotate this resource with \
             technicaluser.dev/rotate={0}",
                current.id
            ),
        ),
        Requeue::Backoff,
    )
}

fn gone(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, current: &UserRef) -> Step {
    if let Some(count) = portal.loss_suspected {
        return user_blocked(
            o,
            current,
            Blocker::lasting(
                Reason::LossSuspected,
                format!(
                    "user {} is gone from the portal, and {count} users vanished at once: that is taken for a fault of the portal. \
                 If it is not, annotate the Portal with technicaluser.dev/accept-loss={count}",
                    current.id
                ),
            ),
            o.timers.recheck(),
        );
    }
    successor(o, desired, portal, current)
}

/// Takes or makes a user of a later generation.
fn successor(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, current: &UserRef) -> Step {
    let at_least = current.generation.max(o.recorded_generation()).saturating_add(1);
    let Some(found) = &o.search else {
        return match bounds::create(o, desired, portal) {
            Ok(()) => Step::Read(Read::Search),
            Err(blocker) => user_blocked(o, current, blocker, o.timers.recheck()),
        };
    };
    match candidates::choose(o, portal, found, at_least) {
        // Each one that is followed from here is of a later generation than the one before, so this comes to an end.
        Ok(Choice::Take(next)) if next.id != current.id => follow(o, desired, portal, &next),
        Ok(Choice::Take(next)) => make(o, desired, portal, next.generation.saturating_add(1)),
        Ok(Choice::Make(generation)) => make(o, desired, portal, generation),
        Err(blocker) => blocked(o, &blocker, o.timers.recheck()),
    }
}

/// The end of a pass that records the user and says what is wrong with it.
pub(super) fn user_blocked(o: &Observation, current: &UserRef, blocker: Blocker, requeue: Requeue) -> Step {
    Step::Settled(Settled {
        current: Some(current.clone()),
        report: Stage::User.blocked(blocker),
        requeue,
        rotation_handled: o.rotation_under_way(current),
    })
}

impl Observation {
    /// Whether the user is one that a request for rotation led to: a later one than the status names.
    pub(super) fn rotation_under_way(&self, current: &UserRef) -> bool {
        self.rotation_requested
            && current.generation > self.recorded_generation()
            && self.recorded_generation() > 0
    }
}

/// Gives a user the name and the description that it should have. A name that a search finds is kept, whatever a person has
/// written behind its first part.
fn describe(o: &Observation, current: &UserRef, user: &UserFacts) -> Step {
    let name = if o.is_named(&user.name, current.generation) {
        user.name.clone()
    } else {
        o.user_name(user.kind, current.generation)
    };
    let description = o.description(current.generation);
    Step::Write(Write::Describe { user: current.clone(), name, description })
}
