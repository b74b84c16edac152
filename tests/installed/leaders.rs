//! Two replicas: one acts, the other takes over when the first is killed or cut off.

use portal_simulator::{Endpoint, Gate, Stage};
use std::net::Ipv4Addr;

use crate::support::{Release, create, one_user, reason};

const TWO: [&str; 2] = ["replicas=2", "leaderElection.enabled=true"];

/// A release whose leader is at a create, the leader's name, and the create.
async fn leader_at_a_create() -> (Release, String, Gate) {
    let release = Release::install(&TWO).await;
    release.portal_because("LoggedIn").await;
    let leader = release.a_leader().await;
    let gate = release.simulator.gate(Endpoint::Create, Stage::Working);
    release.apply(&create("edc", &release.namespace, "Dataspace Discovery")).await;
    gate.reached().await;
    (release, leader, gate)
}

/// The other replica has taken over and knows of the attempt; the portal finishes it now.
async fn one_user_in_the_end(release: &Release, gate: &Gate) {
    release.until("edc", "the attempt is seen", |object| reason(object) == "SettlingAttempt").await;
    gate.release();
    one_user(release, "edc").await;
    assert_eq!(release.simulator.count(Endpoint::Create), 1);
    let secrets = release.secrets_api().get("edc").await.unwrap();
    let writers = secrets.metadata.managed_fields.unwrap_or_default();
    assert_eq!(writers.len(), 1, "written once: {writers:#?}");
    release.assert_nothing_leaked().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_replica_takes_over_from_one_that_is_killed_in_its_container() {
    let (release, leader, gate) = leader_at_a_create().await;
    release
        .eventually("the other one leads", async || {
            if release.leader().await.as_deref() != Some(&leader) {
                return true;
            }
            // The kubelet starts it again, and what runs then may become the leader too: not this time. It may just be
            // down.
            let _ = release.cluster.node.kill_container(&release.namespace, &leader, "operator").await;
            false
        })
        .await;
    one_user_in_the_end(&release, &gate).await;
    assert!(release.restarts().await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_replica_takes_over_from_one_that_is_cut_off() {
    let (release, leader, gate) = leader_at_a_create().await;
    let pods = release.pods().await;
    let pod = pods.iter().find(|pod| pod.metadata.name.as_deref() == Some(&leader)).unwrap();
    let address = pod.status.as_ref().unwrap().pod_ip.as_ref().unwrap();
    let address: Ipv4Addr = address.parse().unwrap();
    release.cluster.node.cut_network(address).await.unwrap();
    release
        .eventually("the other one leads", async || release.leader().await.is_some_and(|pod| pod != leader))
        .await;
    one_user_in_the_end(&release, &gate).await;
    // The one that is cut off has ended itself, and stands by when it is back.
    release.eventually("it was started again", async || release.restarts().await > 0).await;
    release.cluster.node.restore_network(address).await.unwrap();
    release
        .cluster
        .kubectl(&[
            "-n",
            &release.namespace,
            "rollout",
            "status",
            "deployment/technical-user-operator",
            "--timeout=3m",
        ])
        .await;
    one_user(&release, "edc").await;
    assert_eq!(release.simulator.count(Endpoint::Create), 1);
}
