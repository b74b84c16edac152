//! Killed at every call of a create, before and after the call is carried out, and started again at once.

use portal_simulator::Endpoint;

use crate::crash::{Begun, Call, Held, Killed, crash_everywhere};
use crate::support::{connected, create, one_user, reason, world};

const NAME: &str = "edc";

/// The calls from `kubectl apply` to a resource that is ready.
async fn calls_of_a_create(role: &str) -> Vec<Call> {
    let world = connected(world()).await;
    let begun = Begun::now(&world);
    world.apply(&create(NAME, &world.namespace, role)).await;
    one_user(&world, NAME).await;
    begun.calls(&world)
}

/// Kills the operator there and starts it again at once. False where the call was not made this time.
async fn crash(role: &str, call: Call, killed: Killed) -> bool {
    let mut world = connected(world()).await;
    let held = call.hold(&world, killed);
    world.apply(&create(NAME, &world.namespace, role)).await;
    let met = tokio::select! {
        () = held.reached() => true,
        _ = world.ready(NAME) => held.was_made().await,
    };
    world.kill_operator();
    let at_work = matches!(call, Call::Portal { endpoint: Endpoint::Create, .. }) && met;
    if let (Held::Portal(gate), false) = (&held, at_work) {
        gate.release();
    }
    world.start_operator();
    if at_work {
        // The portal goes on with the killed call only when the next process has seen the attempt.
        world.until(NAME, "the attempt is seen", |object| reason(object) == "SettlingAttempt").await;
        if let Held::Portal(gate) = &held {
            gate.release();
        }
    }
    one_user(&world, NAME).await;
    assert!(
        world.simulator.count(Endpoint::Create) <= 2,
        "{} creates",
        world.simulator.count(Endpoint::Create)
    );
    world.assert_nothing_leaked().await;
    met
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_call_leaves_one_internal_user() {
    let calls = calls_of_a_create("Dataspace Discovery").await;
    for write in ["/technicalusers/edc", "/technicalusers/edc/status", "/secrets"] {
        let is_it = |call: &Call| {
            matches!(call, Call::Apiserver { path, .. } if path.ends_with(write)) && call.is_write()
        };
        assert!(calls.iter().any(is_it), "no write of {write} in {calls:#?}");
    }
    assert!(calls.contains(&Call::Portal { endpoint: Endpoint::Create, skip: 0 }), "{calls:#?}");
    crash_everywhere(calls, |call, killed| crash("Dataspace Discovery", call, killed)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_write_leaves_one_external_user() {
    let mut calls = calls_of_a_create("Identity Wallet Management").await;
    calls.retain(Call::is_write);
    crash_everywhere(calls, |call, killed| crash("Identity Wallet Management", call, killed)).await;
}
