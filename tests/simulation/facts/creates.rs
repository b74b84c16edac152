//! Creates.

use serde_json::json;

use super::support::{Server, WIDGETS, Wire, secret, widget, with_widgets};

facts!(
    post_is_create_only,
    the_server_writes_the_metadata,
    a_finalizer_and_an_owner_may_be_set,
    a_status_is_dropped
);

async fn post_is_create_only(server: Server) {
    let wire = Wire::new(server, "post").await;
    wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    for query in ["dryRun=All", ""] {
        wire.create("secrets", query, &secret("s", "y")).await.refused(
            409,
            "AlreadyExists",
            "already exists",
        );
    }
    let mut object = secret("t", "x");
    object["metadata"]["resourceVersion"] = json!("1");
    wire.create("secrets", "", &object).await.refused(500, "", "resourceVersion should not be set");
}

async fn the_server_writes_the_metadata(server: Server) {
    let wire = Wire::new(server, "create-metadata").await;
    with_widgets(&wire).await;
    let mut object = widget("w");
    object["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
    object["metadata"]["generation"] = json!(7);
    object["metadata"]["creationTimestamp"] = json!("2001-01-01T00:00:00Z");
    object["metadata"]["deletionTimestamp"] = json!("2001-01-01T00:00:00Z");
    let created = wire.create(WIDGETS, "", &object).await.accepted(201);
    assert_ne!(created.uid(), "00000000-0000-0000-0000-000000000000");
    let metadata = &created.body["metadata"];
    assert_eq!((&metadata["generation"], &metadata["namespace"]), (&json!(1), &json!(wire.namespace)));
    assert_ne!(metadata["creationTimestamp"], "2001-01-01T00:00:00Z");
    assert!(metadata["deletionTimestamp"].is_null(), "{metadata}");
    let secret = wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    assert!(secret.body["metadata"]["generation"].is_null(), "a Secret has no generation: {}", secret.body);
    assert_eq!(secret.body["data"], json!({ "key": "eA==" }));
    assert!(secret.body["stringData"].is_null(), "{}", secret.body);
}

async fn a_finalizer_and_an_owner_may_be_set(server: Server) {
    let wire = Wire::new(server, "create-finalizer").await;
    with_widgets(&wire).await;
    let mut object = widget("w");
    object["metadata"]["finalizers"] = json!(["facts.testbed.invalid/a"]);
    object["metadata"]["labels"] = json!({});
    let created = wire.create(WIDGETS, "", &object).await.accepted(201);
    assert_eq!(created.body["metadata"]["finalizers"], json!(["facts.testbed.invalid/a"]));
    assert!(created.body["metadata"]["labels"].is_null(), "{}", created.body);
    let owner = json!({ "apiVersion": "facts.testbed.invalid/v1", "kind": "Widget", "name": "w", "uid": created.uid() });
    let mut child = secret("s", "x");
    child["metadata"]["ownerReferences"] = json!([owner]);
    let created = wire.create("secrets", "", &child).await.accepted(201);
    assert_eq!(created.body["metadata"]["ownerReferences"], json!([owner]));
}

async fn a_status_is_dropped(server: Server) {
    let wire = Wire::new(server, "create-status").await;
    with_widgets(&wire).await;
    let mut object = widget("w");
    object["status"] = json!({ "phase": "ready" });
    let created = wire.create(WIDGETS, "", &object).await.accepted(201);
    assert!(created.body["status"].is_null(), "{}", created.body);
}
