//! Killed at every write while a new content replaces an immutable Secret: one Secret is left, which holds the credential.

use kube::api::{DynamicObject, ListParams};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};

use crate::crash::{Call, Killed, Recording, crash_everywhere};
use crate::support::{World, condition, connected, create, user_status, world};

const NAME: &str = "edc";

/// What a person does before the next operator starts.
#[derive(Debug, Clone, Copy)]
enum Meanwhile {
    Nothing,
    /// Asks for another content.
    Changes,
    /// Names another output.
    Drops,
}

impl Meanwhile {
    /// The outputs at the end, and the prefix of their keys.
    fn end(self) -> (Value, &'static str) {
        match self {
            Self::Nothing => (immutable("b-"), "b-"),
            Self::Changes => (immutable("c-"), "c-"),
            Self::Drops => (json!([{"secret": {"name": "edc-plain", "keyPrefix": "d-"}}]), "d-"),
        }
    }
}

/// One immutable output whose keys have this prefix.
pub fn immutable(prefix: &str) -> Value {
    json!([{"secret": {"immutable": true, "keyPrefix": prefix}}])
}

/// The spec has these outputs.
pub async fn change(world: &World, outputs: &Value) {
    world.patch_user(NAME, &json!({"spec": {"outputs": outputs}})).await;
}

/// Waits until one Secret is left, which holds the credential under keys with this prefix.
pub async fn one_secret(world: &World, prefix: &str) {
    let is_so = |user: &DynamicObject| {
        let ready = condition(user, "Ready").is_some_and(|ready| {
            ready.status == "True" && ready.observed_generation == user.metadata.generation
        });
        ready && user_status(user).outputs.len() == 1
    };
    let user = world.until(NAME, "one output is left", is_so).await;
    let output = user_status(&user).outputs.remove(0);
    let listed = world.secrets_api().list(&ListParams::default()).await.unwrap();
    let names = listed.items.into_iter().filter_map(|secret| secret.metadata.name);
    let names: Vec<_> = names.filter(|name| name.starts_with(NAME)).collect();
    let name = output.secret.unwrap_or(output.name);
    assert_eq!(names, std::slice::from_ref(&name), "another Secret holds a credential");
    assert_eq!(world.token_with_keys(&name, prefix).await, 200, "{name} has not the keys {prefix}");
    assert_eq!((output.begun_secret, world.ours().len()), (None, 1));
}

async fn before() -> World {
    let world = connected(world()).await;
    let mut user = create(NAME, &world.namespace, DATASPACE_DISCOVERY);
    user["spec"]["outputs"] = immutable("a-");
    world.apply(&user).await;
    one_secret(&world, "a-").await;
    world
}

async fn crash(call: Call, killed: Killed, meanwhile: Meanwhile) -> bool {
    let mut world = before().await;
    let held = call.hold(&world, killed);
    change(&world, &immutable("b-")).await;
    let met = tokio::select! {
        () = held.reached() => true,
        () = one_secret(&world, "b-") => held.was_sent().await,
    };
    world.kill_operator();
    let (outputs, prefix) = meanwhile.end();
    change(&world, &outputs).await;
    world.start_operator();
    one_secret(&world, prefix).await;
    met
}

async fn at_each_write(meanwhile: Meanwhile) {
    let world = before().await;
    let recording = Recording::start(&world);
    change(&world, &immutable("b-")).await;
    one_secret(&world, "b-").await;
    let mut calls = recording.calls(&world);
    calls.retain(Call::is_write);
    assert!(calls.len() >= 4, "two of the status, one of each Secret: {calls:#?}");
    crash_everywhere(calls, move |call, killed| crash(call, killed, meanwhile)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_write_leaves_one_immutable_secret() {
    at_each_write(Meanwhile::Nothing).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_before_another_content_leaves_one_immutable_secret() {
    at_each_write(Meanwhile::Changes).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_before_the_output_is_dropped_leaves_no_immutable_secret() {
    at_each_write(Meanwhile::Drops).await;
}
