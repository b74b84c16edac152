//! Names and values that YAML reads as numbers, booleans or null reach Kubernetes as the words that they are.

use serde_json::{Value, json};

use crate::cluster::kubectl;
use crate::helm::{Helm, as_kubernetes_reads, chart, folder, helm, write};
use crate::objects::{deployment, kind, name, of_kind};

const WORDS: [&str; 8] = ["2024", "1e3", "on", "null", "0x1f", "true", "0o7", "1e-5"];

/// The fields of the chart's objects that are numbers or booleans.
const NOT_STRINGS: [&str; 21] = [
    "allowPrivilegeEscalation",
    "automountServiceAccountToken",
    "containerPort",
    "enableServiceLinks",
    "failureThreshold",
    "initialDelaySeconds",
    "maxSkew",
    "maxUnavailable",
    "periodSeconds",
    "port",
    "readOnly",
    "readOnlyRootFilesystem",
    "replicas",
    "revisionHistoryLimit",
    "runAsGroup",
    "runAsNonRoot",
    "runAsUser",
    "terminationGracePeriodSeconds",
    "timeoutSeconds",
    "tolerationSeconds",
    "weight",
];

/// Every value of the chart that is a free text, as this word; every switch on.
fn values(word: &str) -> Value {
    let map = json!({ word: word, "team": word });
    json!({
        "global": {"imagePullSecrets": [word], "commonLabels": {"cost": word}},
        "instance": word.replace(['.', '+'], "-"),
        "watchNamespaces": [word, "connector"],
        "crds": {"install": false},
        "image": {"registry": word, "repository": word, "tag": word, "pullSecrets": [{"name": format!("{word}-b")}]},
        "replicas": 2,
        "leaderElection": {"enabled": true},
        "log": {"filter": word},
        "proxy": {"noProxy": word},
        "serviceAccount": {"name": word, "annotations": map},
        "rbac": {"aggregateToView": true, "aggregateToEdit": true, "aggregateToAdmin": true},
        "restart": {"enabled": true},
        "metrics": {
            "service": {"enabled": true, "annotations": map},
            "serviceMonitor": {"enabled": true, "labels": map},
        },
        "networkPolicy": {"enabled": true},
        "preflight": {"annotations": map},
        "extraEnv": [{"name": "WORD", "value": word}],
        "extraVolumes": [{"name": word, "configMap": {"name": word}}],
        "extraVolumeMounts": [{"name": word, "mountPath": format!("/{word}"), "readOnly": true}],
        "podAnnotations": map,
        "podLabels": map,
        "commonLabels": map,
        "priorityClassName": word,
        "nodeSelector": map,
        "tolerations": [{"key": word, "value": word}],
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{
            "weight": 1,
            "podAffinityTerm": {"topologyKey": word, "labelSelector": {"matchLabels": map}},
        }]}},
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": word, "whenUnsatisfiable": "ScheduleAnyway"}],
        "hostAliases": [{"ip": "10.0.0.5", "hostnames": [word]}],
        "dnsConfig": {"searches": [word], "options": [{"name": word, "value": word}]},
        "nameOverride": word,
        "fullnameOverride": word,
    })
}

/// The arguments that render the chart with such values, as a release of such a name in such a namespace.
fn arguments(word: &str) -> Vec<String> {
    let values = write(&folder(&format!("word-{word}")), "values.json", &values(word).to_string());
    ["template", word, &chart(), "--namespace", word, "--values", &values].map(str::to_owned).into()
}

/// Where a value is no string, though it must be one.
fn not_strings(value: &Value, path: &str, field: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                not_strings(value, &format!("{path}.{name}"), name, found);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                not_strings(item, &format!("{path}[{number}]"), field, found);
            }
        }
        Value::String(_) => {}
        _ if NOT_STRINGS.contains(&field) => {}
        other => found.push(format!("{path} is {other}")),
    }
}

#[test]
fn every_name_and_value_is_a_string() {
    for word in WORDS {
        for helm in Helm::ALL {
            let arguments = arguments(word);
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let manifest = helm.run(&arguments).unwrap_or_else(|error| panic!("{helm:?}, {word}: {error}"));
            let objects = as_kubernetes_reads(&manifest, &format!("word-{word}-{helm:?}"));
            assert!(objects.len() >= 15, "{} objects", objects.len());
            let mut found = Vec::new();
            for object in &objects {
                let path = format!("{} {}", kind(object), object["metadata"]["name"]);
                not_strings(object, &path, "", &mut found);
                let labels = &object["metadata"]["labels"];
                for (label, value) in
                    [("app.kubernetes.io/instance", word), ("team", word), (word, word), ("cost", word)]
                {
                    assert_eq!(labels[label], value, "{path}");
                }
            }
            assert!(found.is_empty(), "{helm:?}, {word}: {}", found.join("\n"));
            let operator = deployment(&objects);
            assert_eq!((name(operator), operator["metadata"]["namespace"].as_str()), (word, Some(word)));
            let pod = &operator["spec"]["template"]["spec"];
            assert_eq!(pod["serviceAccountName"], word);
            assert_eq!(pod["containers"][0]["image"], format!("{word}/{word}:{word}"));
            assert_eq!(pod["imagePullSecrets"][0]["name"], word);
            assert_eq!(pod["imagePullSecrets"][1]["name"], format!("{word}-b"));
            assert_eq!(of_kind(&objects, "Role")[0]["metadata"]["namespace"], word);
        }
    }
}

/// A real apiserver reads the same, and keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn releases_and_namespaces_may_have_such_names() {
    let cluster = testbed::shared().await;
    for (helm, release, namespace) in
        [(Helm::Three, "2024", "1e3"), (Helm::Four, "1e3", "on"), (Helm::Four, "null", "0x1f")]
    {
        kubectl(&["create", "namespace", namespace]).await.expect("a namespace");
        let settings = "instance=prod-eu,replicas=0,crds.install=false,networkPolicy.enabled=true,\
                        metrics.service.enabled=true";
        let chart = chart();
        let install = ["install", release, &chart, "-n", namespace, "--set", settings];
        let notes = helm.at(cluster, &install).await.unwrap_or_else(|error| panic!("{release}: {error}"));
        assert!(notes.contains(&format!("namespace: \"{namespace}\"")), "{notes}");
        let label = ["-l", &format!("app.kubernetes.io/instance={release}"), "-o", "name"];
        let all =
            ["get", "deployment,role,rolebinding,serviceaccount,service,networkpolicy", "-n", namespace];
        let found = kubectl(&[&all[..], &label].concat()).await.expect("its objects");
        assert_eq!(found.lines().count(), 8, "{found}");
        let cluster_wide = ["get", "clusterrole,clusterrolebinding"];
        let found = kubectl(&[&cluster_wide[..], &label].concat()).await.expect("its objects");
        assert_eq!(found.lines().count(), 2, "{found}");
    }
}

#[test]
fn the_proposals_of_the_notes_have_such_namespaces() {
    let settings = "instance=prod-eu,crds.install=false";
    let chart = chart();
    let render = ["install", "tuo", &chart, "--dry-run=client", "-n", "1e3", "--set", settings];
    let notes = helm(&render).expect("the notes");
    let proposals = notes.split("<<EOF\n").skip(1).filter_map(|rest| rest.split("EOF").next());
    let objects = as_kubernetes_reads(&proposals.collect::<Vec<_>>().join("\n---\n"), "notes");
    assert_eq!(objects.len(), 2);
    for object in objects {
        assert_eq!(object["metadata"]["namespace"], "1e3");
    }
}
