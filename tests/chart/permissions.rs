//! What the operator is allowed, against its own list of what it needs.

use std::collections::BTreeSet;

use serde_json::Value;
use technical_user_operator::preflight::permissions;

use crate::cluster::{self, installed, kubectl};
use crate::helm::{chart, documents, helm, render, template};
use crate::objects::{deployment, env, kind, name, of_kind};

/// The Secret and the Lease of the instance in these tests.
const OWN_OBJECT: &str = "technical-user-operator-prod-eu";
/// The operator's `ServiceAccount`.
const ACCOUNT: &str = "tuo-technical-user-operator";

/// Each permission of a role in one line: group/resource[/name] verb.
fn permissions(role: &Value) -> BTreeSet<String> {
    let strings = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| item.as_str().expect("a string").to_owned())
            .collect()
    };
    let mut all = BTreeSet::new();
    for rule in role["rules"].as_array().expect("rules") {
        let names = strings(&rule["resourceNames"]);
        let names = if names.is_empty() { vec![String::new()] } else { names };
        for group in strings(&rule["apiGroups"]) {
            for resource in strings(&rule["resources"]) {
                for name in &names {
                    for verb in strings(&rule["verbs"]) {
                        let name = if name.is_empty() { String::new() } else { format!("[{name}]") };
                        all.insert(format!("{group}/{resource}{name} {verb}"));
                    }
                }
            }
        }
    }
    all
}

fn lines(permissions: &[permissions::Permission]) -> BTreeSet<String> {
    permissions.iter().map(ToString::to_string).collect()
}

/// What the operator does in a namespace that it watches, by its own list.
fn watched_permissions() -> BTreeSet<String> {
    lines(&permissions::watched())
}

fn cluster_permissions() -> BTreeSet<String> {
    lines(&permissions::cluster())
}

fn own_permissions() -> BTreeSet<String> {
    lines(&permissions::own(OWN_OBJECT, None, None))
}

/// The name of the release's only `ClusterRole`, and what it grants to the operator's account.
fn cluster_role(objects: &[Value]) -> (String, BTreeSet<String>) {
    let roles = of_kind(objects, "ClusterRole");
    assert_eq!((roles.len(), of_kind(objects, "ClusterRoleBinding").len()), (1, 1));
    assert_bound(objects, "ClusterRole");
    (name(roles[0]).to_owned(), permissions(roles[0]))
}

/// Every binding must give the role of its own name to the operator's account in `ops`.
fn assert_bound(objects: &[Value], role_kind: &str) {
    for role in of_kind(objects, role_kind) {
        let bindings = of_kind(objects, &format!("{role_kind}Binding"));
        let binding = bindings
            .iter()
            .find(|b| name(b) == name(role) && b["metadata"]["namespace"] == role["metadata"]["namespace"])
            .unwrap_or_else(|| panic!("no account is bound to {}", name(role)));
        assert_eq!(binding["roleRef"]["kind"], role_kind);
        assert_eq!(binding["roleRef"]["name"], role["metadata"]["name"]);
        let account = of_kind(objects, "ServiceAccount")[0];
        assert_eq!(
            binding["subjects"],
            serde_json::json!([{"kind": "ServiceAccount", "name": name(account), "namespace": "ops"}])
        );
    }
}

/// Role name and namespace of each Role.
fn roles(objects: &[Value]) -> Vec<(String, String)> {
    let place = |role: &&Value| {
        (role["metadata"]["namespace"].as_str().expect("a namespace").to_owned(), name(role).to_owned())
    };
    let mut all: Vec<_> = of_kind(objects, "Role").iter().map(place).collect();
    all.sort();
    all
}

