//! Which user a resource has: the one that the status names, the one that was just created, or a successor. And whether it
//! can serve.

use std::time::Duration;

use crate::domain::blocker::Blocker;
use crate::domain::ownership::{self, Origin, Whose};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserStatus};

use super::candidates;
use super::create::{create, find_or_create, find_or_create_successor};
use super::holding::{Holding, siblings};
use super::observation::{
    AttemptState, Confirmed, CredentialAt, DesiredUser, Done, Named, Observation, OpenAttempt, PortalFacts,
    RecordedUser, UserFacts, UserView,
};
use super::retain::{LEFT_FOR_SUCCESSOR, record_retained};
use super::rotate::{self, Condition, Due};
use super::settled::{Requeue, Settled, Stage};
use super::step::{Read, Step, UserRef};
use super::{adopt, blocked, bounds, ours, role_change, settle, tidy};

/// A user that can serve.
pub(super) enum Current<'a> {
    /// As the status says: no request is necessary.
    AsRecorded(UserRef),
    /// Active and created for this resource, by its details.
    Active(UserRef, &'a UserFacts),
}

/// The user of the resource if it can serve; else the step that leads there.
pub(super) fn current<'a>(
    o: &'a Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
) -> Result<Current<'a>, Step> {
    serving(o, desired, portal, first(o, desired, portal)?)
}

/// The successor of a user that serves, if it can serve; else the step that leads there.
pub(super) fn successor<'a>(
    o: &'a Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    of: &UserRef,
) -> Result<Current<'a>, Step> {
    let next = match Holding::of(o).next {
        Some(open) => attempted(o, desired, portal, open)?,
        None => find_or_create_successor(o, desired, portal, of)?,
    };
    serving(o, desired, portal, next)
}

/// This user, or the first later one, that can serve.
fn serving<'a>(
    o: &'a Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    mut user: UserRef,
) -> Result<Current<'a>, Step> {
    // Each successor has a later generation than the one before, so this loop ends.
    loop {
        match state(o, portal, user)? {
            Usability::Serves(current) => return Ok(current),
            Usability::Unusable(unusable) => user = find_or_create_successor(o, desired, portal, &unusable)?,
        }
    }
}

enum Usability<'a> {
    Serves(Current<'a>),
    Unusable(UserRef),
}

/// The user to begin with: the result of an attempt precedes the user that the status names, unless that one serves. Once an
/// output holds the successor's credential, the successor serves.
fn first(o: &Observation, desired: &DesiredUser, portal: &PortalFacts) -> Result<UserRef, Step> {
    let holding = Holding::of(o);
    let is_published =
        |open: &&OpenAttempt| matches!(&open.state, AttemptState::Created(id) if o.is_published(id));
    let next = holding.next.filter(|open| !rotate::serves(o) || is_published(open));
    match (next, holding.current) {
        (Some(open), _) => attempted(o, desired, portal, open),
        (None, Some(recorded)) => published_or_recorded(o, portal, recorded),
        (None, None) => match &desired.adopt {
            Some(selector) => adopt::first(o, portal, desired, selector),
            None => find_or_create(o, desired, portal, 1),
        },
    }
}

/// The user that an attempt led to.
fn attempted(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    open: &OpenAttempt,
) -> Result<UserRef, Step> {
    // Where the annotation cannot be read, every generation from the first on is searched for.
    let generation = open.generation().unwrap_or(1);
    match &open.state {
        AttemptState::InFlight => Err(settle::in_flight(o)),
        AttemptState::Settling(left) => Err(settle::settling(o, open, *left)),
        AttemptState::Refused(blocker) => Err(blocked(o, blocker, Requeue::Backoff)),
        AttemptState::Created(id) => Ok(UserRef::created(id.clone(), generation)),
        AttemptState::RefusedRetry => Err(create(o, desired, portal, generation)),
        AttemptState::Settled => find_or_create(o, desired, portal, generation),
    }
}

/// The recorded user, or the sibling whose credential an output holds.
fn published_or_recorded(
    o: &Observation,
    portal: &PortalFacts,
    recorded: &RecordedUser,
) -> Result<UserRef, Step> {
    let user = match published_instead(o, recorded) {
        Some((id, named)) if named.confirmed == Confirmed::Unread => {
            return Err(Step::Read(Read::Confirm(id.clone())));
        }
        Some((id, named))
            if candidates::usable(named) && !candidates::useless_by_its_details(o, portal, id) =>
        {
            UserRef::created(id.clone(), named.generation)
        }
        _ => UserRef { id: recorded.id.clone(), origin: recorded.origin },
    };
    Ok(user)
}

