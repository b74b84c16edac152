//! Labels of one's own on all that the chart creates.

use serde_json::json;

use crate::helm::render;
use crate::objects::{deployment, kind, name};

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