#[test]
fn by_default_only_the_namespace_of_the_release_is_opened() {
    let objects = render(&[]);
    assert_eq!(cluster_role(&objects), ("tuo-technical-user-operator:ops".to_owned(), cluster_permissions()));
    let place = |name: &str| ("ops".to_owned(), name.to_owned());
    assert_eq!(
        roles(&objects),
        [place("tuo-technical-user-operator"), place("tuo-technical-user-operator-own")]
    );
    assert_eq!(permissions(of_kind(&objects, "Role")[0]), watched_permissions());
    assert_eq!(permissions(of_kind(&objects, "Role")[1]), own_permissions());
    assert_bound(&objects, "Role");
    assert_eq!(env(&objects, "TUO_WATCH_NAMESPACES").as_deref(), Some("ops"));
    assert_eq!(env(&objects, "TUO_INSTANCE").as_deref(), Some("prod-eu"));
}

#[test]
fn each_watched_namespace_has_a_role_of_its_own() {
    let objects = render(&["--set", "watchNamespaces={connector,portal}"]);
    assert_eq!(cluster_role(&objects).1, cluster_permissions());
    let place = |namespace: &str, name: &str| (namespace.to_owned(), name.to_owned());
    assert_eq!(
        roles(&objects),
        [
            place("connector", "tuo-technical-user-operator"),
            place("ops", "tuo-technical-user-operator-own"),
            place("portal", "tuo-technical-user-operator"),
        ]
    );
    for role in of_kind(&objects, "Role") {
        let expected =
            if role["metadata"]["namespace"] == "ops" { own_permissions() } else { watched_permissions() };
        assert_eq!(permissions(role), expected);
    }
    assert_bound(&objects, "Role");
    assert_eq!(env(&objects, "TUO_WATCH_NAMESPACES").as_deref(), Some("connector,portal"));
}

#[test]
fn all_namespaces_need_a_cluster_role() {
    let objects = render(&["--set", "watchNamespaces={*}"]);
    let everything = &cluster_permissions() | &watched_permissions();
    assert_eq!(cluster_role(&objects), ("tuo-technical-user-operator:ops".to_owned(), everything));
    assert_eq!(roles(&objects), [("ops".to_owned(), "tuo-technical-user-operator-own".to_owned())]);
    assert_bound(&objects, "Role");
    assert_eq!(env(&objects, "TUO_WATCH_NAMESPACES").as_deref(), Some("*"));
}

