//! Outputs that the spec drops while workloads have to be restarted: they are kept until the roll-outs are complete.

use portal_simulator::Endpoint;
use serde_json::{Value, json};

use crate::merge::{TARGET, keys, target};
use crate::restarts::{change, consumers, resource, with_the_right, workload};
use crate::support::{World, user_status};

const NAME: &str = "edc";

fn outputs(names: &[&str], prefix: &str) -> Value {
    let secret = |name: &&str| json!({"secret": {"name": name, "keyPrefix": prefix}});
    names.iter().map(secret).collect()
}

/// A resource that reads its credential in three places, and a change that drops two of them while its workload rolls out.
async fn while_the_workload_rolls_out() -> World {
    let world = with_the_right().start().await;
    target(&world, |_| ()).await;
    workload(&world, "Deployment", NAME, 1, NAME).await;
    let mut manifest = resource(&world, NAME, &[("Deployment", NAME)]);
    manifest["spec"]["outputs"] = outputs(&["own", "old"], "A_");
    let merged = json!({"secret": {"name": TARGET, "creationPolicy": "Merge", "keyPrefix": "portal-"}});
    manifest["spec"]["outputs"].as_array_mut().unwrap().push(merged);
    world.apply(&manifest).await;
    world.ready(NAME).await;
    consumers(&world, NAME, "NoRestartDue").await;
    world.patch_user(NAME, &json!({"spec": {"outputs": outputs(&["own"], "B_")}})).await;
    consumers(&world, NAME, "RollingOut").await;
    world
}

async fn is_kept(world: &World) {
    assert!(world.get_secret("old").await.is_some(), "the Secret is removed before the roll-out is complete");
    assert!(keys(world).await.len() > 1, "the keys are removed before the roll-out is complete");
}

async fn until_removed(world: &World) {
    world.eventually("the Secret is removed", async || world.get_secret("old").await.is_none()).await;
    world.eventually("the keys are removed", async || keys(world).await == ["theirs"]).await;
    world.until(NAME, "one output is left", |user| user_status(user).outputs.len() == 1).await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn what_the_spec_drops_is_kept_until_the_roll_outs_are_complete() {
    let world = while_the_workload_rolls_out().await;
    world.two_sweeps().await;
    consumers(&world, NAME, "RollingOut").await;
    is_kept(&world).await;
    change(&world, "Deployment", NAME, &json!({"spec": {"replicas": 0}})).await;
    until_removed(&world).await;
    consumers(&world, NAME, "NoRestartDue").await;
}

#[tokio::test]
async fn the_end_of_an_overlap_does_not_wait_for_a_roll_out() {
    let world = while_the_workload_rolls_out().await;
    is_kept(&world).await;
    let annotation = json!({"technicaluser.dev/end-overlap": format!("old {TARGET}")});
    world.patch_user(NAME, &json!({"metadata": {"annotations": annotation}})).await;
    until_removed(&world).await;
    consumers(&world, NAME, "RollingOut").await;
}
