//! What `docs/decisions.md` promises of later schemas, tried on a copy of a definition.

use serde_json::{Value, json};
use testbed::eventually;

use crate::support::{Kind, cluster};
use crate::technical_users::create;

const GROUP: &str = "later.technicaluser.dev";
const ONE_NAME: &str = "two outputs have one name";

/// The rule of the page, between its fences.
fn rule_of_the_page() -> String {
    let page = std::fs::read_to_string(format!("{}/docs/decisions.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let rule = page.split("```").find(|block| block.contains("exists_one")).unwrap();
    rule.trim().to_owned()
}

/// The definition of `TechnicalUser` under another group, with room for several outputs and the rule of the page.
async fn define() {
    let file = format!("{}/crds/{}.yaml", env!("CARGO_MANIFEST_DIR"), Kind::TechnicalUser.plural());
    let mut definition: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    definition["metadata"]["name"] = json!(format!("technicalusers.{GROUP}"));
    definition["spec"]["group"] = json!(GROUP);
    let root = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    root["x-kubernetes-validations"] = json!([{ "rule": rule_of_the_page(), "message": ONE_NAME }]);
    root["properties"]["spec"]["properties"]["outputs"]["maxItems"] = json!(8);
    let created = cluster().await.kubectl_with_input(&["create", "-f", "-"], &definition.to_string()).await;
    created.unwrap().success().unwrap();
    eventually("the kind is served", || async {
        let answer = cluster().await.kubectl(&["get", &format!("technicalusers.{GROUP}")]).await.ok()?;
        answer.success().ok()
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn outputs_of_one_name_are_refused_by_the_rule_of_the_page() {
    define().await;
    for (names, refused) in [
        (vec![None], false),
        (vec![Some("a"), Some("b"), None], false),
        (vec![Some("a"), Some("a")], true),
        (vec![None, Some("edc")], true),
        (vec![None, None], true),
    ] {
        let output = |name: Option<&str>| {
            name.map_or(json!({ "secret": {} }), |name| json!({ "secret": { "name": name } }))
        };
        let mut spec = create();
        spec["outputs"] = names.iter().copied().map(output).collect();
        let object = json!({ "apiVersion": format!("{GROUP}/v1alpha1"), "kind": "TechnicalUser",
                             "metadata": { "name": "edc", "namespace": "default" }, "spec": spec });
        let args = ["create", "--dry-run=server", "-f", "-"];
        let answer = cluster().await.kubectl_with_input(&args, &object.to_string()).await.unwrap();
        assert_eq!(!answer.status.success(), refused, "{names:?}: {}", answer.stderr);
        assert!(!refused || answer.stderr.contains(ONE_NAME), "{names:?}: {}", answer.stderr);
    }
}
