//! What tests rely on in a control plane: version, RBAC, controllers, helm, counts, and that two do not collide.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta, PostParams},
};
use testbed::{ControlPlane, RequestLabels, eventually, shared};

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        ..ConfigMap::default()
    }
}

#[tokio::test]
async fn the_apiserver_and_kubectl_report_the_pinned_version() {
    let cluster = shared().await;
    let version = cluster.admin_client().await.unwrap().apiserver_version().await.unwrap();
    assert_eq!(version.git_version, "v1.36.3");
    assert_eq!((version.major.as_str(), version.minor.as_str()), ("1", "36"));
    let answer = cluster.kubectl(&["version", "--output=json"]).await.unwrap().success().unwrap();
    assert_eq!(answer.matches("\"gitVersion\": \"v1.36.3\"").count(), 2, "client and server: {answer}");
    let answer = cluster.helm(&["version", "--short"]).await.unwrap().success().unwrap();
    assert!(answer.starts_with("v4.3.1"), "{answer}");
}

#[tokio::test]
async fn a_service_account_without_rights_is_refused() {
    let cluster = shared().await;
    let namespace = cluster.namespace("rbac").await.unwrap();
    cluster.create_service_account(&namespace, "powerless").await.unwrap();
    let client = cluster.client_for_service_account(&namespace, "powerless").await.unwrap();
    let error = Api::<Secret>::namespaced(client, &namespace).list(&ListParams::default()).await.unwrap_err();
    let kube::Error::Api(status) = error else { unreachable!("{error}") };
    assert_eq!(status.code, 403);
    let who = format!("system:serviceaccount:{namespace}:powerless");
    assert!(status.message.contains(&who), "{}", status.message);
}

#[tokio::test]
async fn an_owned_secret_is_collected() {
    let cluster = shared().await;
    let namespace = cluster.namespace("gc").await.unwrap();
    let client = cluster.admin_client().await.unwrap();
    let owners = Api::<ConfigMap>::namespaced(client.clone(), &namespace);
    let secrets = Api::<Secret>::namespaced(client, &namespace);
    let owner = owners.create(&PostParams::default(), &config_map("owner")).await.unwrap();
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some("owned".to_owned()),
            owner_references: owner.controller_owner_ref(&()).map(|reference| vec![reference]),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    };
    secrets.create(&PostParams::default(), &secret).await.unwrap();
    owners.delete("owner", &DeleteParams::default()).await.unwrap();
    eventually("the owned Secret is gone", || async {
        secrets.get_opt("owned").await.unwrap().is_none().then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_namespace_is_deleted_with_what_is_in_it() {
    let cluster = shared().await;
    let namespace = cluster.namespace("doomed").await.unwrap();
    let client = cluster.admin_client().await.unwrap();
    Api::<ConfigMap>::namespaced(client.clone(), &namespace)
        .create(&PostParams::default(), &config_map("content"))
        .await
        .unwrap();
    let namespaces = Api::<Namespace>::all(client);
    namespaces.delete(&namespace, &DeleteParams::default()).await.unwrap();
    eventually("the namespace is gone", || async {
        namespaces.get_opt(&namespace).await.unwrap().is_none().then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn helm_installs_a_chart_that_asks_for_this_version() {
    let cluster = shared().await;
    let namespace = cluster.namespace("helm").await.unwrap();
    let chart = tempfile::tempdir().unwrap();
    std::fs::write(
        chart.path().join("Chart.yaml"),
        "apiVersion: v2\nname: tiny\nversion: 0.1.0\nkubeVersion: '>=1.36.0'\n",
    )
    .unwrap();
    std::fs::create_dir(chart.path().join("templates")).unwrap();
    std::fs::write(
        chart.path().join("templates/config-map.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tiny}\ndata: {said: {{ .Values.say | quote }}}\n",
    )
    .unwrap();
    let path = chart.path().to_str().unwrap();
    let args = ["install", "tiny", path, "--namespace", &namespace, "--set", "say=hello"];
    cluster.helm(&args).await.unwrap().success().unwrap();
    let client = cluster.admin_client().await.unwrap();
    let installed = Api::<ConfigMap>::namespaced(client, &namespace).get("tiny").await.unwrap();
    assert_eq!(installed.data.unwrap()["said"], "hello");
    assert_eq!(installed.metadata.labels.unwrap()["app.kubernetes.io/managed-by"], "Helm");
}

#[tokio::test]
async fn kubectl_reads_its_input_and_reports_its_failure() {
    let cluster = shared().await;
    let namespace = cluster.namespace("kubectl").await.unwrap();
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typed}\n";
    let args = ["apply", "--namespace", namespace.as_str(), "--filename", "-"];
    cluster.kubectl_with_input(&args, manifest).await.unwrap().success().unwrap();
    let answer = cluster.kubectl(&["get", "configmap", "absent", "--namespace", &namespace]).await.unwrap();
    let error = answer.success().unwrap_err().to_string();
    assert!(error.contains("NotFound"), "{error}");
}

#[tokio::test]
async fn the_counts_distinguish_a_write_from_a_dry_run() {
    let cluster = shared().await;
    let namespace = cluster.namespace("counts").await.unwrap();
    let client = cluster.admin_client().await.unwrap();
    // Limit ranges, because nothing else in this control plane writes them.
    let ranges = Api::<k8s_openapi::api::core::v1::LimitRange>::namespaced(client, &namespace);
    let named = |name: &str| k8s_openapi::api::core::v1::LimitRange {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        ..Default::default()
    };
    let before = cluster.request_counts().await.unwrap();
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    ranges.create(&dry_run, &named("a")).await.unwrap();
    ranges.create(&dry_run, &named("b")).await.unwrap();
    ranges.create(&PostParams::default(), &named("c")).await.unwrap();
    let added = eventually("three writes are counted", || async {
        let added = cluster.request_counts().await.unwrap().since(&before);
        let added = added.filter(|labels| labels.resource == "limitranges" && labels.is_write());
        (added.total() >= 3).then_some(added)
    })
    .await
    .unwrap();
    assert_eq!(added.filter(RequestLabels::is_dry_run).total(), 2);
    let written = added.filter(|labels| !labels.is_dry_run());
    assert_eq!(written.total(), 1);
    let (labels, _) = written.iter().next().unwrap();
    assert_eq!((labels.verb.as_str(), labels.code.as_str()), ("POST", "201"));
    assert_eq!((labels.group.as_str(), labels.version.as_str()), ("", "v1"));
}

#[tokio::test]
async fn two_control_planes_run_at_once() {
    let (first, second) = tokio::join!(ControlPlane::start(), ControlPlane::start());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.server(), second.server());
    let namespace = first.namespace("only-in-one").await.unwrap();
    let elsewhere = Api::<Namespace>::all(second.admin_client().await.unwrap());
    assert!(elsewhere.get_opt(&namespace).await.unwrap().is_none());
    let dir = first.dir().to_owned();
    first.stop().await.unwrap();
    assert!(!dir.exists());
    assert!(elsewhere.get("default").await.unwrap().uid().is_some(), "the other one continues");
}
