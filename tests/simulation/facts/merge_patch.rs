//! Merge patches and their preconditions.

use serde_json::json;

use super::support::{Server, WIDGETS, Wire, secret, widget, with_widgets};

facts!(
    a_stale_resource_version_is_a_conflict,
    a_stale_resource_version_is_a_conflict_even_if_nothing_else_changes,
    a_patch_that_changes_nothing_writes_nothing,
    the_uid_of_another_object_is_refused,
    the_same_holds_for_secrets,
    an_absent_object_is_not_created,
);

async fn a_stale_resource_version_is_a_conflict(server: Server) {
    let wire = Wire::new(server, "stale").await;
    with_widgets(&wire).await;
    let first = wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 2 } })).await.accepted(200);
    let stale = json!({ "metadata": { "resourceVersion": first.version() }, "spec": { "size": 3 } });
    wire.merge(WIDGETS, "w", &stale).await.refused(409, "Conflict", "the object has been modified");
    let current = wire.get(WIDGETS, "w").await;
    assert_eq!(current.body["spec"]["size"], 2);
    let fresh = json!({ "metadata": { "resourceVersion": current.version() }, "spec": { "size": 3 } });
    wire.merge(WIDGETS, "w", &fresh).await.accepted(200);
}

async fn a_stale_resource_version_is_a_conflict_even_if_nothing_else_changes(server: Server) {
    let wire = Wire::new(server, "stale-nothing").await;
    with_widgets(&wire).await;
    let first = wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 2 } })).await.accepted(200);
    let stale = json!({ "metadata": { "resourceVersion": first.version() }, "spec": { "size": 2 } });
    wire.merge(WIDGETS, "w", &stale).await.refused(409, "Conflict", "the object has been modified");
}

async fn a_patch_that_changes_nothing_writes_nothing(server: Server) {
    let wire = Wire::new(server, "nothing").await;
    with_widgets(&wire).await;
    let first = wire.create(WIDGETS, "fieldManager=facts", &widget("w")).await.accepted(201);
    let again = wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 1 } })).await.accepted(200);
    assert_eq!(again.version(), first.version());
}

async fn the_uid_of_another_object_is_refused(server: Server) {
    let wire = Wire::new(server, "uid").await;
    with_widgets(&wire).await;
    let other = wire.create(WIDGETS, "", &widget("other")).await.accepted(201);
    let own = wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    let wrong = json!({ "metadata": { "uid": other.uid(), "annotations": { "a": "b" } } });
    wire.merge(WIDGETS, "w", &wrong).await.refused(422, "Invalid", "metadata.uid: Invalid value");
    let right = json!({ "metadata": { "uid": own.uid(), "annotations": { "a": "b" } } });
    wire.merge(WIDGETS, "w", &right).await.accepted(200);
}

async fn the_same_holds_for_secrets(server: Server) {
    let wire = Wire::new(server, "secret").await;
    let other = wire.create("secrets", "", &secret("other", "x")).await.accepted(201);
    let own = wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    let wrong = json!({ "metadata": { "uid": other.uid(), "annotations": { "a": "b" } } });
    wire.merge("secrets", "s", &wrong).await.refused(422, "Invalid", "metadata.uid: Invalid value");
    wire.merge("secrets", "s", &json!({ "metadata": { "annotations": { "a": "b" } } })).await.accepted(200);
    let stale = json!({ "metadata": { "resourceVersion": own.version(), "annotations": { "a": "c" } } });
    wire.merge("secrets", "s", &stale).await.refused(409, "Conflict", "the object has been modified");
}

async fn an_absent_object_is_not_created(server: Server) {
    let wire = Wire::new(server, "absent").await;
    let patch = json!({ "metadata": { "annotations": { "a": "b" } } });
    wire.merge("secrets", "absent", &patch).await.refused(404, "NotFound", "not found");
}
