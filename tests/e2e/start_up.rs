//! The first writes of an installation: killed at each of them, and a Lease that is not as it should be.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::{Matcher, Stage};

use crate::crash::Held;
use crate::support::{IDENTITY_SECRET, create, one_user, world};

const LEASE: &str = IDENTITY_SECRET;

/// Kills the operator at the first of these writes and starts the next one at once.
async fn killed_at(method: &str, path: &str) {
    for stage in [Stage::Before, Stage::After] {
        let mut world = world().stopped().start().await;
        let write = Matcher::any().method(method).dry_run(false).path_regex(path).unwrap();
        let held = Held::at_apiserver(&world, write, stage);
        world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
        world.start_operator();
        held.reached().await;
        held.kill_and_restart(&mut world, "edc").await;
        one_user(&world, "edc").await;
        assert_eq!(world.ours().len(), 1);
    }
}

#[tokio::test]
async fn killed_while_the_installation_is_given_its_identity() {
    killed_at("POST", "/secrets$").await;
}

#[tokio::test]
async fn killed_while_the_portal_is_given_its_finalizer() {
    killed_at("PATCH", "/portals/catena-x$").await;
}

#[tokio::test]
async fn killed_while_the_portal_sends_its_company() {
    killed_at("PATCH", "/portals/catena-x/status$").await;
}

fn lease(namespace: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": LEASE, "namespace": namespace}, "spec": spec,
    })
}

#[tokio::test]
async fn a_lease_without_holder_is_acquired_with_any_other_content() {
    for spec in
        [json!({}), json!({"holderIdentity": "", "leaseDurationSeconds": i32::MAX, "leaseTransitions": 7})]
    {
        let mut world = world().elected().stopped().start().await;
        world.kubectl_apply(&lease(&world.namespace, &spec)).await;
        world.start_operator();
        world.portal_because("LoggedIn").await;
    }
}

#[tokio::test]
async fn a_lease_of_an_ended_process_is_reported_and_acquired_after_it_expires() {
    let mut world = world().elected().stopped().start().await;
    let spec = json!({
        "holderIdentity": "somebody", "leaseDurationSeconds": 5,
        "acquireTime": "2099-01-01T00:00:00.000000Z", "renewTime": "2099-01-01T00:00:00.000000Z",
    });
    world.kubectl_apply(&lease(&world.namespace, &spec)).await;
    world.start_operator();
    world
        .operator()
        .wait_for_line(|line| line.contains("Standing by") && line.contains("somebody"))
        .await
        .unwrap();
    world.portal_because("LoggedIn").await;
}

#[tokio::test]
async fn a_lease_that_may_not_be_read_is_reported_and_waited_for() {
    let mut world = world().elected().stopped().start().await;
    let namespace = world.namespace.clone();
    let role = ["get", "role", "technical-user-operator-own", "-n", &namespace, "-o", "json"];
    let role = world.plane.kubectl(&role).await.unwrap().success().unwrap();
    let mut role: Value = serde_json::from_str(&role).unwrap();
    let all = role["rules"].clone();
    let without = all.as_array().unwrap().iter().filter(|rule| rule["resources"] != json!(["leases"]));
    role["rules"] = without.cloned().collect();
    for field in ["resourceVersion", "managedFields", "uid", "creationTimestamp"] {
        role["metadata"].as_object_mut().unwrap().remove(field);
    }
    world.kubectl_apply(&role).await;
    world.start_operator();
    let is_reported = |line: &str| line.contains("lease") && line.contains("forbidden");
    world.operator().wait_for_line(is_reported).await.unwrap();
    assert!(world.operator().try_wait().unwrap().is_none(), "it waits");
    role["rules"] = all;
    world.kubectl_apply(&role).await;
    world.portal_because("LoggedIn").await;
}
