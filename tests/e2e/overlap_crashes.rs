//! Killed at every call while outputs are kept for the overlap, and at its end.

use k8s_openapi::api::core::v1::Secret;
use kube::api::DynamicObject;
use portal_simulator::Endpoint;
use serde_json::json;

use crate::crash::{Call, Killed, calls_of, crash_at, crash_everywhere};
use crate::merge_crashes::{
    NAME, TARGET, assert_writes_target, has, is_merged, is_owned, merged, owned, ready_with,
};
use crate::outputs::{delete_after, hold_the_credential};
use crate::support::{World, reason};

async fn with_three() -> (World, Secret) {
    ready_with(json!([owned("own"), owned("old"), merged()])).await
}

async fn drop_two(world: &World) {
    let spec = json!({"outputs": [owned("own")], "rotation": {"overlap": "1h"}});
    world.patch_user(NAME, &json!({"spec": spec})).await;
}

/// Waits until both outputs that the spec no longer names have a time until which they are kept.
async fn are_kept(world: &World) {
    let kept = |user: &DynamicObject| ["old", TARGET].iter().all(|name| delete_after(user, name).is_some());
    world.until(NAME, "both are kept", |user| reason(user) == "Ready" && kept(user)).await;
}

async fn end_overlap(world: &World) {
    let annotation = json!({"technicaluser.dev/end-overlap": format!("old,{TARGET}")});
    world.patch_user(NAME, &json!({"metadata": {"annotations": annotation}})).await;
}

async fn has_one(world: &World) {
    has(world, &["own"]).await;
}

async fn nothing_is_left(world: &World, before: &Secret) {
    is_owned(world, before).await;
    assert!(world.get_secret("old").await.is_none(), "a credential is left behind");
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_outputs_are_dropped_keeps_them_for_the_overlap() {
    let mut calls = calls_of(&with_three().await.0, drop_two, are_kept).await;
    calls.retain(Call::is_write);
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let (world, before) = with_three().await;
        let (world, met) = crash_at(world, NAME, (call, killed), drop_two, are_kept).await;
        hold_the_credential(&world, &["own", "old"]).await;
        is_merged(&world, &before).await;
        end_overlap(&world).await;
        has_one(&world).await;
        nothing_is_left(&world, &before).await;
        met
    })
    .await;
}

async fn with_two_kept() -> (World, Secret) {
    let (world, before) = with_three().await;
    drop_two(&world).await;
    are_kept(&world).await;
    (world, before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_the_end_of_the_overlap_removes_what_was_kept() {
    let mut calls = calls_of(&with_two_kept().await.0, end_overlap, has_one).await;
    calls.retain(Call::is_write);
    assert_writes_target(&calls);
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let (world, before) = with_two_kept().await;
        let (world, met) = crash_at(world, NAME, (call, killed), end_overlap, has_one).await;
        nothing_is_left(&world, &before).await;
        met
    })
    .await;
}
