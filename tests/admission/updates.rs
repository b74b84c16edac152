//! What of a `TechnicalUser` and of a `Vault` can be changed later, and what cannot.

use serde_json::{Value, json};

use crate::support::{Kind, Server, assert_answer};
use crate::technical_users::{create, existing};
use crate::vaults::vault;

const PORTAL: &str = "portalRef cannot be changed: create a new TechnicalUser for the other Portal";
const VARIANT: &str =
    "a created user cannot become an existing one, nor the reverse: create a new TechnicalUser";
const EXISTING: &str = "an existing user cannot be exchanged for another: create a new TechnicalUser";
const ADOPT: &str = "create.adopt cannot be added, changed or removed: create a new TechnicalUser";

const MOUNT: &str =
    "mount cannot be changed, because entries would be left in the former one: create a new Vault";

/// A change to a stored spec, and the words of the refusal.
pub struct Change {
    kind: Kind,
    before: Value,
    patch: Value,
    pub refused: Option<&'static str>,
}

pub fn changes() -> Vec<Change> {
    let change = |before: &Value, patch: Value, refused| Change {
        kind: Kind::TechnicalUser,
        before: before.clone(),
        patch,
        refused,
    };
    let of_vault = |patch: Value, refused| Change { kind: Kind::Vault, before: vault(), patch, refused };
    let to_create = |fields: Value| json!({ "user": { "create": fields } });
    let (mut create, existing) = (create(), existing());
    create["user"]["create"]["roles"] = json!(["A", "B"]);
    let mut named = create.clone();
    named["user"]["create"]["name"] = json!("edc");
    let mut adopting = create.clone();
    adopting["user"]["create"]["adopt"] = json!({ "name": "by-hand" });
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
        change(&adopting, to_create(json!({ "adopt": { "name": "other" } })), Some(ADOPT)),
        change(&adopting, to_create(json!({ "adopt": null })), Some(ADOPT)),
        change(&create, to_create(json!({ "adopt": { "name": "by-hand" } })), Some(ADOPT)),
        change(&adopting, to_create(json!({ "description": "x" })), None),
        change(&named, to_create(json!({ "name": "other" })), None),
        change(&named, to_create(json!({ "name": null })), None),
        change(&create, to_create(json!({ "name": "edc" })), None),
        change(&create, to_create(json!({ "roles": ["A"] })), None),
        change(&create, to_create(json!({ "roles": ["A", "C"] })), None),
        change(&create, to_create(json!({ "roles": ["B", "A"] })), None),
        change(&named, to_create(json!({ "description": "for the connector" })), None),
        change(&create, json!({ "deletionPolicy": "Retain" }), None),
        change(&create, json!({ "outputs": [{ "secret": { "name": "other" } }] }), None),
        change(&existing, json!({ "outputs": [{ "secret": { "labels": { "a": "b" } } }] }), None),
        change(&existing, json!({ "outputs": [{ "vault": { "vaultRef": { "name": "v" } } }] }), None),
        of_vault(json!({ "mount": "other" }), Some(MOUNT)),
        of_vault(json!({ "address": "https://other.example.org", "aliasMode": "Fixed" }), None),
    ]
}

#[tokio::test]
async fn what_the_portal_cannot_change_cannot_be_changed_here() {
    let server = Server::new("updates").await;
    for (number, Change { kind, before, patch, refused }) in changes().iter().enumerate() {
        let name = format!("u{number}");
        server.create(*kind, &name, before, false).await.unwrap();
        let answer = server.change(*kind, &name, patch).await;
        assert_answer(&format!("{before} then {patch}"), &answer, *refused);
    }
}
