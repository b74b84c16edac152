//! The policy of `docs/outputs.md` for administrators who forbid `creationPolicy: Merge`.

use std::fs;

use serde_json::{Value, json};
use testbed::eventually;

use crate::support::{Kind, Server, cluster};

/// The objects of the policy, as the page shows them.
fn policy_of_the_page() -> Vec<Value> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/outputs.md")).unwrap();
    let (_, rest) = page.split_once("```yaml\n# no-merge.yaml\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    serde_saphyr::from_multiple(block).unwrap()
}

fn spec(outputs: &Value) -> Value {
    json!({
        "portalRef": {"name": "catena-x"},
        "user": {"create": {"roles": ["Dataspace Discovery"]}},
        "outputs": outputs,
    })
}

#[tokio::test]
async fn the_policy_of_the_page_forbids_keys_in_secrets_of_other_owners() {
    let server = Server::new("policy").await;
    let mut objects = policy_of_the_page();
    // The other tests of this program create such outputs in other namespaces.
    let name = json!({"kubernetes.io/metadata.name": server.namespace});
    objects[1]["spec"]["matchResources"]["namespaceSelector"]["matchLabels"] = name;
    for object in &objects {
        let applied = cluster().await.kubectl_with_input(&["apply", "-f", "-"], &object.to_string()).await;
        applied.unwrap().success().unwrap();
    }
    let merged =
        spec(&json!([{"secret": {"name": "own"}}, {"secret": {"name": "app", "creationPolicy": "Merge"}}]));
    let refusal = eventually("the policy is in force", async || {
        server.create(Kind::TechnicalUser, "merged", &merged, true).await.err()
    });
    let refusal = refusal.await.unwrap();
    assert!(refusal.contains("creationPolicy Merge is not allowed in this namespace"), "{refusal}");
    let in_vault = spec(&json!([{"vault": {"vaultRef": {"name": "vault"}, "creationPolicy": "Merge"}}]));
    let refusal = server.create(Kind::TechnicalUser, "in-vault", &in_vault, true).await.unwrap_err();
    assert!(refusal.contains("creationPolicy Merge is not allowed in this namespace"), "{refusal}");

    let owner = spec(&json!([{"secret": {"creationPolicy": "Owner"}}, {"secret": {"name": "other"}}]));
    server.create(Kind::TechnicalUser, "owner", &owner, false).await.unwrap();
    let mut without = spec(&Value::Null);
    without.as_object_mut().unwrap().remove("outputs");
    server.create(Kind::TechnicalUser, "without", &without, false).await.unwrap();
    let changed = server.change(Kind::TechnicalUser, "owner", &json!({"outputs": merged["outputs"]})).await;
    assert!(changed.unwrap_err().contains("creationPolicy Merge is not allowed"));

    // The label permits it.
    let label = ["label", "namespace", &server.namespace, "example.org/merge-allowed=true"];
    cluster().await.kubectl(&label).await.unwrap().success().unwrap();
    let permitted = eventually("the label permits it", async || {
        server.create(Kind::TechnicalUser, "merged", &merged, true).await.ok()
    });
    permitted.await.unwrap();
}
