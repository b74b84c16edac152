//! kubectl and helm at a real apiserver.

use serde_json::json;

pub async fn kubectl(arguments: &[&str]) -> Result<String, String> {
    let answer = testbed::shared().await.kubectl(arguments).await.expect("kubectl runs");
    answer.success().map(|text| text.trim().to_owned()).map_err(|error| error.to_string())
}

pub async fn installed(arguments: &[&str]) -> String {
    let cluster = testbed::shared().await;
    cluster.helm(arguments).await.expect("helm runs").success().expect("helm succeeds")
}

/// Whether the authorizer lets a user do something in a namespace: `resource[.group][/subresource][ name]`. Unlike
/// `kubectl auth can-i` this needs no definition of the resource.
pub async fn may(user: &str, verb: &str, what: &str, namespace: &str) -> bool {
    let (what, name) = what.split_once(' ').unwrap_or((what, ""));
    let (what, subresource) = what.split_once('/').unwrap_or((what, ""));
    let (resource, group) = what.split_once('.').unwrap_or((what, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": {
            "verb": verb, "group": group, "resource": resource, "subresource": subresource, "name": name,
            "namespace": namespace,
        }},
    });
    let ask = ["create", "-f", "-", "-o", "jsonpath={.status.allowed}"];
    let answer = testbed::shared().await.kubectl_with_input(&ask, &review.to_string()).await;
    answer.expect("kubectl runs").success().expect("the authorizer answers") == "true"
}
