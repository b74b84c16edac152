//! `preflight`, as `helm test` runs it: with the chart's `ServiceAccount`, against a real apiserver.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::Matcher;

use crate::support::{FULL_LOGIN, create, world};

#[tokio::test]
async fn an_installation_that_has_all_it_needs_passes() {
    let world = world().elected().neighbour("").start().await;
    world.portal_because("LoggedIn").await;
    let writes = world.writes();
    let (code, said) = world.preflight(&[], &world.kubeconfig()).await;
    assert_eq!(code, Some(0), "{said}");
    for words in [
        "Kubernetes v1.",
        "all kinds are served with all their fields",
        "all namespaces: all 19 permissions",
        &format!("namespace {}: all 10 permissions", world.namespace),
        &format!("namespace {}: all 10 permissions", world.neighbours[0]),
        &format!("{}/catena-x is ready (LoggedIn)", world.namespace),
        "nothing is missing",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let reviews = world.proxy.count(&Matcher::any().method("POST").path("selfsubjectaccessreviews"));
    assert!(reviews >= 19 + 2 * 10);
    assert!(!said.contains("scopedRBAC"), "{said}");
    assert!(world.writes() - writes <= reviews + 5, "questions, and a lease that is renewed meanwhile");
    let (code, said) = world.preflight(&["-o", "json"], &world.kubeconfig()).await;
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &report["ok"], &report["missing"]), (Some(0), &json!(true), &json!([])));
}

#[tokio::test]
async fn an_installation_with_roles_only_passes_and_the_report_names_the_limits() {
    let world = world().scoped().start().await;
    world.portal_because("LoggedIn").await;
    let (code, said) = world.preflight(&[], &world.kubeconfig()).await;
    assert_eq!(code, Some(0), "{said}");
    for words in [
        &format!("namespace {}: all 27 permissions", world.namespace),
        "scopedRBAC is true",
        "is stuck in deletion",
        "docs/operations.md",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[tokio::test]
async fn the_right_to_request_tokens_is_checked_where_it_is_granted() {
    for (granted, expected) in [("false", Some(1)), ("true", Some(0))] {
        let world = world()
            .value(&format!("vault.kubernetesAuth.enabled={granted}"))
            .env("TUO_VAULT_KUBERNETES_AUTH", "true")
            .start()
            .await;
        world.portal_because("LoggedIn").await;
        let (code, said) = world.preflight(&[], &world.kubeconfig()).await;
        assert_eq!(code, expected, "{said}");
        assert_eq!(said.contains("serviceaccounts/token"), granted == "false", "{said}");
    }
}

#[tokio::test]
async fn a_cluster_role_that_is_missing_is_named() {
    let mut world = world().scoped().stopped().start().await;
    world.set_env("TUO_SCOPED_RBAC", "false");
    let (code, said) = world.preflight(&[], &world.kubeconfig()).await;
    assert_eq!(code, Some(1), "{said}");
    for words in ["all namespaces: permissions are missing", "get, list, watch namespaces", "scopedRBAC=true"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    // The operator works all the same, and says what is missing.
    world.start_operator();
    world.readyz(200, "namespaces cannot be watched").await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let mut world = world().scoped().login(FULL_LOGIN.wrong()).neighbour("").stopped().start().await;
    let dark = world.neighbours[0].clone();
    let delete = ["delete", "role", "technical-user-operator", "-n", &dark];
    world.plane.kubectl(&delete).await.unwrap().success().unwrap();
    let watched = format!("{},{dark},not-there-at-all", world.namespace);
    world.set_env("TUO_WATCH_NAMESPACES", &watched);
    let mut said = String::new();
    world
        .eventually("the Role is gone", async || {
            let (code, text) = world.preflight(&[], &world.kubeconfig()).await;
            said = text;
            code == Some(1)
        })
        .await;
    for words in [
        &format!("namespace {dark}: permissions are missing"),
        "get, list, watch, patch portals.technicaluser.dev",
        "get, list, watch, create, patch, delete secrets",
        "the chart creates a Role in each namespace of watchNamespaces",
        &format!("namespace {}: all 27 permissions", world.namespace),
        "catena-x was not reconciled yet",
        "namespace not-there-at-all",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // A cluster-wide right shows that the namespace itself is missing.
    let (code, said) = world.preflight(&["-o", "json"], world.plane.admin_kubeconfig()).await;
    assert_eq!(code, Some(1), "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    let missing = report["missing"].as_array().unwrap();
    assert!(missing.len() == 1 && missing[0].as_str().unwrap().contains("not-there-at-all does not exist"));
}

#[tokio::test]
async fn a_portal_that_is_not_ready_is_reported_and_fails_nothing() {
    let world = world().login(FULL_LOGIN.wrong()).start().await;
    world.portal_because("LoginRefused").await;
    let (code, said) = world.preflight(&[], &world.kubeconfig()).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("catena-x is not ready (LoginRefused)"), "{said}");
}

#[tokio::test]
async fn an_apiserver_that_is_not_reached_is_distinguished() {
    let world = world().stopped().start().await;
    let kubeconfig = world.kubeconfig();
    let port = testbed::free_port().unwrap();
    let elsewhere = std::fs::read_to_string(&kubeconfig)
        .unwrap()
        .replace(world.proxy.url(), &format!("https://127.0.0.1:{port}"));
    let file = world.plane.dir().join(format!("{}-nowhere.yaml", world.namespace));
    std::fs::write(&file, elsewhere).unwrap();
    let (code, said) = world.preflight(&[], &file).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the Kubernetes API cannot be reached"), "{said}");
}
