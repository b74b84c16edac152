//! Rights for people: aggregated into Kubernetes' own roles on request, and never more than meant.

use std::collections::BTreeSet;

use testbed::eventually;

use crate::cluster::{self, installed, kubectl};
use crate::helm::{chart, render};
use crate::objects::{kind, name, of_kind};

const ALL: &str = "rbac.aggregateToView=true,rbac.aggregateToEdit=true,rbac.aggregateToAdmin=true";

#[test]
fn each_role_is_added_to_on_request_alone() {
    let aggregated = |settings: &str| -> BTreeSet<String> {
        let objects = render(&["--set", settings]);
        let roles = of_kind(&objects, "ClusterRole").into_iter().map(name);
        roles.filter(|role| role.matches(':').count() == 2).map(str::to_owned).collect()
    };
    let role = |suffix: &str| format!("tuo-technical-user-operator:ops:{suffix}");
    assert_eq!(aggregated("replicas=1"), BTreeSet::new());
    assert_eq!(aggregated("rbac.aggregateToView=true"), [role("view")].into());
    assert_eq!(aggregated("rbac.aggregateToEdit=true"), [role("edit")].into());
    assert_eq!(aggregated("rbac.aggregateToAdmin=true"), [role("admin")].into());
    assert_eq!(aggregated(&format!("{ALL},rbac.create=false")), BTreeSet::new());
    // Nobody is bound to them by the chart.
    let objects = render(&["--set", ALL]);
    let bound = objects.iter().filter(|object| kind(object) == "ClusterRoleBinding");
    assert_eq!(bound.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_the_rights_of_their_role_in_their_namespace() {
    let testbed = testbed::shared().await;
    let team = testbed.namespace("team").await.expect("a namespace");
    let other = testbed.namespace("other").await.expect("a namespace");
    let settings = format!("instance=prod-eu,replicas=0,crds.install=false,{ALL}");
    installed(&["install", "people", &chart(), "-n", &other, "--set", &settings]).await;
    for role in ["view", "edit", "admin"] {
        let bind = ["create", "rolebinding", role, "-n", &team, &format!("--clusterrole={role}")];
        kubectl(&[&bind[..], &[&format!("--user={role}-of-{team}")]].concat()).await.expect("a binding");
    }
    let may = async |role: &str, verb: &str, what: &str, namespace: &str| {
        cluster::may(&format!("{role}-of-{team}"), verb, what, namespace).await
    };
    let (users, portals) = ("technicalusers.technicaluser.dev", "portals.technicaluser.dev");
    let vaults = "vaults.technicaluser.dev";
    // A controller aggregates.
    eventually("the roles are aggregated", || async {
        (may("admin", "create", portals, &team).await && may("view", "get", users, &team).await).then_some(())
    })
    .await
    .expect("a controller aggregates");
    for (verb, what, expected) in [
        ("get", users, ["view", "edit", "admin"].as_slice()),
        ("watch", portals, &["view", "edit", "admin"]),
        ("create", users, &["edit", "admin"]),
        ("patch", users, &["edit", "admin"]),
        ("delete", users, &["edit", "admin"]),
        ("create", portals, &["admin"]),
        ("watch", vaults, &["view", "edit", "admin"]),
        ("create", vaults, &["admin"]),
        ("patch", "vaults.technicaluser.dev/status", &[]),
        ("patch", portals, &["admin"]),
        ("delete", portals, &["admin"]),
        ("patch", "technicalusers.technicaluser.dev/status", &[]),
        ("update", "technicalusers.technicaluser.dev/status", &[]),
        ("patch", "portals.technicaluser.dev/status", &[]),
    ] {
        for role in ["view", "edit", "admin"] {
            let expected = expected.contains(&role);
            assert_eq!(may(role, verb, what, &team).await, expected, "{role}: {verb} {what}");
            assert!(!may(role, verb, what, &other).await, "{role}: {verb} {what} in another namespace");
        }
    }
    assert!(!may("view", "get", "secrets", &team).await, "reading TechnicalUsers opens no Secret");
}
