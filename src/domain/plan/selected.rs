//! Which user of the portal's list a selector means: one, none, several, or one that the list may hide.

use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::user::UserId;

use super::blocked;
use super::holding::Holding;
use super::observation::{Observation, PortalFacts, Selection, UserView};
use super::selector::Selector;
use super::settled::Requeue;
use super::step::{Read, Step};

/// How many users are read at most to find the one with a role. A subscription has a handful.
const MOST_READ: usize = 15;
/// How many users a message names at most.
const MOST_NAMED: usize = 5;

/// The one user of the portal's list that the selector matches.
pub(super) fn one_of_the_list(
    o: &Observation,
    portal: &PortalFacts,
    selector: &Selector,
) -> Result<UserId, Step> {
    if o.selection == Selection::Unread {
        let blocker = Blocker::passing(Reason::Searching, "The operator is reading the portal's user list");
        return Err(blocked(o, &blocker, Requeue::Backoff));
    }
    let shown: Vec<&UserId> = o.users.selected().collect();
    if let Some(published) = published_of_an_offer(o, selector, &shown) {
        return Ok(published);
    }
    // Which of the users has the role, one that is hidden may have as well.
    if o.selection != Selection::Certain && selector.role().is_some() {
        return Err(uncertain(o, selector));
    }
    // Two users are ambiguous even if the list hides more; a Ready resource is kept nevertheless.
    if o.selection != Selection::Certain && (shown.len() < 2 || Holding::of(o).is_as_recorded(o)) {
        return selected_before(o, &shown).ok_or_else(|| uncertain(o, selector));
    }
    let fitting = if shown.len() > 1 { with_the_role(o, portal, selector, shown)? } else { shown };
    match fitting.as_slice() {
        [id] => Ok((*id).clone()),
        [] => Err(absent(o, selector, o.timers.recheck())),
        several => Err(blocked(o, &ambiguous(o, selector, several), o.timers.recheck())),
    }
}

/// The user of an offer that is published. It stays until its subscription has ended, whatever other users fit, and longer unless the
/// selector names that subscription: the users of another one may be of another environment.
fn published_of_an_offer(o: &Observation, selector: &Selector, shown: &[&UserId]) -> Option<UserId> {
    let Selector::Offer(wanted) = selector else { return None };
    let published = o.recorded.user.as_ref().filter(|_| o.recorded.credential_published)?;
    let stays = wanted.subscription.is_none() || shown.contains(&&published.id);
    stays.then(|| published.id.clone())
}

/// Those of the users that the list shows as equals that have the role. The list shows no roles, so each user is read, unless there
/// are too many.
fn with_the_role<'a>(
    o: &'a Observation,
    portal: &PortalFacts,
    selector: &Selector,
    shown: Vec<&'a UserId>,
) -> Result<Vec<&'a UserId>, Step> {
    if selector.role().is_none() || shown.len() > MOST_READ {
        return Ok(shown);
    }
    let (mut fitting, mut unreadable) = (Vec::new(), Vec::new());
    // Not even the secret of a login is read.
    for id in shown.into_iter().filter(|id| !o.is_login(portal, id)) {
        match o.view(id) {
            None => return Err(Step::Read(Read::User(id.clone()))),
            Some(UserView::Read(facts)) if selector.fits(id, facts) => fitting.push(id),
            Some(UserView::ClientMissing) => unreadable.push(id),
            Some(UserView::Read(_) | UserView::Gone) => {}
        }
    }
    Ok(if fitting.is_empty() { unreadable } else { fitting })
}

/// The user that was selected when the list showed every user, while no other one is shown.
fn selected_before(o: &Observation, shown: &[&UserId]) -> Option<UserId> {
    let user = o.recorded.user.as_ref()?;
    let alone = shown.iter().all(|id| **id == user.id);
    alone.then(|| user.id.clone())
}

/// The list hides users of equal names: it shows neither that one user exists nor that none exists.
pub(super) fn uncertain(o: &Observation, selector: &Selector) -> Step {
    if o.selection == Selection::Narrows {
        return Step::Read(Read::Narrow);
    }
    let message = format!(
        "The portal's user list does not show every user of equal names, so the operator cannot know whether exactly one \
         user has {selector}. Select the user by id."
    );
    blocked(o, &Blocker::passing(Reason::ListIncomplete, message), o.timers.recheck())
}

/// No user of the portal's list is the one that is selected.
pub(super) fn absent(o: &Observation, selector: &Selector, requeue: Requeue) -> Step {
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
        Selector::Offer(offer) if offer.subscription.is_none() => "offer.subscriptionId, id or clientId",
        Selector::Offer(offer) if offer.role.is_none() => "role, id or clientId",
        Selector::Offer(_) | Selector::Id(_) | Selector::ClientId(_) | Selector::Name(_) => "id or clientId",
    };
    Blocker::lasting(
        Reason::UserAmbiguous,
        format!(
            "{} users have {selector}: {}. Select one of them by {narrower} in a new TechnicalUser.",
            users.len(),
            named.join(", ")
        ),
    )
}
