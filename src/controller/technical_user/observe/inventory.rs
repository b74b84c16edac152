//! The users of the last snapshot of the portal's list that concern a resource.

use crate::api::portal::PortalStatus;
use crate::api::technical_user::ExistingUser;
use crate::controller::registry::Connected;
use crate::controller::technical_user::RETAINED_LIMIT;
use crate::controller::technical_user::pass::Pass;
use crate::domain::identity::Owner;
use crate::domain::plan::{Candidate, Confirmed, Listed};
use crate::domain::user::{ListedUser, UserId};

/// What the last snapshot says of the resource's users.
pub(super) fn see_inventory(pass: &mut Pass, portal_status: Option<&PortalStatus>) {
    let Some(link) = &pass.link else { return };
    let Some(snapshot) = link.inventory.snapshot() else { return };
    let o = &mut pass.observation;
    let recorded = o.recorded.user.as_ref().map(|user| user.id.clone());
    o.listed = match recorded.as_ref().map(|id| snapshot.get(id)) {
        Some(Some(user)) => Listed::There(user.status),
        Some(None) if snapshot.is_complete() => Listed::Missing,
        _ => Listed::Unknown,
    };
    if let Some(existing) = &pass.spec.user.existing {
        // An id needs no list; a name or client id that is not there may hide behind equal names.
        o.selected = match &existing.id {
            Some(id) => Some(vec![UserId::new(id)]),
            None => Some(
                snapshot
                    .users()
                    .filter(|user| is_selected(existing, user))
                    .map(|user| user.id.clone())
                    .collect(),
            ),
        };
        return;
    }
    let retained: Vec<&str> =
        portal_status.iter().flat_map(|status| &status.retained).map(|user| user.id.as_str()).collect();
    // Where the list is full, an entry would only push another one out, which would be listed again, and so on.
    let full = retained.len() >= RETAINED_LIMIT;
    o.siblings = snapshot
        .named_for(&o.owner)
        .into_iter()
        .filter(|user| Some(&user.id) != recorded.as_ref())
        .map(|user| candidate(link, &o.owner, user, full || retained.contains(&user.id.as_str())))
        .collect();
}

fn is_selected(existing: &ExistingUser, user: &ListedUser) -> bool {
    existing.client_id.as_ref().is_some_and(|id| user.client_id.as_ref() == Some(id))
        || existing.name.as_ref().is_some_and(|name| user.name == *name)
}

/// A user of our name, with what is remembered of its mark.
pub(in crate::controller::technical_user) fn candidate(
    link: &Connected,
    owner: &Owner,
    user: &ListedUser,
    listed_as_retained: bool,
) -> Candidate {
    let confirmed = match link.inventory.mark(&user.id) {
        None => Confirmed::Unread,
        Some(Some(mark)) if mark.owner == *owner && mark.retained => Confirmed::Retained,
        Some(Some(mark)) if mark.owner == *owner => Confirmed::Ours(mark.hint),
        Some(_) => Confirmed::Foreign,
    };
    Candidate {
        id: user.id.clone(),
        generation: owner.generation_of(&user.name).unwrap_or(0),
        status: user.status,
        kind: user.kind,
        client_id: user.client_id.clone(),
        confirmed,
        listed_as_retained,
    }
}
