//! What the conditions say of the end of a reconcile.

use super::outputs::with_count;
use crate::api::conditions::{
    CREDENTIAL_VERIFIED, PUBLISHED, READY, RECONCILING, STALLED, USER_READY, Wanted,
};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::blocker::Blocker;
use crate::domain::plan::{OutputView, Report, Stage};
use crate::domain::reason::Reason;

/// What is well is said shortly: which user and which Secret it is, other fields of the status say.
pub(super) fn wanted(reconcile: &Reconcile, report: &Report) -> Vec<Wanted> {
    let user_ready = || done(USER_READY, Reason::UserActive, "The user is active in the portal");
    let verified =
        || done(CREDENTIAL_VERIFIED, Reason::TokenObtained, "A token was obtained with the credential");
    let holds = match reconcile.outputs.as_slice() {
        [output] => format!("The {} holds the credential", output.id().kind),
        _ => "Every output holds the credential".to_owned(),
    };
    let published = || done(PUBLISHED, Reason::OutputsWritten, &holds);
    let not_yet = |type_| Wanted {
        type_,
        status: None,
        reason: Reason::NotYet.as_str(),
        message: "The operator has not reached this step yet".to_owned(),
    };
    let before = || {
        let holds = reconcile.observation.outputs.iter().all(OutputView::is_ours)
            && reconcile.status.credential.is_some();
        if holds { published() } else { Wanted { status: Some(false), ..not_yet(PUBLISHED) } }
    };
    match report {
        Report::Ready | Report::StillReady | Report::Unchanged => vec![
            done(READY, Reason::Ready, "The credential is verified and published"),
            user_ready(),
            verified(),
            published(),
        ],
        Report::Blocked { stage, blocker } => {
            let parts = match stage {
                Stage::User => [failed(USER_READY, blocker), not_yet(CREDENTIAL_VERIFIED), before()],
                Stage::Credential => [user_ready(), failed(CREDENTIAL_VERIFIED, blocker), before()],
                Stage::Output => {
                    let counted =
                        Blocker { message: with_count(reconcile, &blocker.message), ..blocker.clone() };
                    [user_ready(), verified(), failed(PUBLISHED, &counted)]
                }
            };
            with_parts(blocker, parts)
        }
        Report::Deleting(b) => blocked(READY, b),
        Report::Gone => blocked(READY, &Blocker::passing(Reason::Deleting, "The deletion is complete")),
    }
}

fn with_parts(blocker: &Blocker, parts: [Wanted; 3]) -> Vec<Wanted> {
    let mut all = blocked(READY, blocker);
    all.extend(parts);
    all
}

fn done(type_: &'static str, reason: Reason, message: &str) -> Wanted {
    Wanted { type_, status: Some(true), reason: reason.as_str(), message: message.to_owned() }
}

fn failed(type_: &'static str, blocker: &Blocker) -> Wanted {
    Wanted { type_, status: Some(false), reason: blocker.reason.as_str(), message: blocker.message.clone() }
}

/// A condition that is not true, and whether the operator still works on it or only a person can help (kstatus).
pub(super) fn blocked(type_: &'static str, blocker: &Blocker) -> Vec<Wanted> {
    let progress = if blocker.stalled { STALLED } else { RECONCILING };
    vec![failed(type_, blocker), Wanted { status: Some(true), ..failed(progress, blocker) }]
}
