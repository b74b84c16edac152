//! On `OpenShift` the platform chooses the user.

use serde_json::{Value, json};
use testbed::ControlPlane;

use crate::helm::{Helm, as_kubernetes_reads, chart, render};
use crate::objects::{of_kind, pod};

const OPENSHIFT: [&str; 2] = ["--api-versions", "security.openshift.io/v1"];

/// What the pods of the operator and the preflight, and the containers in them, say of users.
fn users(objects: &[Value]) -> Vec<&str> {
    let pods = [pod(objects), &of_kind(objects, "Pod")[0]["spec"]];
    let contexts =
        pods.iter().flat_map(|pod| [&pod["securityContext"], &pod["containers"][0]["securityContext"]]);
    let fields = contexts.flat_map(|context| context.as_object().expect("a security context").keys());
    fields
        .map(String::as_str)
        .filter(|field| ["runAsUser", "runAsGroup", "fsGroup"].contains(field))
        .collect()
}

#[test]
fn the_user_is_left_to_the_platform_where_there_is_openshift() {
    let choose = "podSecurityContext.fsGroup=1,securityContext.runAsUser=1,securityContext.runAsGroup=1";
    let render = |arguments: &[&str]| render(&[&["--set", choose], arguments].concat());
    let chosen = render(&[]);
    assert_eq!(users(&chosen).len(), 10);
    let left = render(&OPENSHIFT);
    assert_eq!(users(&left), Vec::<&str>::new());
    // What remains meets the standard "restricted".
    assert_eq!(
        pod(&left)["securityContext"],
        json!({"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}})
    );
    assert_eq!(
        pod(&left)["containers"][0]["securityContext"],
        json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]}})
    );
}

#[test]
fn a_value_of_the_chart_or_its_parent_decides_before_the_cluster_does() {
    let (own, global) =
        ("openshift.adaptSecurityContext", "global.compatibility.openshift.adaptSecurityContext");
    for (settings, openshift, expected) in [
        (format!("{own}=force"), false, true),
        (format!("{own}=disabled"), true, false),
        (format!("{global}=force"), false, true),
        (format!("{global}=disabled"), true, false),
        (format!("{global}=auto"), true, true),
        (format!("{own}=disabled,{global}=force"), false, false),
        (format!("{own}=force,{global}=disabled"), true, true),
    ] {
        let versions: &[&str] = if openshift { &OPENSHIFT } else { &[] };
        let objects = render(&[&["--set", &settings], versions].concat());
        assert_eq!(users(&objects).is_empty(), expected, "{settings}, OpenShift: {openshift}");
    }
}

#[test]
fn its_dns_is_reached_through_the_network_policy() {
    let ports = |arguments: &[&str]| {
        let objects = render(&[&["--set", "networkPolicy.enabled=true"], arguments].concat());
        let rules = of_kind(&objects, "NetworkPolicy")[0]["spec"]["egress"][0]["ports"].clone();
        let ports =
            rules.as_array().expect("ports").iter().map(|port| port["port"].as_i64().expect("a number"));
        ports.collect::<Vec<_>>()
    };
    assert_eq!(ports(&[]), [53, 53]);
    assert_eq!(ports(&OPENSHIFT), [53, 53, 5353, 5353]);
}

/// The API group as a real apiserver serves it; a control plane of its own, as all charts there see it.
#[tokio::test(flavor = "multi_thread")]
async fn both_helms_find_it_in_a_cluster() {
    let cluster = ControlPlane::start().await.expect("a control plane");
    let install = async |helm: Helm, release: &str| {
        let chart = chart();
        let settings = "instance=prod-eu,replicas=0,crds.install=false";
        let install = ["install", release, &chart, "--set", settings];
        helm.at(&cluster, &install).await.expect("it is installed");
        let manifest = helm.at(&cluster, &["get", "manifest", release]).await.expect("a manifest");
        pod(&as_kubernetes_reads(&manifest, release))["securityContext"]["runAsUser"].clone()
    };
    assert_eq!(install(Helm::Three, "plain").await, 65532);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "securitycontextconstraints.security.openshift.io",
            "annotations": {"api-approved.kubernetes.io": "https://github.com/openshift/api"}},
        "spec": {
            "group": "security.openshift.io", "scope": "Cluster",
            "names": {"kind": "SecurityContextConstraints", "plural": "securitycontextconstraints"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    });
    let apply = cluster.kubectl_with_input(&["apply", "-f", "-"], &definition.to_string()).await;
    apply.expect("kubectl runs").success().expect("the kind is created");
    let wait = ["wait", "--for=condition=Established", "crd", "--all"];
    cluster.kubectl(&wait).await.expect("kubectl runs").success().expect("the kind is served");
    for (helm, release) in [(Helm::Three, "three"), (Helm::Four, "four")] {
        assert_eq!(install(helm, release).await, Value::Null, "{helm:?}");
    }
    cluster.stop().await.expect("it stops");
}
