//! Values of an earlier chart, without what this chart adds: what `helm upgrade --reuse-values` passes.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cluster::kubectl;
use crate::helm::{Helm, ROOT, as_kubernetes_reads, chart, copy, documents, folder, write};
use crate::objects::{env, kind, name};

/// Kubernetes' own types, in which a person removes fields by null. Values of earlier charts have them.
const AS_THEY_ARE: [&str; 3] = ["podSecurityContext", "securityContext", "resources"];

/// Switches on what is off by default, by values that a first chart had.
const SWITCHED_ON: &str = "metrics.serviceMonitor.enabled=true,networkPolicy.enabled=true,\
                           leaderElection.enabled=true,replicas=2,proxy.https=http://proxy.example.org:3128";

fn defaults() -> Value {
    let text = std::fs::read_to_string(format!("{}/values.yaml", chart())).expect("the values");
    documents(&text).remove(0)
}

/// A copy of the chart whose own values are these: Helm replaces a chart's values with those of the release when it reuses
/// them.
fn chart_with(values: &Value, name: &str) -> PathBuf {
    let copied = folder(name);
    copy(Path::new(&chart()), &copied);
    write(&copied, "values.yaml", &values.to_string());
    copied
}

fn render(helm: Helm, chart: &Path, settings: &str) -> Result<Vec<Value>, String> {
    let chart = chart.to_str().expect("a path in UTF-8");
    let settings = format!("instance=prod-eu,{settings}");
    let arguments = ["template", "tuo", chart, "--namespace", "ops", "--set", &settings];
    helm.run(&arguments).map(|yaml| documents(&yaml))
}

/// Each path of a value, maps and what is in them.
fn paths(value: &Value, prefix: &[String], found: &mut Vec<Vec<String>>) {
    for (name, field) in value.as_object().into_iter().flatten() {
        let path = [prefix, std::slice::from_ref(name)].concat();
        paths(field, &path, found);
        found.push(path);
    }
}

fn without(mut values: Value, path: &[String]) -> Value {
    let (last, parents) = path.split_last().expect("a path");
    let parent = parents.iter().fold(&mut values, |value, name| &mut value[name]);
    parent.as_object_mut().expect("a map").remove(last).expect("it is there");
    values
}

#[test]
fn the_copy_of_the_defaults_is_up_to_date() {
    let read = |file: &str| std::fs::read_to_string(format!("{}/{file}", chart())).expect("the values");
    assert!(read("values.yaml") == read("files/values.yaml"), "values.yaml has changed: run charts/sync.sh");
}

/// A template that does not fill in the defaults works in some orders of rendering only.
#[test]
fn every_template_fills_in_the_defaults_first() {
    let folder = PathBuf::from(chart()).join("templates");
    let in_folder = |folder: PathBuf| std::fs::read_dir(folder).expect("templates").flatten();
    let files = in_folder(folder.clone()).chain(in_folder(folder.join("tests")));
    let templates: Vec<_> = files
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "txt"))
        .collect();
    assert!(templates.len() >= 10, "{templates:?}");
    for template in templates {
        let text = std::fs::read_to_string(&template).expect("a template");
        let first = "{{- include \"technical-user-operator.defaults\" .";
        assert!(text.starts_with(first), "{}", template.display());
    }
}

