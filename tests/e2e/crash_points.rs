//! Killed at every call of a create, before and after the call is carried out, and started again at once.

use portal_simulator::Endpoint;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};

use crate::crash::{Call, Killed, Recording, crash_everywhere};
use crate::support::{connected, create, one_user, world};

const NAME: &str = "edc";

/// The calls from `kubectl apply` to a resource that is ready.
async fn calls_of_a_create(role: &str) -> Vec<Call> {
    let world = connected(world()).await;
    let recording = Recording::start(&world);
    world.apply(&create(NAME, &world.namespace, role)).await;
    one_user(&world, NAME).await;
    recording.calls(&world)
}

/// Kills the operator there and starts it again at once. False if the call was not sent this time.
async fn crash(role: &str, call: Call, killed: Killed) -> bool {
    let mut world = connected(world()).await;
    let held = call.hold(&world, killed);
    world.apply(&create(NAME, &world.namespace, role)).await;
    let met = tokio::select! {
        () = held.reached() => true,
        _ = world.ready(NAME) => held.was_sent().await,
    };
    held.kill_and_restart(&mut world, NAME).await;
    one_user(&world, NAME).await;
    assert!(
        world.simulator.count(Endpoint::Create) <= 2,
        "{} creates",
        world.simulator.count(Endpoint::Create)
    );
    met
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_call_leaves_one_internal_user() {
    let calls = calls_of_a_create(DATASPACE_DISCOVERY).await;
    for write in ["/technicalusers/edc", "/technicalusers/edc/status", "/secrets"] {
        let is_it = |call: &Call| {
            matches!(call, Call::Apiserver { path, .. } if path.ends_with(write)) && call.is_write()
        };
        assert!(calls.iter().any(is_it), "no write of {write} in {calls:#?}");
    }
    assert!(calls.contains(&Call::Portal { endpoint: Endpoint::Create, skip: 0 }), "{calls:#?}");
    crash_everywhere(calls, |call, killed| crash(DATASPACE_DISCOVERY, call, killed)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_write_leaves_one_external_user() {
    let mut calls = calls_of_a_create(IDENTITY_WALLET_MANAGEMENT).await;
    calls.retain(Call::is_write);
    crash_everywhere(calls, |call, killed| crash(IDENTITY_WALLET_MANAGEMENT, call, killed)).await;
}
