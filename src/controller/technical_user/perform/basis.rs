//! What a create rests on: the resource, the Portal and the connection as they were when it was decided. The search and the
//! limiter take their time, so all of it is compared again right before the attempt is written down.

use std::collections::BTreeMap;

use crate::api::GROUP;
use crate::api::portal::PortalSpec;
use crate::controller::context::Context;
use crate::controller::objects::{Key, is_deleting, part};
use crate::controller::portal::connections::ConnectionState;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::observe;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::access::Grants;
use crate::domain::identity::Pin;
use crate::k8s::stored::StoredObject;

/// What a create rests on.
pub struct Basis {
    key: Key,
    user: Version,
    portal_key: Key,
    portal: Version,
    pin: Pin,
    grants: Grants,
}

/// An object as far as people change it: not its status, nor what others write into its metadata.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    uid: Option<String>,
    generation: Option<i64>,
    deleting: bool,
    /// The annotations that mean something to the operator.
    annotations: BTreeMap<String, String>,
}

impl Version {
    fn of(object: &StoredObject) -> Self {
        let metadata = &object.metadata;
        let meant = |key: &str| key.split_once('/').is_some_and(|(group, _)| group == GROUP);
        let annotations = metadata.annotations.iter().flatten().filter(|(key, _)| meant(key));
        Self {
            uid: metadata.uid.clone(),
            generation: metadata.generation,
            deleting: is_deleting(object),
            annotations: annotations.map(|(key, value)| (key.clone(), value.clone())).collect(),
        }
    }
}

impl Basis {
    /// What the reconcile has observed; `None` where the Portal cannot be used.
    pub fn of(reconcile: &Reconcile) -> Option<Self> {
        Some(Self {
            key: reconcile.key.clone(),
            user: Version::of(&reconcile.object),
            portal_key: reconcile.portal_key.clone(),
            portal: Version::of(reconcile.portal.as_ref()?),
            pin: reconcile.connection.as_ref()?.pin.clone(),
            grants: reconcile.observation.portal.as_ref().ok()?.grants.clone(),
        })
    }

    /// Whether nothing of it has changed since, as far as the caches know.
    pub async fn holds(&self, ctx: &Context) -> Result<bool, Failure> {
        let connected = matches!(ctx.connections.get(&self.portal_key), Some(ConnectionState::Up(connection)) if connection.pin == self.pin);
        let (user, portal) = (ctx.cached_user(&self.key), ctx.portals.get(&self.portal_key));
        let Some(portal) = portal.filter(|_| connected && is_still(&self.user, user.as_ref())) else {
            return Ok(false);
        };
        let spec = part::<PortalSpec>(&portal, "spec").ok();
        let Some(spec) = spec.filter(|_| is_still(&self.portal, Some(&*portal))) else { return Ok(false) };
        // The rules are the same; the namespace's labels may be others.
        let grants = observe::grants(ctx, &spec, &self.portal_key, &self.key.namespace).await?;
        Ok(grants == self.grants)
    }
}

fn is_still(then: &Version, now: Option<&StoredObject>) -> bool {
    !then.deleting && now.is_some_and(|now| Version::of(now) == *then)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn merge(target: &mut Value, change: &Value) {
        let Value::Object(fields) = change else {
            *target = change.clone();
            return;
        };
        for (key, value) in fields {
            merge(&mut target[key.as_str()], value);
        }
    }

    fn object(change: &Value) -> StoredObject {
        let mut object = json!({
            "apiVersion": "technicaluser.dev/v1alpha1",
            "kind": "Portal",
            "metadata": {
                "name": "p", "namespace": "n", "uid": "1", "generation": 3, "resourceVersion": "10",
                "annotations": {"technicaluser.dev/take-over": "abc", "other.example.org/x": "1"},
            },
            "status": {"observedGeneration": 2},
        });
        merge(&mut object, change);
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn a_create_rests_on_what_people_say_not_on_statuses() {
        let then = Version::of(&object(&json!({})));
        for (about, change, still) in [
            ("nothing", json!({}), true),
            (
                "the status",
                json!({"metadata": {"resourceVersion": "11"}, "status": {"observedGeneration": 3}}),
                true,
            ),
            (
                "an annotation of others",
                json!({"metadata": {"annotations": {"other.example.org/x": "2"}}}),
                true,
            ),
            ("the spec", json!({"metadata": {"generation": 4}}), false),
            ("another object of that name", json!({"metadata": {"uid": "2"}}), false),
            ("deletion", json!({"metadata": {"deletionTimestamp": "2026-11-22T12:00:00Z"}}), false),
            (
                "an annotation of ours",
                json!({"metadata": {"annotations": {"technicaluser.dev/take-over": "def"}}}),
                false,
            ),
        ] {
            assert_eq!(is_still(&then, Some(&object(&change))), still, "{about}");
        }
        assert!(!is_still(&then, None), "gone");
        let deleted = object(&json!({"metadata": {"deletionTimestamp": "2026-11-22T12:00:00Z"}}));
        assert!(!is_still(&Version::of(&deleted), Some(&deleted)), "under deletion then as now");
    }
}
