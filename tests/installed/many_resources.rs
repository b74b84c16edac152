//! A thousand resources, with the memory that the chart gives.

use std::fmt::Write as _;

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::support::{Release, condition, create};

const RESOURCES: usize = 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_resources_fit_into_the_memory_that_the_chart_gives() {
    let release = Release::install(&[]).await;
    release.portal_because("LoggedIn").await;
    let limits = json!({"requestsPerSecond": 1000, "burst": 1000, "concurrency": 16});
    release.patch_portal(&json!({"spec": {"limits": limits, "resyncInterval": "30s"}})).await;
    let mut manifests = String::new();
    for number in 0..RESOURCES {
        let manifest = create(&format!("user-{number}"), &release.namespace, DATASPACE_DISCOVERY);
        writeln!(manifests, "---\n{manifest}").unwrap();
    }
    let server_side = ["create", "-f", "-"];
    release.plane.kubectl_with_input(&server_side, &manifests).await.unwrap().success().unwrap();
    release.simulator.wait_for(|view| view.answered(Endpoint::Create) >= RESOURCES).await;
    release
        .eventually("all are ready", async || {
            let objects = release.users_api().list(&kube::api::ListParams::default()).await.unwrap();
            let ready = objects.iter().filter(|object| {
                condition(object, "Ready").is_some_and(|condition| condition.status == "True")
            });
            ready.count() == RESOURCES
        })
        .await;
    // Each reading of the portal's list brings all of them into memory at once.
    release.two_sweeps().await;
    assert_eq!(release.ours().len(), RESOURCES);
    assert_eq!(release.restarts().await, 0, "{:#?}", release.pods().await);
    let pods = release.pods().await;
    let peak = release
        .cluster
        .node
        .memory_peak(&release.namespace, pods[0].metadata.name.as_ref().unwrap(), "operator")
        .await
        .unwrap();
    println!("the operator used {} MiB at most for {RESOURCES} resources", peak / 1024 / 1024);
}
