//! The plan of a resource under deletion: each of its users is deleted, revoked or retained, then what outlives the resource of
//! its outputs is removed, then the finalizer.

use std::time::Duration;

use crate::domain::blocker::Blocker;
use crate::domain::ownership::{self, Origin, Whose};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserKind, UserStatus};

use super::current::disappeared_with_others;
use super::holding::siblings;
use super::observation::{
    AfterUsers, AttemptState, Confirmed, Deletion, Desired, Done, Listed, Named, NotRemoved, Observation,
    OutputId, PortalFacts, Searched, UserFacts, UserView,
};
use super::ours;
use super::pin::{self, Pinned};
use super::retain::{LEFT_FOR_SUCCESSOR, RETAINED, RETAINED_EARLIER, record_retained, retain};
use super::settle::{is_settled_elsewhere, settling_words};
use super::settled::{Report, Requeue};
use super::step::{Notice, Read, Step, Write};

pub(super) fn plan(o: &Observation) -> Step {
    if !o.finalizer {
        return Step::gone();
    }
    if o.released {
        return released(o);
    }
    let policy = match &o.desired {
        Desired::Create(desired) => desired.deletion,
        // An existing user is never changed.
        Desired::Existing { .. } => return without_outputs(o, Abandon::Never),
    };
    match o.users_done {
        Some(AfterUsers::NoneIsValid) => return without_outputs(o, Abandon::After(ABANDON_AFTER)),
        Some(AfterUsers::OneMayBeValid) => return without_outputs(o, Abandon::Never),
        None => {}
    }
    let portal = match &o.portal {
        Ok(portal) => portal,
        Err(blocker) => return hold(blocker, Requeue::Backoff),
    };
    match pin::check(o, portal) {
        Pinned::Here => {}
        Pinned::Next(step) => return step,
        Pinned::Blocked(blocker, requeue) => return hold(&blocker, requeue),
    }
    if portal.suspended {
        return Step::held(
            Reason::PortalSuspended,
            "The Portal is suspended (suspend: true). The operator keeps the user until suspend is false.",
            o.timers.recheck(),
        );
    }
    let targets = match targets(o) {
        Ok(targets) => targets,
        Err(step) => return step,
    };
    // One user that cannot be deleted does not prevent the deletion of the others.
    let mut held = None;
    for id in &targets {
        match delete_user(o, portal, policy, id) {
            Some(step @ Step::Settled(_)) => held = held.or(Some(step)),
            // Another object may have the name by now, and use the user.
            Some(step) if changes_a_user(&step) && !o.live => return Step::Read(Read::Object),
            Some(step) => return reported(o, step),
            None => {}
        }
    }
    let without_users = if o.to_remove.is_empty() {
        Write::RemoveFinalizer
    } else {
        Write::UsersAreDone(after_users(o, portal, &targets))
    };
    held.unwrap_or(Step::Write(without_users))
}

/// Whether a credential of these users, with which all is done, may still be accepted: that of a user that was kept and whose
/// secret was not reset just now.
fn after_users(o: &Observation, portal: &PortalFacts, targets: &[UserId]) -> AfterUsers {
    let may_be_valid = |id: &UserId| {
        let is_of_other = match o.view(id) {
            Some(UserView::Read(user)) => matches!(o.whose(portal, id, user), Whose::Other(_)),
            _ => false,
        };
        is_of_other || (o.is_done(id, &Done::RecordedRetained) && !o.is_done(id, &Done::Reset))
    };
    if targets.iter().any(may_be_valid) { AfterUsers::OneMayBeValid } else { AfterUsers::NoneIsValid }
}

/// Reports a deletion before the request to the portal, which may need some time. Until then the status is that of the live
/// resource. What was reported since the deletion began is not replaced: a deletion that fails repeatedly would change it
/// each time.
fn reported(o: &Observation, step: Step) -> Step {
    let words = match &step {
        Step::Write(Write::Delete { id, .. }) => format!("The operator is deleting user {id} in the portal"),
        Step::Write(Write::Reset(id)) => {
            format!("The operator is resetting the secret of user {id} in the portal")
        }
        _ => return step,
    };
    if o.reported { step } else { Step::Write(Write::ReportDeletion(words)) }
}

