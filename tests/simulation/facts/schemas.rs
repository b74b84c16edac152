//! What the schema of a custom resource does to what is written.

use serde_json::{Value, json};

use super::support::{Server, WIDGETS, Wire, widget, with_widgets};

facts!(
    an_unknown_field_is_dropped,
    a_default_is_set,
    a_null_counts_as_absent,
    what_the_schema_does_not_allow_is_refused,
    a_status_follows_the_schema_too,
);

fn with(spec: Value) -> Value {
    let mut object = widget("w");
    object["spec"] = spec;
    object
}

async fn an_unknown_field_is_dropped(server: Server) {
    let wire = Wire::new(server, "prune").await;
    with_widgets(&wire).await;
    let mut object = with(
        json!({ "size": 1, "other": 2, "labels": { "free": "x" }, "parts": [{ "name": "a", "other": 1 }] }),
    );
    object["other"] = json!(1);
    let created = wire.create(WIDGETS, "", &object).await.accepted(201).body;
    assert!(created["other"].is_null(), "{created}");
    let parts = json!([{ "name": "a", "kind": "Plain" }]);
    assert_eq!(
        created["spec"],
        json!({ "size": 1, "color": "Red", "labels": { "free": "x" }, "parts": parts })
    );
    let answer = wire.merge(WIDGETS, "w", &json!({ "spec": { "another": 1 } })).await.accepted(200);
    assert_eq!(answer.body["metadata"]["generation"], 1, "nothing was changed");
    assert_eq!(answer.version(), created["metadata"]["resourceVersion"]);
}

async fn a_default_is_set(server: Server) {
    let wire = Wire::new(server, "default").await;
    with_widgets(&wire).await;
    let created = wire.create(WIDGETS, "", &with(json!({}))).await.accepted(201).body;
    assert_eq!(created["spec"], json!({ "color": "Red" }));
    wire.merge(WIDGETS, "w", &json!({ "spec": { "color": "Blue" } })).await.accepted(200);
    let back = wire.merge(WIDGETS, "w", &json!({ "spec": { "color": null } })).await.accepted(200).body;
    assert_eq!((&back["spec"]["color"], &back["metadata"]["generation"]), (&json!("Red"), &json!(3)));
    let mut bare = widget("bare");
    bare.as_object_mut().unwrap().remove("spec");
    let bare = wire.create(WIDGETS, "", &bare).await.accepted(201).body;
    assert!(bare["spec"].is_null(), "a default needs the object around it: {bare}");
}

async fn a_null_counts_as_absent(server: Server) {
    let wire = Wire::new(server, "null").await;
    with_widgets(&wire).await;
    let spec = json!({ "size": null, "color": null, "labels": { "a": null }, "parts": [{ "name": "a", "kind": null }] });
    let created = wire.create(WIDGETS, "", &with(spec)).await.accepted(201).body;
    let parts = json!([{ "name": "a", "kind": "Plain" }]);
    assert_eq!(created["spec"], json!({ "color": "Red", "labels": {}, "parts": parts }));
    let required = json!({ "parts": [{ "name": null }] });
    let answer = wire.merge(WIDGETS, "w", &json!({ "spec": required })).await;
    answer.refused(422, "Invalid", "spec.parts[0].name: Required value");
}

async fn what_the_schema_does_not_allow_is_refused(server: Server) {
    let wire = Wire::new(server, "schema").await;
    with_widgets(&wire).await;
    for (spec, problem) in [
        (json!({ "size": "1" }), "spec.size: Invalid value: \"string\""),
        (json!({ "size": 1.5 }), "spec.size: Invalid value"),
        (json!({ "size": -1 }), "spec.size: Invalid value: -1"),
        (json!({ "size": 1001 }), "spec.size: Invalid value: 1001"),
        (json!({ "color": "Green" }), "spec.color: Unsupported value: \"Green\""),
        (json!({ "name": "A" }), "spec.name: Invalid value"),
        (json!({ "name": "abcdef" }), "spec.name: Too long: may not be more than 5 bytes"),
        (json!({ "parts": [{}] }), "spec.parts[0].name: Required value"),
        (
            json!({ "parts": [{ "name": "a" }, { "name": "b" }, { "name": "c" }] }),
            "spec.parts: Too many: 3: must have at most 2 items",
        ),
        (json!({ "labels": { "a": 1 } }), "spec.labels.a: Invalid value"),
    ] {
        wire.create(WIDGETS, "dryRun=All", &with(spec)).await.refused(422, "Invalid", problem);
    }
    wire.create(WIDGETS, "", &with(json!({ "size": 1000, "name": "abc" }))).await.accepted(201);
    let answer = wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 1001 } })).await;
    answer.refused(422, "Invalid", "Widget.facts.testbed.invalid \"w\" is invalid: spec.size");
}

async fn a_status_follows_the_schema_too(server: Server) {
    let wire = Wire::new(server, "schema-status").await;
    with_widgets(&wire).await;
    wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    let answer = wire
        .merge(WIDGETS, "w/status", &json!({ "status": { "phase": "x", "other": 1 } }))
        .await
        .accepted(200);
    assert_eq!(answer.body["status"], json!({ "phase": "x" }));
    let answer = wire.merge(WIDGETS, "w/status", &json!({ "status": { "phase": 1 } })).await;
    answer.refused(422, "Invalid", "status.phase: Invalid value: \"integer\"");
}
