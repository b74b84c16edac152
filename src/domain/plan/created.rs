//! The plan of a resource whose user the operator creates and owns: a Portal that leads to the recorded portal, a user that
//! can serve, its roles and description, its credential in the output; then the duplicates.

use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::roles::{self, quoted};

use super::current::{Current, current, successor, user_blocked};
use super::observation::{DesiredUser, Observation, PortalFacts, UserFacts};
use super::settled::{Report, Settled};
use super::step::{Step, UserRef, Write};
use super::tidy::tidy;
use super::{bounds, pin, publish, role_change, rotate, token_roles};

pub(super) fn plan(o: &Observation, desired: &DesiredUser) -> Step {
    steps(o, desired).unwrap_or_else(|first| first)
}

/// The step, or (`Err`) the one that comes before all that follows.
fn steps(o: &Observation, desired: &DesiredUser) -> Result<Step, Step> {
    let portal = pin::portal_here(o)?;
    if (o.recorded.user.is_some() || o.attempt.is_some()) && !o.finalizer {
        return Err(Step::Write(Write::AddFinalizer));
    }
    let step = current(o, desired, portal).and_then(|current| serve(o, desired, portal, current));
    let step = step.unwrap_or_else(|first| first);
    Ok(rotate::after(o, portal, step, |user| {
        let next = successor(o, desired, portal, user);
        next.and_then(|next| serve(o, desired, portal, next)).unwrap_or_else(|first| first)
    }))
}

/// From a user that can serve to outputs that hold its credential.
fn serve(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    current: Current<'_>,
) -> Result<Step, Step> {
    match current {
        Current::AsRecorded(user) => Ok(publish::check(o, &user)
            .or_else(|| tidy(o, portal, &user))
            .unwrap_or_else(|| publish::keep(o, &user))),
        Current::Active(user, facts) => {
            has_roles(o, desired, portal, &user, facts)?;
            describe_and_publish(o, portal, &user, facts)
        }
    }
}

/// Whether the user has the roles that were requested, and no others than the Portal's access grants.
fn has_roles(
    o: &Observation,
    desired: &DesiredUser,
    portal: &PortalFacts,
    user: &UserRef,
    facts: &UserFacts,
) -> Result<(), Step> {
    let on_change = |blocker: Blocker| user_blocked(o, user, blocker, o.timers.recheck());
    if o.is_adopted(user.generation()) {
        bounds::adopt(portal, &user.id, facts).map_err(on_change)?;
        let granted = portal.grants.for_adopting();
        return token_roles::check(o, &[], &granted, user, facts).map_or(Ok(()), Err);
    }
    let wanted = role_change::roles_of(o, desired, user);
    let missing = roles::missing(&wanted, &facts.roles);
    if !missing.is_empty() {
        return Err(on_change(Blocker::lasting(
            Reason::RolesMissing,
            format!(
                "User {} lacks {}: the portal did not assign all requested roles, or a role was removed later. The portal cannot \
                 change the roles of a user, so its credential is not published. Ask the portal's support, or set create.roles \
                 to the roles that the portal assigns.",
                user.id,
                quoted(&missing)
            ),
        )));
    }
    bounds::granted(o, &wanted, portal).map_err(on_change)?;
    bounds::has_granted_roles_only(&portal.grants, &user.id, facts).map_err(on_change)?;
    token_roles::check(o, &wanted, &portal.grants, user, facts).map_or(Ok(()), Err)
}

/// Without its name, a user is not found again if the status is removed.
fn describe_and_publish(
    o: &Observation,
    portal: &PortalFacts,
    user: &UserRef,
    facts: &UserFacts,
) -> Result<Step, Step> {
    let described =
        facts.description == o.description(user.generation()) && o.is_named(&facts.name, user.generation());
    let blocker = match bounds::describe(portal) {
        Ok(()) if !described => return Err(describe(o, user, facts)),
        Ok(()) => None,
        // Reported only if the spec was changed: an edit in the portal is repaired when that is possible.
        Err(blocker) => Some(blocker).filter(|_| !described && !o.spec_observed),
    };
    match (publish::publish(o, user, facts), blocker) {
        // The outputs are as they should be, the user is not.
        (Step::Settled(Settled { report: Report::Ready, .. }), Some(blocker)) => {
            Err(user_blocked(o, user, blocker, o.timers.recheck()))
        }
        (step, _) => Ok(step),
    }
}

/// Changes name and description of a user to the expected ones. A name that a search finds is kept, because a person may
/// have changed the part after its prefix.
fn describe(o: &Observation, user: &UserRef, facts: &UserFacts) -> Step {
    let name = if o.is_named(&facts.name, user.generation()) {
        facts.name.clone()
    } else {
        o.user_name(facts.kind, user.generation())
    };
    let description = o.description(user.generation());
    Step::Write(Write::Describe { user: user.clone(), name, description })
}
