//! What happens to one user of a resource under deletion: it is deleted, revoked or retained, or it keeps the resource.

use super::hold;
use crate::domain::ownership::{self, Whose};
use crate::domain::plan::current::disappeared_with_others;
use crate::domain::plan::observation::{Deletion, Done, Observation, PortalFacts, UserFacts, UserView};
use crate::domain::plan::ours;
use crate::domain::plan::retain::{LEFT_FOR_SUCCESSOR, RETAINED, RETAINED_EARLIER, record_retained, retain};
use crate::domain::plan::settled::Requeue;
use crate::domain::plan::step::{Notice, Read, Step, Write};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserKind, UserStatus};

/// A user of this resource that has a successor because its client is missing in the identity provider.
fn left_for_its_successor(o: &Observation, id: &UserId) -> bool {
    let named = o.users.get(id).and_then(|known| known.named.as_ref());
    o.recorded.user.as_ref().is_some_and(|recorded| recorded.id != *id)
        && named.is_some_and(|named| named.generation < o.recorded_generation())
}

/// The next step for one user; `None` if it needs none.
pub(super) fn delete_user(
    o: &Observation,
    portal: &PortalFacts,
    policy: Deletion,
    id: &UserId,
) -> Option<Step> {
    if o.is_done(id, &Done::Deleted) || o.is_done(id, &Done::RecordedRetained) {
        return None;
    }
    match o.view(id) {
        None => Some(Step::Read(Read::User(id.clone()))),
        Some(UserView::Gone) => portal.mass_disappearance.map(|count| {
            Step::held(Reason::LossSuspected, disappeared_with_others(id, count), o.timers.recheck())
        }),
        Some(UserView::ClientMissing) if policy == Deletion::Retain => Some(record_retained(id, RETAINED)),
        Some(UserView::ClientMissing) if left_for_its_successor(o, id) => {
            Some(record_retained(id, LEFT_FOR_SUCCESSOR))
        }
        Some(UserView::ClientMissing) => Some(undeletable(
            o,
            portal,
            id,
            None,
            &Undeletable {
                why: "its client is missing in the identity provider, so it can be neither used nor deleted"
                    .to_owned(),
                act: "Ask the portal's support to remove it".to_owned(),
            },
        )),
        Some(UserView::Read(user)) => match o.whose(portal, id, user) {
            Whose::Other(_) | Whose::Unclaimed(_) => None,
            Whose::Unproved if o.is_listed_only(id) => None,
            Whose::Unproved => Some(hold(&ownership::unproved_blocker(id), o.timers.recheck())),
            Whose::OperatorLogin => Some(hold(&ownership::login_blocker(id), o.timers.recheck())),
            Whose::Retained => Some(record_retained(id, RETAINED_EARLIER)),
            Whose::Ours(mark) => match ours(o, portal, &mark.hint) {
                Ok(()) => with_details(o, portal, policy, id, user),
                Err(blocker) => Some(hold(&blocker, o.timers.recheck())),
            },
            Whose::OursWithoutMark if is_left_to_a_person(o, id) => None,
            Whose::OursWithoutMark => with_details(o, portal, policy, id, user),
        },
    }
}

/// Whether a person keeps a user without mark that a successor has replaced: each user has its mark from the beginning, and the status of
/// a resource that lives does not name it any more.
pub(super) fn is_left_to_a_person(o: &Observation, id: &UserId) -> bool {
    o.retiring(id).is_some()
}

