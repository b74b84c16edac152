//! The users of a resource: the current one, the next one, and those that are retiring.

use crate::domain::ownership::Whose;
use crate::domain::user::{UserId, UserStatus};

use super::observation::{
    Confirmed, Done, Listed, Named, Observation, OpenAttempt, PortalFacts, RecordedUser, UserView, Verified,
};
use super::predecessor::{self, Retirement};
use super::rotate;
use super::step::UserRef;
use super::{ours, pin};

/// The users of a resource.
#[derive(Debug)]
pub(super) struct Holding<'a> {
    /// The one that the status names: its credential is published, or is to be.
    pub current: Option<&'a RecordedUser>,
    /// The create of a later one that is not settled yet.
    pub next: Option<&'a OpenAttempt>,
}

impl<'a> Holding<'a> {
    /// What the status and the attempt on the resource say.
    pub(super) fn of(o: &'a Observation) -> Self {
        Self { current: o.recorded.user.as_ref(), next: next(o) }
    }

    /// Whether status, outputs and list agree that nothing has to be done, so that no request is necessary.
    pub(super) fn is_as_recorded(&self, o: &Observation) -> bool {
        self.was_in_order(o) && (self.next.is_none() || rotate::is_in_progress(o))
    }

    /// Whether status, outputs and list agree that the user that the status names serves, whatever came of a later attempt.
    pub(super) fn was_in_order(&self, o: &Observation) -> bool {
        let Some(user) = self.current else { return false };
        let outputs_as_recorded =
            o.outputs.iter().all(|output| output.holds(&user.id, output.recorded.as_ref()));
        // A user that was taken over gets a mark of this installation.
        let created_here = o.recorded.portal.as_ref().is_none_or(|portal| portal.hint == o.hint);
        let pinned_here = o.portal.as_ref().map_or(true, |portal| pin::is_here(o, portal));
        let listed = matches!(o.listed(&user.id), Listed::Unknown | Listed::There(UserStatus::Active));
        user.active
            && created_here
            && pinned_here
            && o.recorded.credential_published
            && outputs_as_recorded
            && listed
            && !is_doubted(o, &user.id)
            && o.spec_observed
    }

    /// The users to delete beside the current one, after the status names it: created for this resource by this installation
    /// (or one that it takes over), active, and not published; and those that the status names as replaced, also if no list
    /// shows them. The Portal's list of retained users does not count: it is bounded, and the mark of a retained user says so.
    pub(super) fn retiring(
        o: &'a Observation,
        portal: &'a PortalFacts,
        current: &'a UserRef,
    ) -> impl Iterator<Item = (&'a UserId, Retirement)> {
        let listed = siblings(o).filter(move |(_, named)| {
            named.status == UserStatus::Active
                && matches!(&named.confirmed, Confirmed::Ours(hint) if ours(o, portal, hint).is_ok())
        });
        let named = |id: &UserId| o.users.get(id).is_some_and(|known| known.named.is_some());
        let unlisted =
            o.rotation.retiring.iter().map(|retiring| &retiring.user.id).filter(move |id| !named(id));
        let to_delete = listed.map(|(id, _)| id).chain(unlisted).filter(move |id| {
            **id != current.id
                && !o.is_done(id, &Done::Deleted)
                && !o.is_done(id, &Done::RecordedRetained)
                && may_be_ours(o, portal, id)
        });
        to_delete.filter_map(|id| Some((id, predecessor::retirement(o, current, id)?)))
    }
}

/// The users with names of this resource beside the recorded one.
pub(super) fn siblings(o: &Observation) -> impl Iterator<Item = (&UserId, &Named)> {
    let recorded = o.recorded.user.as_ref().map(|user| &user.id);
    o.users.named().filter(move |(id, _)| Some(*id) != recorded)
}

/// The attempt to settle: one for a later user than the status names. The result of an earlier one is a duplicate.
///
/// An attempt that cannot be read counts as later if the resource has no user. If a user is recorded, the result of such an
/// attempt is found in the list as a duplicate, and a successor is created only after it is settled. One that is closed is not
/// settled: only a deletion searches for its user.
pub(super) fn next(o: &Observation) -> Option<&OpenAttempt> {
    o.attempt.as_ref().filter(|open| !open.is_closed()).filter(|open| match open.generation() {
        Some(generation) => generation > o.recorded_generation(),
        None => o.recorded.user.is_none(),
    })
}

/// Whether the published credential may be wrong: it was refused, or the one that the portal shows was read. That of a
/// successor says nothing of it.
fn is_doubted(o: &Observation, current: &UserId) -> bool {
    let counts = |id: &UserId| id == current || !rotate::is_in_progress(o);
    matches!(o.published_proof, Some(Verified::Refused { .. }))
        || o.users.iter().any(|(id, known)| known.proof.is_some() && counts(id))
}

/// Whether the details that were read in this reconcile, if any, still show a user of this resource: what is remembered of a
/// mark is older, and a person may have removed it to keep the user.
fn may_be_ours(o: &Observation, portal: &PortalFacts, id: &UserId) -> bool {
    match o.view(id) {
        None => true,
        Some(UserView::Read(user)) => {
            user.status == UserStatus::Active
                && matches!(o.whose(portal, id, user), Whose::Ours(mark) if ours(o, portal, &mark.hint).is_ok())
        }
        // The user of a status that names it as replaced is listed as retained.
        Some(UserView::ClientMissing) => o.retiring(id).is_some(),
        Some(UserView::Gone) => false,
    }
}
