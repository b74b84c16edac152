//! The rotation: when the next one is due, which requests were carried out, and the condition while one is in progress.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::credential::SECONDS;
use crate::api::conditions::{CREDENTIAL_VERIFIED, ROTATING, Wanted, brought_up_to_date};
use crate::api::technical_user::TechnicalUserStatus;
use crate::controller::technical_user::observe::{handled, reset, rotate_at};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{Report, ResetState, Settled, unverified};

/// Records when the credential is to be replaced, and the requests that were carried out. With the credential that a request led
/// to, also if another output could not be written: otherwise the request would lead to another one.
pub(super) fn record_rotation(reconcile: &Reconcile, new: &mut TechnicalUserStatus, settled: &Settled) {
    let restored = reconcile.status.user.is_none() && new.user.is_some();
    if settled.rotation.handled || restored {
        new.handled = handled(&reconcile.object).or(new.handled.take());
    }
    if let Some(credential) = &mut new.credential {
        let at = rotate_at(reconcile, credential);
        // The beginning of the window stays while the rotation is due in it, and until one that has begun is completed.
        let began = credential.rotate_at.as_ref().and_then(|at| at.parse::<Timestamp>().ok());
        let has_come = reconcile.observation.rotation.due && began.is_some_and(|at| at <= reconcile.now);
        if !has_come {
            credential.rotate_at = at.map(|at| at.strftime(SECONDS).to_string());
        }
    }
}

/// Replaces the condition among the others. Where nothing is known of the rotation, it stays as it is.
pub(super) fn report_rotation(reconcile: &Reconcile, new: &mut TechnicalUserStatus, settled: &Settled) {
    let waiting = settled.rotation.waiting.as_ref();
    let unknown = !matches!(settled.report, Report::Ready | Report::Deleting(_) | Report::Gone);
    if waiting.is_none() && unknown {
        return;
    }
    new.conditions.retain(|condition| condition.type_ != ROTATING);
    if let Some(blocker) = waiting {
        let wanted = Wanted {
            type_: ROTATING,
            status: Some(!blocker.stalled),
            reason: blocker.reason.as_str(),
            message: blocker.message.clone(),
        };
        let old = &reconcile.status.conditions;
        let condition: Vec<Condition> =
            brought_up_to_date(old, &[wanted], new.observed_generation, reconcile.now);
        new.conditions.extend(condition);
    }
}

/// Says of a resource that is ready that its credential may be refused, while it is not known whether the portal has reset it.
pub(super) fn report_unverified(reconcile: &Reconcile, new: &mut TechnicalUserStatus, settled: &Settled) {
    let Some(blocker) = unverified(&reconcile.observation, &settled.report) else { return };
    let wanted = Wanted {
        type_: CREDENTIAL_VERIFIED,
        status: Some(false),
        reason: blocker.reason.as_str(),
        message: blocker.message,
    };
    let old = &reconcile.status.conditions;
    for condition in brought_up_to_date(old, &[wanted], new.observed_generation, reconcile.now) {
        new.conditions
            .iter_mut()
            .filter(|had| had.type_ == condition.type_)
            .for_each(|had| *had = condition.clone());
    }
}

