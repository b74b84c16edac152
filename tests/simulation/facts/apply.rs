//! Server-side apply of a Secret and its preconditions. The operator does not use it; these facts are the reason.

use serde_json::json;

use super::support::{Server, WIDGETS, Wire, secret, widget, with_widgets};

facts_of_the_real_one!(
    a_uid_makes_apply_update_only,
    a_resource_version_of_zero_does_not_mean_create_only,
    a_resource_version_guards_an_existing_object_but_does_not_keep_apply_from_creating,
    an_apply_that_changes_nothing_writes_nothing,
    a_field_of_another_manager_is_a_conflict_without_force_only,
    a_field_no_longer_applied_is_removed,
);

async fn a_uid_makes_apply_update_only(server: Server) {
    let wire = Wire::new(server, "apply-uid").await;
    let mut object = secret("s", "x");
    object["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    for query in ["dryRun=All", ""] {
        let answer = wire.apply("secrets", query, &object).await;
        answer.refused(409, "Conflict", "uid mismatch");
        assert!(answer.message().contains("no existing object was found"), "{}", answer.message());
    }
    let created = wire.apply("secrets", "", &secret("s", "x")).await.accepted(201);
    for query in ["dryRun=All", ""] {
        wire.apply("secrets", query, &object).await.refused(422, "Invalid", "field is immutable");
    }
    object["metadata"]["uid"] = json!(created.uid());
    wire.apply("secrets", "", &object).await.accepted(200);
}

async fn a_resource_version_of_zero_does_not_mean_create_only(server: Server) {
    let wire = Wire::new(server, "apply-zero").await;
    let mut object = secret("s", "x");
    object["metadata"]["resourceVersion"] = json!("0");
    let created = wire.apply("secrets", "", &object).await.accepted(201);
    object["stringData"]["key"] = json!("y");
    let applied = wire.apply("secrets", "", &object).await.accepted(200);
    assert_ne!(applied.version(), created.version());
}

async fn a_resource_version_guards_an_existing_object_but_does_not_keep_apply_from_creating(server: Server) {
    let wire = Wire::new(server, "apply-version").await;
    with_widgets(&wire).await;
    for (resource, plain) in [("secrets", secret("s", "x")), (WIDGETS, widget("s"))] {
        let created = wire.apply(resource, "", &plain).await.accepted(201);
        let mut object = plain.clone();
        object["metadata"]["resourceVersion"] = json!("1");
        for query in ["dryRun=All", ""] {
            let answer = wire.apply(resource, query, &object).await;
            answer.refused(409, "Conflict", "the object has been modified");
        }
        wire.delete(resource, "s").await.accepted(200);
        // Even the version the object had before it was deleted brings it back: only a uid prevents that.
        object["metadata"]["resourceVersion"] = json!(created.version());
        let again = wire.apply(resource, "", &object).await.accepted(201);
        assert_ne!(again.uid(), created.uid());
    }
}

async fn an_apply_that_changes_nothing_writes_nothing(server: Server) {
    let wire = Wire::new(server, "apply-nothing").await;
    let object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "key": "eA==" } });
    let created = wire.apply("secrets", "", &object).await.accepted(201);
    let again = wire.apply("secrets", "", &object).await.accepted(200);
    assert_eq!(again.version(), created.version());
}

async fn a_field_of_another_manager_is_a_conflict_without_force_only(server: Server) {
    let wire = Wire::new(server, "apply-force").await;
    wire.create("secrets", "fieldManager=somebody", &secret("s", "x")).await.accepted(201);
    let object = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "key": "eQ==" } });
    let path = format!("/api/v1/namespaces/{}/secrets/s", wire.namespace);
    for query in ["fieldManager=facts&dryRun=All", "fieldManager=facts"] {
        let answer =
            wire.send("PATCH", &format!("{path}?{query}"), "application/apply-patch+yaml", &object).await;
        answer.refused(409, "Conflict", "conflict with \"somebody\"");
    }
    wire.apply("secrets", "", &object).await.accepted(200);
}

async fn a_field_no_longer_applied_is_removed(server: Server) {
    let wire = Wire::new(server, "apply-remove").await;
    let object = |data: serde_json::Value| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": data });
    wire.apply("secrets", "", &object(json!({ "old": "eA==", "kept": "eA==" }))).await.accepted(201);
    let answer = wire.apply("secrets", "", &object(json!({ "kept": "eA==" }))).await.accepted(200);
    assert_eq!(answer.body["data"], json!({ "kept": "eA==" }));
}