fn changes_a_user(step: &Step) -> bool {
    matches!(step, Step::Write(Write::Delete { .. } | Write::Reset(_) | Write::MarkRetained { .. }))
}

fn hold(blocker: &Blocker, requeue: Requeue) -> Step {
    Step::settled(Report::Deleting(Blocker { stalled: false, ..blocker.clone() }), requeue)
}

/// A person released the resource without a request to the portal: the users that are known are listed. A create in progress
/// is waited for.
fn released(o: &Observation) -> Step {
    let created = match o.attempt.as_ref().map(|open| &open.state) {
        Some(AttemptState::InFlight) => return in_flight(o),
        Some(AttemptState::Created(id)) => Some(id),
        _ => None,
    };
    let recorded = o.recorded_users().filter(|user| user.origin != Origin::Existing).map(|user| &user.id);
    recorded.chain(created).find(|id| !o.is_done(id, &Done::RecordedRetained)).map_or_else(
        || without_outputs(o, Abandon::After(Duration::ZERO)),
        |id| record_retained(id, "the resource was released by annotation, without a request to the portal"),
    )
}

/// When an output that cannot be removed is abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Abandon {
    /// Never: its credential may be valid after the deletion.
    Never,
    /// After the operator has tried to remove it for this time: its credential is not valid any more.
    After(Duration),
}

/// How long the operator tries to remove an output whose credential is not valid any more.
const ABANDON_AFTER: Duration = Duration::from_hours(1);

/// Removes each output that outlives the resource, then the finalizer. One that cannot be removed does not prevent the removal
/// of the others.
fn without_outputs(o: &Observation, abandon: Abandon) -> Step {
    // Another object may have the name by now, and use the output.
    if !o.to_remove.is_empty() && !o.live {
        return Step::Read(Read::Object);
    }
    if let Some(next) = o.to_remove.iter().find(|output| output.failed.is_none()) {
        return Step::Write(Write::RemoveOutput(next.output.clone()));
    }
    let mut held = None;
    for (output, failed) in o.to_remove.iter().filter_map(|next| Some((&next.output, next.failed.as_ref()?)))
    {
        match abandon {
            Abandon::After(time) if failed.tried_for >= time => {
                let why = failed.blocker.message.clone();
                return Step::Write(Write::AbandonOutput { output: output.clone(), why });
            }
            _ => held = held.or_else(|| Some(not_removed(output, failed, abandon))),
        }
    }
    held.unwrap_or(Step::Write(Write::RemoveFinalizer))
}

fn not_removed(output: &OutputId, failed: &NotRemoved, abandon: Abandon) -> Step {
    let next = match abandon {
        Abandon::Never => {
            "Its credential may be valid after the deletion, so the operator keeps the finalizer until the output is removed. \
             To remove the finalizer earlier, annotate the resource with technicaluser.dev/release=true."
        }
        Abandon::After(_) => {
            "Its credential is not valid any more. If the operator cannot remove the output within an hour, it abandons the \
             output and removes the finalizer."
        }
    };
    let message = format!("The {output} cannot be removed. {next} Cause: {}", failed.blocker.message);
    Step::held(failed.blocker.reason, message, Requeue::Backoff)
}

fn in_flight(o: &Observation) -> Step {
    if is_settled_elsewhere(o) {
        return Step::settled(Report::Unchanged, o.timers.recheck());
    }
    Step::held(
        Reason::Creating,
        "The operator is creating the user in the portal, and deletes it when the portal has answered",
        o.timers.recheck(),
    )
}

