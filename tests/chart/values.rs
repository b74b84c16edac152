//! Values: what is required, refused and documented.

use serde_json::Value;

use crate::helm::{chart, documents, helm, refusal, render, template};
use crate::objects::kind;

#[test]
fn lint_is_content() {
    helm(&["lint", "--strict", "technical-user-operator", "--set", "instance=prod-eu"])
        .expect("no complaint");
}

#[test]
fn the_instance_is_required_and_explained() {
    let message = refusal(&[]);
    for words in [
        "The value \"instance\" is required.",
        "the name under which this installation owns users in the portal",
        "Keep it when the cluster is rebuilt",
        "Do not use one name for two running installations of a company",
        "--set instance=prod-eu",
    ] {
        assert!(message.contains(words), "{words:?} is missing in: {message}");
    }
}

#[test]
fn wrong_values_are_refused_before_anything_is_installed() {
    for (setting, complaint) in [
        ("instance=Prod", "/instance"),
        ("instance=prod_eu", "/instance"),
        ("instance=prod-", "/instance"),
        ("instance=a12345678901234567890", "/instance"),
        ("watchNamespaces=connector", "/watchNamespaces"),
        ("watchNamespaces={Connector}", "/watchNamespaces/0"),
        ("watchNamespaces={*,connector}", "/watchNamespaces"),
        ("watchNamespaces={connector,connector}", "/watchNamespaces"),
        ("watchNamespace={connector}", "watchNamespace"),
        ("image.digest=sha256:abc", "/image/digest"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("image.tagg=1", "tagg"),
        ("image.pullSecrets={my-registry}", "/image/pullSecrets/0"),
        ("crds.install=1", "/crds/install"),
        ("restart.enabled=1", "/restart/enabled"),
        ("vault.kubernetesAuth.enabled=1", "/vault/kubernetesAuth/enabled"),
        ("replicas=two", "/replicas"),
        ("log.format=xml", "/log/format"),
        ("concurrency=0", "/concurrency"),
        ("concurrency=65", "/concurrency"),
        ("proxy.https=proxy.example.org:3128", "/proxy/https"),
        ("terminationGracePeriodSeconds=30", "/terminationGracePeriodSeconds"),
        ("listenAddress=0.0.0.0:8080", "/listenAddress"),
        ("openshift.adaptSecurityContext=yes", "/openshift/adaptSecurityContext"),
        ("global.imagePullSecrets=my-registry", "/global/imagePullSecrets"),
        ("networkPolicy.apiServerPorts={https}", "/networkPolicy/apiServerPorts/0"),
        ("dnsPolicy=Cluster", "/dnsPolicy"),
        ("commonLabels.team=a b", "/commonLabels/team"),
        ("extraEnv[0].name=A,extraEnv[0].value=1", "/extraEnv/0/value"),
        ("replicas=2", "leaderElection.enabled=true"),
        ("serviceAccount.create=false", "serviceAccount.name"),
    ] {
        let message = refusal(&["--set", "instance=prod-eu", "--set", setting]);
        assert!(message.contains(complaint), "{setting} is refused with: {message}");
    }
}

#[test]
fn kubernetes_before_1_30_is_refused() {
    let settings = |version| ["--set", "instance=prod-eu", "--kube-version", version];
    assert!(refusal(&settings("1.29.9")).contains("incompatible with Kubernetes"));
    template(&settings("1.30.0-eks-a1b2c3")).expect("builds of cloud providers are accepted");
}

#[test]
fn nothing_optional_is_created_by_default() {
    let mut kinds: Vec<_> = render(&[]).iter().map(|object| kind(object).to_owned()).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "ClusterRole",
            "ClusterRoleBinding",
            "CustomResourceDefinition",
            "Deployment",
            "Pod",
            "Role",
            "RoleBinding",
            "ServiceAccount"
        ],
        "the pod is that of `helm test`"
    );
}

#[test]
fn every_value_is_in_the_readme() {
    fn paths(prefix: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    paths(
                        &if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") },
                        field,
                        found,
                    );
                }
            }
            _ => found.push(prefix.to_owned()),
        }
    }
    let read =
        |file: &str| std::fs::read_to_string(format!("{}/{file}", chart())).expect("a file of the chart");
    let mut all = Vec::new();
    paths("", &documents(&read("values.yaml"))[0], &mut all);
    let readme = read("README.md");
    let documented = |path: &str| {
        // A whole block may be described in one row, such as `resources`.
        path.match_indices('.')
            .map(|(end, _)| &path[..end])
            .chain([path])
            .any(|part| readme.contains(&format!("| `{part}` |")))
    };
    let missing: Vec<_> = all.into_iter().filter(|path| !documented(path)).collect();
    assert_eq!(missing, Vec::<String>::new());
}

fn notes(settings: &str) -> String {
    let settings = format!("instance=prod-eu,crds.install=false{settings}");
    let dry_run =
        ["install", "tuo", "technical-user-operator", "--dry-run=client", "-n", "ops", "--set", &settings];
    let printed = helm(&dry_run).expect("the chart renders");
    printed.split_once("NOTES:").expect("notes").1.to_owned()
}

#[test]
fn the_notes_say_what_the_operator_may() {
    let notes_by_default = notes("");
    assert!(notes_by_default.contains("it grants nothing on Secrets"), "{notes_by_default}");
    assert!(notes(",watchNamespaces={*}").contains("on the Secrets of all namespaces"));
    let scoped = notes(",scopedRBAC=true");
    assert!(scoped.contains("scopedRBAC is set") && scoped.contains("stuck in deletion"), "{scoped}");
    assert!(!scoped.contains("ClusterRole"), "{scoped}");
    assert!(notes(",openshift.adaptSecurityContext=force").contains("The platform chooses the user"));
}

/// A secret in an argument is seen in the list of processes, and kept in the shell's history.
#[test]
fn the_notes_put_no_secret_on_a_command_line() {
    let notes = notes("");
    assert!(notes.contains("--from-file=client-secret=/dev/stdin"), "{notes}");
    assert!(!notes.contains("--from-literal=client-secret"), "{notes}");
}
