//! Killed at every call while keys are added to a Secret of another owner, or removed from it: no credential is left where it should
//! not be, and the rest of the Secret is as its owner wrote it.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DynamicObject, PostParams};
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};

use crate::crash::{Call, Held, Killed, calls_of, crash_at, crash_everywhere};
use crate::outputs::hold_the_credential;
use crate::support::{World, connected, create, reason, user_status, world};

/// The resource.
pub const NAME: &str = "edc";

/// The Secret of another owner.
pub const TARGET: &str = "app";

/// A Secret of the operator.
pub fn owned(name: &str) -> Value {
    json!({"secret": {"name": name}})
}

/// Keys in the Secret of another owner.
pub fn merged() -> Value {
    json!({"secret": {"name": TARGET, "creationPolicy": "Merge"}})
}

/// The Secret of another owner, with bytes that are no text and with no value.
async fn put_target(world: &World) {
    let manifest = json!({
        "metadata": {"name": TARGET, "labels": {"app": "x"}, "annotations": {"by": "Helm"}},
        "type": "example.org/app",
    });
    let mut secret: Secret = serde_json::from_value(manifest).unwrap();
    let values = [("binary", vec![0, 255, 10, 0]), ("empty", Vec::new()), ("theirs", b"kept\n".to_vec())];
    secret.data = Some(values.map(|(key, value)| (key.to_owned(), ByteString(value))).into());
    world.secrets_api().create(&PostParams::default(), &secret).await.unwrap();
}

/// The Secret of another owner, as that owner sees it: without what each write changes.
async fn target(world: &World) -> Secret {
    let mut secret = world.get_secret(TARGET).await.unwrap();
    secret.metadata.resource_version = None;
    secret.metadata.managed_fields = None;
    secret
}

/// The same without what the operator adds.
async fn rest_of_target(world: &World) -> Secret {
    let mut secret = target(world).await;
    let theirs = ["binary", "empty", "theirs"];
    secret.data.as_mut().unwrap().retain(|key, _| theirs.contains(&key.as_str()));
    secret.metadata.annotations.as_mut().unwrap().retain(|key, _| key == "by");
    secret
}

/// A world in which the Secret of another owner is there, and a resource with these outputs is ready.
pub async fn ready_with(outputs: Value) -> (World, Secret) {
    let world = connected(world()).await;
    put_target(&world).await;
    let before = target(&world).await;
    apply(&world, outputs).await;
    world.ready(NAME).await;
    (world, before)
}

async fn apply(world: &World, outputs: Value) {
    let mut user = create(NAME, &world.namespace, DATASPACE_DISCOVERY);
    user["spec"]["outputs"] = outputs;
    world.apply(&user).await;
}

async fn set(world: &World, outputs: Value) {
    world.patch_user(NAME, &json!({"spec": {"outputs": outputs}})).await;
}

/// The names of the outputs in the status, in the order of the alphabet.
fn names(user: &DynamicObject) -> Vec<String> {
    let mut names: Vec<String> = user_status(user).outputs.into_iter().map(|output| output.name).collect();
    names.sort();
    names
}

/// Waits until the resource is ready and its status names these outputs only.
pub async fn has(world: &World, outputs: &[&str]) {
    let what = format!("the outputs are {outputs:?}");
    world.until(NAME, &what, |user| reason(user) == "Ready" && names(user) == outputs).await;
}

/// The keys are in the Secret of another owner, whose own part is as before.
pub async fn is_merged(world: &World, before: &Secret) {
    hold_the_credential(world, &[TARGET]).await;
    assert_eq!(rest_of_target(world).await, *before);
}

/// The credential is in the operator's own Secret alone.
pub async fn is_owned(world: &World, before: &Secret) {
    hold_the_credential(world, &["own"]).await;
    assert_eq!(target(world).await, *before, "a credential is left behind");
}

/// The write of the Secret of another owner is among the calls.
pub fn assert_writes_target(calls: &[Call]) {
    let is_it = |call: &Call| matches!(call, Call::Apiserver { path, dry_run: false, .. } if path.ends_with("/secrets/app"));
    assert!(calls.iter().any(is_it), "{calls:#?}");
}

/// The writes of the operator from `act` to its end.
async fn writes_of(world: &World, act: impl AsyncFnOnce(&World), ended: impl AsyncFn(&World)) -> Vec<Call> {
    let mut calls = calls_of(world, act, ended).await;
    calls.retain(Call::is_write);
    assert_writes_target(&calls);
    calls
}

async fn begin(world: &World) {
    apply(world, json!([owned("own"), merged()])).await;
}

async fn has_both(world: &World) {
    has(world, &[TARGET, "own"]).await;
}

