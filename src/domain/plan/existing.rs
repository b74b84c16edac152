//! The plan of a resource that publishes an existing user. The operator never changes that user.

use crate::domain::blocker::Blocker;
use crate::domain::ownership;
use crate::domain::reason::Reason;
use crate::domain::user::UserStatus;

use super::current::{pending_blocker, user_blocked};
use super::holding::Holding;
use super::observation::{Observation, PortalFacts, Selection, UserFacts, UserView};
use super::selector::Selector;
use super::settled::Requeue;
use super::step::{Read, Step, UserRef, Write};
use super::{blocked, bounds, pin, publish, selected, token_roles};

pub(super) fn plan(o: &Observation, selector: &Selector) -> Step {
    steps(o, selector).unwrap_or_else(|first| first)
}

/// The step, or (`Err`) the one that comes before all that follows.
fn steps(o: &Observation, selector: &Selector) -> Result<Step, Step> {
    let portal = pin::portal_here(o)?;
    let user = selected(o, portal, selector)?;
    // Without it, Kubernetes would remove the resource and leave such an output.
    if !o.finalizer && o.has_outliving_output() {
        return Err(Step::Write(Write::AddFinalizer));
    }
    // Not even its secret is read.
    if o.is_login(portal, &user.id) {
        return Err(blocked(o, &ownership::login_blocker(&user.id), o.timers.recheck()));
    }
    let recorded = o.recorded.user.as_ref().is_some_and(|recorded| recorded.id == user.id);
    if recorded && Holding::of(o).is_as_recorded(o) && !o.roles_doubted {
        return Ok(publish::check(o, &user).unwrap_or_else(|| publish::keep(o, &user)));
    }
    let blocker = match o.view(&user.id) {
        None => return Err(Step::Read(Read::User(user.id))),
        Some(UserView::Read(facts)) => return Ok(with_details(o, portal, &user, facts, selector)),
        Some(UserView::Gone) => Blocker::lasting(
            Reason::UserGone,
            format!("User {} is not in the portal, or belongs to another company", user.id),
        ),
        Some(UserView::ClientMissing) => Blocker::lasting(
            Reason::IdentityLost,
            format!("The portal lists user {}, but its client is missing in the identity provider", user.id),
        ),
    };
    Err(user_blocked(o, &user, blocker, Requeue::Backoff))
}

/// The one user that the selector matches.
fn selected(o: &Observation, portal: &PortalFacts, selector: &Selector) -> Result<UserRef, Step> {
    if !portal.grants.existing() {
        let message = "The Portal's access does not allow this namespace to publish users that the operator did not create. \
                       Ask the Portal's owner for a rule with existing: true.";
        return Err(blocked(o, &Blocker::lasting(Reason::AccessDenied, message), o.timers.recheck()));
    }
    selected::one_of_the_list(o, portal, selector).map(UserRef::existing)
}

fn with_details(
    o: &Observation,
    portal: &PortalFacts,
    current: &UserRef,
    user: &UserFacts,
    selector: &Selector,
) -> Step {
    // The status reports nothing about a user that this resource may not have.
    let is_marked_as_login = user.mark.as_ref().is_some_and(|mark| mark.login);
    if is_marked_as_login || user.client_id.as_ref().is_some_and(|id| portal.logins.is_known(id)) {
        return blocked(o, &ownership::login_blocker(&current.id), o.timers.recheck());
    }
    // The id is from a list that may be old, or from a status that others can write: the details decide.
    if !selector.fits(&current.id, user) {
        if o.selection != Selection::Certain {
            return selected::uncertain(o, selector);
        }
        return selected::absent(o, selector, Requeue::Backoff);
    }
    // A user that was retained by a resource of this very name may be published by it again.
    if let Some(mark) = user.mark.as_ref().filter(|mark| !mark.retained || mark.owner != o.owner) {
        let words = if mark.retained {
            format!(
                "User {} was created for the TechnicalUser {} and retained when that TechnicalUser was deleted. Only that \
                 TechnicalUser publishes it. To publish it with this one, remove the mark from the user's description in the \
                 portal.",
                current.id, mark.owner
            )
        } else {
            format!(
                "User {} was created for the TechnicalUser {}, and only that TechnicalUser publishes it",
                current.id, mark.owner
            )
        };
        return blocked(o, &Blocker::lasting(Reason::ManagedElsewhere, words), o.timers.recheck());
    }
    if let Err(blocker) = bounds::has_granted_roles_only(&portal.grants.for_existing(), &current.id, user) {
        return blocked(o, &blocker, o.timers.recheck());
    }
    match user.status {
        UserStatus::Active => token_roles::check(o, &[], &portal.grants.for_existing(), current, user)
            .unwrap_or_else(|| publish::publish(o, current, user)),
        UserStatus::Pending => user_blocked(o, current, pending_blocker(o, current), o.timers.poll()),
        _ => user_blocked(
            o,
            current,
            Blocker::lasting(Reason::UserInactive, format!("User {} is deleted or inactive", current.id)),
            Requeue::Backoff,
        ),
    }
}
