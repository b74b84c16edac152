//! What of a `TechnicalUser` can be changed later, and what cannot.

use serde_json::{Value, json};

use crate::support::{Kind, Server, assert_answer};
use crate::technical_users::{create, existing};

const PORTAL: &str = "portalRef cannot be changed: create a new TechnicalUser for the other Portal";
const VARIANT: &str =
    "a created user cannot become an existing one, nor the reverse: create a new TechnicalUser";
const EXISTING: &str = "an existing user cannot be exchanged for another: create a new TechnicalUser";
const NAME: &str = "create.name cannot be changed: create a new TechnicalUser";
const ROLES: &str =
    "roles cannot be changed, because the portal cannot change them: create a new TechnicalUser";

/// A change to a stored spec, and the words of the refusal.
pub struct Change {
    before: Value,
    patch: Value,
    pub refused: Option<&'static str>,
}

pub fn changes() -> Vec<Change> {
    let change = |before: &Value, patch: Value, refused| Change { before: before.clone(), patch, refused };
    let to_create = |fields: Value| json!({ "user": { "create": fields } });
    let (mut create, existing) = (create(), existing());
    create["user"]["create"]["roles"] = json!(["A", "B"]);
    let mut named = create.clone();
    named["user"]["create"]["name"] = json!("edc");
    vec![
        change(&create, json!({ "portalRef": { "name": "q" } }), Some(PORTAL)),
        change(&create, json!({ "portalRef": { "namespace": "n" } }), Some(PORTAL)),
        change(&existing, json!({ "portalRef": { "name": "q" } }), Some(PORTAL)),
        change(&create, json!({ "user": { "create": null, "existing": { "name": "x" } } }), Some(VARIANT)),
        change(
            &existing,
            json!({ "user": { "existing": null, "create": { "roles": ["A"] } } }),
            Some(VARIANT),
        ),
        change(&existing, json!({ "user": { "existing": { "clientId": "sa43" } } }), Some(EXISTING)),
        change(
            &existing,
            json!({ "user": { "existing": { "clientId": null, "name": "x" } } }),
            Some(EXISTING),
        ),
        change(&named, to_create(json!({ "name": "other" })), Some(NAME)),
        change(&named, to_create(json!({ "name": null })), Some(NAME)),
        change(&create, to_create(json!({ "name": "edc" })), Some(NAME)),
        change(&create, to_create(json!({ "roles": ["A"] })), Some(ROLES)),
        change(&create, to_create(json!({ "roles": ["A", "B", "C"] })), Some(ROLES)),
        change(&create, to_create(json!({ "roles": ["A", "C"] })), Some(ROLES)),
        change(&create, to_create(json!({ "roles": ["B", "A"] })), None),
        change(&named, to_create(json!({ "description": "for the connector" })), None),
        change(&create, json!({ "deletionPolicy": "Retain" }), None),
        change(&create, json!({ "outputs": [{ "secret": { "name": "other" } }] }), None),
        change(&existing, json!({ "outputs": [{ "secret": { "labels": { "a": "b" } } }] }), None),
    ]
}

#[tokio::test]
async fn what_the_portal_cannot_change_cannot_be_changed_here() {
    let server = Server::new("updates").await;
    for (number, Change { before, patch, refused }) in changes().iter().enumerate() {
        let name = format!("u{number}");
        server.create(Kind::TechnicalUser, &name, before, false).await.unwrap();
        let answer = server.change(Kind::TechnicalUser, &name, patch).await;
        assert_answer(&format!("{before} then {patch}"), &answer, *refused);
    }
}
