//! What of a new status is reported as an event.

use crate::api::conditions::{CONSUMERS_RESTARTED, READY, ROTATING};
use crate::api::technical_user::{RecordedOutput, TechnicalUserStatus};
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::Notice;
use crate::domain::reason::Reason;

/// A condition that got worse is reported by one Event.
pub(super) fn announce(reconcile: &Reconcile, new: &TechnicalUserStatus) {
    for type_ in [READY, CONSUMERS_RESTARTED, ROTATING] {
        announce_worse(reconcile, new, type_);
    }
    announce_rotation(reconcile, new);
}

/// A credential that a rotation led to has replaced the one of before.
fn announce_rotation(reconcile: &Reconcile, new: &TechnicalUserStatus) {
    let rotation = &reconcile.observation.rotation;
    if !(rotation.requested || rotation.due || rotation.reset.is_some()) {
        return;
    }
    let (Some(before), Some(after)) = (&reconcile.status.credential, &new.credential) else { return };
    if after.generation <= before.generation {
        return;
    }
    let lacks = |output: &&RecordedOutput| {
        output.delete_after.is_none() && output.credential != Some(after.generation)
    };
    let left = match new.outputs.iter().filter(lacks).count() {
        0 => String::new(),
        1 => "; one output does not hold it yet".to_owned(),
        count => format!("; {count} outputs do not hold it yet"),
    };
    let note = format!("Credential {} has replaced credential {}{left}", after.generation, before.generation);
    reconcile.normal(Reason::RotationCompleted, "Rotate", &note);
}

fn announce_worse(reconcile: &Reconcile, new: &TechnicalUserStatus, type_: &str) {
    let shown = |status: &TechnicalUserStatus| {
        status
            .conditions
            .iter()
            .find(|c| c.type_ == type_)
            .map(|c| (c.status.clone(), c.reason.clone(), c.message.clone()))
    };
    let (before, after) = (shown(&reconcile.status), shown(new));
    if let Some((status, reason, message)) = after {
        let changed = before.is_none_or(|(_, old, _)| old != reason);
        let reason = Reason::parse(&reason).filter(|reason| status != "True" && !reason.is_progress());
        if let (true, Some(reason)) = (changed, reason) {
            reconcile.warn(reason, "Reconcile", &message);
        }
    }
}

/// The answer to a request for a rotation.
pub(super) fn answer(reconcile: &Reconcile, notice: &Notice) {
    reconcile.warn(notice.reason, "Rotate", &notice.note);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::keys;
    use crate::api::technical_user::RecordedCredential;
    use crate::controller::technical_user::test_support::Scene;
    use crate::controller::test_support::Users;
    use crate::portal::PortalError;

    fn output(name: &str, credential: i64) -> RecordedOutput {
        let (kind, name) = ("Secret".to_owned(), name.to_owned());
        RecordedOutput { kind, name, credential: Some(credential), ..RecordedOutput::default() }
    }

    /// The Event for a status with credential 2 and these outputs, after one with credential 1.
    async fn event(annotations: &serde_json::Value, outputs: Vec<RecordedOutput>) -> Option<String> {
        let scene = Scene::new(
            Users::none(PortalError::NotFound),
            &json!({
                "metadata": {"annotations": annotations},
                "status": {"user": {"id": "u1", "generation": 1}, "credential": {"generation": 1}},
            }),
        );
        let reconcile = scene.observed().await;
        let credential = Some(RecordedCredential { generation: 2, ..RecordedCredential::default() });
        let new = TechnicalUserStatus { credential, outputs, ..reconcile.status.clone() };
        announce(&reconcile, &new);
        announce(&reconcile, &reconcile.status);
        // Events are sent in their order.
        reconcile.normal(Reason::UserDeleted, "Delete", "later");
        scene.apiserver.eventually_event(|note| note == "later").await;
        let mut events = scene.apiserver.events();
        assert!(events.len() <= 2, "{events:?}");
        (events.len() == 2).then(|| events.remove(0))
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_rotation_is_reported_with_the_outputs_that_it_has_not_reached() {
        let requested = json!({ (keys::ROTATE): "now" });
        let former = RecordedOutput { delete_after: Some("2030-01-01T00:00:00Z".into()), ..output("old", 1) };
        for (outputs, words) in [
            (vec![output("edc", 2), former], ""),
            (vec![output("edc", 2), output("other", 1)], "; one output does not hold it yet"),
            (vec![output("edc", 1), output("other", 1)], "; 2 outputs do not hold it yet"),
        ] {
            let expected = format!("Credential 2 has replaced credential 1{words}");
            assert_eq!(event(&requested, outputs).await.as_deref(), Some(expected.as_str()));
        }
        let resetting = json!({ (keys::RESETTING): "2 a1 pin" });
        assert!(event(&resetting, vec![output("edc", 2)]).await.is_some(), "a reset");
        assert_eq!(event(&json!({}), vec![output("edc", 2)]).await, None, "nobody asked for it");
    }
}
