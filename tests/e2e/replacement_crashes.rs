//! Killed at every write of a replacement, and started again at once: one successor, whose credential is published.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Change, Endpoint, UserView};
use serde_json::json;

use crate::crash::{Call, Killed, Recording, crash_everywhere};
use crate::support::{
    ROTATE, World, connected, create, portal_status, reason, recorded, secret_value, world,
};

const NAME: &str = "edc";

/// A resource whose user has no client in the identity provider any more, while the operator does nothing periodically.
async fn with_a_missing_client() -> (World, UserView) {
    let world = connected(world()).await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready(NAME).await;
    let user = world.user_of(NAME);
    assert_eq!(world.simulator.remove_idp_client(user.client_id.as_deref().unwrap()), Change::Done);
    world.secrets_api().delete(NAME, &kube::api::DeleteParams::default()).await.unwrap();
    world.because(NAME, "IdentityLost").await;
    (world, user)
}

async fn ask_for_a_successor(world: &World) {
    world.patch_user(NAME, &json!({"metadata": {"annotations": {ROTATE: "1"}}})).await;
}

/// Waits for the successor; fails where there is none, or more than one.
async fn one_successor(world: &World, former: &UserView) {
    let object = world.until(NAME, "its second user is there", |u| recorded(u).generation == Some(2)).await;
    let object = if reason(&object) == "Ready" { object } else { world.ready(NAME).await };
    let mark = format!("/{}/{NAME} g2 ", world.namespace);
    let users: Vec<_> = world.ours().into_iter().filter(|user| user.description.contains(&mark)).collect();
    assert_eq!(users.len(), 1, "{users:#?}");
    assert_eq!(recorded(&object).id, users[0].id.to_string());
    let secret = world.get_secret(NAME).await.unwrap();
    assert_eq!(secret_value(&secret, "client-id"), users[0].client_id.clone().unwrap());
    assert_eq!(world.token_with(NAME).await, 200);
    // A user without a client cannot be deleted; it is reported.
    let listed = world
        .portal_until("the former user is listed", |portal| !portal_status(portal).retained.is_empty())
        .await;
    let listed: Vec<_> = listed.retained.into_iter().map(|one| one.id).collect();
    assert_eq!(listed, [former.id.to_string()]);
}

async fn crash(call: Call, killed: Killed) -> bool {
    let (mut world, former) = with_a_missing_client().await;
    let held = call.hold(&world, killed);
    ask_for_a_successor(&world).await;
    let met = tokio::select! {
        () = held.reached() => true,
        _ = world.until(NAME, "it is replaced", |u| recorded(u).generation == Some(2) && reason(u) == "Ready") =>
            held.was_sent().await,
    };
    held.kill_and_restart(&mut world, NAME).await;
    one_successor(&world, &former).await;
    assert!(
        world.simulator.count(Endpoint::Create) <= 3,
        "{} creates",
        world.simulator.count(Endpoint::Create)
    );
    met
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_write_leaves_one_successor() {
    let (world, former) = with_a_missing_client().await;
    let recording = Recording::start(&world);
    ask_for_a_successor(&world).await;
    one_successor(&world, &former).await;
    let mut calls = recording.calls(&world);
    calls.retain(Call::is_write);
    assert!(calls.contains(&Call::Portal { endpoint: Endpoint::Create, skip: 0 }), "{calls:#?}");
    crash_everywhere(calls, crash).await;
}
