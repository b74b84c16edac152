//! The create of a user: what must be true and known before it, and the choice among users that exist already.

use crate::domain::blocker::Blocker;
use crate::domain::roles;
use crate::domain::user::NewUser;

use super::candidates::{self, Choice};
use super::holding::next;
use super::observation::{AttemptState, DesiredUser, Observation, PortalFacts, Searched};
use super::settled::Requeue;
use super::step::{Read, Step, UserRef, Write};
use super::{blocked, bounds, settle};

/// The user of this generation or a later one, where there is one; else the steps that create it.
pub(super) fn find_or_create(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    at_least: i64,
) -> Result<UserRef, Step> {
    if o.searched == Searched::No {
        // Without an earlier request there is nothing to search for, so the search waits until a create is possible.
        if next(o).is_none() {
            ready(o, desired, portal, at_least)?;
        }
        return Err(Step::Read(Read::Search));
    }
    match candidates::choose(o, portal, at_least) {
        Ok(Choice::Take(user)) => Ok(user),
        Ok(Choice::Create(generation)) => Err(create(o, desired, portal, generation)),
        Err(blocker) => Err(blocked(o, &blocker, o.timers.recheck())),
    }
}

/// A user of a later generation than this one, where there is one; else the steps that create it.
pub(super) fn find_or_create_successor(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    user: &UserRef,
) -> Result<UserRef, Step> {
    let at_least = user.generation().max(o.recorded_generation()).saturating_add(1);
    if o.searched == Searched::No {
        return Err(match bounds::create(o, desired, portal) {
            Ok(()) => Step::Read(Read::Search),
            Err(blocker) => super::current::user_blocked(o, user, blocker, o.timers.recheck()),
        });
    }
    match candidates::choose(o, portal, at_least) {
        Ok(Choice::Take(next)) if next.id != user.id => Ok(next),
        Ok(Choice::Take(next)) => Err(create(o, desired, portal, next.generation().saturating_add(1))),
        Ok(Choice::Create(generation)) => Err(create(o, desired, portal, generation)),
        Err(blocker) => Err(blocked(o, &blocker, o.timers.recheck())),
    }
}

/// Everything that must be true before the request to create a user, then the request.
pub(super) fn create(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, generation: i64) -> Step {
    request(o, desired, portal, generation).unwrap_or_else(|first| first)
}

fn request(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    generation: i64,
) -> Result<Step, Step> {
    let on_change = |blocker: Blocker| blocked(o, &blocker, o.timers.recheck());
    candidates::can_be_created(generation).map_err(on_change)?;
    settle::before_a_create(o)?;
    ready(o, desired, portal, generation)?;
    // After a definite refusal to this process there is no user that a search could find.
    let refused_here = next(o).is_some_and(|open| open.state == AttemptState::RefusedRetry);
    if o.searched == Searched::No && !refused_here {
        return Err(Step::Read(Read::Search));
    }
    if let Some(refusal) = &o.refusal {
        return Err(blocked(o, refusal, Requeue::Backoff));
    }
    let roles = roles::resolve(&desired.roles, &portal.roles).map_err(on_change)?;
    let user = NewUser {
        name: o.owner.user_name(generation, desired.name.as_deref()),
        description: o.description(generation),
        role_ids: roles.ids,
    };
    Ok(Step::Write(Write::Create { generation, user }))
}

/// What has to be read before a user of this generation is created, or the blocker.
fn ready(o: &Observation, desired: &DesiredUser, portal: &PortalFacts, generation: i64) -> Result<(), Step> {
    bounds::create(o, desired, portal).map_err(|blocker| blocked(o, &blocker, o.timers.recheck()))?;
    // Every output, so that no user is created whose credential has no place.
    for output in &o.outputs {
        match output.writable_for(generation) {
            None => {
                return Err(Step::Read(Read::Writable { output: output.id.clone(), generation }));
            }
            Some(Err(blocker)) => return Err(Step::user_blocked(blocker.clone(), Requeue::Backoff)),
            Some(Ok(())) => {}
        }
    }
    Ok(())
}
