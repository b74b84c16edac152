//! A dry run of the very write shows what stands in its way, with the code and the message of the real write.

use serde_json::{Value, json};
use testbed::eventually;

use super::support::{Server, Wire, secret};

facts!(
    success_is_shown_and_nothing_is_written,
    a_quota,
    a_terminating_namespace,
    a_missing_namespace,
    missing_rights,
    an_immutable_secret,
    another_type_of_secret,
    a_secret_that_is_too_large,
);
facts_of_the_real_one!(a_policy,);

/// Asserts that apply and create of a Secret are refused alike, as a dry run and in earnest.
async fn refused(wire: &Wire, object: &Value, code: u16, reason: &str, message: &str) {
    for query in ["dryRun=All", ""] {
        if wire.serves_apply() {
            wire.apply("secrets", query, object).await.refused(code, reason, message);
        }
        wire.create("secrets", query, object).await.refused(code, reason, message);
    }
}

async fn success_is_shown_and_nothing_is_written(server: Server) {
    let wire = Wire::new(server, "dry").await;
    let shown = wire.create("secrets", "dryRun=All", &secret("s", "x")).await.accepted(201);
    assert!(shown.body["metadata"]["resourceVersion"].is_null(), "{}", shown.body);
    wire.get("secrets", "s").await.refused(404, "NotFound", "");
    let created = wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    let patch = json!({ "data": { "key": "eQ==" } });
    let shown = wire.merge("secrets", "s?dryRun=All", &patch).await.accepted(200);
    assert_eq!((shown.version(), &shown.body["data"]), (created.version(), &patch["data"]));
    let present = wire.get("secrets", "s").await;
    assert_eq!((present.version(), &present.body["data"]), (created.version(), &created.body["data"]));
    let stale = json!({ "metadata": { "resourceVersion": "1" } });
    wire.merge("secrets", "s?dryRun=All", &stale).await.refused(
        409,
        "Conflict",
        "the object has been modified",
    );
    wire.merge("secrets", "absent?dryRun=All", &patch).await.refused(404, "NotFound", "not found");
}

async fn a_quota(server: Server) {
    let wire = Wire::new(server, "quota").await;
    let quota = json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "none" },
                        "spec": { "hard": { "secrets": "0" } } });
    wire.create("resourcequotas", "", &quota).await.accepted(201);
    eventually("the quota is counted", || async {
        let answer = wire.get("resourcequotas", "none").await;
        answer.body["status"]["hard"]["secrets"].is_string().then_some(())
    })
    .await
    .unwrap();
    refused(&wire, &secret("s", "x"), 403, "Forbidden", "exceeded quota: none").await;
}

async fn a_policy(server: Server) {
    let wire = Wire::new(server, "policy").await;
    let name = &wire.namespace;
    let policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": { "name": name },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"] }] },
            "validations": [{ "expression": "false", "message": "no secrets here" }],
        },
    });
    wire.send("POST", policies, "application/json", &policy).await.accepted(201);
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": { "name": name },
        "spec": {
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": { "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": name } } },
        },
    });
    wire.send(
        "POST",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
        "application/json",
        &binding,
    )
    .await
    .accepted(201);
    eventually("the policy is in effect", || async {
        let answer = wire.apply("secrets", "dryRun=All", &secret("s", "x")).await;
        (answer.code != 201).then_some(())
    })
    .await
    .unwrap();
    refused(&wire, &secret("s", "x"), 422, "Invalid", "denied request: no secrets here").await;
}

async fn a_terminating_namespace(server: Server) {
    let wire = Wire::new(server, "terminating").await;
    // Something that cannot go holds the namespace in this state.
    let anchor = json!({ "apiVersion": "v1", "kind": "ConfigMap",
                         "metadata": { "name": "anchor", "finalizers": ["facts.testbed.invalid/anchor"] } });
    wire.create("configmaps", "", &anchor).await.accepted(201);
    wire.send("DELETE", &format!("/api/v1/namespaces/{}", wire.namespace), "application/json", &json!({}))
        .await
        .accepted(200);
    let message = format!(
        "unable to create new content in namespace {} because it is being terminated",
        wire.namespace
    );
    refused(&wire, &secret("s", "x"), 403, "Forbidden", &message).await;
    let answer = wire.create("secrets", "dryRun=All", &secret("s", "x")).await;
    assert_eq!(answer.body["details"]["causes"][0]["reason"], "NamespaceTerminating", "{}", answer.body);
    wire.merge("configmaps", "anchor", &json!({ "metadata": { "finalizers": null } })).await.accepted(200);
}

async fn a_missing_namespace(server: Server) {
    let wire = Wire::new(server, "missing").await.elsewhere("no-such-namespace");
    refused(&wire, &secret("s", "x"), 404, "NotFound", "namespaces \"no-such-namespace\" not found").await;
}

async fn missing_rights(server: Server) {
    let wire = Wire::new(server, "rights").await.powerless().await;
    refused(&wire, &secret("s", "x"), 403, "Forbidden", "cannot").await;
}

async fn an_immutable_secret(server: Server) {
    let wire = Wire::new(server, "immutable").await;
    let mut object = secret("s", "x");
    object["immutable"] = json!(true);
    wire.create("secrets", "", &object).await.accepted(201);
    for name in ["s?dryRun=All", "s"] {
        let answer = wire.merge("secrets", name, &json!({ "data": { "key": "eQ==" } })).await;
        answer.refused(422, "Invalid", "field is immutable when `immutable` is set");
    }
    // Its metadata are not.
    wire.merge("secrets", "s", &json!({ "metadata": { "annotations": { "a": "b" } } })).await.accepted(200);
}

async fn another_type_of_secret(server: Server) {
    let wire = Wire::new(server, "type").await;
    wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    let patch = json!({ "type": "example.invalid/other" });
    for name in ["s?dryRun=All", "s"] {
        wire.merge("secrets", name, &patch).await.refused(422, "Invalid", "type: Invalid value");
    }
}

async fn a_secret_that_is_too_large(server: Server) {
    let wire = Wire::new(server, "large").await;
    let object = secret("s", &"x".repeat(1024 * 1024 + 1));
    refused(&wire, &object, 422, "Invalid", "Too long").await;
}
