//! Watches: what they send, in which order, and how they end.

use futures::{AsyncBufReadExt, StreamExt, stream::BoxStream};
use http::Request;
use serde_json::{Value, json};

use super::support::{Server, WIDGETS, Wire, secret, widget, with_widgets};

facts!(
    a_watch_sends_the_changes_since_its_version_in_order,
    a_deleted_object_has_the_version_of_its_deletion,
    an_object_that_loses_the_label_is_deleted_for_the_watch,
    a_watch_of_metadata_shows_no_data,
    a_watch_from_a_version_that_is_forgotten_gets_410,
    a_watch_ends_in_time,
    a_watch_without_rights_is_refused,
);

/// Opens a watch. The lines are its events.
async fn watch(wire: &Wire, resource: &str, query: &str, accept: &str) -> BoxStream<'static, Value> {
    let path = format!("{}?watch=true&allowWatchBookmarks=true&{query}", wire.collection(resource));
    let request = Request::get(path).header("accept", accept).body(Vec::new()).unwrap();
    let lines = wire.client.request_stream(request).await.unwrap().lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).boxed()
}

const JSON: &str = "application/json";
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// The next event that is no bookmark: its type, and its object.
async fn next(events: &mut BoxStream<'static, Value>) -> (String, Value) {
    loop {
        let event = events.next().await.unwrap();
        if event["type"] != "BOOKMARK" {
            return (event["type"].as_str().unwrap().to_owned(), event["object"].clone());
        }
    }
}

async fn version(wire: &Wire, resource: &str) -> String {
    let list = wire.list(resource, "").await.accepted(200);
    list.body["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

async fn a_watch_sends_the_changes_since_its_version_in_order(server: Server) {
    let wire = Wire::new(server, "watch").await;
    with_widgets(&wire).await;
    let before = wire.create(WIDGETS, "", &widget("before")).await.accepted(201);
    let mut events = watch(&wire, WIDGETS, &format!("resourceVersion={}", before.version()), JSON).await;
    wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    let changed = wire.merge(WIDGETS, "w", &json!({ "spec": { "size": 2 } })).await.accepted(200);
    wire.delete(WIDGETS, "w").await.accepted(200);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (kind, object) = next(&mut events).await;
        assert_eq!((&object["metadata"]["name"], &object["kind"]), (&json!("w"), &json!("Widget")));
        seen.push((kind, object));
    }
    let kinds: Vec<_> = seen.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["ADDED", "MODIFIED", "DELETED"]);
    assert_eq!(seen[1].1["metadata"]["resourceVersion"], changed.version());
    assert_eq!(seen[2].1["spec"]["size"], 2, "the last state");
}

async fn a_deleted_object_has_the_version_of_its_deletion(server: Server) {
    let wire = Wire::new(server, "watch-deleted").await;
    let created = wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    let mut events = watch(&wire, "secrets", &format!("resourceVersion={}", created.version()), JSON).await;
    wire.delete("secrets", "s").await.accepted(200);
    let (kind, object) = next(&mut events).await;
    assert_eq!(kind, "DELETED");
    let number = |version: &str| version.parse::<u64>().unwrap();
    let last = number(object["metadata"]["resourceVersion"].as_str().unwrap());
    assert!(last > number(created.version()));
}

async fn an_object_that_loses_the_label_is_deleted_for_the_watch(server: Server) {
    let wire = Wire::new(server, "watch-label").await;
    let from = version(&wire, "secrets").await;
    let query = format!("labelSelector=facts.testbed.invalid%2Fours%3D1&resourceVersion={from}");
    let mut events = watch(&wire, "secrets", &query, JSON).await;
    let label = |value: Value| json!({ "metadata": { "labels": { "facts.testbed.invalid/ours": value } } });
    wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    wire.merge("secrets", "s", &label(json!("1"))).await.accepted(200);
    let lost = wire.merge("secrets", "s", &label(Value::Null)).await.accepted(200);
    wire.merge("secrets", "s", &json!({ "data": { "key": "eQ==" } })).await.accepted(200);
    wire.merge("secrets", "s", &label(json!("1"))).await.accepted(200);
    let (added, _) = next(&mut events).await;
    let (deleted, shown) = next(&mut events).await;
    let (again, object) = next(&mut events).await;
    assert_eq!((added.as_str(), deleted.as_str(), again.as_str()), ("ADDED", "DELETED", "ADDED"));
    assert_eq!(shown["metadata"]["resourceVersion"], lost.version());
    assert_eq!(
        shown["metadata"]["labels"]["facts.testbed.invalid/ours"], "1",
        "as it was when it had the label"
    );
    assert_eq!(object["data"]["key"], "eQ==");
}

async fn a_watch_of_metadata_shows_no_data(server: Server) {
    let wire = Wire::new(server, "watch-metadata").await;
    let from = version(&wire, "secrets").await;
    let mut events = watch(&wire, "secrets", &format!("resourceVersion={from}"), METADATA).await;
    wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    let (kind, object) = next(&mut events).await;
    assert_eq!((kind.as_str(), &object["kind"]), ("ADDED", &json!("PartialObjectMetadata")));
    assert!(object["data"].is_null() && object["metadata"]["name"] == "s", "{object}");
}

async fn a_watch_from_a_version_that_is_forgotten_gets_410(server: Server) {
    let wire = Wire::new(server, "watch-old").await;
    with_widgets(&wire).await;
    wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    if let Server::Simulated(apiserver) = &wire.server {
        apiserver.compact();
    }
    let mut events = watch(&wire, WIDGETS, "resourceVersion=1", JSON).await;
    let (kind, status) = next(&mut events).await;
    assert_eq!(
        (kind.as_str(), &status["code"], &status["reason"]),
        ("ERROR", &json!(410), &json!("Expired"))
    );
    assert!(status["message"].as_str().unwrap().starts_with("too old resource version: 1 ("), "{status}");
    assert!(events.next().await.is_none(), "the watch ends");
}

async fn a_watch_ends_in_time(server: Server) {
    let wire = Wire::new(server, "watch-ends").await;
    let from = version(&wire, "secrets").await;
    let mut events = watch(&wire, "secrets", &format!("resourceVersion={from}&timeoutSeconds=1"), JSON).await;
    while let Some(event) = events.next().await {
        assert_eq!(event["type"], "BOOKMARK");
    }
}

async fn a_watch_without_rights_is_refused(server: Server) {
    let wire = Wire::new(server, "watch-rights").await.powerless().await;
    wire.list("secrets", "watch=true").await.refused(
        403,
        "Forbidden",
        "cannot watch resource \"secrets\" in API group",
    );
    wire.list("secrets", "").await.refused(403, "Forbidden", "secrets is forbidden: User");
}
