//! Restarts of workloads: a merge patch of the annotation of the template, for the state that was read.

use serde_json::json;

use super::support::{Server, Wire};

const DEPLOYMENTS: &str = "apps/v1/deployments";
const STATEFUL_SETS: &str = "apps/v1/statefulsets";

facts!(
    a_change_of_the_template_is_counted,
    the_annotations_of_a_deployment_are_counted,
    a_restart_is_for_the_state_that_was_read
);

fn deployment() -> serde_json::Value {
    let labels = json!({ "app": "d" });
    let containers = json!([{ "name": "main", "image": "main" }]);
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "d" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": containers } },
        },
    })
}

fn restart(at: &str) -> serde_json::Value {
    let annotations = json!({ "kubectl.kubernetes.io/restartedAt": at });
    json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } })
}

async fn a_change_of_the_template_is_counted(server: Server) {
    let wire = Wire::new(server, "template").await;
    let first = wire.create(DEPLOYMENTS, "", &deployment()).await.accepted(201);
    assert_eq!(first.body["metadata"]["generation"], 1);
    let restarted = wire.merge(DEPLOYMENTS, "d", &restart("1")).await.accepted(200);
    assert_eq!(restarted.body["metadata"]["generation"], 2);
    let again = wire.merge(DEPLOYMENTS, "d", &restart("1")).await.accepted(200);
    assert_eq!(again.body["metadata"]["generation"], 2);
    let status = wire.merge(DEPLOYMENTS, "d", &json!({ "status": { "replicas": 7 } })).await.accepted(200);
    assert_ne!(status.body["status"]["replicas"], 7);
}

async fn the_annotations_of_a_deployment_are_counted(server: Server) {
    let wire = Wire::new(server, "annotations").await;
    let mut stateful_set = deployment();
    (stateful_set["kind"], stateful_set["spec"]["serviceName"]) = (json!("StatefulSet"), json!("d"));
    for (resource, object, counted) in [(DEPLOYMENTS, deployment(), 2), (STATEFUL_SETS, stateful_set, 1)] {
        wire.create(resource, "", &object).await.accepted(201);
        let annotated = json!({ "metadata": { "annotations": { "a": "b" } } });
        let annotated = wire.merge(resource, "d", &annotated).await.accepted(200);
        assert_eq!(annotated.body["metadata"]["generation"], counted, "{resource}");
    }
}

async fn a_restart_is_for_the_state_that_was_read(server: Server) {
    let wire = Wire::new(server, "restart").await;
    let first = wire.create(DEPLOYMENTS, "", &deployment()).await.accepted(201);
    wire.merge(DEPLOYMENTS, "d", &restart("1")).await.accepted(200);
    let mut stale = restart("2");
    stale["metadata"] = json!({ "uid": first.uid(), "resourceVersion": first.version() });
    wire.merge(DEPLOYMENTS, "d", &stale).await.refused(409, "Conflict", "the object has been modified");
    let mut other = restart("3");
    other["metadata"] = json!({ "uid": "00000000-0000-0000-0000-000000000000" });
    wire.merge(DEPLOYMENTS, "d", &other).await.refused(422, "Invalid", "metadata.uid: Invalid value");
}
