//! Finalizers of an object that is being deleted.

use serde_json::{Value, json};

use crate::support::{WIDGETS, Wire, widget, with_widgets};

fn finalizers(names: &[&str]) -> Value {
    json!({ "metadata": { "finalizers": names } })
}

/// A widget under deletion that two finalizers hold.
async fn dying(prefix: &str) -> Wire {
    let wire = Wire::new(prefix).await;
    with_widgets(&wire).await;
    let mut object = widget("w");
    object["metadata"]["finalizers"] = json!(["facts.testbed.invalid/a", "facts.testbed.invalid/b"]);
    wire.create(WIDGETS, "", &object).await.accepted(201);
    let deleted = wire.delete(WIDGETS, "w").await.accepted(200);
    assert!(deleted.body["metadata"]["deletionTimestamp"].is_string());
    wire
}

#[tokio::test]
async fn no_finalizer_can_be_added() {
    let wire = dying("finalizer-add").await;
    let all = ["facts.testbed.invalid/a", "facts.testbed.invalid/b", "facts.testbed.invalid/c"];
    let message = "no new finalizers can be added if the object is being deleted, found new finalizers \
                   []string{\"facts.testbed.invalid/c\"}";
    wire.merge(WIDGETS, "w", &finalizers(&all)).await.refused(422, "Invalid", message);
    // Nor in exchange for another.
    wire.merge(WIDGETS, "w", &finalizers(&all[1..])).await.refused(422, "Invalid", message);
}

#[tokio::test]
async fn a_finalizer_can_be_removed_and_the_last_one_frees_the_object() {
    let wire = dying("finalizer-remove").await;
    let one = wire.merge(WIDGETS, "w", &finalizers(&["facts.testbed.invalid/b"])).await.accepted(200);
    assert_eq!(one.body["metadata"]["finalizers"], json!(["facts.testbed.invalid/b"]));
    wire.merge(WIDGETS, "w", &finalizers(&[])).await.accepted(200);
    wire.get(WIDGETS, "w").await.refused(404, "NotFound", "");
    wire.merge(WIDGETS, "w", &finalizers(&[])).await.refused(404, "NotFound", "");
}

#[tokio::test]
async fn annotations_spec_and_status_can_still_be_written() {
    let wire = dying("dying-writes").await;
    wire.merge(WIDGETS, "w", &json!({ "metadata": { "annotations": { "a": "b" } } })).await.accepted(200);
    wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 7 } })).await.accepted(200);
    wire.merge(WIDGETS, "w/status", &json!({ "status": { "phase": "going" } })).await.accepted(200);
    let current = wire.get(WIDGETS, "w").await;
    assert_eq!(current.body["metadata"]["annotations"]["a"], "b");
    assert_eq!(current.body["spec"]["size"], 7);
    assert_eq!(current.body["status"]["phase"], "going");
}

#[tokio::test]
async fn a_name_is_taken_until_the_dying_object_is_gone() {
    let wire = dying("dying-name").await;
    wire.create(WIDGETS, "", &widget("w")).await.refused(409, "AlreadyExists", "object is being deleted");
}

#[tokio::test]
async fn a_delete_with_another_uid_or_version_is_a_conflict() {
    let wire = Wire::new("delete").await;
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
