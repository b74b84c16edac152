//! Adoption: the first user of a resource is one that somebody created by hand, in place of one that the operator creates.
//!
//! The status names the user, with the proof that it belongs to the resource, before anything is changed in the portal. From then
//! on it is a user of generation 1 as any other, whose mark is missing; only its name is kept.

use crate::domain::blocker::Blocker;
use crate::domain::ownership::{self, Whose};
use crate::domain::reason::Reason;
use crate::domain::roles::{self, RoleSet, quoted};
use crate::domain::user::{UserId, UserStatus};

use super::candidates::{self, Choice};
use super::current::pending_blocker;
use super::observation::{DesiredUser, Observation, PortalFacts, Searched, UserFacts, UserView};
use super::selector::Selector;
use super::settled::Requeue;
use super::step::{Notice, Read, Step, UserRef, Write};
use super::{blocked, bounds, ours, selected};

/// The first user of a resource that takes one over, or a successor of it if the status was lost.
pub(super) fn first(
    o: &Observation,
    portal: &PortalFacts,
    desired: &DesiredUser,
    selector: &Selector,
) -> Result<UserRef, Step> {
    let on_change = |blocker: Blocker| blocked(o, &blocker, o.timers.recheck());
    is_allowed(o, desired, portal).map_err(on_change)?;
    if o.searched == Searched::No {
        return Err(Step::Read(Read::Search));
    }
    if let Choice::Take(user) = candidates::choose(o, portal, Observation::ADOPTED).map_err(on_change)? {
        return Ok(user);
    }
    let id = selected::one_of_the_list(o, portal, selector)?;
    if o.is_known_login(portal, &id) {
        return Err(on_change(ownership::login_blocker(&id)));
    }
    let user = match o.view(&id) {
        None => return Err(Step::Read(Read::User(id))),
        Some(UserView::Read(user)) => user,
        Some(UserView::Gone | UserView::ClientMissing) => {
            return Err(selected::absent(o, selector, Requeue::Backoff));
        }
    };
    if !selector.fits(&id, user) {
        return Err(selected::absent(o, selector, Requeue::Backoff));
    }
    if user.client_id.as_ref().is_some_and(|client| portal.logins.is_known(client)) {
        return Err(on_change(ownership::login_blocker(&id)));
    }
    let reference = UserRef::created(id, Observation::ADOPTED);
    match o.whose(portal, &reference.id, user) {
        Whose::Ours(mark) => {
            ours(o, portal, &mark.hint).map_err(on_change)?;
            Ok(reference)
        }
        Whose::Other(mark) => Err(on_change(of_other(&reference.id, &mark.owner.to_string()))),
        Whose::OperatorLogin => Err(on_change(ownership::login_blocker(&reference.id))),
        Whose::OursWithoutMark | Whose::Retained | Whose::Unclaimed(_) | Whose::Unproved => {
            Err(take_over(o, portal, desired, reference, user))
        }
    }
}

/// Takes over a user that has no owner.
fn take_over(
    o: &Observation,
    portal: &PortalFacts,
    desired: &DesiredUser,
    user: UserRef,
    facts: &UserFacts,
) -> Step {
    let id = &user.id;
    if let Some(offer) = &facts.offer {
        let name = offer.name.as_ref().unwrap_or(&offer.id);
        let message = format!(
            "User {id} belongs to a subscription of the offer \"{name}\", so its provider decides about it. Publish it with \
             user.existing.offer in place of create.adopt."
        );
        return blocked(o, &Blocker::lasting(Reason::OwnedByOther, message), o.timers.recheck());
    }
    match facts.status {
        UserStatus::Active => {}
        UserStatus::Pending => return blocked(o, &pending_blocker(o, &user), o.timers.poll()),
        _ => {
            let message = format!("User {id} is deleted or inactive, so it cannot be taken over");
            return blocked(o, &Blocker::lasting(Reason::UserInactive, message), Requeue::Backoff);
        }
    }
    if let Err(blocker) = bounds::adopt(portal, id, facts) {
        return blocked(o, &blocker, o.timers.recheck());
    }
    if !o.finalizer {
        return Step::Write(Write::AddFinalizer);
    }
    Step::Write(Write::Adopt { user, differs: differs(desired, facts) })
}

/// How the roles of a user differ from those of the spec. They never lead to another user by themselves.
fn differs(desired: &DesiredUser, facts: &UserFacts) -> Option<Notice> {
    let (has, wanted) = (roles::set(&facts.roles), roles::set(&desired.roles));
    let words = |roles: &RoleSet| quoted(&roles.iter().map(String::as_str).collect::<Vec<_>>());
    (has != wanted).then(|| Notice {
        reason: Reason::RolesDiffer,
        note: format!(
            "The user that was taken over has the roles {}, and create.roles names {}. The operator keeps it as it is. To replace \
             it by one with other roles, change create.roles.",
            words(&has),
            words(&wanted)
        ),
    })
}

fn of_other(id: &UserId, owner: &str) -> Blocker {
    Blocker::lasting(
        Reason::OwnedByOther,
        format!(
            "User {id} has the mark of the TechnicalUser {owner}. The operator takes over no user of another owner. Select \
             another user in a new TechnicalUser. If that TechnicalUser was deleted in this cluster, select the user by \
             adopt.id; if it was one of another cluster that does not exist any more, remove the mark from the description of \
             the user in the portal."
        ),
    )
}

/// What must be true before a user is read to take it over.
fn is_allowed(o: &Observation, desired: &DesiredUser, portal: &PortalFacts) -> Result<(), Blocker> {
    if portal.deleting {
        return Err(Blocker::passing(
            Reason::PortalDeleting,
            "The Portal is under deletion, so the operator takes over no users for it",
        ));
    }
    if !portal.grants.adopting() {
        let message = "The Portal's access does not allow this namespace to take over users that the operator did not create. Ask \
                       the Portal's owner for a rule with adopt: true.";
        return Err(Blocker::lasting(Reason::AccessDenied, message));
    }
    bounds::granted(o, &desired.roles, portal)?;
    bounds::describe(portal)
}
