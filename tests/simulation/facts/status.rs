//! Writes through the status subresource of a custom resource.

use serde_json::json;

use super::support::{Server, WIDGETS, Wire, widget, with_widgets};

facts!(
    annotations_sent_with_a_status_are_ignored,
    an_annotation_sent_without_a_status_is_ignored_and_nothing_is_written,
    a_status_sent_to_the_object_itself_is_ignored,
    a_stale_resource_version_is_a_conflict_here_too,
    the_uid_of_another_object_is_ignored_and_the_status_is_written,
    a_replacement_with_the_uid_of_another_object_is_a_conflict,
    a_status_does_not_change_the_generation_and_the_spec_does,
);

async fn annotations_sent_with_a_status_are_ignored(server: Server) {
    let wire = Wire::new(server, "status-both").await;
    with_widgets(&wire).await;
    wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    let patch = json!({ "metadata": { "annotations": { "a": "b" }, "labels": { "c": "d" }, "finalizers": ["x.invalid/y"] },
                        "spec": { "size": 9 }, "status": { "phase": "ready" } });
    let answer = wire.merge(WIDGETS, "w/status", &patch).await.accepted(200);
    assert_eq!(answer.body["status"]["phase"], "ready");
    for body in [answer.body, wire.get(WIDGETS, "w").await.body] {
        assert!(body["metadata"]["annotations"].is_null(), "{body}");
        assert!(body["metadata"]["labels"].is_null(), "{body}");
        assert!(body["metadata"]["finalizers"].is_null(), "{body}");
        assert_eq!(body["spec"]["size"], 1);
    }
}

async fn an_annotation_sent_without_a_status_is_ignored_and_nothing_is_written(server: Server) {
    let wire = Wire::new(server, "status-annotation").await;
    with_widgets(&wire).await;
    let created = wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    let patch = json!({ "metadata": { "annotations": { "a": "b" } } });
    let answer = wire.merge(WIDGETS, "w/status", &patch).await.accepted(200);
    assert!(answer.body["metadata"]["annotations"].is_null(), "{}", answer.body);
    assert_eq!(answer.version(), created.version());
}

async fn a_status_sent_to_the_object_itself_is_ignored(server: Server) {
    let wire = Wire::new(server, "status-main").await;
    with_widgets(&wire).await;
    let created = wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    let patch = json!({ "status": { "phase": "ready" } });
    let answer = wire.merge(WIDGETS, "w", &patch).await.accepted(200);
    assert!(answer.body["status"].is_null(), "{}", answer.body);
    assert_eq!(answer.version(), created.version());
}

async fn a_stale_resource_version_is_a_conflict_here_too(server: Server) {
    let wire = Wire::new(server, "status-stale").await;
    with_widgets(&wire).await;
    let first = wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 2 } })).await.accepted(200);
    let patch =
        |version: &str| json!({ "metadata": { "resourceVersion": version }, "status": { "phase": "ready" } });
    let answer = wire.merge(WIDGETS, "w/status", &patch(first.version())).await;
    answer.refused(409, "Conflict", "the object has been modified");
    let current = wire.get(WIDGETS, "w").await;
    wire.merge(WIDGETS, "w/status", &patch(current.version())).await.accepted(200);
}

async fn the_uid_of_another_object_is_ignored_and_the_status_is_written(server: Server) {
    let wire = Wire::new(server, "status-uid").await;
    with_widgets(&wire).await;
    let other = wire.create(WIDGETS, "", &widget("other")).await.accepted(201);
    let own = wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    // So a uid is no precondition here, unlike on the object itself. A resource version is.
    let patch = json!({ "metadata": { "uid": other.uid() }, "status": { "phase": "ready" } });
    let answer = wire.merge(WIDGETS, "w/status", &patch).await.accepted(200);
    assert_eq!(answer.uid(), own.uid());
    assert_eq!(wire.get(WIDGETS, "w").await.body["status"]["phase"], "ready");
}

async fn a_replacement_with_the_uid_of_another_object_is_a_conflict(server: Server) {
    let wire = Wire::new(server, "status-put").await;
    with_widgets(&wire).await;
    let other = wire.create(WIDGETS, "", &widget("other")).await.accepted(201);
    let mut object = wire.create(WIDGETS, "", &widget("w")).await.accepted(201).body;
    object["metadata"]["uid"] = json!(other.uid());
    object["status"] = json!({ "phase": "ready" });
    let path = format!("/apis/facts.testbed.invalid/v1/namespaces/{}/widgets/w", wire.namespace);
    for path in [format!("{path}/status"), path] {
        let answer = wire.send("PUT", &path, "application/json", &object).await;
        answer.refused(409, "Conflict", "Precondition failed: UID in precondition");
    }
}

async fn a_status_does_not_change_the_generation_and_the_spec_does(server: Server) {
    let wire = Wire::new(server, "status-generation").await;
    with_widgets(&wire).await;
    wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    let generation = |answer: super::support::Answer| answer.body["metadata"]["generation"].as_i64().unwrap();
    let patch = json!({ "status": { "phase": "ready" } });
    assert_eq!(generation(wire.merge(WIDGETS, "w/status", &patch).await), 1);
    let patch = json!({ "metadata": { "annotations": { "a": "b" } } });
    assert_eq!(generation(wire.merge(WIDGETS, "w", &patch).await), 1);
    assert_eq!(generation(wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 2 } })).await), 2);
}
