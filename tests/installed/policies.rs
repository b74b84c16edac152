//! A cluster with policies: each object needs a label, and pods have to be restricted.

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::support::{Release, company_one, create, one_user};

const LABEL: &str = "example.org/cost-center";
const REFUSAL: &str = "each object needs the label example.org/cost-center";

/// Refuses objects without the label in the namespace of the release, by any client. Events have no labels of their
/// own, and the resources of the operator's kinds are a person's.
async fn require_label(release: &Release) {
    let namespace = &release.namespace;
    let object = |kind: &str, spec: serde_json::Value| {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": namespace}, "spec": spec,
        })
    };
    let groups =
        ["", "apps", "coordination.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io"];
    let rule = json!({
        "apiGroups": groups, "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"], "scope": "Namespaced",
    });
    let policy = json!({
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": "no-events", "expression": "request.resource.resource != 'events'"}],
        "validations": [{
            "expression": format!("has(object.metadata.labels) && '{LABEL}' in object.metadata.labels"),
            "message": REFUSAL,
        }],
    });
    release.kubectl_apply(&object("ValidatingAdmissionPolicy", policy)).await;
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
    let binding = json!({
        "policyName": namespace, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": selector},
    });
    release.kubectl_apply(&object("ValidatingAdmissionPolicyBinding", binding)).await;
    let probe = ["create", "configmap", "probe", "--dry-run=server", "-n", namespace];
    release
        .eventually("the policy is enforced", async || {
            release.plane.kubectl(&probe).await.unwrap().stderr.contains(REFUSAL)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_each_object_needs_a_label_and_pods_are_restricted_everything_works() {
    let release = Release::prepare(company_one()).await;
    require_label(&release).await;
    // Helm keeps the release in a Secret, which needs the label too.
    let for_helm = format!("--labels={LABEL}=a4711");
    let refused = release.helm("install", &[&for_helm]).await.unwrap_err();
    assert!(refused.contains(REFUSAL), "{refused}");

    let label = format!(r"commonLabels.{}=a4711", LABEL.replace('.', r"\."));
    let everything =
        "networkPolicy.enabled=true,metrics.service.enabled=true,leaderElection.enabled=true,replicas=2";
    release.helm("upgrade", &["--install", &for_helm, &label, everything]).await.unwrap();
    release.apply_portal().await;
    release.apply(&create("edc", &release.namespace, DATASPACE_DISCOVERY)).await;
    one_user(&release, "edc").await;

    let secrets = release.secrets_api().list(&ListParams::default()).await.unwrap().items;
    let labelled = |secret: &&Secret| {
        let labels = secret.metadata.labels.as_ref();
        labels.is_some_and(|labels| labels.get(LABEL).is_some_and(|value| value == "a4711"))
    };
    let names = secrets.iter().filter(labelled).filter_map(|secret| secret.metadata.name.as_deref());
    let ours: Vec<_> = names.filter(|name| !name.starts_with("sh.helm.")).collect();
    assert_eq!(ours, ["edc", "technical-user-operator-e2e"]);
    release.wait_for_leader().await;
    assert_eq!(release.restarts().await, 0);
}
