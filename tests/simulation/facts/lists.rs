//! Reads: metadata alone, lists in pages and by label.

use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::support::{Server, WIDGETS, Wire, secret, widget, with_widgets};

facts!(
    metadata_alone_show_no_data,
    a_list_comes_in_pages_of_one_version,
    a_list_shows_the_objects_with_the_label,
    a_page_after_an_unknown_token_is_refused,
    an_absent_object_is_named,
    an_unknown_kind_is_not_found,
);

/// Reads with the header by which only metadata are requested.
async fn metadata(wire: &Wire, path: &str, kind: &str) -> Value {
    let accept = format!("application/json;as={kind};g=meta.k8s.io;v=v1");
    let request = Request::get(path).header("accept", accept).body(Vec::new().into()).unwrap();
    let response = wire.client.send(request).await.unwrap();
    assert_eq!(response.status(), 200);
    serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
}

async fn metadata_alone_show_no_data(server: Server) {
    let wire = Wire::new(server, "metadata").await;
    let created = wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    let one = metadata(&wire, &wire.path("secrets", "s"), "PartialObjectMetadata").await;
    assert_eq!(
        (&one["kind"], &one["apiVersion"]),
        (&json!("PartialObjectMetadata"), &json!("meta.k8s.io/v1"))
    );
    assert_eq!(one["metadata"]["resourceVersion"], created.version());
    let list = metadata(&wire, &wire.collection("secrets"), "PartialObjectMetadataList").await;
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["metadata"]["uid"], created.uid());
    for text in [one.to_string(), list.to_string()] {
        assert!(!text.contains("\"data\"") && !text.contains("eA=="), "{text}");
    }
}

async fn a_list_comes_in_pages_of_one_version(server: Server) {
    let wire = Wire::new(server, "pages").await;
    with_widgets(&wire).await;
    for name in ["b", "a", "d", "c"] {
        wire.create(WIDGETS, "", &widget(name)).await.accepted(201);
    }
    let first = wire.list(WIDGETS, "limit=3").await.accepted(200).body;
    assert_eq!(first["kind"], "WidgetList");
    assert_eq!((names(&first), &first["metadata"]["remainingItemCount"]), ("a b c".to_owned(), &json!(1)));
    assert_eq!(
        (&first["items"][0]["kind"], first["items"][0]["spec"]["size"].as_i64()),
        (&json!("Widget"), Some(1))
    );
    wire.create(WIDGETS, "", &widget("e")).await.accepted(201);
    wire.delete(WIDGETS, "d").await.accepted(200);
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = wire.list(WIDGETS, &format!("limit=3&continue={token}")).await.accepted(200).body;
    assert_eq!(names(&second), "d", "as it was at the version of the first page");
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert!(second["metadata"]["continue"].as_str().is_none_or(str::is_empty), "{second}");
    assert_eq!(names(&wire.list(WIDGETS, "").await.accepted(200).body), "a b c e");
}

async fn a_list_shows_the_objects_with_the_label(server: Server) {
    let wire = Wire::new(server, "labels").await;
    for (name, label) in [
        ("a", json!({ "facts.testbed.invalid/x": "1" })),
        ("b", json!({})),
        ("c", json!({ "facts.testbed.invalid/x": "2" })),
    ] {
        let mut object = secret(name, "x");
        object["metadata"]["labels"] = label;
        wire.create("secrets", "", &object).await.accepted(201);
    }
    let list = wire
        .list("secrets", "labelSelector=facts.testbed.invalid%2Fx%3D1&limit=500")
        .await
        .accepted(200)
        .body;
    assert_eq!((&list["kind"], names(&list)), (&json!("SecretList"), "a".to_owned()));
    assert!(list["items"][0]["kind"].is_null(), "a Secret in a list does not name its kind: {list}");
}

async fn a_page_after_an_unknown_token_is_refused(server: Server) {
    let wire = Wire::new(server, "token").await;
    wire.list("secrets", "limit=1&continue=AAAA").await.refused(400, "BadRequest", "continue");
}

async fn an_absent_object_is_named(server: Server) {
    let wire = Wire::new(server, "absent-get").await;
    with_widgets(&wire).await;
    wire.get("secrets", "s").await.refused(404, "NotFound", "secrets \"s\" not found");
    let absent = wire.get(WIDGETS, "w").await;
    absent.refused(404, "NotFound", "widgets.facts.testbed.invalid \"w\" not found");
    let details = json!({ "name": "w", "group": "facts.testbed.invalid", "kind": "widgets" });
    assert_eq!(absent.body["details"], details);
    assert_eq!(absent.body["status"], "Failure");
}

async fn an_unknown_kind_is_not_found(server: Server) {
    let wire = Wire::new(server, "unknown").await;
    let answer = wire.list("nothing.testbed.invalid/v1/things", "").await;
    assert_eq!(answer.code, 404);
}

fn names(list: &Value) -> String {
    let names =
        list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap());
    names.collect::<Vec<_>>().join(" ")
}
