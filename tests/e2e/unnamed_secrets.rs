//! Secrets that the operator wrote and that neither spec nor status names: it was killed before the status named them, and the spec
//! has changed since, or a backup has brought back an earlier status.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::{Matcher, Stage};

use crate::crash::Held;
use crate::immutable_crashes::{change, immutable, one_secret};
use crate::outputs::{delete_after, hold_the_credential};
use crate::support::{END_OVERLAP, World, connected, create, reason, stored_status, user_status, world};

const NAME: &str = "edc";

fn named(name: &str) -> Value {
    json!([{"secret": {"name": name}}])
}

/// A world in which the operator was killed right after it had written the Secret `first`, which no status names.
async fn killed_before_the_first_status() -> World {
    let mut world = connected(world()).await;
    let secrets = format!("/namespaces/{}/secrets$", world.namespace);
    let writes = Matcher::any().method("POST").dry_run(false).path_regex(&secrets).unwrap();
    let held = Held::at_apiserver(&world, writes, Stage::After);
    let mut user = create(NAME, &world.namespace, DATASPACE_DISCOVERY);
    user["spec"]["outputs"] = named("first");
    world.apply(&user).await;
    held.reached().await;
    world.kill_operator();
    let user = world.user(NAME).await.unwrap();
    assert!(world.get_secret("first").await.is_some() && user_status(&user).outputs.is_empty());
    world
}

/// A person copies a Secret with everything that is in it, such as its labels, annotations and owner.
async fn copy(world: &World, from: &str, to: &str) -> Secret {
    let mut copy = world.get_secret(from).await.unwrap();
    let metadata = &mut copy.metadata;
    metadata.name = Some(to.to_owned());
    (metadata.uid, metadata.resource_version, metadata.managed_fields) = (None, None, None);
    world.secrets_api().create(&PostParams::default(), &copy).await.unwrap()
}

/// The outputs are named in the status, and no others.
async fn has(world: &World, names: &[&str]) {
    let is_so = |user: &DynamicObject| {
        let outputs = user_status(user).outputs;
        reason(user) == "Ready" && outputs.iter().map(|output| output.name.as_str()).eq(names.iter().copied())
    };
    world.until(NAME, &format!("the outputs are {names:?}"), is_so).await;
}

#[tokio::test]
async fn a_secret_that_was_renamed_before_a_status_named_it_is_deleted_and_a_copy_of_it_is_kept() {
    let mut world = killed_before_the_first_status().await;
    let theirs = copy(&world, "first", "copy").await;
    world.patch_user(NAME, &json!({"spec": {"outputs": named("second")}})).await;
    world.start_operator();
    world
        .eventually("the first Secret is deleted", async || {
            let is_there = world.get_secret("first").await.is_some();
            // It is deleted after the credential is in the one that replaces it.
            assert!(is_there || world.get_secret("second").await.is_some());
            !is_there
        })
        .await;
    has(&world, &["second"]).await;
    world.two_sweeps().await;
    let writes = world.writes();
    world.two_sweeps().await;
    assert_eq!(world.writes(), writes, "the copy causes writes");
    has(&world, &["second"]).await;
    hold_the_credential(&world, &["second"]).await;
    assert_eq!(world.get_secret("copy").await, Some(theirs), "it is a person's");
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn a_secret_that_was_renamed_before_a_status_named_it_is_kept_for_the_overlap() {
    let mut world = killed_before_the_first_status().await;
    let spec = json!({"outputs": named("second"), "rotation": {"overlap": "1h"}});
    world.patch_user(NAME, &json!({ "spec": spec })).await;
    world.start_operator();
    let is_kept = |user: &DynamicObject| delete_after(user, "first").is_some() && reason(user) == "Ready";
    world.until(NAME, "it is kept", is_kept).await;
    hold_the_credential(&world, &["first", "second"]).await;

    // Named again, it is an output as before.
    world.patch_user(NAME, &json!({"spec": {"outputs": named("first")}})).await;
    world.until(NAME, "the other one is kept", |user| delete_after(user, "second").is_some()).await;
    hold_the_credential(&world, &["first", "second"]).await;
    world.patch_user(NAME, &json!({"metadata": {"annotations": {END_OVERLAP: "second"}}})).await;
    world.eventually("it is deleted", async || world.get_secret("second").await.is_none()).await;
    has(&world, &["first"]).await;
}

/// A world in which the status names the first of two immutable Secrets, which is deleted; the second one is there.
async fn with_an_earlier_status() -> World {
    let mut world = connected(world()).await;
    let mut user = create(NAME, &world.namespace, DATASPACE_DISCOVERY);
    user["spec"]["outputs"] = immutable("a-");
    world.apply(&user).await;
    one_secret(&world, "a-").await;
    let earlier = stored_status(&world.user(NAME).await.unwrap())["outputs"].clone();
    change(&world, &immutable("b-")).await;
    one_secret(&world, "b-").await;
    world.stop_operator().await;
    let patch = Patch::Merge(json!({"status": {"outputs": earlier}}));
    world.users_api().patch_status(NAME, &PatchParams::default(), &patch).await.unwrap();
    world
}

#[tokio::test]
async fn an_immutable_secret_that_an_earlier_status_does_not_name_is_deleted() {
    let mut world = with_an_earlier_status().await;
    change(&world, &immutable("a-")).await;
    world.start_operator();
    one_secret(&world, "a-").await;
    assert!(world.get_secret("edc-1").await.is_some(), "the status names it");
}

#[tokio::test]
async fn an_immutable_secret_that_an_earlier_status_does_not_name_is_kept_if_it_is_in_use_again() {
    let mut world = with_an_earlier_status().await;
    world.start_operator();
    let names_it = |user: &DynamicObject| {
        user_status(user).outputs.iter().any(|output| output.secret.as_deref() == Some("edc-2"))
    };
    world.until(NAME, "the status names it", names_it).await;
    one_secret(&world, "b-").await;
    let secret = world.get_secret("edc-2").await;
    assert!(secret.is_some());
    world.two_sweeps().await;
    one_secret(&world, "b-").await;
    assert_eq!(world.get_secret("edc-2").await, secret, "it is neither deleted nor written again");
}
