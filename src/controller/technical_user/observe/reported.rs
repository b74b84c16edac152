//! What a status says of the spec that the object has now.

use crate::api::conditions::READY;
use crate::api::technical_user::{TechnicalUserSpec, TechnicalUserStatus};
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;

/// Whether the status reports on the present spec.
pub(super) fn is_reported(status: &TechnicalUserStatus, object: &StoredObject) -> bool {
    !status.conditions.is_empty() && status.observed_generation == object.metadata.generation
}

/// Whether the status says that all is as the spec asks. That of a suspended resource does not: what the spec asks for may not have been
/// carried out.
pub(super) fn is_observed(
    spec: &TechnicalUserSpec,
    status: &TechnicalUserStatus,
    object: &StoredObject,
) -> bool {
    let observed = status.observed_generation == object.metadata.generation;
    observed && is_ready(status) && !spec.is_suspended()
}

/// Whether a status reports the condition `Ready` as True.
#[must_use]
pub fn is_ready(status: &TechnicalUserStatus) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == READY && condition.status == "True")
}

/// Why the resource is not ready, where the status speaks of this generation.
pub(super) fn reported_reason(status: &TechnicalUserStatus, generation: Option<i64>) -> Option<Reason> {
    let ready = status.conditions.iter().find(|c| c.type_ == READY && c.status == "False")?;
    let reason = Reason::ALL.iter().find(|reason| reason.as_str() == ready.reason).copied();
    reason.filter(|_| status.observed_generation == generation)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::test_support::apiserver::technical_user;

    /// A status that reports `Ready` of this generation.
    fn status(generation: i64, ready: &str, reason: &str) -> TechnicalUserStatus {
        let condition = json!({
            "type": "Ready", "status": ready, "reason": reason, "message": "",
            "lastTransitionTime": "2026-11-26T12:00:00Z",
        });
        serde_json::from_value(json!({"observedGeneration": generation, "conditions": [condition]})).unwrap()
    }

    #[test]
    fn a_status_speaks_of_the_spec_of_its_generation() {
        let object: StoredObject = serde_json::from_value(technical_user("edc", &json!({}))).unwrap();
        let spec = |suspend: bool| -> TechnicalUserSpec {
            let user = json!({"create": {"roles": ["r"]}});
            serde_json::from_value(json!({"portalRef": {"name": "p"}, "suspend": suspend, "user": user}))
                .unwrap()
        };
        let (spec, suspended) = (spec(false), spec(true));
        let (ready, old) = (status(1, "True", "Ready"), status(0, "True", "Ready"));
        let blocked = status(1, "False", "Pending");
        assert!(is_ready(&ready) && is_ready(&old) && !is_ready(&blocked));
        assert!(is_reported(&ready, &object) && is_reported(&blocked, &object));
        assert!(!is_reported(&old, &object));
        let empty = TechnicalUserStatus { conditions: Vec::new(), ..ready.clone() };
        assert!(!is_reported(&empty, &object), "the resource was never reconciled");
        assert!(is_observed(&spec, &ready, &object));
        assert!(!is_observed(&spec, &old, &object) && !is_observed(&spec, &blocked, &object));
        assert!(!is_observed(&suspended, &ready, &object));
    }

    #[test]
    fn a_reason_counts_for_its_own_generation() {
        assert_eq!(reported_reason(&status(1, "False", "Pending"), Some(1)), Some(Reason::Pending));
        assert_eq!(reported_reason(&status(1, "False", "Pending"), Some(2)), None);
        assert_eq!(reported_reason(&status(1, "True", "Ready"), Some(1)), None);
        assert_eq!(reported_reason(&status(1, "False", "OfALaterRelease"), Some(1)), None);
    }
}