/// The users to delete: those that the status names and every other user of this resource. An open attempt is settled first.
fn targets(o: &Observation) -> Result<Vec<UserId>, Step> {
    let mut targets: Vec<UserId> = o.recorded_users().map(|user| user.id.clone()).collect();
    let search = match &o.attempt {
        None => !list_is_of_use(o),
        Some(open) => match &open.state {
            AttemptState::InFlight => return Err(in_flight(o)),
            AttemptState::Settling(left) => {
                return Err(Step::held(Reason::SettlingAttempt, settling_words(open), Requeue::In(*left)));
            }
            AttemptState::Created(id) => {
                targets.push(id.clone());
                false
            }
            AttemptState::Refused(_) | AttemptState::RefusedRetry => false,
            AttemptState::Settled => true,
        },
    };
    if search && o.searched == Searched::No {
        return Err(Step::Read(Read::Search));
    }
    targets.extend(siblings(o).filter(|(_, named)| is_target(named)).map(|(id, _)| id.clone()));
    let mut seen = Vec::new();
    targets.retain(|id| {
        let new = !seen.contains(id);
        seen.push(id.clone());
        new
    });
    Ok(targets)
}

/// Whether the last snapshot is from after the recorded user was created: then it shows the users created before it, too. A
/// user that nothing proves to be the resource's does not show that.
fn list_is_of_use(o: &Observation) -> bool {
    let is_shown = |id: &UserId| matches!(o.listed(id), Listed::There(_)) || o.is_done(id, &Done::Deleted);
    o.recorded.user.as_ref().is_some_and(|user| user.proved && is_shown(&user.id))
}

/// The mark in the portal decides, never the Portal's list of retained users, which is bounded. A user with the mark of a
/// retained one is only listed.
fn is_target(named: &Named) -> bool {
    let by_its_mark = match named.confirmed {
        Confirmed::Unread | Confirmed::Ours(_) | Confirmed::Lost => true,
        Confirmed::Retained => !named.listed_as_retained,
        Confirmed::Foreign | Confirmed::Gone => false,
    };
    by_its_mark && matches!(named.status, UserStatus::Active | UserStatus::Pending)
}

/// A user of this resource that has a successor because its client is missing in the identity provider.
fn left_for_its_successor(o: &Observation, id: &UserId) -> bool {
    let named = o.users.get(id).and_then(|known| known.named.as_ref());
    o.recorded.user.as_ref().is_some_and(|recorded| recorded.id != *id)
        && named.is_some_and(|named| named.generation < o.recorded_generation())
}

/// The next step for one user; `None` if it needs none.
fn delete_user(o: &Observation, portal: &PortalFacts, policy: Deletion, id: &UserId) -> Option<Step> {
    if o.is_done(id, &Done::Deleted) || o.is_done(id, &Done::RecordedRetained) {
        return None;
    }
    match o.view(id) {
        None => Some(Step::Read(Read::User(id.clone()))),
        Some(UserView::Gone) => portal.mass_disappearance.map(|count| {
            Step::held(Reason::LossSuspected, disappeared_with_others(id, count), o.timers.recheck())
        }),
        Some(UserView::Lost) if policy == Deletion::Retain => Some(record_retained(id, RETAINED)),
        Some(UserView::Lost) if left_for_its_successor(o, id) => {
            Some(record_retained(id, LEFT_FOR_SUCCESSOR))
        }
        Some(UserView::Lost) => Some(undeletable(
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
            Whose::Other(_) => None,
            Whose::Unproved if o.is_listed_only(id) => None,
            Whose::Unproved => Some(hold(&ownership::unproved_blocker(id), o.timers.recheck())),
            Whose::OperatorLogin => Some(hold(&ownership::login_blocker(id), o.timers.recheck())),
            Whose::Retained => Some(record_retained(id, RETAINED_EARLIER)),
            Whose::Ours(mark) => match ours(o, portal, &mark.hint) {
                Ok(()) => with_details(o, portal, policy, id, user),
                Err(blocker) => Some(hold(&blocker, o.timers.recheck())),
            },
            Whose::OursWithoutMark => with_details(o, portal, policy, id, user),
        },
    }
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
