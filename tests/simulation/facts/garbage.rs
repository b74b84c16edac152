//! What the controllers of Kubernetes do: they collect objects without owner, end namespaces and count what quotas limit.

use serde_json::{Value, json};
use testbed::eventually;

use super::support::{Server, WIDGETS, Wire, secret, widget, with_widgets};

facts!(
    an_object_is_deleted_after_its_owner,
    an_object_with_another_owner_is_kept,
    a_namespace_ends_after_the_objects_in_it,
    a_quota_counts,
);

async fn owned_by(wire: &Wire, name: &str, owners: &[&str]) -> Value {
    let mut references = Vec::new();
    for owner in owners {
        let uid = wire.get(WIDGETS, owner).await.accepted(200).uid().to_owned();
        references.push(
            json!({ "apiVersion": "facts.testbed.invalid/v1", "kind": "Widget", "name": owner, "uid": uid }),
        );
    }
    let mut object = secret(name, "x");
    object["metadata"]["ownerReferences"] = json!(references);
    wire.create("secrets", "", &object).await.accepted(201).body
}

async fn until_gone(wire: &Wire, resource: &str, name: &str) {
    let gone = async || (wire.get(resource, name).await.code == 404).then_some(());
    eventually("the object is gone", gone).await.unwrap();
}

async fn an_object_is_deleted_after_its_owner(server: Server) {
    let wire = Wire::new(server, "owner").await;
    with_widgets(&wire).await;
    wire.create(WIDGETS, "", &widget("w")).await.accepted(201);
    owned_by(&wire, "s", &["w"]).await;
    wire.create("secrets", "", &secret("free", "x")).await.accepted(201);
    let deleted = wire.delete(WIDGETS, "w").await.accepted(200).body;
    assert_eq!((&deleted["kind"], &deleted["status"]), (&json!("Status"), &json!("Success")));
    assert_eq!((&deleted["details"]["name"], &deleted["details"]["kind"]), (&json!("w"), &json!("widgets")));
    until_gone(&wire, "secrets", "s").await;
    wire.get("secrets", "free").await.accepted(200);
}

async fn an_object_with_another_owner_is_kept(server: Server) {
    let wire = Wire::new(server, "owners").await;
    with_widgets(&wire).await;
    for name in ["a", "b", "c"] {
        wire.create(WIDGETS, "", &widget(name)).await.accepted(201);
    }
    owned_by(&wire, "both", &["a", "b"]).await;
    owned_by(&wire, "one", &["c"]).await;
    wire.delete(WIDGETS, "a").await.accepted(200);
    wire.delete(WIDGETS, "c").await.accepted(200);
    until_gone(&wire, "secrets", "one").await;
    wire.get("secrets", "both").await.accepted(200);
}

async fn a_namespace_ends_after_the_objects_in_it(server: Server) {
    let wire = Wire::new(server, "ends").await;
    with_widgets(&wire).await;
    let mut held = widget("held");
    held["metadata"]["finalizers"] = json!(["facts.testbed.invalid/a"]);
    wire.create(WIDGETS, "", &held).await.accepted(201);
    wire.create("secrets", "", &secret("s", "x")).await.accepted(201);
    let path = format!("/api/v1/namespaces/{}", wire.namespace);
    let deleted = wire.send("DELETE", &path, "application/json", &json!({})).await.accepted(200).body;
    assert!(deleted["metadata"]["deletionTimestamp"].is_string(), "{deleted}");
    assert_eq!(deleted["status"]["phase"], "Terminating");
    until_gone(&wire, "secrets", "s").await;
    let marked = async || {
        let held = wire.get(WIDGETS, "held").await.accepted(200);
        held.body["metadata"]["deletionTimestamp"].is_string().then_some(())
    };
    eventually("the object with a finalizer is marked", marked).await.unwrap();
    // What exists can still be written.
    wire.merge(WIDGETS, "held", &json!({ "spec": { "size": 3 } })).await.accepted(200);
    wire.merge(WIDGETS, "held/status", &json!({ "status": { "phase": "x" } })).await.accepted(200);
    let namespace = async || wire.send("GET", &path, "application/json", &Value::Null).await;
    assert_eq!(namespace().await.code, 200);
    wire.merge(WIDGETS, "held", &json!({ "metadata": { "finalizers": null } })).await.accepted(200);
    let gone = async || (namespace().await.code == 404).then_some(());
    eventually("the namespace is gone", gone).await.unwrap();
}

async fn a_quota_counts(server: Server) {
    let wire = Wire::new(server, "counts").await;
    let quota = json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "q" },
                        "spec": { "hard": { "count/secrets": "1" } } });
    wire.create("resourcequotas", "", &quota).await.accepted(201);
    let used = async |wanted: &str| {
        eventually("the quota is counted", async || {
            let answer = wire.list("resourcequotas", "").await.accepted(200);
            let status = &answer.body["items"][0]["status"];
            (status["hard"]["count/secrets"] == "1" && status["used"]["count/secrets"] == wanted)
                .then_some(())
        })
        .await
        .unwrap();
    };
    used("0").await;
    wire.create("secrets", "", &secret("a", "x")).await.accepted(201);
    let full =
        "exceeded quota: q, requested: count/secrets=1, used: count/secrets=1, limited: count/secrets=1";
    // The count of a controller that has not yet seen the Secret can replace that of the create for a moment.
    let refused = async || {
        let answer = wire.create("secrets", "dryRun=All", &secret("b", "x")).await;
        (answer.code != 201).then_some(answer)
    };
    eventually("the quota is used up", refused).await.unwrap().refused(403, "Forbidden", full);
    wire.merge("secrets", "a", &json!({ "data": { "key": "eQ==" } })).await.accepted(200);
    wire.delete("secrets", "a").await.accepted(200);
    used("0").await;
    wire.create("secrets", "", &secret("b", "x")).await.accepted(201);
}
