//! The plan of a resource that publishes an existing user. The operator never changes that user.

use crate::domain::blocker::Blocker;
use crate::domain::ownership;
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserStatus};

use super::current::{pending_blocker, user_blocked};
use super::holding::Holding;
use super::observation::{Observation, PortalFacts, Selection, UserFacts, UserView};
use super::selector::Selector;
use super::settled::Requeue;
use super::step::{Read, Step, UserRef, Write};
use super::{blocked, bounds, pin, publish, token_roles};

/// How many users are read at most to find the one with a role. A subscription has a handful.
const MOST_READ: usize = 15;
/// How many users a message names at most.
const MOST_NAMED: usize = 5;

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
    if o.selection == Selection::Unread {
        let blocker = Blocker::passing(Reason::Searching, "The operator is reading the portal's user list");
        return Err(blocked(o, &blocker, Requeue::Backoff));
    }
    let shown: Vec<&UserId> = o.users.selected().collect();
    // Two users are ambiguous even if the list hides more; a Ready resource is kept nevertheless.
    if o.selection != Selection::Certain && (shown.len() < 2 || Holding::of(o).is_as_recorded(o)) {
        return selected_before(o, &shown).ok_or_else(|| uncertain(o, selector));
    }
    let fitting = if shown.len() > 1 { with_the_role(o, portal, selector, shown)? } else { shown };
    match fitting.as_slice() {
        [id] => Ok(UserRef::existing((*id).clone())),
        [] => Err(absent(o, selector, o.timers.recheck())),
        several => Err(blocked(o, &ambiguous(o, selector, several), o.timers.recheck())),
    }
}

/// Those of the users that the list shows as equals that have the role. The list shows no roles, so each user is read, unless one
/// of them is published, or there are too many.
fn with_the_role<'a>(
    o: &'a Observation,
    portal: &PortalFacts,
    selector: &Selector,
    shown: Vec<&'a UserId>,
) -> Result<Vec<&'a UserId>, Step> {
    if selector.role().is_none() || shown.len() > MOST_READ {
        return Ok(shown);
    }
    let recorded = o.recorded.user.as_ref().filter(|_| Holding::of(o).is_as_recorded(o));
    if let Some(published) = recorded.and_then(|user| shown.iter().find(|id| ***id == user.id)) {
        return Ok(vec![*published]);
    }
    let mut fitting = Vec::new();
    // Not even the secret of a login is read.
    for id in shown.into_iter().filter(|id| !o.is_login(portal, id)) {
        match o.view(id) {
            None => return Err(Step::Read(Read::User(id.clone()))),
            Some(UserView::Read(facts)) if selector.fits(id, facts) => fitting.push(id),
            Some(UserView::Read(_) | UserView::Gone | UserView::ClientMissing) => {}
        }
    }
    Ok(fitting)
}

/// No user of the portal's list is the one that is selected.
fn absent(o: &Observation, selector: &Selector, requeue: Requeue) -> Step {
    let blocker = match selector {
        _ if o.recorded.credential_published => Blocker::lasting(
            Reason::UserNotFound,
            format!(
                "The portal does not show this company a user with {selector} any more. The operator publishes the user when it \
                 appears again."
            ),
        ),
        Selector::Offer(_) => Blocker::passing(
            Reason::WaitingForProvider,
            format!(
                "The portal shows this company no user with {selector}. The provider of the offer creates the user after this \
                 company has subscribed. The operator publishes the user when it appears."
            ),
        ),
        Selector::Id(_) | Selector::ClientId(_) | Selector::Name(_) => Blocker::lasting(
            Reason::UserNotFound,
            format!(
                "The portal shows this company no user with {selector}. The operator publishes the user when it appears."
            ),
        ),
    };
    blocked(o, &blocker, requeue)
}

/// Several users fit, so none of them is published.
fn ambiguous(o: &Observation, selector: &Selector, users: &[&UserId]) -> Blocker {
    let words = |id: &&&UserId| {
        let client = o.users.get(id).and_then(|known| known.client_ids.first());
        client.map_or_else(|| id.to_string(), |client| format!("{id} ({client})"))
    };
    let mut named: Vec<String> = users.iter().take(MOST_NAMED).map(|id| words(&id)).collect();
    if users.len() > MOST_NAMED {
        named.push(format!("{} more", users.len() - MOST_NAMED));
    }
    let narrower = match selector {
        Selector::Offer(_) => "subscriptionId, role, id or clientId",
        Selector::Id(_) | Selector::ClientId(_) | Selector::Name(_) => "id or clientId",
    };
    Blocker::lasting(
        Reason::UserAmbiguous,
        format!(
            "{} users have {selector}: {}. Select one of them by {narrower}.",
            users.len(),
            named.join(", ")
        ),
    )
}

/// The user that was selected when the list showed every user, while no other one is shown.
fn selected_before(o: &Observation, shown: &[&UserId]) -> Option<UserRef> {
    let user = o.recorded.user.as_ref()?;
    let alone = shown.iter().all(|id| **id == user.id);
    alone.then(|| UserRef::existing(user.id.clone()))
}

/// The list hides users of equal names: it shows neither that one user exists nor that none exists.
fn uncertain(o: &Observation, selector: &Selector) -> Step {
    if o.selection == Selection::Narrows {
        return Step::Read(Read::Narrow);
    }
    let message = format!(
        "The portal's user list does not show every user of equal names, so the operator cannot know whether exactly one \
         user has {selector}. Select the user by id."
    );
    blocked(o, &Blocker::passing(Reason::ListIncomplete, message), o.timers.recheck())
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
            return uncertain(o, selector);
        }
        return absent(o, selector, Requeue::Backoff);
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
