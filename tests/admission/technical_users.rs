//! The rules of `TechnicalUser` on create.

use serde_json::{Value, json};

use crate::support::{Case, Kind, no, try_all, yes};

const ONE_VARIANT: &str = "name exactly one of create and existing";
const ONE_SELECTOR: &str = "name exactly one of id, clientId and name";
const NO_POLICY: &str =
    "deletionPolicy has no effect on an existing user: the operator never changes or deletes it";
const MARK: &str = "description must not contain the operator's mark";
const LABELS: &str = "labels of technicaluser.dev belong to the operator";
const ANNOTATIONS: &str = "annotations of technicaluser.dev belong to the operator";

/// A user that is made.
pub fn create() -> Value {
    json!({ "portalRef": { "name": "p" }, "user": { "create": { "roles": ["Dataspace Discovery"] } } })
}

/// A user that is there.
pub fn existing() -> Value {
    json!({ "portalRef": { "name": "p" }, "user": { "existing": { "clientId": "sa42" } } })
}

pub fn cases() -> Vec<Case> {
    let (create, existing) = (create(), existing());
    let create_user = |change: Value| json!({ "user": { "create": change } });
    let existing_user = |change: Value| json!({ "user": { "existing": change } });
    let secret = |secret: Value| json!({ "outputs": [{ "secret": secret }] });
    vec![
        yes(&create, &json!({})),
        yes(&existing, &json!({})),
        no(&create, &existing_user(json!({ "name": "x" })), ONE_VARIANT),
        no(&create, &create_user(Value::Null), ONE_VARIANT),
        no(&create, &json!({ "user": null }), "spec.user: Required value"),
        yes(&existing, &existing_user(json!({ "clientId": null, "name": "sa-x" }))),
        yes(
            &existing,
            &existing_user(json!({ "clientId": null, "id": "0b6c0000-0000-0000-0000-00000000000F" })),
        ),
        no(&existing, &existing_user(json!({ "clientId": null, "id": "no-uuid" })), "user.existing.id"),
        no(&existing, &existing_user(json!({ "clientId": null })), ONE_SELECTOR),
        no(&existing, &existing_user(json!({ "name": "x" })), ONE_SELECTOR),
        no(&existing, &json!({ "deletionPolicy": "Retain" }), NO_POLICY),
        yes(&create, &json!({ "deletionPolicy": "Delete" })),
        yes(&create, &json!({ "deletionPolicy": "Revoke" })),
        yes(&create, &json!({ "deletionPolicy": "Retain" })),
        no(&create, &json!({ "deletionPolicy": "Orphan" }), "Unsupported value"),
        no(&create, &create_user(json!({ "roles": [] })), "should have at least 1 items"),
        no(&create, &create_user(json!({ "roles": ["A", "A"] })), "Duplicate value"),
        yes(&create, &create_user(json!({ "name": "a".repeat(68) }))),
        no(&create, &create_user(json!({ "name": "a".repeat(69) })), "user.create.name: Too long"),
        yes(&create, &create_user(json!({ "name": "edc-1" }))),
        no(&create, &create_user(json!({ "name": "Edc" })), "user.create.name"),
        no(&create, &create_user(json!({ "name": "edc-" })), "user.create.name"),
        no(&create, &create_user(json!({ "name": "edc.1" })), "user.create.name"),
        yes(&create, &create_user(json!({ "description": "ä".repeat(512) }))),
        no(
            &create,
            &create_user(json!({ "description": "a".repeat(513) })),
            "user.create.description: Too long",
        ),
        yes(&create, &create_user(json!({ "description": "for [our] connector, see technicaluser.dev" }))),
        no(&create, &create_user(json!({ "description": "x [technicaluser.dev/1 a/b/c g1 d]" })), MARK),
        yes(&create, &secret(json!({}))),
        no(&create, &json!({ "outputs": [] }), "outputs"),
        no(
            &create,
            &json!({ "outputs": [{ "secret": {} }, { "secret": { "name": "x" } }] }),
            "outputs: Too many",
        ),
        no(&create, &json!({ "outputs": [{}] }), "an output names a secret"),
        yes(&create, &secret(json!({ "name": "edc.wallet-1", "format": "Raw" }))),
        no(&create, &secret(json!({ "name": "Edc" })), "secret.name"),
        no(&create, &secret(json!({ "name": "../edc" })), "secret.name"),
        no(&create, &secret(json!({ "name": "edc..wallet" })), "secret.name"),
        yes(&create, &json!({ "portalRef": { "name": "catena-x.beta", "namespace": "dataspace-1" } })),
        no(&create, &json!({ "portalRef": { "name": "catena_x" } }), "portalRef.name"),
        no(&create, &json!({ "portalRef": { "namespace": "data.space" } }), "portalRef.namespace"),
        no(&create, &secret(json!({ "format": "EdcEnv" })), "Unsupported value"),
        yes(
            &create,
            &secret(json!({ "labels": { "reloader": "on" }, "annotations": { "example.org/a": "b" } })),
        ),
        no(&create, &secret(json!({ "labels": { "technicaluser.dev/instance": "x" } })), LABELS),
        no(&create, &secret(json!({ "annotations": { "technicaluser.dev/owner": "x" } })), ANNOTATIONS),
    ]
}

#[tokio::test]
async fn each_rule_lets_in_and_keeps_out() {
    try_all(Kind::TechnicalUser, "users", &cases()).await;
}
