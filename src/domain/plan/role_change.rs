//! A change of the roles in the spec. The portal cannot change the roles of a user, so a user with the new ones replaces it: what
//! decides are the roles that were asked for, not those that the portal gave.

use super::observation::{Desired, DesiredUser, Observation, OpenAttempt, UserFacts};
use super::rotate;
use super::settled::{Report, Stage};
use super::step::UserRef;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::roles::{self, RoleSet, quoted};
use crate::domain::user::UserKind;

/// The roles that were asked for when a user of the resource was created, if that is known. A user that has exactly those of the
/// spec counts as created with them.
#[must_use]
pub fn roles_asked(o: &Observation, user: &UserRef) -> Option<RoleSet> {
    let has = o.facts(&user.id).map(|facts| roles::set(&facts.roles));
    if has.is_some() && has == wanted(o) {
        return has;
    }
    let recorded = o.recorded.user.as_ref().filter(|recorded| recorded.id == user.id);
    let attempt = o.attempt.as_ref().and_then(|open| open.attempt.as_ref());
    let attempt = attempt.filter(|attempt| attempt.generation == user.generation());
    recorded
        .and_then(|recorded| recorded.asked.clone())
        .or_else(|| attempt.and_then(|attempt| attempt.roles.clone()))
}

/// The roles of the spec.
fn wanted(o: &Observation) -> Option<RoleSet> {
    match &o.desired {
        Desired::Create(desired) => Some(roles::set(&desired.roles)),
        Desired::Existing { .. } => None,
    }
}

/// Whether an attempt creates a user with the roles of the spec, as far as is known.
#[must_use]
pub fn has_roles_of_spec(o: &Observation, open: &OpenAttempt) -> bool {
    let roles = open.attempt.as_ref().and_then(|attempt| attempt.roles.as_ref());
    roles.is_none_or(|roles| wanted(o).as_ref() == Some(roles))
}

/// The roles that a user of the resource is to have: those that it was created with, while another one is to replace it.
pub(super) fn roles_of(o: &Observation, desired: &DesiredUser, user: &UserRef) -> Vec<String> {
    match roles_asked(o, user) {
        Some(asked) if asked != roles::set(&desired.roles) => asked.into_iter().collect(),
        _ => desired.roles.clone(),
    }
}

/// Whether a user was created with the roles of the spec. If nobody knows, and another one serves, only one that has exactly these
/// is used.
pub(super) fn has_asked_for_roles(o: &Observation, user: &UserRef, facts: &UserFacts) -> bool {
    let Some(wanted) = wanted(o) else { return true };
    match roles_asked(o, user) {
        Some(asked) => asked == wanted,
        None => !rotate::serves(o) || roles::set(&facts.roles) == wanted,
    }
}

/// The user that the status names, if it was created with other roles than the spec names.
pub(super) fn outdated(o: &Observation) -> Option<UserRef> {
    let recorded = o.recorded.user.as_ref()?;
    let user = UserRef { id: recorded.id.clone(), origin: recorded.origin };
    let (asked, wanted) = (roles_asked(o, &user)?, wanted(o)?);
    (asked != wanted).then_some(user)
}

/// Whether the user that the status names has a role that this one, which replaces it, was not created with.
#[must_use]
pub fn takes_roles_away(o: &Observation, current: &UserRef) -> bool {
    let Some(recorded) = o.recorded.user.as_ref().filter(|recorded| recorded.id != current.id) else {
        return false;
    };
    let next = roles_asked(o, current).or_else(|| wanted(o));
    match (&recorded.asked, next) {
        (Some(before), Some(next)) => !before.is_subset(&next),
        _ => false,
    }
}

/// Why a user that serves is not replaced by one with the roles of the spec.
pub(super) fn refused(o: &Observation, kind: Option<UserKind>, user: &UserRef) -> Option<Blocker> {
    if o.rotation.strategy == super::Strategy::InPlace {
        return Some(needs_replace(user));
    }
    if let Some(output) = o.outputs.iter().find(|output| output.alias_is_fixed) {
        let message = format!(
            "{} {} Or set create.roles back.",
            roles_differ(user),
            rotate::alias_is_fixed(&output.id)
        );
        return Some(Blocker::lasting(Reason::AliasFixed, message));
    }
    let may_delete = o.portal.as_ref().map_or(true, |portal| portal.may_delete);
    // A person who asks for the rotation has the former user listed as retained.
    let would_stay_valid = kind != Some(UserKind::Internal) && !may_delete && !o.rotation.requested;
    let (Some(asked), Some(wanted)) = (roles_asked(o, user), wanted(o)) else { return None };
    let taken: Vec<&str> = asked.difference(&wanted).map(String::as_str).collect();
    (would_stay_valid && !taken.is_empty()).then(|| needs_delete(user, &taken))
}

/// What is reported from the moment that the change is seen.
pub(super) fn replacing(user: &UserRef) -> Blocker {
    let message = format!("{} The operator replaces the user.", roles_differ(user));
    Blocker::passing(Reason::RolesChanged, message)
}

/// Whether only its roles keep a user from being in order, which its successor cures.
pub(super) fn is_cured_by_successor(report: &Report) -> bool {
    matches!(
        report,
        Report::Blocked { stage: Stage::User, blocker }
            if matches!(blocker.reason, Reason::RolesMissing | Reason::AccessDenied)
    )
}

fn roles_differ(user: &UserRef) -> String {
    format!("create.roles differs from the roles that user {} was created with.", user.id)
}

fn needs_replace(user: &UserRef) -> Blocker {
    Blocker::lasting(
        Reason::RoleChangeNeedsReplace,
        format!(
            "{} The portal cannot change the roles of a user, so the operator has to replace it, and rotation.strategy is InPlace. \
             Set rotation.strategy to Auto or Replace, or set create.roles back.",
            roles_differ(user)
        ),
    )
}

fn needs_delete(user: &UserRef, taken: &[&str]) -> Blocker {
    Blocker::lasting(
        Reason::RoleChangeNeedsDelete,
        format!(
            "{} User {} has {}, which create.roles does not name any more. The Portal's login may not delete users, and the portal \
             cannot reset the secret of an external user, so its credential would stay valid; the operator creates no other user. \
             Give the Portal a deletion login (deleteAuth), or set create.roles back. To replace the user all the same, request it \
             by the annotation technicaluser.dev/rotate=now; the Portal's status.retained then lists the former user.",
            roles_differ(user),
            user.id,
            quoted(taken)
        ),
    )
}
