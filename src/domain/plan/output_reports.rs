//! What the condition of each output reports, beside those of the resource.

use super::observation::{Observation, OutputView, UserFacts, UserView};
use super::publish::foreign;
use crate::domain::blocker::Blocker;
use crate::domain::user::UserId;

/// What the condition of one output reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputReport {
    /// It holds the credential.
    Published,
    /// It does not, or not as it should, and this prevents the operator from writing it.
    Blocked(Blocker),
    /// Something else comes first, which the conditions of the resource report.
    NotYet,
}

/// What an output reports at the end of a reconcile, where `user` is the one whose credential it should hold.
#[must_use]
pub fn report_of(o: &Observation, output: &OutputView, user: Option<&UserId>) -> OutputReport {
    if let Some(blocker) = foreign(output).or_else(|| output.unknown().cloned()) {
        return OutputReport::Blocked(blocker);
    }
    if user.is_some_and(|user| holds_credential(o, output, user)) {
        return OutputReport::Published;
    }
    let invalid = user.and_then(|user| read(o, user)?.invalid(&output.id));
    match invalid.or(output.not_writable()) {
        Some(blocker) => OutputReport::Blocked(blocker.clone()),
        None => OutputReport::NotYet,
    }
}

/// Whether an output holds the credential of this user, or did so when it was last seen.
#[must_use]
pub fn holds_credential(o: &Observation, output: &OutputView, user: &UserId) -> bool {
    output.holds(user, wanted(o, output, user))
}

/// The content that it should have: by the details of the user if they were read, else by the status.
fn wanted<'a>(o: &'a Observation, output: &'a OutputView, user: &UserId) -> Option<&'a String> {
    match read(o, user) {
        Some(facts) => facts.content(&output.id),
        None => output.recorded.as_ref(),
    }
}

fn read<'a>(o: &'a Observation, user: &UserId) -> Option<&'a UserFacts> {
    match o.view(user)? {
        UserView::Read(facts) => Some(facts),
        UserView::Gone | UserView::ClientMissing => None,
    }
}
