//! Finalizers of an object that is being deleted.

use serde_json::{Value, json};

use super::support::{Server, WIDGETS, Wire, widget, with_widgets};

facts!(
    no_finalizer_can_be_added,
    a_finalizer_can_be_removed_and_the_last_one_frees_the_object,
    annotations_spec_and_status_can_still_be_written,
    a_name_is_taken_until_the_dying_object_is_gone,
    a_delete_with_another_uid_or_version_is_a_conflict,
);

fn finalizers(names: &[&str]) -> Value {
    json!({ "metadata": { "finalizers": names } })
}

/// A widget under deletion that two finalizers hold.
async fn dying(server: Server, prefix: &str) -> Wire {
    let wire = Wire::new(server, prefix).await;
    with_widgets(&wire).await;
    let mut object = widget("w");
    object["metadata"]["finalizers"] = json!(["facts.testbed.invalid/a", "facts.testbed.invalid/b"]);
    wire.create(WIDGETS, "", &object).await.accepted(201);
    let deleted = wire.delete(WIDGETS, "w").await.accepted(200);
    assert!(deleted.body["metadata"]["deletionTimestamp"].is_string());
    wire
}

async fn no_finalizer_can_be_added(server: Server) {
    let wire = dying(server, "finalizer-add").await;
    let all = ["facts.testbed.invalid/a", "facts.testbed.invalid/b", "facts.testbed.invalid/c"];
    let message = "no new finalizers can be added if the object is being deleted, found new finalizers \
                   []string{\"facts.testbed.invalid/c\"}";
    wire.merge(WIDGETS, "w", &finalizers(&all)).await.refused(422, "Invalid", message);
    // Nor in exchange for another.
    wire.merge(WIDGETS, "w", &finalizers(&all[1..])).await.refused(422, "Invalid", message);
}

async fn a_finalizer_can_be_removed_and_the_last_one_frees_the_object(server: Server) {
    let wire = dying(server, "finalizer-remove").await;
    let one = wire.merge(WIDGETS, "w", &finalizers(&["facts.testbed.invalid/b"])).await.accepted(200);
    assert_eq!(one.body["metadata"]["finalizers"], json!(["facts.testbed.invalid/b"]));
    wire.merge(WIDGETS, "w", &finalizers(&[])).await.accepted(200);
    wire.get(WIDGETS, "w").await.refused(404, "NotFound", "");
    wire.merge(WIDGETS, "w", &finalizers(&[])).await.refused(404, "NotFound", "");
}

async fn annotations_spec_and_status_can_still_be_written(server: Server) {
    let wire = dying(server, "dying-writes").await;
    wire.merge(WIDGETS, "w", &json!({ "metadata": { "annotations": { "a": "b" } } })).await.accepted(200);
    wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 7 } })).await.accepted(200);
    wire.merge(WIDGETS, "w/status", &json!({ "status": { "phase": "going" } })).await.accepted(200);
    let current = wire.get(WIDGETS, "w").await;
    assert_eq!(current.body["metadata"]["annotations"]["a"], "b");
    assert_eq!(current.body["spec"]["size"], 7);
    assert_eq!(current.body["status"]["phase"], "going");
}

async fn a_name_is_taken_until_the_dying_object_is_gone(server: Server) {
    let wire = dying(server, "dying-name").await;
    wire.create(WIDGETS, "", &widget("w")).await.refused(409, "AlreadyExists", "object is being deleted");
}

async fn a_delete_with_another_uid_or_version_is_a_conflict(server: Server) {
    let wire = Wire::new(server, "delete").await;
    with_widgets(&wire).await;
    let first = wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 2 } })).await.accepted(200);
    let path = format!("/apis/facts.testbed.invalid/v1/namespaces/{}/widgets/w", wire.namespace);
    for preconditions in [json!({ "uid": "another" }), json!({ "resourceVersion": first.version() })] {
        let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions });
        let answer = wire.send("DELETE", &path, "application/json", &options).await;
        answer.refused(409, "Conflict", "in the precondition");
    }
    wire.get(WIDGETS, "w").await.accepted(200);
}
