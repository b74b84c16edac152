//! Pods that are replaced while users are created.

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;

use crate::support::{Release, create, one_user};

const USERS: usize = 20;

/// Restarts the pods twice in the middle of the creations.
async fn restarted_amid_creations(values: &[&str]) {
    let release = Release::install(values).await;
    release.portal_because("LoggedIn").await;
    // Slow enough that the restarts find some in progress.
    release
        .patch_portal(&serde_json::json!({"spec": {"limits": {"requestsPerSecond": 4, "burst": 1}}}))
        .await;
    let names: Vec<_> = (0..USERS).map(|number| format!("user-{number}")).collect();
    for name in &names {
        release.apply(&create(name, &release.namespace, DATASPACE_DISCOVERY)).await;
    }
    let ns = ["-n", release.namespace.as_str()];
    for made in [USERS / 4, USERS / 2] {
        release.simulator.wait_for(|view| view.answered(Endpoint::Create) >= made).await;
        let restart = ["rollout", "restart", "deployment/technical-user-operator"];
        release.cluster.kubectl(&[&ns[..], &restart].concat()).await;
        let wait = ["rollout", "status", "deployment/technical-user-operator", "--timeout=3m"];
        release.cluster.kubectl(&[&ns[..], &wait].concat()).await;
    }
    for name in &names {
        one_user(&release, name).await;
    }
    assert_eq!(release.ours().len(), USERS);
    assert_eq!(release.simulator.count(Endpoint::Create), USERS, "no create was asked for twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_pod_is_replaced_during_twenty_creations() {
    restarted_amid_creations(&[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_are_replaced_during_twenty_creations() {
    restarted_amid_creations(&["replicas=2", "leaderElection.enabled=true"]).await;
}