async fn without_a_resource() -> World {
    let world = connected(world()).await;
    put_target(&world).await;
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_it_publishes_writes_the_secret_and_the_keys() {
    let calls = writes_of(&without_a_resource().await, begin, has_both).await;
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let world = without_a_resource().await;
        let before = target(&world).await;
        let (world, met) = crash_at(world, NAME, (call, killed), begin, has_both).await;
        hold_the_credential(&world, &["own"]).await;
        is_merged(&world, &before).await;
        assert_eq!(world.ours().len(), 1);
        met
    })
    .await;
}

async fn with_an_owned_secret() -> (World, Secret) {
    ready_with(json!([owned("own")])).await
}

async fn to_merge(world: &World) {
    set(world, json!([merged()])).await;
}

async fn has_merged(world: &World) {
    has(world, &[TARGET]).await;
}

async fn to_owned(world: &World) {
    set(world, json!([owned("own")])).await;
}

async fn has_owned(world: &World) {
    has(world, &["own"]).await;
}

async fn writes_of_a_change_to_merge() -> Vec<Call> {
    writes_of(&with_an_owned_secret().await.0, to_merge, has_merged).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_an_output_becomes_merge_leaves_no_credential_behind() {
    crash_everywhere(writes_of_a_change_to_merge().await, async |call: Call, killed: Killed| {
        let (world, before) = with_an_owned_secret().await;
        let (world, met) = crash_at(world, NAME, (call, killed), to_merge, has_merged).await;
        is_merged(&world, &before).await;
        assert!(world.get_secret("own").await.is_none(), "a credential is left behind");
        met
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_an_output_is_no_merge_any_more_leaves_no_credential_behind() {
    let calls = writes_of(&ready_with(json!([merged()])).await.0, to_owned, has_owned).await;
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let (world, before) = ready_with(json!([merged()])).await;
        let (world, met) = crash_at(world, NAME, (call, killed), to_owned, has_owned).await;
        is_owned(&world, &before).await;
        met
    })
    .await;
}

/// Kills the operator at a call of what `act` begins, and starts the next one after `meanwhile`. False where the call was not made.
async fn killed_and(
    world: &mut World,
    (call, killed): (Call, Killed),
    (act, ended): (impl AsyncFnOnce(&World), impl AsyncFn(&World)),
    meanwhile: impl AsyncFnOnce(&World),
) -> bool {
    let held: Held = call.hold(world, killed);
    act(world).await;
    let met = tokio::select! {
        () = held.reached() => true,
        () = ended(world) => held.was_sent().await,
    };
    world.kill_operator();
    meanwhile(world).await;
    world.start_operator();
    met
}

/// Wants the Secret of the operator alone while it is killed: nothing is left in the other one.
async fn owned_after_a_crash(
    (mut world, before): (World, Secret),
    at: (Call, Killed),
    change: (impl AsyncFnOnce(&World), impl AsyncFn(&World)),
) -> bool {
    let met = killed_and(&mut world, at, change, to_owned).await;
    world.ready(NAME).await;
    has_owned(&world).await;
    is_owned(&world, &before).await;
    met
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_the_spec_no_longer_names_after_a_crash_are_removed() {
    crash_everywhere(writes_of_a_change_to_merge().await, async |call: Call, killed: Killed| {
        owned_after_a_crash(with_an_owned_secret().await, (call, killed), (to_merge, has_merged)).await
    })
    .await;
}

/// Nothing was published before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_a_new_resource_that_the_spec_no_longer_names_after_a_crash_are_removed() {
    let calls = writes_of(&without_a_resource().await, begin, has_both).await;
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let world = without_a_resource().await;
        let before = target(&world).await;
        owned_after_a_crash((world, before), (call, killed), (begin, has_both)).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_a_resource_that_is_deleted_after_a_crash_are_removed() {
    crash_everywhere(writes_of_a_change_to_merge().await, async |call: Call, killed: Killed| {
        let (mut world, before) = with_an_owned_secret().await;
        let met = killed_and(&mut world, (call, killed), (to_merge, has_merged), delete).await;
        gone(&world).await;
        is_left_as_before(&world, &before).await;
        met
    })
    .await;
}

async fn with_both() -> (World, Secret) {
    ready_with(json!([owned("own"), merged()])).await
}

async fn delete(world: &World) {
    world.delete(NAME).await;
}

async fn gone(world: &World) {
    world.gone(NAME).await;
}

async fn is_left_as_before(world: &World, before: &Secret) {
    assert_eq!(target(world).await, *before, "a credential is left behind");
    assert_eq!(world.ours(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_it_deletes_removes_its_keys_alone() {
    let mut calls = calls_of(&with_both().await.0, delete, gone).await;
    calls.retain(|call| {
        call.is_write() || matches!(call, Call::Portal { endpoint: Endpoint::Delete | Endpoint::Details, .. })
    });
    assert_writes_target(&calls);
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let (world, before) = with_both().await;
        let (world, met) = crash_at(world, NAME, (call, killed), delete, gone).await;
        is_left_as_before(&world, &before).await;
        met
    })
    .await;
}
