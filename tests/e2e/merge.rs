//! Keys in Secrets of other owners (`creationPolicy: Merge`).

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};

use crate::support::{World, create, secret_value, user_status, world};

/// The Secret of another owner.
pub const TARGET: &str = "app";

/// A `TechnicalUser` that adds id and secret to the target under these names.
pub fn merging(world: &World, name: &str, prefix: &str) -> Value {
    let keys = json!({"client-id": format!("{prefix}-id"), "client-secret": format!("{prefix}-secret")});
    let secret = json!({"name": TARGET, "creationPolicy": "Merge", "keys": keys});
    let mut user = create(name, &world.namespace, DATASPACE_DISCOVERY);
    user["spec"]["outputs"] = json!([{ "secret": secret }]);
    user
}

/// The Secret of an application, as its chart writes it.
pub async fn target(world: &World, change: impl FnOnce(&mut Secret)) {
    let manifest = json!({
        "metadata": {"name": TARGET, "labels": {"app": "x"}, "annotations": {"by": "Helm"}},
        "type": "example.org/app",
        "stringData": {"theirs": "kept"},
    });
    let mut secret: Secret = serde_json::from_value(manifest).unwrap();
    change(&mut secret);
    world.secrets_api().create(&PostParams::default(), &secret).await.unwrap();
}

pub async fn data(world: &World) -> BTreeMap<String, ByteString> {
    world.get_secret(TARGET).await.unwrap().data.unwrap_or_default()
}

pub async fn keys(world: &World) -> Vec<String> {
    data(world).await.into_keys().collect()
}

pub async fn until_keys(world: &World, what: &str, expected: &[&str]) {
    world
        .wait_for(what, async || {
            let Some(secret) = world.get_secret(TARGET).await else { return Err(Vec::new()) };
            let found: Vec<String> = secret.data.unwrap_or_default().into_keys().collect();
            if found == expected { Ok(()) } else { Err(found) }
        })
        .await;
}

#[tokio::test]
async fn keys_are_added_to_a_secret_of_another_owner_and_removed_at_the_end() {
    let world = world().start().await;
    world.portal_ready().await;
    world.apply(&merging(&world, "edc", "portal")).await;
    let words = world.because("edc", "MergeTargetMissing").await;
    assert!(words.contains(TARGET), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0, "a user was created for a Secret that does not exist");

    target(&world, |_| ()).await;
    world.ready("edc").await;
    let secret = world.get_secret(TARGET).await.unwrap();
    let user = world.user_of("edc");
    assert_eq!(secret_value(&secret, "portal-id"), user.client_id.clone().unwrap());
    assert_eq!(secret_value(&secret, "theirs"), "kept");
    assert_eq!(secret.type_.as_deref(), Some("example.org/app"));
    assert_eq!(secret.metadata.labels, Some(BTreeMap::from([("app".to_owned(), "x".to_owned())])));
    assert_eq!(secret.metadata.owner_references, None);

    // What another client changes of ours is repaired, and what it changes of its own is kept.
    let patch = json!({"stringData": {"theirs": "new", "portal-id": "wrong"}});
    world.secrets_api().patch(TARGET, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    world
        .eventually("the key is repaired", async || {
            secret_value(&world.get_secret(TARGET).await.unwrap(), "portal-id") != "wrong"
        })
        .await;
    assert_eq!(secret_value(&world.get_secret(TARGET).await.unwrap(), "theirs"), "new");

    // Its owner deletes it and creates it again.
    world.secrets_api().delete(TARGET, &DeleteParams::default()).await.unwrap();
    target(&world, |_| ()).await;
    until_keys(&world, "the keys are added again", &["portal-id", "portal-secret", "theirs"]).await;
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Create), 1);

    world.delete("edc").await;
    world.gone("edc").await;
    let left = world.get_secret(TARGET).await.unwrap();
    assert_eq!(keys(&world).await, ["theirs"]);
    assert_eq!(left.metadata.annotations, Some(BTreeMap::from([("by".to_owned(), "Helm".to_owned())])));
}

#[tokio::test]
async fn two_resources_add_their_keys_to_one_secret_and_overwrite_none() {
    let world = world().start().await;
    target(&world, |_| ()).await;
    world.apply(&merging(&world, "one", "one")).await;
    world.apply(&merging(&world, "two", "two")).await;
    world.ready("one").await;
    world.ready("two").await;
    let all = ["one-id", "one-secret", "theirs", "two-id", "two-secret"];
    assert_eq!(keys(&world).await, all);

    // The keys of another resource, and those of the Secret's owner.
    let before = data(&world).await;
    world.apply(&merging(&world, "third", "one")).await;
    let words = world.because("third", "KeyTaken").await;
    assert!(words.contains("\"one-id\"") && words.contains("/one wrote"), "{words}");
    let mut fourth = merging(&world, "fourth", "x");
    fourth["spec"]["outputs"][0]["secret"]["keys"] = json!({"client-id": "theirs"});
    world.apply(&fourth).await;
    assert!(world.because("fourth", "KeyTaken").await.contains("another client"));
    world.two_sweeps().await;
    assert_eq!(data(&world).await, before);
    assert_eq!(world.count(Endpoint::Create), 2, "a user was created for keys that cannot be written");

    // Other names for the keys, and no keys any more.
    world.apply(&merging(&world, "one", "first")).await;
    until_keys(&world, "renamed", &["first-id", "first-secret", "theirs", "two-id", "two-secret"]).await;
    world.ready("one").await;
    world.patch_user("one", &json!({"spec": {"outputs": [{"secret": {"name": "own"}}]}})).await;
    until_keys(&world, "removed with the output", &["theirs", "two-id", "two-secret"]).await;
    world.until("one", "one output is left", |user| user_status(user).outputs.len() == 1).await;
    assert_eq!(world.token_with("own").await, 200);
}

#[tokio::test]
async fn a_secret_that_cannot_take_the_keys_gets_no_user() {
    let world = world().start().await;
    world.portal_ready().await;
    target(&world, |secret| secret.immutable = Some(true)).await;
    world.apply(&merging(&world, "edc", "portal")).await;
    let words = world.because("edc", "OutputNotWritable").await;
    assert!(words.contains("immutable"), "{words}");
    world.secrets_api().delete(TARGET, &DeleteParams::default()).await.unwrap();
    let large = ByteString(vec![b'x'; (1 << 20) - 20]);
    target(&world, |secret| secret.data = Some(BTreeMap::from([("large".to_owned(), large)]))).await;
    world.until("edc", "too large", |user| crate::support::message(user).contains("Too long")).await;

    // A Secret that a TechnicalUser owns.
    assert_eq!(world.portal_writes(), 0);
    world.apply(&create("owner", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("owner").await;
    let mut onto_owned = merging(&world, "second", "portal");
    onto_owned["spec"]["outputs"][0]["secret"]["name"] = json!("owner");
    world.apply(&onto_owned).await;
    let words = world.because("second", "OutputNotOurs").await;
    assert!(words.contains("the TechnicalUser"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 1);
    world.delete("edc").await;
    world.gone("edc").await;
}
