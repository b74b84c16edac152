//! Two replicas: one acts, the other takes over when the first is killed or cut off.

use std::net::Ipv4Addr;

use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ListParams, WatchEvent, WatchParams};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, Gate, Stage};

use crate::support::{Release, create, one_user, reason};

const TWO: [&str; 2] = ["replicas=2", "leaderElection.enabled=true"];

/// A leader that is at a create.
struct AtACreate {
    release: Release,
    leader: String,
    create: Gate,
    /// The version of the namespace's Secrets before it.
    before: String,
}

async fn leader_at_a_create() -> AtACreate {
    let release = Release::install(&TWO).await;
    release.portal_because("LoggedIn").await;
    let leader = release.wait_for_leader().await;
    let secrets = release.secrets_api().list(&ListParams::default()).await.unwrap();
    let before = secrets.metadata.resource_version.unwrap();
    let gate = release.simulator.gate(Endpoint::Create, Stage::Working);
    release.apply(&create("edc", &release.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;
    AtACreate { release, leader, create: gate, before }
}

impl AtACreate {
    /// The other replica has taken over and knows of the attempt; the portal finishes it now.
    async fn one_user_in_the_end(&self) {
        let release = &self.release;
        release.until("edc", "the attempt is seen", |object| reason(object) == "SettlingAttempt").await;
        self.create.release();
        self.created_and_written_once().await;
    }

    async fn created_and_written_once(&self) {
        one_user(&self.release, "edc").await;
        self.release.two_sweeps().await;
        assert_eq!(self.release.simulator.count(Endpoint::Create), 1);
        assert_eq!(self.writes_of_the_secret().await, ["added"]);
    }

    /// What was written, as the apiserver reports it.
    async fn writes_of_the_secret(&self) -> Vec<&'static str> {
        let params = WatchParams::default().fields("metadata.name=edc").timeout(2);
        let events = self.release.secrets_api().watch(&params, &self.before).await.unwrap();
        let kinds = events.map(|event| match event.unwrap() {
            WatchEvent::Added(Secret { .. }) => "added",
            WatchEvent::Modified(_) => "modified",
            WatchEvent::Deleted(_) => "deleted",
            other => panic!("{other:?}"),
        });
        kinds.collect().await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_replica_takes_over_from_one_that_is_killed_in_its_container() {
    let at = leader_at_a_create().await;
    let (release, leader) = (&at.release, at.leader.clone());
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
    at.one_user_in_the_end().await;
    assert!(release.restarts().await > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_replica_takes_over_from_one_that_is_cut_off() {
    let at = leader_at_a_create().await;
    let (release, leader) = (&at.release, at.leader.clone());
    let pods = release.pods().await;
    let pod = pods.iter().find(|pod| pod.metadata.name.as_deref() == Some(&leader)).unwrap();
    let address = pod.status.as_ref().unwrap().pod_ip.as_ref().unwrap();
    let address: Ipv4Addr = address.parse().unwrap();
    release.cluster.node.cut_network(address).await.unwrap();
    release
        .eventually("the other one leads", async || release.leader().await.is_some_and(|pod| pod != leader))
        .await;
    at.one_user_in_the_end().await;
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
    at.created_and_written_once().await;
}
