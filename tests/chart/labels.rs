//! Labels of one's own on all that the chart creates.

use serde_json::json;
use technical_user_operator::config::CommonLabels;

use crate::helm::render;
use crate::objects::{deployment, env, kind, name};

const EVERYTHING: &str = "commonLabels.team=connector,podLabels.role=operator,metrics.serviceMonitor.enabled=true,\
                          networkPolicy.enabled=true,leaderElection.enabled=true,replicas=2,rbac.aggregateToView=true,\
                          rbac.aggregateToEdit=true,rbac.aggregateToAdmin=true";

#[test]
fn every_object_and_pod_bears_them() {
    let objects = render(&["--set", EVERYTHING]);
    let mut kinds: Vec<_> = objects.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), 12, "{kinds:?}");
    for object in &objects {
        assert_eq!(object["metadata"]["labels"]["team"], "connector", "{} {}", kind(object), name(object));
    }
    let operator = &deployment(&objects)["spec"];
    let pod = &operator["template"]["metadata"]["labels"];
    assert_eq!((&pod["team"], &pod["role"]), (&json!("connector"), &json!("operator")));
    // A selector cannot be changed in an upgrade, so nothing of it comes from these values.
    let selector =
        json!({"app.kubernetes.io/name": "technical-user-operator", "app.kubernetes.io/instance": "tuo"});
    assert_eq!(operator["selector"]["matchLabels"], selector);
}

#[test]
fn they_replace_none_of_the_charts_own() {
    let label = |label: &str| format!(r"commonLabels.app\.kubernetes\.io/{label}=other");
    let taken = ["name", "instance", "component", "managed-by", "version"].map(label).join(",");
    let (plain, taken) = (render(&["--set", "replicas=1"]), render(&["--set", &taken]));
    for (plain, taken) in plain.iter().zip(&taken) {
        assert_eq!(
            plain["metadata"]["labels"],
            taken["metadata"]["labels"],
            "{} {}",
            kind(plain),
            name(plain)
        );
    }
    let pod = &deployment(&taken)["spec"]["template"]["metadata"]["labels"];
    for (label, value) in deployment(&taken)["spec"]["selector"]["matchLabels"].as_object().expect("labels") {
        assert_eq!(&pod[label], value, "the Deployment finds its pods");
    }
}

#[test]
fn the_operator_gets_those_that_it_accepts() {
    assert_eq!(env(&render(&[]), "TUO_COMMON_LABELS"), None);
    let reserved = [
        r"app\.kubernetes\.io/instance",
        r"app\.kubernetes\.io/managed-by",
        r"argocd\.argoproj\.io/instance",
        r"kapp\.k14s\.io/app",
        r"technicaluser\.dev/instance",
        r"a\.technicaluser\.dev/b",
    ];
    let reserved: Vec<_> = reserved.iter().map(|label| format!("commonLabels.{label}=x")).collect();
    let own = r"commonLabels.team=connector,commonLabels.example\.org/cost=,global.commonLabels.team=no";
    let objects =
        render(&["--set", &reserved.join(","), "--set", own, "--set-string", "global.commonLabels.no=1e3"]);
    let passed = env(&objects, "TUO_COMMON_LABELS").expect("labels");
    let read: CommonLabels =
        passed.parse().unwrap_or_else(|error| panic!("the operator refuses {passed:?}: {error}"));
    let labels = read.labels().iter().map(|(key, value)| (key.as_str(), value.as_str()));
    assert_eq!(labels.collect::<Vec<_>>(), [("example.org/cost", ""), ("no", "1e3"), ("team", "connector")]);
    let alone = render(&["--set", &reserved.join(",")]);
    assert_eq!(env(&alone, "TUO_COMMON_LABELS"), None);
    assert_eq!(alone[0]["metadata"]["labels"]["argocd.argoproj.io/instance"], "x");
}