/// What survives the end of a namespace gives no secret, and creates and deletes nothing.
#[test]
fn the_cluster_role_opens_no_secret() {
    let (_, granted) = cluster_role(&render(&[]));
    let expected = [
        "/namespaces get",
        "/namespaces list",
        "/namespaces watch",
        "technicaluser.dev/portals get",
        "technicaluser.dev/portals list",
        "technicaluser.dev/portals patch",
        "technicaluser.dev/portals watch",
        "technicaluser.dev/portals/status patch",
        "technicaluser.dev/technicalusers get",
        "technicaluser.dev/technicalusers list",
        "technicaluser.dev/technicalusers patch",
        "technicaluser.dev/technicalusers watch",
        "technicaluser.dev/technicalusers/finalizers update",
        "technicaluser.dev/technicalusers/status patch",
        "technicaluser.dev/vaults get",
        "technicaluser.dev/vaults list",
        "technicaluser.dev/vaults patch",
        "technicaluser.dev/vaults watch",
        "technicaluser.dev/vaults/status patch",
    ];
    assert_eq!(granted.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn without_a_cluster_role_each_role_has_all_that_is_needed() {
    let objects = render(&["--set", "scopedRBAC=true,watchNamespaces={connector,portal}"]);
    assert!(objects.iter().all(|object| !kind(object).starts_with("ClusterRole")));
    let all = lines(&permissions::watched_with_roles_only());
    for role in of_kind(&objects, "Role") {
        let expected = if role["metadata"]["namespace"] == "ops" { own_permissions() } else { all.clone() };
        assert_eq!(permissions(role), expected);
    }
    assert_bound(&objects, "Role");
    assert_eq!(env(&objects, "TUO_SCOPED_RBAC").as_deref(), Some("true"));
    assert_eq!(env(&render(&[]), "TUO_SCOPED_RBAC").as_deref(), Some("false"));

    let settings = ["--set", "instance=prod-eu,scopedRBAC=true,watchNamespaces={*}"];
    let refused = template(&settings).expect_err("all namespaces need a ClusterRole");
    assert!(refused.contains("scopedRBAC=false"), "{refused}");
}

/// As with `--reuse-values` from a release before the value was there.
#[test]
fn values_of_an_earlier_chart_have_the_cluster_role() {
    let objects = render(&["--set", "scopedRBAC=null"]);
    assert_eq!(cluster_role(&objects).1, cluster_permissions());
    assert_eq!(env(&objects, "TUO_SCOPED_RBAC").as_deref(), Some("false"));
}

/// RBAC cannot limit the audience of a token.
#[test]
fn tokens_of_the_account_are_requested_only_where_a_value_asks_for_it() {
    let own = |settings: &[&str]| {
        let objects = render(settings);
        let roles = of_kind(&objects, "Role");
        permissions(roles.into_iter().find(|role| name(role).ends_with("-own")).expect("a Role"))
    };
    let right = |all: &BTreeSet<String>| all.iter().any(|line| line.contains("serviceaccounts/token"));
    assert!(!right(&own(&[])) && !right(&own(&["--set", "vault=null"])));
    let with_tokens = own(&["--set", "vault.kubernetesAuth.enabled=true"]);
    assert_eq!(with_tokens, lines(&permissions::own(OWN_OBJECT, Some(ACCOUNT), None)));
    assert!(right(&with_tokens));
}

#[test]
fn releases_of_one_name_in_two_namespaces_share_nothing() {
    let names = |namespace: &str, release: &str| -> Vec<String> {
        let arguments = ["template", release, "technical-user-operator", "--namespace", namespace];
        let yaml = helm(&[&arguments[..], &["--set", "instance=prod-eu,crds.install=false"]].concat());
        let objects = documents(&yaml.expect("the chart renders"));
        let cluster_wide = objects.iter().filter(|object| kind(object).starts_with("ClusterRole"));
        cluster_wide.map(|object| name(object).to_owned()).collect()
    };
    let chart = "technical-user-operator";
    let all = [names("a", chart), names("b", chart), names("operator", "technical-user"), names("a", "b")];
    let mut all: Vec<_> = all.concat();
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!((count, all.len()), (8, 4), "a ClusterRole and its binding have the same name: {all:?}");
}

#[test]
fn every_permission_says_what_it_is_for() {
    let yaml = template(&[
        "--set",
        "instance=prod-eu,leaderElection.enabled=true,vault.kubernetesAuth.enabled=true,crds.install=false",
    ])
    .expect("the chart renders");
    let lines: Vec<_> = yaml.lines().map(str::trim).collect();
    for (index, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("- apiGroups:")) {
        // A rule without a comment of its own follows one for the same resource.
        let before = lines[index - 1];
        let resource =
            |line: &str| line.trim_start_matches("resources: [").split(['/', ']']).next().map(str::to_owned);
        let explained = before.starts_with('#')
            || lines[..index]
                .iter()
                .rev()
                .find(|line| line.starts_with("resources:"))
                .and_then(|line| resource(line))
                == resource(lines[index + 1]);
        assert!(explained, "no comment above {line} {}", lines[index + 1]);
    }
    assert!(yaml.contains("selectors for labels"), "a comment says what RBAC cannot limit");
}

#[test]
fn leader_election_brings_its_lease_and_lets_pods_overlap() {
    let alone = render(&[]);
    assert_eq!(deployment(&alone)["spec"]["strategy"]["type"], "Recreate");
    assert_eq!(env(&alone, "TUO_LEADER_ELECTION").as_deref(), Some("false"));

    let several = render(&["--set", "leaderElection.enabled=true,replicas=2"]);
    assert_eq!(deployment(&several)["spec"]["strategy"]["type"], "RollingUpdate");
    assert_eq!(deployment(&several)["spec"]["replicas"], 2);
    assert_eq!(env(&several, "TUO_LEADER_ELECTION").as_deref(), Some("true"));
    let own =
        of_kind(&several, "Role").into_iter().find(|role| name(role).ends_with("-own")).expect("a Role");
    let with_lease = permissions::own(OWN_OBJECT, None, Some(OWN_OBJECT));
    assert_eq!(permissions(own), with_lease.iter().map(ToString::to_string).collect());
    assert_eq!(of_kind(&several, "PodDisruptionBudget").len(), 1);

    let one = render(&["--set", "leaderElection.enabled=true"]);
    assert_eq!(of_kind(&one, "PodDisruptionBudget").len(), 0, "a single pod would block every drain");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_authorizer_allows_what_is_needed_and_no_more() {
    let testbed = testbed::shared().await;
    let own = testbed.namespace("own").await.expect("a namespace");
    let watched = testbed.namespace("watched").await.expect("a namespace");
    let other = testbed.namespace("other").await.expect("a namespace");
    let settings = format!(
        "instance=prod-eu,replicas=0,crds.install=false,leaderElection.enabled=true,vault.kubernetesAuth.enabled=true,\
         watchNamespaces={{{watched}}}"
    );
    installed(&["install", "tuo", &chart(), "-n", &own, "--set", &settings]).await;

    let user = format!("system:serviceaccount:{own}:tuo-technical-user-operator");
    let may =
        async |namespace: &str, verb: &str, what: &str| cluster::may(&user, verb, what, namespace).await;
    let account = format!("--as={user}");
    for (namespace, verb, what, expected) in [
        (&watched, "list", "secrets", true),
        (&watched, "delete", "secrets", true),
        (&watched, "update", "secrets", false),
        (&watched, "deletecollection", "secrets", false),
        (&watched, "patch", "technicalusers.technicaluser.dev/status", true),
        (&watched, "create", "technicalusers.technicaluser.dev", false),
        (&watched, "list", "resourcequotas", true),
        (&watched, "create", "pods", false),
        (&own, "get", "secrets technical-user-operator-prod-eu", true),
        (&own, "get", "secrets another", false),
        (&own, "create", "secrets", true),
        (&own, "list", "secrets", false),
        (&own, "create", "serviceaccounts/token tuo-technical-user-operator", true),
        (&own, "create", "serviceaccounts/token default", false),
        (&watched, "create", "serviceaccounts/token tuo-technical-user-operator", false),
        (&own, "update", "leases.coordination.k8s.io technical-user-operator-prod-eu", true),
        (&own, "update", "leases.coordination.k8s.io another", false),
        (&own, "create", "events.events.k8s.io", false),
        (&other, "get", "secrets", false),
        (&other, "get", "configmaps", false),
        // What survives the end of a namespace.
        (&other, "watch", "technicalusers.technicaluser.dev", true),
        (&other, "patch", "portals.technicaluser.dev", true),
        (&other, "delete", "portals.technicaluser.dev", false),
        (&other, "create", "events.events.k8s.io", false),
    ] {
        assert_eq!(may(namespace, verb, what).await, expected, "{verb} {what} in {namespace}");
    }
    kubectl(&["get", "namespaces", &account]).await.expect("the labels of all namespaces");
    kubectl(&["label", "namespace", &watched, "a=b", &account]).await.expect_err("they are only read");

    let scoped = format!("{settings},scopedRBAC=true");
    installed(&["upgrade", "tuo", &chart(), "-n", &own, "--set", &scoped]).await;
    for (namespace, verb, what, expected) in [
        (&watched, "watch", "technicalusers.technicaluser.dev", true),
        (&watched, "list", "secrets", true),
        (&other, "watch", "technicalusers.technicaluser.dev", false),
        (&other, "patch", "portals.technicaluser.dev", false),
    ] {
        assert_eq!(may(namespace, verb, what).await, expected, "{verb} {what} in {namespace}");
    }
    // A Role may open the namespace that it is in, and that one alone.
    kubectl(&["get", "namespace", &watched, &account]).await.expect("the labels of a watched namespace");
    kubectl(&["get", "namespace", &other, &account]).await.expect_err("another namespace is closed");
}
