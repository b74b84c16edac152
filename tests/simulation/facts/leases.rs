//! Leases, which are replaced as a whole.

use serde_json::{Value, json};

use super::support::{Answer, Server, Wire};

facts!(
    a_replacement_needs_the_present_version,
    a_lease_that_was_deleted_is_not_replaced,
    a_lease_is_created_once,
    a_replacement_by_the_same_writes_nothing,
);

const LEASES: &str = "coordination.k8s.io/v1/leases";

fn lease(holder: &str) -> Value {
    json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "l" },
            "spec": { "holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": 0,
                      "renewTime": "2026-11-27T10:00:00.000000Z", "acquireTime": "2026-11-27T10:00:00.000000Z" } })
}

async fn replace(wire: &Wire, lease: &Value) -> Answer {
    wire.send("PUT", &wire.path(LEASES, "l"), "application/json", lease).await
}

async fn a_replacement_needs_the_present_version(server: Server) {
    let wire = Wire::new(server, "lease").await;
    let first = wire.create(LEASES, "", &lease("a")).await.accepted(201).body;
    let mut second = first.clone();
    second["spec"]["holderIdentity"] = json!("b");
    replace(&wire, &second).await.accepted(200);
    replace(&wire, &first).await.refused(409, "Conflict", "the object has been modified");
    assert_eq!(wire.get(LEASES, "l").await.body["spec"]["holderIdentity"], "b");
    let without = lease("c");
    replace(&wire, &without).await.refused(422, "Invalid", "metadata.resourceVersion: Invalid value");
}

async fn a_lease_that_was_deleted_is_not_replaced(server: Server) {
    let wire = Wire::new(server, "lease-gone").await;
    let first = wire.create(LEASES, "", &lease("a")).await.accepted(201).body;
    wire.delete(LEASES, "l").await.accepted(200);
    replace(&wire, &first).await.refused(409, "Conflict", "Precondition failed: UID in precondition");
    let again = wire.create(LEASES, "", &lease("b")).await.accepted(201);
    replace(&wire, &first).await.refused(409, "Conflict", "Precondition failed: UID in precondition");
    assert_eq!(wire.get(LEASES, "l").await.version(), again.version());
}

async fn a_lease_is_created_once(server: Server) {
    let wire = Wire::new(server, "lease-once").await;
    wire.get(LEASES, "l").await.refused(404, "NotFound", "leases.coordination.k8s.io \"l\" not found");
    wire.create(LEASES, "", &lease("a")).await.accepted(201);
    wire.create(LEASES, "", &lease("b")).await.refused(409, "AlreadyExists", "already exists");
}

async fn a_replacement_by_the_same_writes_nothing(server: Server) {
    let wire = Wire::new(server, "lease-same").await;
    let first = wire.create(LEASES, "", &lease("a")).await.accepted(201);
    let again = replace(&wire, &first.body).await.accepted(200);
    assert_eq!(again.version(), first.version());
}
