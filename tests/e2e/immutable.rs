//! Immutable Secrets: a new one for each content, and the former one is deleted after the overlap.

use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use technical_user_operator::api::technical_user::RecordedOutput;

use crate::support::{END_OVERLAP, World, condition, create, message, secret_value, user_status, world};

const NAME: &str = "edc";

fn immutable(prefix: &str) -> Value {
    json!([{"secret": {"immutable": true, "keyPrefix": prefix}}])
}

fn manifest(world: &World, overlap: &str) -> Value {
    let mut user = create(NAME, &world.namespace, DATASPACE_DISCOVERY);
    user["spec"]["outputs"] = immutable("a-");
    user["spec"]["rotation"] = json!({"overlap": overlap});
    user
}

async fn change(world: &World, outputs: &Value) {
    world.patch_user(NAME, &json!({"spec": {"outputs": outputs}})).await;
}

fn entry(user: &DynamicObject) -> RecordedOutput {
    user_status(user).outputs.into_iter().find(|output| output.kind == "ImmutableSecret").unwrap()
}

/// Waits until the resource is ready with this Secret, as a program finds it.
async fn in_use(world: &World, name: &str) -> Secret {
    world
        .until(NAME, &format!("{name} is in use"), |user| {
            let ready = condition(user, "Ready").is_some_and(|ready| {
                ready.status == "True" && ready.observed_generation == user.metadata.generation
            });
            ready && entry(user).secret.as_deref() == Some(name)
        })
        .await;
    world.get_secret(name).await.unwrap()
}

/// Another client's deletion of its own Secret is not watched: the operator is to try again at once.
async fn try_again(world: &World, number: &str) {
    world.patch_user(NAME, &json!({"metadata": {"annotations": {"example.org/touched": number}}})).await;
}

async fn deleted(world: &World, name: &str) {
    world.eventually(&format!("{name} is deleted"), async || world.get_secret(name).await.is_none()).await;
}

