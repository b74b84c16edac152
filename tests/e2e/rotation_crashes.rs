//! Killed at every write of a rotation, and started again at once: one credential that works is published, and no other one is left.

use portal_simulator::Endpoint;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT};
use serde_json::json;

use crate::crash::{Call, Killed, calls_of, crash_at, crash_everywhere};
use crate::role_changes::{only_user_with, set_roles};
use crate::rotation::{NAME, annotate, retiring, with_rotation};
use crate::support::{ROTATE, World, connected, is_ready, recorded, secret_value, user_status, world};

async fn ready_with(strategy: &str) -> World {
    let world = connected(world()).await;
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &json!({"strategy": strategy}))).await;
    world.ready(NAME).await;
    world
}

async fn ask(world: &World) {
    annotate(world, ROTATE, "1").await;
}

/// Waits until the request is handled and nothing of the former credential is left.
async fn is_rotated(world: &World) {
    world
        .until(NAME, "the rotation is complete", |user| {
            let status = user_status(user);
            let handled = status.handled.and_then(|handled| handled.rotate);
            handled.as_deref() == Some("1") && is_ready(user) && retiring(user).is_empty()
        })
        .await;
}

/// Fails if another user is left, or if what is published does not work.
async fn one_credential(world: &World) {
    let user = world.user(NAME).await.unwrap();
    let users = world.ours();
    assert_eq!(users.len(), 1, "{users:#?}");
    assert_eq!(recorded(&user).id, users[0].id.to_string());
    let secret = world.get_secret(NAME).await.unwrap();
    assert_eq!(Some(secret_value(&secret, "client-secret")), users[0].secret);
    assert_eq!(world.token_with(NAME).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_a_user_is_replaced_leaves_one() {
    let mut calls = calls_of(&ready_with("Replace").await, ask, is_rotated).await;
    calls.retain(Call::is_write);
    assert!(calls.contains(&Call::Portal { endpoint: Endpoint::Create, skip: 0 }), "{calls:#?}");
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let (world, met) = crash_at(ready_with("Replace").await, NAME, (call, killed), ask, is_rotated).await;
        one_credential(&world).await;
        assert!(world.count(Endpoint::Create) <= 3, "{} creates", world.count(Endpoint::Create));
        met
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_a_secret_is_reset_publishes_the_last_one() {
    let mut calls = calls_of(&ready_with("InPlace").await, ask, is_rotated).await;
    let reset = Call::Portal { endpoint: Endpoint::Reset, skip: 0 };
    calls.retain(|call| call.is_write() || *call == reset);
    assert!(calls.contains(&reset), "{calls:#?}");
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let (world, met) = crash_at(ready_with("InPlace").await, NAME, (call, killed), ask, is_rotated).await;
        one_credential(&world).await;
        assert_eq!(world.count(Endpoint::Create), 1);
        let number = user_status(&world.user(NAME).await.unwrap()).credential.unwrap().generation;
        assert_eq!(number, 2, "one request leads to one other credential");
        assert!(world.count(Endpoint::Reset) <= 2, "{} resets", world.count(Endpoint::Reset));
        met
    })
    .await;
}

async fn take_the_role_away(world: &World) {
    set_roles(world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
}

async fn has_the_other_role(world: &World) {
    only_user_with(world, &[SEMANTIC_MODEL_MANAGEMENT]).await;
}

/// The writes of the operator while the role changes.
async fn writes_of_a_role_change() -> Vec<Call> {
    let mut calls = calls_of(&ready_with("Auto").await, take_the_role_away, has_the_other_role).await;
    calls.retain(Call::is_write);
    assert!(calls.contains(&Call::Portal { endpoint: Endpoint::Create, skip: 0 }), "{calls:#?}");
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_the_roles_change_leaves_one_user_with_the_new_ones() {
    crash_everywhere(writes_of_a_role_change().await, async |call: Call, killed: Killed| {
        let world = ready_with("Auto").await;
        let (world, met) =
            crash_at(world, NAME, (call, killed), take_the_role_away, has_the_other_role).await;
        one_credential(&world).await;
        assert_eq!(world.user_of(NAME).roles, [SEMANTIC_MODEL_MANAGEMENT]);
        assert!(world.count(Endpoint::Create) <= 3, "{} creates", world.count(Endpoint::Create));
        met
    })
    .await;
}

/// No process runs when the roles are changed back, or one that waits for the outcome of the create. The user in use stays, or one more replaces that with the other role.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_that_change_back_after_a_crash_leave_one_user_with_the_former_ones() {
    crash_everywhere(writes_of_a_role_change().await, async |call: Call, killed: Killed| {
        let mut world = ready_with("Auto").await;
        let created = matches!(call, Call::Portal { .. });
        let held = call.hold(&world, killed);
        take_the_role_away(&world).await;
        let met = tokio::select! {
            () = held.reached() => true,
            () = has_the_other_role(&world) => held.was_sent().await,
        };
        // After a create, the restart waits for a report that only a process makes for which the roles are to be changed.
        if !created {
            set_roles(&world, &[DATASPACE_DISCOVERY]).await;
        }
        held.kill_and_restart(&mut world, NAME).await;
        set_roles(&world, &[DATASPACE_DISCOVERY]).await;
        only_user_with(&world, &[DATASPACE_DISCOVERY]).await;
        world.eventually("no other user is left", async || world.ours().len() == 1).await;
        only_user_with(&world, &[DATASPACE_DISCOVERY]).await;
        one_credential(&world).await;
        assert_eq!(world.user_of(NAME).roles, [DATASPACE_DISCOVERY]);
        assert!(world.count(Endpoint::Create) <= 4, "{} creates", world.count(Endpoint::Create));
        met
    })
    .await;
}