fn with_details(
    o: &Observation,
    portal: &PortalFacts,
    policy: Deletion,
    id: &UserId,
    user: &UserFacts,
) -> Option<Step> {
    Some(match (user.status, policy) {
        (UserStatus::PendingDeletion | UserStatus::Deleted | UserStatus::Inactive, _) => return None,
        (_, Deletion::Retain) => retain(o, id, user, RETAINED),
        (UserStatus::Active, Deletion::Delete) => delete(o, portal, id, user),
        (UserStatus::Active, Deletion::Revoke) if user.kind == UserKind::Internal => revoke(o, id, user, "deletionPolicy is Revoke"),
        (UserStatus::Active, Deletion::Revoke) => undeletable(o, portal, id, Some(user), &Undeletable {
            why: "the secret of a wallet user cannot be reset, so deletionPolicy Revoke cannot be carried out".to_owned(),
            act: "Delete the user in the portal's web page".to_owned(),
        }),
        (UserStatus::Pending, _) => undeletable(o, portal, id, Some(user), &Undeletable {
            why: "the wallet service has not answered yet, and the portal cannot delete a pending user".to_owned(),
            act: "Wait, or ask the portal's support".to_owned(),
        }),
        (UserStatus::Other, _) => undeletable(o, portal, id, Some(user), &Undeletable {
            why: "it is in a state that this version of the operator does not know".to_owned(),
            act: "Delete the user in the portal's web page".to_owned(),
        }),
    })
}

fn delete(o: &Observation, portal: &PortalFacts, id: &UserId, user: &UserFacts) -> Step {
    if let Some(why) = o.why_delete_is_refused(id).map(str::to_owned) {
        let act = match &user.connector {
            Some(connector) => {
                format!("Delete the connector \"{connector}\" in the portal's web page, or assign another technical user to it")
            }
            None if why.contains("connector") => {
                "Delete the connector that uses the user in the portal's web page, or assign another technical user to it"
                    .to_owned()
            }
            None if why.contains("subscription") => {
                "End the subscription in the portal's web page, which removes the user".to_owned()
            }
            None => "Delete the user in the portal's web page".to_owned(),
        };
        return undeletable(o, portal, id, Some(user), &Undeletable { why, act });
    }
    if portal.may_delete && !o.is_done(id, &Done::DeleteForbidden) {
        return Step::Write(Write::Delete { id: id.clone(), notice: deleted(id) });
    }
    if user.kind == UserKind::Internal {
        return revoke(o, id, user, &format!("{}, so the user was revoked instead", may_not_delete(portal)));
    }
    undeletable(
        o,
        portal,
        id,
        Some(user),
        &Undeletable {
            why: format!("{}, and the secret of a wallet user cannot be reset", may_not_delete(portal)),
            act: "Delete the user in the portal's web page, or give the Portal a deleteAuth".to_owned(),
        },
    )
}

fn may_not_delete(portal: &PortalFacts) -> String {
    format!("the Portal's login may not delete users ({} is missing)", portal.permissions.delete)
}

fn deleted(id: &UserId) -> Notice {
    Notice { reason: Reason::UserDeleted, note: format!("User {id} was deleted in the portal") }
}

fn revoke(o: &Observation, id: &UserId, user: &UserFacts, why: &str) -> Step {
    if !o.is_done(id, &Done::Reset) {
        return Step::Write(Write::Reset(id.clone()));
    }
    retain(o, id, user, why)
}

struct Undeletable {
    why: String,
    act: String,
}

fn undeletable(
    o: &Observation,
    portal: &PortalFacts,
    id: &UserId,
    user: Option<&UserFacts>,
    because: &Undeletable,
) -> Step {
    if portal.release_undeletable {
        return match user {
            Some(user) => retain(o, id, user, &because.why),
            None => record_retained(id, &because.why),
        };
    }
    let client = user
        .and_then(|u| u.client_id.as_deref())
        .map_or("no client ID yet".to_owned(), |client| format!("client ID {client}"));
    let linked = user
        .and_then(|u| u.connector.as_ref())
        .map_or(String::new(), |c| format!(", linked to connector \"{c}\""));
    Step::held(
        Reason::Undeletable,
        format!(
            "User {id} ({client}{linked}) cannot be deleted: {}. {}. The operator then removes the finalizer at the next \
             sweep, within the Portal's resyncInterval (5 minutes by default). Or annotate the resource with \
             technicaluser.dev/release=true to remove the finalizer without a request to the portal.",
            because.why, because.act
        ),
        Requeue::Backoff,
    )
}