#[test]
fn every_value_may_be_missing() {
    let defaults = defaults();
    let mut all = Vec::new();
    paths(&defaults, &[], &mut all);
    assert!(all.len() > 70, "{}", all.len());
    let complete = render(Helm::Four, Path::new(&chart()), "crds.install=false").expect("the chart renders");
    let mut wrong = Vec::new();
    for path in all {
        let chart = chart_with(&without(defaults.clone(), &path), "one-value-missing");
        match render(Helm::Four, &chart, "crds.install=false") {
            Err(error) => wrong.push(format!("{}: {error}", path.join("."))),
            Ok(objects) if AS_THEY_ARE.contains(&path[0].as_str()) => {
                assert_eq!(objects.len(), complete.len(), "{path:?}");
            }
            Ok(objects) if objects == complete => {}
            Ok(_) => wrong.push(format!("{}: other objects", path.join("."))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_values_may_be_missing() {
    let mut bare = serde_json::json!({});
    let defaults = defaults();
    for name in AS_THEY_ARE {
        bare[name] = defaults[name].clone();
    }
    for helm in Helm::ALL {
        for settings in ["replicas=1", SWITCHED_ON] {
            let complete = render(helm, Path::new(&chart()), settings).expect("the chart renders");
            let objects = render(helm, &chart_with(&bare, "all-values-missing"), settings);
            assert!(objects.expect("the chart renders") == complete, "{helm:?}, {settings}: other objects");
        }
    }
}

/// Null from a person, or from a parent chart, is as good as no value.
#[test]
fn a_map_may_be_null() {
    for helm in Helm::ALL {
        let complete = render(helm, Path::new(&chart()), "replicas=1").expect("the chart renders");
        for name in ["metrics", "networkPolicy", "rbac", "log", "image", "openshift", "scopedRBAC"] {
            let objects = render(helm, Path::new(&chart()), &format!("{name}=null"));
            let objects = objects.unwrap_or_else(|error| panic!("{helm:?}, {name}=null: {error}"));
            assert!(objects == complete, "{helm:?}, {name}=null: other objects");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_of_the_first_chart_is_upgraded_with_its_values() {
    let cluster = testbed::shared().await;
    let (first, chart) = (format!("{ROOT}/tests/chart/first-release"), chart());
    for helm in Helm::ALL {
        let namespace = cluster.namespace("reuse").await.expect("a namespace");
        let settings = SWITCHED_ON.replace("metrics.serviceMonitor", "metrics.service");
        let settings =
            format!("instance=prod-eu,crds.install=false,{settings}").replace("replicas=2", "replicas=0");
        let release = ["tuo", "-n", &namespace];
        let install = [&["install"], &release[..], &[&first, "--set", &settings]].concat();
        helm.at(cluster, &install).await.expect("the first chart is installed");
        let upgrade = [&["upgrade"], &release[..], &[&chart, "--reuse-values"]].concat();
        helm.at(cluster, &upgrade).await.unwrap_or_else(|error| panic!("{helm:?}: {error}"));

        // The same objects as a new installation with these values has. Helm keeps the defaults of the first chart as well, so
        // a default that is another one today is set.
        let settings = format!("{settings},concurrency=8");
        let manifest =
            helm.at(cluster, &[&["get", "manifest"], &release[..]].concat()).await.expect("a manifest");
        let upgraded = as_kubernetes_reads(&manifest, &format!("upgraded-{helm:?}"));
        let template = ["template", "tuo", &chart, "-n", &namespace, "--no-hooks", "--set", &settings];
        let new = as_kubernetes_reads(&helm.run(&template).expect("it renders"), &format!("new-{helm:?}"));
        let sorted = |objects: &[Value]| {
            let mut all: Vec<_> = objects.iter().map(|object| (kind(object), name(object), object)).collect();
            all.sort_by_key(|(kind, name, _)| (kind.to_string(), name.to_string()));
            all.iter().map(|(.., object)| (*object).clone()).collect::<Vec<_>>()
        };
        assert_eq!(sorted(&upgraded), sorted(&new), "{helm:?}");
        assert_eq!(env(&upgraded, "HTTPS_PROXY").as_deref(), Some("http://proxy.example.org:3128"));
        assert_eq!(env(&upgraded, "TUO_SCOPED_RBAC").as_deref(), Some("false"));
        let role = ["get", "clusterrole", &format!("tuo-technical-user-operator:{namespace}"), "-o", "name"];
        kubectl(&role).await.expect("what this chart adds is there");
    }
}
