//! Several Secrets of one resource: all of them can be written before a user is created, and each is served on its own.

use kube::api::DeleteParams;
use kube::core::DynamicObject;
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};

use crate::crash::{Call, Killed, Recording, crash_everywhere};
use crate::support::{
    END_OVERLAP, World, condition, connected, create, reason, secret_value, user_status, world,
};

const NAME: &str = "edc";

/// A resource whose outputs are Secrets of these names.
fn with_secrets(world: &World, names: &[&str]) -> Value {
    let mut manifest = create(NAME, &world.namespace, DATASPACE_DISCOVERY);
    manifest["spec"]["outputs"] = outputs(names);
    manifest
}

fn outputs(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"secret": {"name": name}})).collect()
}

async fn name_secrets(world: &World, names: &[&str]) {
    world.patch_user(NAME, &json!({"spec": {"outputs": outputs(names)}})).await;
}

/// The reason of the condition Ready of one output.
fn readiness(user: &DynamicObject, name: &str) -> Option<String> {
    let status = user_status(user);
    let output = status.outputs.iter().find(|output| output.kind == "Secret" && output.name == name)?;
    output.conditions.iter().find(|condition| condition.type_ == "Ready").map(|c| c.reason.clone())
}

/// Each of these Secrets holds the credential of the one user, which obtains a token.
pub async fn hold_the_credential(world: &World, names: &[&str]) {
    for name in names {
        let user = world.get_secret(name).await.map(|secret| secret_value(&secret, "technical-user-id"));
        assert_eq!(user, Some(world.user_of(NAME).id.to_string()), "{name}");
        assert_eq!(world.token_with(name).await, 200, "{name}");
    }
}

#[tokio::test]
async fn every_secret_holds_the_credential_and_has_a_condition() {
    let world = world().start().await;
    world.apply(&with_secrets(&world, &["control-plane", "data-plane"])).await;
    let ready = world.ready(NAME).await;
    hold_the_credential(&world, &["control-plane", "data-plane"]).await;
    assert_eq!(world.count(Endpoint::Create), 1);
    for name in ["control-plane", "data-plane"] {
        assert_eq!(readiness(&ready, name).as_deref(), Some("OutputsWritten"));
    }
    assert_eq!(user_status(&ready).credential.unwrap().generation, 1);

    // Each is repaired on its own.
    world.secrets_api().delete("data-plane", &DeleteParams::default()).await.unwrap();
    world.eventually("it is there again", async || world.get_secret("data-plane").await.is_some()).await;
    let repaired = world.ready(NAME).await;
    hold_the_credential(&world, &["control-plane", "data-plane"]).await;
    assert_eq!(
        user_status(&repaired).credential,
        user_status(&ready).credential,
        "it is the same credential"
    );
}

