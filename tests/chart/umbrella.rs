//! The chart as a part of another one.

use std::path::Path;

use serde_json::{Value, json};

use crate::helm::{Helm, as_kubernetes_reads, chart, copy, folder, write};
use crate::objects::{env, of_kind, pod};

/// A chart that has this one as a part, with these values; its path.
fn umbrella(name: &str, values: &Value) -> String {
    let parent = folder(&format!("umbrella-{name}"));
    copy(Path::new(&chart()), &parent.join("charts/technical-user-operator"));
    let dependency = json!({
        "name": "technical-user-operator", "version": env!("CARGO_PKG_VERSION"), "condition": "technical-user-operator.enabled",
    });
    let definition =
        json!({"apiVersion": "v2", "name": "umbrella", "version": "1.0.0", "dependencies": [dependency]});
    write(&parent, "Chart.yaml", &definition.to_string());
    write(&parent, "values.yaml", &values.to_string());
    parent.to_str().expect("a path in UTF-8").to_owned()
}

fn render(helm: Helm, chart: &str, arguments: &[&str]) -> Vec<Value> {
    let template = ["template", "all", chart, "--namespace", "ops"];
    let manifest = helm.run(&[&template[..], arguments].concat());
    as_kubernetes_reads(
        &manifest.unwrap_or_else(|error| panic!("{helm:?}: {error}")),
        &format!("umbrella-{helm:?}"),
    )
}

#[test]
fn what_a_parent_sets_for_all_of_its_parts_has_an_effect() {
    let global = json!({
        "imageRegistry": "registry.example.org/",
        "imagePullSecrets": ["one", {"name": "two"}],
        "commonLabels": {"cost": "a", "team": "parent"},
        "compatibility": {"openshift": {"adaptSecurityContext": "force"}},
        // For other parts.
        "storageClass": "fast", "security": {"allowInsecureImages": true}, "postgresql": {"auth": {"database": "x"}},
    });
    let own = json!({
        "instance": "prod-eu", "enabled": true, "crds": {"install": false},
        "commonLabels": {"team": "own"}, "image": {"pullSecrets": [{"name": "two"}, {"name": "three"}]},
    });
    let chart = umbrella("globals", &json!({"global": global, "technical-user-operator": own}));
    for helm in Helm::ALL {
        let objects = render(helm, &chart, &[]);
        let operator = pod(&objects);
        assert_eq!(
            operator["containers"][0]["image"],
            concat!("registry.example.org/technical-user-operator:", env!("CARGO_PKG_VERSION")),
            "{helm:?}"
        );
        let names = json!([{"name": "one"}, {"name": "two"}, {"name": "three"}]);
        assert_eq!(operator["imagePullSecrets"], names);
        assert_eq!(of_kind(&objects, "Pod")[0]["spec"]["imagePullSecrets"], names);
        assert!(operator["securityContext"].get("runAsUser").is_none());
        for object in &objects {
            let labels = &object["metadata"]["labels"];
            assert_eq!((&labels["cost"], &labels["team"]), (&json!("a"), &json!("own")));
        }
        // What the part itself says wins.
        let registry = ["--set", "technical-user-operator.image.registry=own.example.org"];
        let objects = render(helm, &chart, &registry);
        let image = &pod(&objects)["containers"][0]["image"];
        assert_eq!(image, concat!("own.example.org/technical-user-operator:", env!("CARGO_PKG_VERSION")));
        assert_eq!(
            render(helm, &chart, &["--set", "technical-user-operator.enabled=false"]),
            Vec::<Value>::new()
        );
    }
}

/// Some Helms take null from a parent for "remove the default", others pass it on.
#[test]
fn null_from_a_parent_is_the_default() {
    let own = json!({"instance": "prod-eu", "crds": {"install": false}, "metrics": null, "networkPolicy": null,
        "log": null, "global": null, "image": {"pullPolicy": null}, "commonLabels": null, "rbac": {"create": null}});
    let chart = umbrella("null", &json!({"technical-user-operator": own}));
    let plain = umbrella(
        "plain",
        &json!({"technical-user-operator": {"instance": "prod-eu", "crds": {"install": false}}}),
    );
    for helm in Helm::ALL {
        assert_eq!(render(helm, &chart, &[]), render(helm, &plain, &[]), "{helm:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_installed_and_upgraded_with_its_parent() {
    let cluster = testbed::shared().await;
    for helm in Helm::ALL {
        let namespace = cluster.namespace("umbrella").await.expect("a namespace");
        let own = json!({"instance": "prod-eu", "replicas": 0, "crds": {"install": false}});
        let chart = umbrella(&format!("installed-{helm:?}"), &json!({"technical-user-operator": own}));
        let release = ["all", &chart, "-n", &namespace];
        let log = ["--set", "technical-user-operator.log.filter=debug"];
        let install = [&["install"], &release[..], &log].concat();
        helm.at(cluster, &install).await.unwrap_or_else(|error| panic!("{helm:?}: {error}"));
        let upgrade = [&["upgrade"], &release[..], &["--reuse-values"]].concat();
        helm.at(cluster, &upgrade).await.unwrap_or_else(|error| panic!("{helm:?}: {error}"));
        let manifest =
            helm.at(cluster, &["get", "manifest", "all", "-n", &namespace]).await.expect("a manifest");
        let objects = as_kubernetes_reads(&manifest, &format!("umbrella-installed-{helm:?}"));
        assert_eq!(env(&objects, "TUO_LOG").as_deref(), Some("debug"));
        assert_eq!(env(&objects, "TUO_WATCH_NAMESPACES").as_deref(), Some(namespace.as_str()));
    }
}
