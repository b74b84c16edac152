//! Several processes with an election: one acts, and a process that has lost the lease sends nothing to the portal.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Endpoint, Stage as PortalStage};
use testbed::{Matcher, Process, Stage};

use crate::support::{World, create, one_user, reason, stop_operator_during, world};

async fn leads(operator: &Process) {
    operator.wait_for_line(|line| line.contains("This process is the active one")).await.unwrap();
}

/// A leader at [`World::proxy`], and a standby with a way of its own.
async fn leader_and_standby() -> (World, testbed::ApiProxy) {
    let mut world = world().elected().start().await;
    leads(world.operator()).await;
    world.portal_because("LoggedIn").await;
    let (way, kubeconfig) = world.another_way().await;
    world.start_operator_with(&kubeconfig);
    world.operator().wait_for_line(|line| line.contains("Standing by")).await.unwrap();
    (world, way)
}

#[tokio::test]
async fn the_standby_takes_over_from_a_leader_that_was_killed() {
    let (mut world, _way) = leader_and_standby().await;
    let gate = world.simulator.gate(Endpoint::Create, PortalStage::Working);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;
    world.kill_first_operator();
    world
        .until("edc", "the standby has seen the attempt", |object| reason(object) == "SettlingAttempt")
        .await;
    leads(world.operator()).await;
    gate.release();
    one_user(&world, "edc").await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn a_leader_that_is_cut_off_asks_for_nothing_and_ends() {
    let (world, _way) = leader_and_standby().await;
    let attempts = Matcher::any().method("PATCH").path_regex("/technicalusers/edc$").unwrap();
    let gate = world.proxy.on(attempts).nth(1).hold(Stage::After);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await.unwrap();
    world.proxy.pause_all();
    gate.release();
    let ended = world.operators()[0].wait().await.unwrap();
    assert!(!ended.success(), "{ended}");
    let said = world.operators()[0].lines().join("\n");
    assert!(said.contains("does not hold the lease any more"), "{said}");
    leads(world.operator()).await;
    world.until("edc", "the standby has reconciled", |object| !reason(object).is_empty()).await;
    one_user(&world, "edc").await;
    world.more_lists_answered(2).await;
    one_user(&world, "edc").await;
    let creates = world.simulator.calls_of(Endpoint::Create);
    assert_eq!(creates.len(), 1, "{creates:#?}");
}

#[tokio::test]
async fn a_leader_that_is_stopped_hands_over_at_once() {
    let (world, _way) = leader_and_standby().await;
    let gate = world.simulator.gate(Endpoint::Create, PortalStage::Working);
    world.apply(&create("edc", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    gate.reached().await;
    let leader = &world.operators()[0];
    stop_operator_during(leader, async || gate.release()).await;
    leads(world.operator()).await;
    one_user(&world, "edc").await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}