#[tokio::test]
async fn no_user_is_created_before_every_secret_can_be_written() {
    let world = world().start().await;
    world.secret("data-plane", &[("key", "of Helm")]).await;
    world.apply(&with_secrets(&world, &["control-plane", "data-plane"])).await;
    let words = world.because(NAME, "OutputNotOurs").await;
    assert!(words.contains("data-plane"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    assert!(world.get_secret("control-plane").await.is_none());
    let user = world.user(NAME).await.unwrap();
    assert_eq!(readiness(&user, "data-plane").as_deref(), Some("OutputNotOurs"));
    assert_eq!(readiness(&user, "control-plane").as_deref(), Some("NotYet"));
    world.secrets_api().delete("data-plane", &DeleteParams::default()).await.unwrap();
    world.sweep().await;
    world.ready(NAME).await;
    hold_the_credential(&world, &["control-plane", "data-plane"]).await;
}

#[tokio::test]
async fn a_secret_of_others_does_not_keep_the_credential_from_the_rest() {
    let world = world().start().await;
    world.apply(&with_secrets(&world, &["control-plane"])).await;
    world.ready(NAME).await;
    world.secret("foreign", &[("key", "of Helm")]).await;
    let foreign = world.get_secret("foreign").await;
    name_secrets(&world, &["foreign", "control-plane", "data-plane"]).await;
    world.because(NAME, "OutputNotOurs").await;
    world.eventually("the new one is written", async || world.get_secret("data-plane").await.is_some()).await;
    let user = world
        .until(NAME, "each output is reported", |user| {
            readiness(user, "data-plane").as_deref() == Some("OutputsWritten")
        })
        .await;
    assert_eq!(readiness(&user, "control-plane").as_deref(), Some("OutputsWritten"));
    assert_eq!(readiness(&user, "foreign").as_deref(), Some("OutputNotOurs"));
    let words = condition(&user, "Published").unwrap().message;
    assert!(words.starts_with("1 of 3 outputs do not hold the credential"), "{words}");
    hold_the_credential(&world, &["control-plane", "data-plane"]).await;

    // What is served is repaired all the same, and nothing is requested again and again.
    world.secrets_api().delete("data-plane", &DeleteParams::default()).await.unwrap();
    world.eventually("it is written again", async || world.get_secret("data-plane").await.is_some()).await;
    world.two_sweeps().await;
    let (tokens, writes) = (world.count(Endpoint::Token), world.writes());
    world.two_sweeps().await;
    assert!(world.count(Endpoint::Token) <= tokens + 1, "the credential is verified again and again");
    assert_eq!(world.writes(), writes, "a blocked output causes writes");
    assert_eq!(world.get_secret("foreign").await, foreign);
    assert_eq!(world.count(Endpoint::Create), 1);

    name_secrets(&world, &["control-plane", "data-plane"]).await;
    let ready = world.ready(NAME).await;
    assert_eq!(readiness(&ready, "foreign"), None);
    assert_eq!(world.get_secret("foreign").await, foreign, "what is not ours is not removed");
}

#[tokio::test]
async fn a_secret_that_the_spec_drops_is_removed_after_the_rest_is_published() {
    let world = world().start().await;
    world.apply(&with_secrets(&world, &["one", "two"])).await;
    world.ready(NAME).await;
    world.secret("three", &[("key", "of Helm")]).await;
    name_secrets(&world, &["two", "three"]).await;
    world.because(NAME, "OutputNotOurs").await;
    world.two_sweeps().await;
    hold_the_credential(&world, &["one", "two"]).await;
    world.secrets_api().delete("three", &DeleteParams::default()).await.unwrap();
    world.sweep().await;
    world.ready(NAME).await;
    world
        .eventually("it is removed once the rest is recorded", async || {
            world.get_secret("one").await.is_none()
        })
        .await;
    hold_the_credential(&world, &["two", "three"]).await;

    // One output again: the conditions of the resource describe it.
    name_secrets(&world, &["two"]).await;
    world.until(NAME, "one is left", |user| user_status(user).outputs.len() == 1).await;
    let ready = world.ready(NAME).await;
    assert_eq!(readiness(&ready, "two"), None);
    assert_eq!(world.count(Endpoint::Create), 1);
}

/// When an output that the spec no longer names is deleted.
pub fn delete_after(user: &DynamicObject, name: &str) -> Option<String> {
    user_status(user).outputs.into_iter().find(|output| output.name == name)?.delete_after
}

async fn set_outputs(world: &World, names: &[&str], overlap: &str) {
    let spec = json!({"outputs": outputs(names), "rotation": {"overlap": overlap}});
    world.patch_user(NAME, &json!({"spec": spec})).await;
}

#[tokio::test]
async fn a_secret_that_the_spec_drops_is_kept_for_the_overlap() {
    let world = world().start().await;
    world.apply(&with_secrets(&world, &["one", "two", "three"])).await;
    world.ready(NAME).await;
    let kept = async |name: &str| {
        let what = format!("{name} is kept");
        world.until(NAME, &what, |user| delete_after(user, name).is_some() && reason(user) == "Ready").await
    };
    set_outputs(&world, &["three"], "1h").await;
    let first = kept("one").await;
    hold_the_credential(&world, &["one", "two", "three"]).await;
    world.two_sweeps().await;
    let writes = world.writes();
    world.two_sweeps().await;
    assert_eq!(world.writes(), writes, "what is kept causes writes");
    let later = world.user(NAME).await.unwrap();
    assert_eq!(delete_after(&first, "one"), delete_after(&later, "one"));

    // Named again, it is an output as before; the other one is deleted on request.
    set_outputs(&world, &["three", "two"], "1h").await;
    world.until(NAME, "two is an output", |user| delete_after(user, "two").is_none()).await;
    let annotation = json!({END_OVERLAP: "zero, one"});
    world.patch_user(NAME, &json!({"metadata": {"annotations": annotation}})).await;
    world.eventually("one is deleted", async || world.get_secret("one").await.is_none()).await;
    world.until(NAME, "one is removed from the status", |user| readiness(user, "one").is_none()).await;
    hold_the_credential(&world, &["two", "three"]).await;

    // A shorter overlap counts for what is kept already.
    set_outputs(&world, &["three"], "1h").await;
    kept("two").await;
    set_outputs(&world, &["three"], "1s").await;
    world.eventually("two is deleted", async || world.get_secret("two").await.is_none()).await;
    world.until(NAME, "one is left", |user| user_status(user).outputs.len() == 1).await;
    hold_the_credential(&world, &["three"]).await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn two_outputs_of_one_name_are_refused() {
    let world = world().start().await;
    let refused = world.try_apply(&with_secrets(&world, &["one", "one"])).await.unwrap_err();
    assert!(refused.to_string().contains("two outputs name the same Secret"), "{refused}");
    let mut nine = create(NAME, &world.namespace, DATASPACE_DISCOVERY);
    nine["spec"]["outputs"] = (0..9).map(|n| json!({"secret": {"name": format!("s{n}")}})).collect();
    assert!(world.try_apply(&nine).await.unwrap_err().to_string().contains("at most 8"));

    // An entry without a name has that of the resource.
    let mut clash = create(NAME, &world.namespace, DATASPACE_DISCOVERY);
    clash["spec"]["outputs"] = json!([{"secret": {}}, {"secret": {"name": NAME}}]);
    let refused = world.try_apply(&clash).await.unwrap_err();
    assert!(refused.to_string().contains("two outputs name the same Secret"), "{refused}");
    clash["spec"]["outputs"] = json!([{"secret": {}}, {"secret": {"name": "other"}}]);
    world.apply(&clash).await;
    world.ready(NAME).await;
    hold_the_credential(&world, &[NAME, "other"]).await;
}

/// The calls from `kubectl apply` to a resource whose two Secrets are written.
async fn calls_of_a_create() -> Vec<Call> {
    let world = connected(world()).await;
    let recording = Recording::start(&world);
    world.apply(&with_secrets(&world, &["one", "two"])).await;
    world.ready(NAME).await;
    recording.calls(&world)
}

/// The calls from a change of the outputs to a resource that is ready with the new ones.
async fn calls_of_a_change() -> Vec<Call> {
    let world = connected(world()).await;
    world.apply(&with_secrets(&world, &["one", "two"])).await;
    world.ready(NAME).await;
    let recording = Recording::start(&world);
    change(&world).await;
    recording.calls(&world)
}

async fn change(world: &World) {
    name_secrets(world, &["two", "three"]).await;
    changed(world).await;
}

async fn changed(world: &World) {
    world
        .until(NAME, "the outputs are those of the spec", |user| {
            let status = user_status(user);
            let names: Vec<&str> = status.outputs.iter().map(|output| output.name.as_str()).collect();
            reason(user) == "Ready" && names == ["two", "three"]
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_between_two_secrets_writes_both() {
    let mut calls = calls_of_a_create().await;
    calls.retain(Call::is_write);
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let mut world = connected(world()).await;
        let held = call.hold(&world, killed);
        world.apply(&with_secrets(&world, &["one", "two"])).await;
        let met = tokio::select! {
            () = held.reached() => true,
            _ = world.ready(NAME) => held.was_sent().await,
        };
        held.kill_and_restart(&mut world, NAME).await;
        one_user_in(&world, &["one", "two"]).await;
        met
    })
    .await;
}

/// Kills the operator at each write of a change of the outputs. `taken_back`: a person takes the change back before the next process
/// starts.
async fn killed_while_the_outputs_change(taken_back: bool) {
    let mut calls = calls_of_a_change().await;
    calls.retain(Call::is_write);
    crash_everywhere(calls, move |call: Call, killed: Killed| async move {
        let mut world = connected(world()).await;
        world.apply(&with_secrets(&world, &["one", "two"])).await;
        world.ready(NAME).await;
        let held = call.hold(&world, killed);
        name_secrets(&world, &["two", "three"]).await;
        let met = tokio::select! {
            () = held.reached() => true,
            () = changed(&world) => held.was_sent().await,
        };
        if taken_back {
            name_secrets(&world, &["one", "two"]).await;
        }
        held.kill_and_restart(&mut world, NAME).await;
        if taken_back {
            one_user_in(&world, &["one", "two"]).await;
            let removed = async || world.get_secret("three").await.is_none();
            world.eventually("no credential is left behind", removed).await;
        } else {
            changed(&world).await;
            one_user_in(&world, &["two", "three"]).await;
            assert!(world.get_secret("one").await.is_none(), "a credential is left behind");
        }
        met
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_the_outputs_change_leaves_no_credential_behind() {
    killed_while_the_outputs_change(false).await;
}

/// The Secret that was added may be there, and its process have ended before the status said that it was written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_is_taken_back_while_no_process_runs_leaves_no_credential_behind() {
    killed_while_the_outputs_change(true).await;
}

async fn one_user_in(world: &World, names: &[&str]) {
    world.ready(NAME).await;
    hold_the_credential(world, names).await;
    assert_eq!(world.ours().len(), 1);
}
