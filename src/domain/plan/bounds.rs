//! What no step may exceed: the Portal's rules for a namespace, the permissions of its login, and its suspension.
//!
//! The plans check this before they read anything that only a write needs. [`within`] checks it again for each step.

use crate::domain::access::Grants;
use crate::domain::blocker::Blocker;
use crate::domain::permissions::login_advice;
use crate::domain::reason::Reason;
use crate::domain::roles::{self, quoted};
use crate::domain::user::UserId;

use super::observation::{Desired, DesiredUser, Observation, PortalFacts, UserFacts, UserView};
use super::settled::Report;
use super::step::{Step, Write};
use super::{blocked, role_change};

/// The step, or the end of the reconcile if the step exceeds what is allowed.
pub(super) fn within(o: &Observation, step: Step) -> Step {
    let Step::Write(write) = &step else { return step };
    match check(o, write) {
        Ok(()) => step,
        Err(blocker) if o.deleting => {
            Step::settled(Report::Deleting(Blocker { stalled: false, ..blocker }), o.timers.recheck())
        }
        Err(blocker) => blocked(o, &blocker, o.timers.recheck()),
    }
}

fn check(o: &Observation, write: &Write) -> Result<(), Blocker> {
    let portal = match &o.portal {
        Ok(portal) => portal,
        Err(blocker) if write.touches_portal() => return Err(blocker.clone()),
        Err(_) => return Ok(()),
    };
    match (write, &o.desired) {
        (Write::Create { .. }, Desired::Create(desired)) => create(o, desired, portal),
        (Write::Publish { user, .. }, Desired::Create(desired)) => {
            granted(o, &role_change::roles_of(o, desired, user), portal)?;
            publish(o, &portal.grants, &user.id)
        }
        (Write::Publish { user, .. }, Desired::Existing { .. }) => {
            publish(o, &portal.grants.for_existing(), &user.id)
        }
        (Write::Describe { .. } | Write::Adopt { .. }, _) => describe(portal),
        (Write::RotateSecret { user, .. }, Desired::Create(desired)) => {
            granted(o, &role_change::roles_of(o, desired, user), portal)?;
            publish(o, &portal.grants, &user.id)?;
            reset(portal)
        }
        (write, _) if write.touches_portal() => {
            not_suspended(portal, "The operator keeps the user until suspend is false.")
        }
        _ => Ok(()),
    }
}

fn publish(o: &Observation, grants: &Grants, id: &UserId) -> Result<(), Blocker> {
    match o.view(id) {
        Some(UserView::Read(user)) => has_granted_roles_only(grants, id, user),
        _ => Ok(()),
    }
}

/// Whether the Portal is not suspended; `effect` is a sentence on what the suspension means for the user.
pub(super) fn not_suspended(portal: &PortalFacts, effect: &str) -> Result<(), Blocker> {
    if portal.suspended {
        let message = format!("The Portal is suspended (suspend: true). {effect}");
        return Err(Blocker::passing(Reason::PortalSuspended, message));
    }
    Ok(())
}

/// Whether a user may be created. The permission comes before the roles, because a login without it may not list the roles on
/// offer either.
pub(super) fn create(o: &Observation, desired: &DesiredUser, portal: &PortalFacts) -> Result<(), Blocker> {
    if portal.deleting {
        return Err(Blocker::passing(
            Reason::PortalDeleting,
            "The Portal is under deletion, so the operator creates no users for it",
        ));
    }
    granted(o, &desired.roles, portal)?;
    if !portal.may_create {
        let names = &portal.permissions;
        return Err(Blocker::lasting(
            Reason::PermissionMissing,
            format!(
                "The Portal's login may not create users: the permission {} or {} is missing. {}.",
                names.create,
                names.roles,
                login_advice(names)
            ),
        ));
    }
    roles::resolve(&desired.roles, &portal.roles)?;
    not_suspended(portal, "The operator creates the user when suspend is false.")
}

/// Whether the Portal's rules grant the roles to the namespace. Checked before a create and a publication, never before a
/// deletion.
pub(super) fn granted(o: &Observation, roles: &[String], portal: &PortalFacts) -> Result<(), Blocker> {
    if portal.grants.roles(roles) {
        return Ok(());
    }
    let words = portal.grants.denial(&o.owner.namespace, roles);
    Err(Blocker::lasting(Reason::AccessDenied, words))
}

/// Whether one rule grants all roles that a user has. The credential has these roles, whatever was requested.
pub(super) fn has_granted_roles_only(grants: &Grants, id: &UserId, user: &UserFacts) -> Result<(), Blocker> {
    if grants.roles(&user.roles) {
        return Ok(());
    }
    let granted = grants.granted_roles();
    let beyond: Vec<&str> =
        user.roles.iter().map(String::as_str).filter(|role| !granted.contains(role)).collect();
    let what = if beyond.is_empty() { "these roles together".to_owned() } else { quoted(&beyond) };
    Err(Blocker::lasting(
        Reason::AccessDenied,
        format!(
            "User {id} has the roles {}. The Portal's access does not grant {what} to this namespace (granted: {}), so \
             its credential is not published. Ask the Portal's owner for a rule, or remove the roles in the portal.",
            quoted(&user.roles.iter().map(String::as_str).collect::<Vec<_>>()),
            grants.granted_words(),
        ),
    ))
}

/// Whether a user may be taken over, by the roles that it has.
pub(super) fn adopt(portal: &PortalFacts, id: &UserId, user: &UserFacts) -> Result<(), Blocker> {
    has_granted_roles_only(&portal.grants.for_adopting(), id, user)
}

/// Whether a user's secret may be reset to publish another one.
pub(super) fn reset(portal: &PortalFacts) -> Result<(), Blocker> {
    not_suspended(portal, "The operator rotates the secret when suspend is false.")?;
    if !portal.may_create {
        let names = &portal.permissions;
        return Err(Blocker::lasting(
            Reason::PermissionMissing,
            format!(
                "The Portal's login may not reset secrets: the permission {} is missing. {}.",
                names.create,
                login_advice(names)
            ),
        ));
    }
    Ok(())
}

/// Whether a user's name and description may be changed.
pub(super) fn describe(portal: &PortalFacts) -> Result<(), Blocker> {
    not_suspended(portal, "The operator changes name and description of the user when suspend is false.")?;
    if !portal.may_create {
        let names = &portal.permissions;
        return Err(Blocker::lasting(
            Reason::PermissionMissing,
            format!(
                "The Portal's login may not change name and description of the user: the permission {} is missing. {}.",
                names.create,
                login_advice(names)
            ),
        ));
    }
    Ok(())
}