/// The sibling whose credential an output holds, where the status names another user: one that was created twice, or a
/// status from before a replacement. A predecessor that is still published does not count: its successor replaces it.
fn published_instead<'a>(o: &'a Observation, recorded: &RecordedUser) -> Option<(&'a UserId, &'a Named)> {
    let generation = recorded.origin.generation().unwrap_or(0);
    let least = if o.is_published(&recorded.id) { generation.saturating_add(1) } else { generation };
    siblings(o).find(|(id, named)| o.is_published(id) && named.generation >= least)
}

/// Whether a user can serve, by the status, else by its details.
fn state<'a>(o: &'a Observation, portal: &PortalFacts, user: UserRef) -> Result<Usability<'a>, Step> {
    let holding = Holding::of(o);
    let recorded = holding.current.is_some_and(|recorded| recorded.id == user.id);
    let renamed = o.name_doubted && bounds::describe(portal).is_ok();
    if recorded && holding.is_as_recorded(o) && !rotate::is_undecided(o) && !o.roles_doubted && !renamed {
        if o.is_login(portal, &user.id) {
            return Err(blocked(o, &ownership::login_blocker(&user.id), o.timers.recheck()));
        }
        return Ok(Usability::Serves(Current::AsRecorded(user)));
    }
    match o.view(&user.id) {
        None => Err(Step::Read(Read::User(user.id))),
        Some(UserView::Gone) => gone(o, portal, user),
        Some(UserView::ClientMissing) => missing_client(o, portal, user),
        Some(UserView::Read(facts)) => by_its_details(o, portal, user, facts),
    }
}

fn by_its_details<'a>(
    o: &'a Observation,
    portal: &PortalFacts,
    user: UserRef,
    facts: &'a UserFacts,
) -> Result<Usability<'a>, Step> {
    if is_retained_or_not_ours(o, portal, &user, facts)? {
        return Ok(Usability::Unusable(user));
    }
    // A status can name another generation than the portal shows.
    let origin = o.generation_shown(facts).map_or(user.origin, Origin::Created);
    let user = UserRef { origin, ..user };
    let recorded = o.recorded.user.as_ref().is_some_and(|recorded| recorded.id == user.id);
    let in_use = o.is_published(&user.id) || recorded && rotate::serves(o);
    if !in_use && !role_change::has_asked_for_roles(o, &user, facts) {
        // The one that the status names is deleted after its successor is recorded. So is one that only a list shows while no status
        // names a user: after a restore, programs may use it.
        let unused = !recorded && (o.recorded.user.is_some() || !o.is_listed_only(&user.id));
        return match tidy::delete_with_other_roles(o, portal, &user.id, facts).filter(|_| unused) {
            Some(step) => Err(step),
            None => Ok(Usability::Unusable(user)),
        };
    }
    match facts.status {
        UserStatus::Active => Ok(Usability::Serves(Current::Active(user, facts))),
        UserStatus::Pending => pending(o, user),
        UserStatus::PendingDeletion | UserStatus::Deleted | UserStatus::Inactive => gone(o, portal, user),
        UserStatus::Other => {
            let blocker = Blocker::lasting(
                Reason::UserInactive,
                format!("User {} is in a state that this version of the operator does not know", user.id),
            );
            Err(user_blocked(o, &user, blocker, Requeue::Backoff))
        }
    }
}

/// Whether it is a retained user of this resource, which is not used again. A user of another resource ends the reconcile and
/// is not recorded.
fn is_retained_or_not_ours(
    o: &Observation,
    portal: &PortalFacts,
    user: &UserRef,
    facts: &UserFacts,
) -> Result<bool, Step> {
    let blocker = match o.whose(portal, &user.id, facts) {
        // It was retained by a resource of this name, or its resource is gone: it is taken over, and gets this resource's mark.
        Whose::Retained | Whose::Unclaimed(_) if is_recorded(o, user) && o.is_adopted(user.generation()) => {
            return Ok(false);
        }
        Whose::Other(mark) | Whose::Unclaimed(mark) => Blocker::lasting(
            Reason::MarkedByOther,
            format!(
                "User {} has the mark of {}. The operator does not change it. Find out who wrote the status or the mark. To \
                 release this resource, set the annotation technicaluser.dev/release=true and delete it.",
                user.id, mark.owner
            ),
        ),
        Whose::OperatorLogin => ownership::login_blocker(&user.id),
        Whose::Unproved => ownership::unproved_blocker(&user.id),
        Whose::Retained => return Ok(true),
        Whose::OursWithoutMark => return Ok(false),
        Whose::Ours(mark) => match ours(o, portal, &mark.hint) {
            Ok(()) => return Ok(false),
            Err(blocker) => blocker,
        },
    };
    Err(blocked(o, &blocker, o.timers.recheck()))
}

