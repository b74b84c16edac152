//! A Deployment whose pods read a Secret as variables, and that the operator restarts.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::eventually;

use crate::support::{Release, company_one, condition, create};

const USER: &str = "edc";
const IMAGE: &str = "registry.example.org/reader:tested";
/// The label of its pods.
const LABEL: &str = "app=reader";

/// A Deployment with the Secret as variables, which consents to restarts for the resource.
fn deployment(namespace: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "reader", "namespace": namespace, "annotations": {"technicaluser.dev/restart": USER},
        },
        "spec": {
            "selector": {"matchLabels": {"app": "reader"}},
            "template": {
                "metadata": {"labels": {"app": "reader"}},
                "spec": {
                    "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [{
                        "name": "reader", "image": IMAGE,
                        "envFrom": [{"secretRef": {"name": USER}}],
                        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                        "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
                    }],
                },
            },
        },
    })
}

async fn kubectl(release: &Release, arguments: &[&str]) -> String {
    release.cluster.kubectl(&[&["-n", release.namespace.as_str()], arguments].concat()).await
}

/// The only pod, after all others are gone, and what it has come to.
async fn only_pod(release: &Release, other_than: &str) -> (String, Value) {
    let only = async || {
        let names = kubectl(release, &["get", "pods", "-l", LABEL, "-o", "name"]).await;
        let mut names = names.lines().filter_map(|name| name.strip_prefix("pod/"));
        let name = names.next().filter(|name| *name != other_than)?;
        names.next().is_none().then(|| name.to_owned())
    };
    let Ok(name) = eventually("one pod is there", only).await else {
        panic!("{other_than} was not replaced: {}", release.cluster.state().await);
    };
    kubectl(release, &["wait", "--for=condition=Ready", "--timeout=3m", &format!("pod/{name}")]).await;
    let outcome = release.cluster.outcome(&release.namespace, &name).await;
    (name, outcome)
}

/// Waits until the operator has completed the restarts for this number of changes.
async fn restarted_for(release: &Release, changes: i64) {
    let what = format!("the Deployment is restarted for {changes} changes");
    release
        .until(USER, &what, |user| {
            let restart = &user.data["status"]["restart"];
            let complete = restart["workloads"][0]["generation"].as_i64() == Some(changes);
            let due =
                condition(user, "ConsumersRestarted").is_none_or(|found| found.reason != "NoRestartDue");
            restart["generation"].as_i64() == Some(changes) && complete && !due
        })
        .await;
}

/// What the apiserver answers if the operator's account changes the Deployment in another way.
async fn refusal(release: &Release, patch: &Value) -> String {
    let operator = format!("--as=system:serviceaccount:{}:technical-user-operator", release.namespace);
    let patch = patch.to_string();
    let arguments =
        ["-n", &release.namespace, "patch", "deployment", "reader", "--type=merge", "-p", &patch, &operator];
    release.plane.kubectl(&arguments).await.unwrap().stderr
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_has_the_new_variables_after_each_change_of_its_secret() {
    let release = Release::prepare(company_one()).await;
    release.cluster.connector_image(IMAGE, &[&release.simulator.ca_pem()]).await;
    release.helm("install", &["restart.enabled=true"]).await.unwrap();
    release.apply_portal().await;
    release.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    let mut user = create(USER, &release.namespace, DATASPACE_DISCOVERY);
    user["spec"]["restart"] = json!([{"kind": "Deployment", "name": "reader"}]);
    release.kubectl_apply(&deployment(&release.namespace)).await;
    release.apply(&user).await;
    release.ready(USER).await;
    let (first, outcome) = only_pod(&release, "").await;
    assert_eq!(outcome["source"], "envFrom", "{outcome}");

    // Another layout: its variables have other names.
    let layout = json!([{"secret": {"keyStyle": "UpperSnake", "keyPrefix": "OAUTH_"}}]);
    release.patch_user(USER, &json!({"spec": {"outputs": layout}})).await;
    restarted_for(&release, 1).await;
    let (second, outcome) = only_pod(&release, &first).await;
    assert_eq!((&outcome["source"], &outcome["failed"]), (&json!("env"), &json!(0)), "{outcome}");

    // Another client secret: with the former one the pod would obtain no token.
    release.simulator.reset_by_hand(release.user_of(USER).id).unwrap();
    restarted_for(&release, 2).await;
    let (third, outcome) = only_pod(&release, &second).await;
    assert_eq!((&outcome["ready"], &outcome["failed"]), (&json!(true), &json!(0)), "{third}: {outcome}");

    // The policy of the chart is in force: the right of the operator's account is for restarts alone.
    let words = refusal(&release, &json!({"spec": {"replicas": 0}})).await;
    assert!(words.contains("may not change the spec of a workload"), "{words}");
    let annotations = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
    let restart = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    kubectl(&release, &["annotate", "deployment", "reader", "technicaluser.dev/restart-"]).await;
    let words = refusal(&release, &restart).await;
    assert!(words.contains("without the annotation technicaluser.dev/restart"), "{words}");
    assert_eq!(only_pod(&release, &second).await.0, third);
}