#[tokio::test]
async fn each_content_has_a_secret_of_its_own_and_the_former_one_is_kept_for_the_overlap() {
    let mut world = world().start().await;
    world.apply(&manifest(&world, "1h")).await;
    let first = in_use(&world, "edc-1").await;
    assert_eq!(first.immutable, Some(true));
    assert_eq!(world.token_with_keys("edc-1", "a-").await, 200);

    // A new secret in the portal.
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    let new = world.simulator.reset_by_hand(world.user_of(NAME).id).unwrap();
    let second = in_use(&world, "edc-2").await;
    assert_eq!(secret_value(&second, "a-client-secret"), new);
    assert_eq!(world.get_secret("edc-1").await.unwrap().data, first.data, "its readers keep it");
    let user = world
        .until(NAME, "the time of the deletion", |user| {
            user_status(user)
                .outputs
                .iter()
                .any(|output| output.name == "edc-1" && output.delete_after.is_some())
        })
        .await;
    assert_eq!(user_status(&user).outputs.len(), 2);

    // Another format of the same credential, and back.
    change(&world, &immutable("b-")).await;
    in_use(&world, "edc-3").await;
    change(&world, &immutable("a-")).await;
    let fourth = in_use(&world, "edc-4").await;
    assert_eq!(fourth.data, second.data);
    let hurry = json!({"metadata": {"annotations": {END_OVERLAP: "edc-1,edc-3"}}});
    world.patch_user(NAME, &hurry).await;
    deleted(&world, "edc-1").await;
    deleted(&world, "edc-3").await;
    assert!(world.get_secret("edc-2").await.is_some());

    // At rest nothing is written and no token is requested, also after a restart.
    world.patch_portal(&json!({"spec": {"verification": null}})).await;
    in_use(&world, "edc-4").await;
    world.stop_operator().await;
    let before = (world.writes(), world.user(NAME).await.unwrap().metadata.resource_version);
    world.start_operator();
    world.two_sweeps().await;
    assert_eq!((world.writes(), world.user(NAME).await.unwrap().metadata.resource_version), before);

    change(&world, &json!([{"secret": {"name": "plain"}}])).await;
    world
        .until(NAME, "it is written", |user| user_status(user).outputs.iter().any(|o| o.name == "plain"))
        .await;
    world.patch_user(NAME, &json!({"spec": {"rotation": null}})).await;
    deleted(&world, "edc-2").await;
    deleted(&world, "edc-4").await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn its_metadata_is_repaired_and_one_that_was_deleted_is_created_again() {
    let world = world().start().await;
    world.apply(&manifest(&world, "0s")).await;
    let first = in_use(&world, "edc-1").await;
    let without = json!({"metadata": {"labels": null, "annotations": {"technicaluser.dev/user-id": "wrong", "by": "them"}}});
    world.secrets_api().patch("edc-1", &PatchParams::default(), &Patch::Merge(&without)).await.unwrap();
    world
        .eventually("labels and annotations are repaired", async || {
            let metadata = world.get_secret("edc-1").await.unwrap().metadata;
            let annotations = metadata.annotations.unwrap();
            metadata.labels == first.metadata.labels
                && annotations["technicaluser.dev/user-id"] == world.user_of(NAME).id.to_string()
                && annotations["by"] == "them"
        })
        .await;
    let edit = json!({"stringData": {"a-client-id": "x"}});
    let refused = world.secrets_api().patch("edc-1", &PatchParams::default(), &Patch::Merge(&edit)).await;
    assert!(refused.unwrap_err().to_string().contains("immutable"));
    world.secrets_api().delete("edc-1", &DeleteParams::default()).await.unwrap();
    world
        .eventually("the Secret is there again", async || {
            world.get_secret("edc-1").await.is_some_and(|secret| secret.data == first.data)
        })
        .await;
    in_use(&world, "edc-1").await;
    assert_eq!(world.count(Endpoint::Create), 1);
    world.delete(NAME).await;
    world.gone(NAME).await;
}

#[tokio::test]
async fn a_secret_of_others_is_not_changed() {
    let world = world().start().await;
    world.portal_ready().await;
    let theirs = |name: &str| -> Secret {
        serde_json::from_value(json!({"metadata": {"name": name}, "stringData": {"theirs": "kept"}})).unwrap()
    };
    let secrets = world.secrets_api();
    secrets.create(&PostParams::default(), &theirs("edc-1")).await.unwrap();
    world.apply(&manifest(&world, "0s")).await;
    let words = world.because(NAME, "OutputNotOurs").await;
    assert!(words.contains("\"edc-1\""), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0, "a user was created for nothing");
    secrets.delete("edc-1", &DeleteParams::default()).await.unwrap();
    try_again(&world, "1").await;
    in_use(&world, "edc-1").await;

    // The name of the next one.
    secrets.create(&PostParams::default(), &theirs("edc-2")).await.unwrap();
    change(&world, &immutable("b-")).await;
    let words = world.because(NAME, "OutputNotOurs").await;
    assert!(words.contains("\"edc-2\""), "{words}");
    assert_eq!(world.token_with_keys("edc-1", "a-").await, 200, "the credential is still published");
    let tokens = world.count(Endpoint::Token);
    world.two_sweeps().await;
    assert!(world.count(Endpoint::Token) <= tokens + 6, "token requests in a loop");
    assert_eq!(secret_value(&world.get_secret("edc-2").await.unwrap(), "theirs"), "kept");
    secrets.delete("edc-2", &DeleteParams::default()).await.unwrap();
    try_again(&world, "2").await;
    in_use(&world, "edc-2").await;
    deleted(&world, "edc-1").await;

    // Others delete the one in use, and create another one in its place.
    secrets.delete("edc-2", &DeleteParams::default()).await.unwrap();
    while secrets.create(&PostParams::default(), &theirs("edc-2")).await.is_err() {
        secrets.delete("edc-2", &DeleteParams::default()).await.ok();
    }
    let user = world.until(NAME, "it is theirs", |user| message(user).contains("\"edc-2\"")).await;
    assert_eq!(condition(&user, "Ready").unwrap().reason, "OutputNotOurs");
    world.delete(NAME).await;
    world.gone(NAME).await;
    assert_eq!(secret_value(&world.get_secret("edc-2").await.unwrap(), "theirs"), "kept");
}
