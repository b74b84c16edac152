//! A namespace is deleted with the resources in it, while pods of the operator work, and while none does.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Endpoint, Fault};
use serde_json::json;
use std::time::Duration;

use crate::support::{Release, company_one, create_from};

const ROLES: [(&str, &str); 2] = [("internal", DATASPACE_DISCOVERY), ("wallet", IDENTITY_WALLET_MANAGEMENT)];

/// A release that serves one more namespace with two users, which the portal deletes slowly.
async fn serving() -> (Release, String) {
    let release = Release::prepare(company_one()).await;
    let namespace = release.cluster.plane().namespace("connector").await.unwrap();
    let watched = format!("watchNamespaces={{{},{namespace}}}", release.namespace);
    release.helm("install", &[&watched]).await.unwrap();
    release.apply_portal().await;
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
    let access = json!([{
        "namespaces": {"from": "Selector", "selector": selector}, "roles": ROLES.map(|(_, role)| role),
    }]);
    release.patch_portal(&json!({"spec": {"access": access}})).await;
    for (name, role) in ROLES {
        release.apply(&create_from(name, &namespace, &release.namespace, role)).await;
        release.ready(&format!("{namespace}/{name}")).await;
    }
    release.simulator.inject(Fault::at(Endpoint::Delete, Action::Delay(Duration::from_secs(2))));
    (release, namespace)
}

/// Waits until the namespace is gone; fails with what is left of it.
async fn wait_until_ended(release: &Release, namespace: &str) {
    let wait = ["wait", "--for=delete", "--timeout=3m", &format!("namespace/{namespace}")];
    if let Err(error) = release.plane.kubectl(&wait).await.unwrap().success() {
        let mut left = String::new();
        for kind in ["namespace", "technicalusers.technicaluser.dev"] {
            let what = ["get", kind, "-n", namespace, "-o", "yaml"];
            left.push_str(&release.plane.kubectl(&what).await.unwrap().stdout);
        }
        panic!("{error}\n{left}\n{}", release.logs().await);
    }
}

async fn nothing_is_left(release: &Release) {
    assert_eq!(release.ours(), []);
    assert_eq!((release.count(Endpoint::Create), release.count(Endpoint::Delete)), (2, 2));
    assert_eq!(release.restarts().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_ends_with_its_users() {
    let (release, namespace) = serving().await;
    release.cluster.kubectl(&["delete", "namespace", &namespace, "--wait=false"]).await;
    wait_until_ended(&release, &namespace).await;
    nothing_is_left(&release).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_namespace_ends_once_there_is_an_operator_again() {
    let (release, namespace) = serving().await;
    let operator = ["deployment/technical-user-operator", "-n", &release.namespace];
    release.cluster.kubectl(&[&["scale", "--replicas=0"], &operator[..]].concat()).await;
    release.eventually("no pod is left", async || release.pods().await.is_empty()).await;
    release.cluster.kubectl(&["delete", "namespace", &namespace, "--wait=false"]).await;
    let bindings = ["get", "rolebindings", "-n", &namespace, "-o", "name"];
    release
        .eventually("its RoleBinding is gone", async || release.cluster.kubectl(&bindings).await.is_empty())
        .await;
    release.cluster.kubectl(&[&["scale", "--replicas=1"], &operator[..]].concat()).await;
    wait_until_ended(&release, &namespace).await;
    nothing_is_left(&release).await;
}
