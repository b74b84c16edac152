//! The spec of a resource.

use serde_json::Value;

use crate::api::technical_user::{
    CreateUser, DeletionPolicy, ExistingUser, PortalRef, TechnicalUserSpec, TechnicalUserStatus, User,
};
use crate::controller::objects::{is_deleting, lenient, part};
use crate::k8s::stored::StoredObject;

/// The spec of a resource. Cleaning up needs no valid one.
///
/// # Errors
/// What does not parse, in words that name the field.
pub fn of(object: &StoredObject) -> Result<TechnicalUserSpec, String> {
    part(object, "spec").or_else(|why| if is_deleting(object) { Ok(lenient_spec(object)) } else { Err(why) })
}

/// What cleaning up needs of a spec that does not parse.
fn lenient_spec(object: &StoredObject) -> TechnicalUserSpec {
    let status: TechnicalUserStatus = lenient(object, "status");
    let spec = object.value("spec");
    let field = |name: &str| spec.get(name).cloned().unwrap_or_default();
    let portal_ref: Option<PortalRef> = serde_json::from_value(field("portalRef")).ok();
    let recorded =
        status.portal.map(|portal| PortalRef { name: portal.name, namespace: Some(portal.namespace) });
    let policy: Option<DeletionPolicy> = serde_json::from_value(field("deletionPolicy")).ok();
    let existing = field("user").get("existing").is_some_and(Value::is_object);
    TechnicalUserSpec {
        portal_ref: portal_ref.or(recorded).unwrap_or_default(),
        user: User {
            create: (!existing).then(CreateUser::default),
            existing: existing.then(ExistingUser::default),
        },
        deletion_policy: policy,
        suspend: field("suspend").as_bool(),
        ..TechnicalUserSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::test_support::apiserver::technical_user;

    fn object(more: &Value) -> StoredObject {
        serde_json::from_value(technical_user("edc", more)).unwrap()
    }

    #[test]
    fn a_resource_is_cleaned_up_by_what_can_be_read_of_its_spec() {
        let spec = json!({
            "portalRef": {"name": "portal", "namespace": "ops"}, "deletionPolicy": "Retain", "suspend": true,
            "user": {"create": {"roles": "not a list"}},
        });
        let under = |user: &Value| {
            let mut object = json!({"metadata": {"deletionTimestamp": "2026-11-26T12:00:00Z"}, "spec": spec});
            object["spec"]["user"] = user.clone();
            object
        };
        assert!(of(&object(&json!({"spec": spec}))).is_err());
        let read = of(&object(&under(&spec["user"]))).unwrap();
        let portal = PortalRef { name: "portal".into(), namespace: Some("ops".into()) };
        assert_eq!((&read.portal_ref, read.deletion_policy), (&portal, Some(DeletionPolicy::Retain)));
        assert!(read.suspend == Some(true) && read.user.create.is_some() && read.user.existing.is_none());

        // A user of others stays one: it is never deleted.
        let existing = of(&object(&under(&json!({"existing": {"id": 5}})))).unwrap();
        assert!(existing.user.create.is_none() && existing.user.existing.is_some());

        // The status names the Portal where the spec does not.
        let mut without = under(&spec["user"]);
        without["spec"]["portalRef"] = json!("?");
        without["status"] = json!({"portal": {"name": "recorded", "namespace": "ops"}});
        let recorded = PortalRef { name: "recorded".into(), namespace: Some("ops".into()) };
        assert_eq!(of(&object(&without)).unwrap().portal_ref, recorded);
    }
}
