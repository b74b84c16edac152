//! What the apiserver accepts as a status, whatever a portal answers.

use serde_json::{Value, json};

use crate::portals::catena_x;
use crate::schema::{definition, walk};
use crate::support::{Kind, Server};
use crate::technical_users::create;
use crate::vaults::vault;

/// A status with values that no portal of today has.
fn of_a_later_portal(kind: Kind) -> Value {
    let condition = json!({ "type": "Ready", "status": "False", "reason": "UserInactive", "message": "words",
                            "lastTransitionTime": "2026-11-26T15:00:00Z" });
    match kind {
        Kind::Portal => json!({
            "conditions": [condition], "version": "12 or 13", "company": { "bpn": "of another form" },
            "roles": [{ "name": "Quantum Management", "kind": "Quantum" }],
        }),
        Kind::Vault => json!({
            "conditions": [condition], "version": "2.0.0+x", "audience": "a/b/c",
            "abandoned": [{ "path": "p", "owner": "o", "why": "w", "since": "2026-11-26T15:00:00Z" }],
        }),
        Kind::TechnicalUser => json!({
            "conditions": [condition],
            "user": { "id": "no uuid", "name": "n", "kind": "Quantum", "status": "Frozen", "roles": ["?"] },
            "outputs": [
                { "kind": "Later", "name": "kv/edc" }, { "kind": "Secret", "name": "kv" },
                { "kind": "VaultEntry", "name": "n/v/edc",
                  "entry": { "pathsSecret": "/v1/s", "folder": "f", "secretAlias": "a", "user": "?", "keys": ["k"] } },
            ],
            "restart": { "generation": 2, "workloads": [{ "kind": "Rollout", "name": "edc", "generation": 1 }] },
        }),
    }
}

#[tokio::test]
async fn values_that_a_later_portal_may_have_can_be_written() {
    let server = Server::new("later").await;
    for (kind, spec) in [(Kind::Portal, catena_x()), (Kind::TechnicalUser, create()), (Kind::Vault, vault())]
    {
        server.create(kind, "x", &spec, false).await.unwrap();
        let status = of_a_later_portal(kind);
        let written = server.write_status(kind, "x", &status).await.unwrap();
        for (field, value) in status.as_object().unwrap() {
            assert_eq!(written[field], *value, "{field}");
        }
    }
}

#[test]
fn no_value_of_a_status_is_one_of_a_closed_list() {
    for kind in Kind::ALL {
        walk("", &definition(kind)["properties"]["status"], &mut |path, schema| {
            // That of a condition is of Kubernetes.
            assert!(path == "conditions[].status" || schema["enum"].is_null(), "{} {path}", kind.name());
        });
    }
}

#[tokio::test]
async fn an_output_is_recorded_once_and_with_what_identifies_it() {
    let server = Server::new("outputs").await;
    server.create(Kind::TechnicalUser, "x", &create(), false).await.unwrap();
    let secret = json!({ "kind": "Secret", "name": "edc" });
    for (outputs, words) in [
        (json!([secret, secret]), "Duplicate value"),
        (json!([{ "name": "edc" }]), "status.outputs[0].kind: Required value"),
        (json!([{ "kind": "Secret" }]), "status.outputs[0].name: Required value"),
    ] {
        let refused = server.write_status(Kind::TechnicalUser, "x", &json!({ "outputs": outputs })).await;
        let refused = refused.unwrap_err();
        assert!(refused.starts_with("422 ") && refused.contains(words), "{refused}");
    }
}

#[tokio::test]
async fn a_time_of_a_status_is_a_time() {
    let server = Server::new("times").await;
    server.create(Kind::TechnicalUser, "x", &create(), false).await.unwrap();
    for field in ["issuedAt", "firstVerifiedAt"] {
        let credential = |time: &str| json!({ "credential": { field: time } });
        server.write_status(Kind::TechnicalUser, "x", &credential("2026-11-26T15:00:00Z")).await.unwrap();
        let refused = server.write_status(Kind::TechnicalUser, "x", &credential("yesterday")).await;
        assert!(refused.is_err_and(|words| words.contains("date-time")), "{field}");
    }
}
