//! The custom resource definitions come with the release, and outlive it.

use std::path::Path;

use serde_json::Value;

use crate::cluster::{installed, kubectl};
use crate::helm::{ROOT, chart, copy, documents, render};
use crate::objects::{name, of_kind};

/// The value with 1.0 written as 1, which Kubernetes takes for the same.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), plain(field))).collect(),
        Value::Number(number) => {
            let text = number.to_string();
            serde_json::from_str(text.strip_suffix(".0").unwrap_or(&text)).expect("a number")
        }
        other => other.clone(),
    }
}

#[test]
fn crds_are_upgraded_with_the_release_and_kept_without_it() {
    let objects = render(&[]);
    let crds = of_kind(&objects, "CustomResourceDefinition");
    let mut generated: Vec<(String, Value)> = Vec::new();
    for file in std::fs::read_dir(format!("{ROOT}/crds")).expect("the generated CRDs") {
        let file = file.expect("a file").file_name().into_string().expect("a name in UTF-8");
        let source = std::fs::read_to_string(format!("{ROOT}/crds/{file}")).expect("a generated CRD");
        let copy = std::fs::read_to_string(format!("{}/files/crds/{file}", chart())).unwrap_or_default();
        // Not assert_eq, here and below: it would print both.
        assert!(source == copy, "crds/{file} has changed: run charts/sync.sh");
        let crd = documents(&source).remove(0);
        generated.push((name(&crd).to_owned(), crd));
    }
    let in_chart = std::fs::read_dir(format!("{}/files/crds", chart())).expect("copies");
    assert!(generated.len() >= 2);
    assert_eq!(in_chart.count(), generated.len(), "run charts/sync.sh");
    assert_eq!(crds.len(), generated.len());
    for (crd_name, source) in &generated {
        let rendered = crds.iter().find(|crd| name(crd) == crd_name).expect("each CRD is rendered");
        assert_eq!(rendered["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
        assert!(plain(&rendered["spec"]) == plain(&source["spec"]), "templating changes {crd_name}");
    }
    assert_eq!(of_kind(&render(&["--set", "crds.install=false"]), "CustomResourceDefinition").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn crds_are_upgraded_and_outlive_the_release_with_all_resources() {
    const FIELD: &str =
        "jsonpath={.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.suspend.type}";
    let cluster = testbed::shared().await;
    let namespace = cluster.namespace("crds").await.expect("a namespace");
    let suspend =
        async || kubectl(&["get", "crd", "portals.technicaluser.dev", "-o", FIELD]).await.expect("the CRD");

    // A former chart, whose Portal had no field `suspend`.
    let former = Path::new(env!("CARGO_TARGET_TMPDIR")).join("former-chart");
    let _ = std::fs::remove_dir_all(&former);
    copy(Path::new(&chart()), &former);
    let file = former.join("files/crds/portals.yaml");
    let mut crd = documents(&std::fs::read_to_string(&file).expect("a CRD")).remove(0);
    crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties")
        .and_then(Value::as_object_mut)
        .and_then(|fields| fields.remove("suspend"))
        .expect("the field is there today");
    std::fs::write(&file, crd.to_string()).expect("a CRD");

    let release = ["-n", &namespace, "--set", "instance=prod-eu,replicas=0"];
    let former = former.to_str().expect("a path in UTF-8");
    let notes = installed(&[&["install", "tuo", former], &release[..]].concat()).await;
    assert_eq!(suspend().await, "");
    installed(&[&["upgrade", "tuo", &chart()], &release[..]].concat()).await;
    assert_eq!(suspend().await, "boolean");

    // What the notes propose is accepted.
    let proposals: Vec<_> =
        notes.split("<<EOF\n").skip(1).filter_map(|rest| rest.split("EOF").next()).collect();
    assert_eq!(proposals.len(), 2);
    for proposal in proposals {
        let apply = cluster.kubectl_with_input(&["apply", "--validate=strict", "-f", "-"], proposal).await;
        apply.expect("kubectl runs").success().expect("the apiserver accepts it");
    }

    installed(&["uninstall", "tuo", "-n", &namespace, "--wait"]).await;
    let left = "get deployment,role,rolebinding,serviceaccount -o name -l app.kubernetes.io/instance=tuo -n";
    let left: Vec<_> = left.split(' ').chain([namespace.as_str()]).collect();
    assert_eq!(kubectl(&left).await.expect("an answer"), "");
    let resources = "get portals.technicaluser.dev,technicalusers.technicaluser.dev -o name -n";
    let resources: Vec<_> = resources.split(' ').chain([namespace.as_str()]).collect();
    let both = "portal.technicaluser.dev/catena-x\ntechnicaluser.technicaluser.dev/edc-wallet";
    assert_eq!(kubectl(&resources).await.expect("an answer"), both);

    // And it can be installed again over what stayed.
    installed(&[&["install", "tuo", &chart()], &release[..]].concat()).await;
    assert_eq!(kubectl(&resources).await.expect("an answer"), both);
}