fn is_recorded(o: &Observation, user: &UserRef) -> bool {
    o.recorded.user.as_ref().is_some_and(|recorded| recorded.id == user.id)
}

fn pending<'a>(o: &Observation, user: UserRef) -> Result<Usability<'a>, Step> {
    if rotate::due(o, &user, Condition::Pending) == Due::Successor {
        return Ok(Usability::Unusable(user));
    }
    Err(user_blocked(o, &user, pending_blocker(o, &user), o.timers.poll()))
}

/// How long a wallet service may need before the resource is stalled: the service runs every five minutes.
pub const PENDING_LIMIT: Duration = Duration::from_mins(30);

/// The time before the state of a pending user is read again: about as long as this process has seen it pending, from 2 s to half a
/// minute; 5 minutes where it has been pending for longer than [`PENDING_LIMIT`] by the status.
#[must_use]
pub fn pending_poll(seen_for: Duration, pending_for: Duration) -> Duration {
    if pending_for > PENDING_LIMIT {
        Duration::from_mins(5)
    } else {
        seen_for.clamp(FIRST_PENDING_POLL, Duration::from_secs(30))
    }
}

/// The time before a pending user is read for the first time.
pub const FIRST_PENDING_POLL: Duration = Duration::from_secs(2);

/// What the condition of a pending user reports; stalled after [`PENDING_LIMIT`].
pub(super) fn pending_blocker(o: &Observation, user: &UserRef) -> Blocker {
    let id = &user.id;
    if o.pending_for.is_some_and(|time| time > PENDING_LIMIT) {
        return Blocker::lasting(
            Reason::PendingTooLong,
            format!(
                "User {id} has waited for the wallet service for more than {} minutes and may be stuck. Only the portal's support \
                 can repair it. Annotate this resource with technicaluser.dev/rotate={id} to create another user.",
                PENDING_LIMIT.as_secs() / 60
            ),
        );
    }
    Blocker::passing(
        Reason::Pending,
        format!("User {id} waits for the wallet service, which usually answers within five minutes"),
    )
}

/// The identity provider has no client for the user.
fn missing_client<'a>(o: &Observation, portal: &PortalFacts, user: UserRef) -> Result<Usability<'a>, Step> {
    // How long a client has been missing is known only of the recorded user.
    let certain = o.client_missing_for_good && o.recorded.user.as_ref().is_some_and(|u| u.id == user.id);
    if certain || rotate::due(o, &user, Condition::ClientMissing) == Due::Successor {
        if !o.is_done(&user.id, &Done::RecordedRetained) && !portal.suspended {
            return Err(record_retained(&user.id, LEFT_FOR_SUCCESSOR));
        }
        return Ok(Usability::Unusable(user));
    }
    // The details of such a user show no credential, so only an output can be asked.
    let published = o.outputs.iter().find(|output| output.can_be_read_back() && output.is_of(&user.id));
    if let Some(output) = published.filter(|_| !o.is_verified_at_all()) {
        return Err(Step::Read(Read::Verify(CredentialAt::Output(output.id.clone()))));
    }
    let blocker = Blocker::lasting(
        Reason::IdentityLost,
        format!(
            "The portal lists user {0}, but its client is missing in the identity provider: the user can be neither used nor \
             deleted. If the identity provider is being restored, wait. Otherwise annotate this resource with \
             technicaluser.dev/rotate={0} to create a successor.",
            user.id
        ),
    );
    Err(user_blocked(o, &user, blocker, Requeue::Backoff))
}

fn gone<'a>(o: &Observation, portal: &PortalFacts, user: UserRef) -> Result<Usability<'a>, Step> {
    let Some(count) = portal.mass_disappearance else { return Ok(Usability::Unusable(user)) };
    let blocker = Blocker::lasting(Reason::LossSuspected, disappeared_with_others(&user.id, count));
    Err(user_blocked(o, &user, blocker, o.timers.recheck()))
}

/// What a condition reports about a user that disappeared in a mass disappearance.
pub(super) fn disappeared_with_others(id: &UserId, count: usize) -> String {
    format!(
        "User {id} is missing from the portal, and {count} users disappeared at once. The operator takes that for a fault of \
         the portal. If the users were deleted, annotate the Portal with technicaluser.dev/accept-loss={count} to confirm it."
    )
}

/// The end of a reconcile that records the user and reports what is wrong with it.
pub(super) fn user_blocked(o: &Observation, user: &UserRef, blocker: Blocker, requeue: Requeue) -> Step {
    Step::Settled(Settled::of(o, user, Stage::User.blocked(blocker), requeue))
}
