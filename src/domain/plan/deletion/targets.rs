//! Which users of a resource under deletion are to be deleted.

use crate::domain::plan::holding::siblings;
use crate::domain::plan::observation::{AttemptState, Confirmed, Done, Listed, Named, Observation, Searched};
use crate::domain::plan::settle::{is_settled_elsewhere, settling_words};
use crate::domain::plan::settled::{Report, Requeue};
use crate::domain::plan::step::{Read, Step};
use crate::domain::reason::Reason;
use crate::domain::user::{UserId, UserStatus};

/// What is reported while a create is in progress whose user is deleted afterwards.
pub(super) fn in_flight(o: &Observation) -> Step {
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
pub(super) fn targets(o: &Observation) -> Result<Vec<UserId>, Step> {
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
        Confirmed::Unread | Confirmed::Ours(_) | Confirmed::ClientMissing => true,
        Confirmed::Retained => !named.listed_as_retained,
        Confirmed::Foreign | Confirmed::Gone => false,
    };
    by_its_mark && matches!(named.status, UserStatus::Active | UserStatus::Pending)
}