/// Remembers that the outputs hold what a reset led to, so that the details of the user are not read again.
pub(super) fn remember_compared(reconcile: &Reconcile, settled: &Settled) {
    let open = reconcile.observation.rotation.reset.as_ref();
    if settled.report == Report::Ready && open.is_some_and(|reset| reset.state == ResetState::Ended) {
        let id = reset(&reconcile.object).map(|(_, id)| id);
        reconcile.ctx.memory.change(&reconcile.key, |user| user.compared_reset = id);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;
    use crate::api::keys;
    use crate::controller::technical_user::memory::attempts::Outcome;
    use crate::controller::technical_user::refusal::RefusalFingerprint;
    use crate::controller::technical_user::test_support::Scene;
    use crate::domain::attempt::Attempt;
    use crate::domain::blocker::Blocker;
    use crate::domain::identity::Pin;
    use crate::domain::plan::{Requeue, Stage};
    use crate::domain::reason::Reason;
    use crate::domain::user::UserId;

    fn blocked() -> Report {
        Stage::User.blocked(Blocker::passing(Reason::PortalNotReady, "it is down"))
    }

    #[tokio::test]
    async fn the_condition_says_what_a_rotation_waits_for_as_long_as_anything_is_known_of_it() {
        let conditions = json!([{
            "type": ROTATING, "status": "True", "reason": "Pending", "message": "",
            "lastTransitionTime": "2026-11-22T12:00:00Z",
        }]);
        let reconcile =
            Scene::without_portal(&json!({"status": {"conditions": conditions}})).observed().await;
        let after = |report, waiting: Option<Blocker>| {
            let mut settled = Settled::new(report, Requeue::Never);
            settled.rotation.waiting = waiting;
            let mut new = reconcile.status.clone();
            report_rotation(&reconcile, &mut new, &settled);
            let shown = new.conditions.first().map(|shown| (shown.status.clone(), shown.reason.clone()));
            assert!(new.conditions.len() <= 1);
            shown
        };
        let shown = |status: &str, reason: &str| Some((status.to_owned(), reason.to_owned()));
        let passing = Blocker::passing(Reason::RolesChanged, "it is replaced");
        assert_eq!(after(Report::Ready, Some(passing)), shown("True", "RolesChanged"));
        let lasting = Blocker::lasting(Reason::PendingTooLong, "it is stuck");
        assert_eq!(after(Report::Ready, Some(lasting)), shown("False", "PendingTooLong"));
        assert_eq!(after(Report::Ready, None), None, "it has ended");
        assert_eq!(after(blocked(), None), shown("True", "Pending"), "nothing is known");
    }

    #[tokio::test]
    async fn a_reset_is_not_compared_again_once_the_outputs_hold_what_it_led_to() {
        let scene = Scene::without_portal(&json!({
            "metadata": {"annotations": { (keys::RESETTING): "2 a1 pin" }},
            "status": {"user": {"id": "u1", "generation": 1}, "credential": {"generation": 1}},
        }));
        let attempt = Attempt::new(2, "a1".into(), Pin::read("pin"));
        let key = scene.observed().await.key;
        scene.ctx.memory.change(&key, |user| {
            let outcome = Outcome::Created(UserId::new("u1"));
            user.resets.end(&attempt, outcome, RefusalFingerprint::test(0));
        });
        for (report, state) in [(blocked(), ResetState::Ended), (Report::Ready, ResetState::Compared)] {
            let reconcile = scene.observed().await;
            assert_eq!(reconcile.observation.rotation.reset.as_ref().unwrap().state, ResetState::Ended);
            remember_compared(&reconcile, &Settled::new(report, Requeue::Never));
            let reset = scene.observed().await.observation.rotation.reset.unwrap();
            assert_eq!(reset.state, state);
        }
    }

    /// All in minutes: the interval of a credential that is 60 old, and in how many of them it is to be replaced, by the status before
    /// and after.
    #[tokio::test]
    async fn the_time_of_a_rotation_follows_the_interval_until_it_has_come() {
        for (interval, before, after) in [
            // The interval was shorter, or longer, when the status was written.
            (90, -10, 30),
            (90, 45, 30),
            // It is due, and stays so from when it was.
            (20, -30, -30),
            (20, 15, -40),
        ] {
            let now = Timestamp::now();
            let at = |minutes| (now + SignedDuration::from_mins(minutes)).strftime(SECONDS).to_string();
            let scene = Scene::without_portal(&json!({
                "spec": {"rotation": {"interval": format!("{interval}m")}},
                "status": {
                    "user": {"id": "u1", "generation": 1},
                    "credential": {"generation": 1, "issuedAt": at(-60), "rotateAt": at(before)},
                },
            }));
            let reconcile = scene.observed().await;
            let mut new = reconcile.status.clone();
            record_rotation(&reconcile, &mut new, &Settled::new(Report::Ready, Requeue::Never));
            assert_eq!(new.credential.unwrap().rotate_at, Some(at(after)), "{interval} {before}");
        }
    }
}
