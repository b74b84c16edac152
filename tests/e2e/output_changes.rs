//! Outputs that change while others do not: what is recorded, reported and requested then.

use kube::core::DynamicObject;
use portal_simulator::Endpoint;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use serde_json::{Value, json};
use technical_user_operator::api::technical_user::RecordedOutput;
use testbed::{Action, Matcher};

use crate::support::{World, condition, create, secret_value, user_status, world};

const NAME: &str = "edc";

fn with_outputs(world: &World, role: &str, outputs: &Value) -> Value {
    let mut user = create(NAME, &world.namespace, role);
    user["spec"]["outputs"] = outputs.clone();
    user
}

/// Outputs that are Secrets of these names.
fn secrets(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"secret": {"name": name}})).collect()
}

fn output(user: &DynamicObject, name: &str) -> Option<RecordedOutput> {
    user_status(user).outputs.into_iter().find(|output| output.name == name)
}

/// The credential is counted on its own, not by the Secrets that changed with it.
#[tokio::test]
async fn a_credential_is_counted_once_and_a_change_of_the_format_is_none() {
    let world = world().start().await;
    let dataspace = json!({"walletUrl": "https://wallet.example.org/api/sts"});
    let interval = json!({"interval": "10s"});
    world.patch_portal(&json!({"spec": {"dataspace": dataspace, "verification": interval}})).await;
    let env = json!({"secret": {"name": "env", "format": "EdcEnv", "secretAlias": "edc"}});
    let raw = |keys: Value| json!({"secret": {"name": "raw", "keys": keys}});
    world.apply(&with_outputs(&world, DATASPACE_DISCOVERY, &json!([env, raw(Value::Null)]))).await;
    let first = user_status(&world.ready(NAME).await).credential.unwrap();
    assert_eq!(first.generation, 1);

    let new = world.simulator.reset_by_hand(world.user_of(NAME).id).unwrap();
    let second = world
        .until(NAME, "the second credential is counted", |user| {
            user_status(user).credential.is_some_and(|credential| credential.generation == 2)
        })
        .await;
    assert_eq!(secret_value(&world.get_secret("raw").await.unwrap(), "client-secret"), new);
    let (_, note) = world.event(NAME, "CredentialChanged").await;
    assert!(note.contains("\"raw\""), "the Secret without the client secret has not changed: {note}");
    assert_eq!(output(&second, "raw").unwrap().credential, Some(2));

    let keys = json!({"client-id": "id", "client-secret": "password"});
    world.apply(&with_outputs(&world, DATASPACE_DISCOVERY, &json!([env, raw(keys)]))).await;
    let (_, note) = world.event(NAME, "OutputChanged").await;
    assert!(note.contains("\"raw\"") && note.contains("same credential"), "{note}");
    let third = user_status(&world.ready(NAME).await).credential.unwrap();
    assert_eq!(Some(third), user_status(&second).credential, "it is the same credential");
}

/// Whether a user can have a value is known by its roles and by the Portal.
#[tokio::test]
async fn a_value_that_the_user_would_not_have_is_missing_before_there_is_a_user() {
    let world = world().start().await;
    world.portal_ready().await;
    let keys = json!([{"secret": {"keys": {"client-id": "id", "issuer-url": "issuer"}}}]);
    world.apply(&with_outputs(&world, IDENTITY_WALLET_MANAGEMENT, &keys)).await;
    let words = world.because(NAME, "OutputInvalid").await;
    assert!(words.contains("issuerUrl"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0, "a user was created for nothing");
    world.delete(NAME).await;
    world.gone(NAME).await;
    world.apply(&with_outputs(&world, DATASPACE_DISCOVERY, &keys)).await;
    world.ready(NAME).await;
}

/// What a format does not use changes nothing, and what it lacks costs no request to the token endpoint.
#[tokio::test]
async fn a_change_of_the_data_space_concerns_only_the_formats_that_use_it() {
    let world = world().start().await;
    let dataspace =
        |did: Value| json!({"spec": {"dataspace": {"walletUrl": "https://wallet.example.org", "did": did}}});
    world.patch_portal(&dataspace(json!("did:web:one"))).await;
    let outputs = json!([
        {"secret": {"name": "raw"}},
        {"secret": {"name": "env", "format": "EdcEnv", "secretAlias": "edc"}},
        {"secret": {"name": "other", "format": "Template", "template": {"x": "{{ clientId }} candidate {{ walletUrl }}"}}},
        {"secret": {"name": "uses", "format": "Template", "template": {"x": "{{ did }}"}}},
    ]);
    world.apply(&with_outputs(&world, DATASPACE_DISCOVERY, &outputs)).await;
    world.ready(NAME).await;
    let versions = async || {
        let mut versions = Vec::new();
        for name in ["raw", "env", "other"] {
            versions.push(world.get_secret(name).await.unwrap().metadata.resource_version);
        }
        versions
    };
    let before = versions().await;
    world.patch_portal(&dataspace(json!("did:web:two"))).await;
    world
        .eventually("the new value is in the Secret that uses it", async || {
            secret_value(&world.get_secret("uses").await.unwrap(), "x") == "did:web:two"
        })
        .await;
    world.ready(NAME).await;
    assert_eq!(versions().await, before, "a Secret that does not use the value was written");

    let tokens = world.count(Endpoint::Token);
    world.patch_portal(&dataspace(Value::Null)).await;
    let words = world.because(NAME, "OutputInvalid").await;
    assert!(words.contains("did"), "{words}");
    world.two_sweeps().await;
    world.two_sweeps().await;
    assert!(world.count(Endpoint::Token) <= tokens + 1, "a token is requested at each try");
    assert_eq!(secret_value(&world.get_secret("uses").await.unwrap(), "x"), "did:web:two", "it is kept");
}

/// Another client writes one Secret all the time.
#[tokio::test]
async fn a_conflict_of_one_secret_neither_prevents_the_others_nor_repeats_their_writes() {
    let world = world().start().await;
    world.apply(&with_outputs(&world, DATASPACE_DISCOVERY, &secrets(&["one"]))).await;
    world.ready(NAME).await;
    let conflicting = Matcher::any().method("PATCH").path_regex("/secrets/one$").unwrap().dry_run(false);
    let conflicts = world.proxy.on(conflicting).action(Action::status(409, "Conflict", "on demand"));
    let with_label = json!([
        {"secret": {"name": "one", "labels": {"changed": "yes"}}},
        {"secret": {"name": "two"}},
    ]);
    world.apply(&with_outputs(&world, DATASPACE_DISCOVERY, &with_label)).await;
    let user = world
        .until(NAME, "the other Secret is recorded", |user| {
            output(user, "two").is_some_and(|output| !output.digest.is_empty())
        })
        .await;
    assert_eq!(condition(&user, "Ready").unwrap().status, "True", "a conflict passes");
    let two = world.get_secret("two").await.unwrap();
    assert_eq!(secret_value(&two, "technical-user-id"), world.user_of(NAME).id.to_string());
    let (tokens, hits) = (world.count(Endpoint::Token), conflicts.hits());
    world.eventually("it is tried again", async || conflicts.hits() >= hits + 3).await;
    assert_eq!(world.get_secret("two").await.unwrap(), two, "it was written again");
    conflicts.remove();
    world
        .eventually("the first Secret is written", async || {
            let labels = world.get_secret("one").await.unwrap().metadata.labels.unwrap_or_default();
            labels.contains_key("changed")
        })
        .await;
    world.ready(NAME).await;
    let more = world.count(Endpoint::Token) - tokens;
    assert!(more <= hits + 3, "{more} token requests");
}

/// A resource that never becomes ready, and whose outputs are renamed again and again.
#[tokio::test]
async fn former_secrets_of_a_resource_that_never_becomes_ready_are_bounded() {
    let world = world().start().await;
    world.apply(&with_outputs(&world, DATASPACE_DISCOVERY, &secrets(&["first"]))).await;
    world.ready(NAME).await;
    world.secret("foreign", &[("key", "of Helm")]).await;
    for number in 0..26 {
        let name = format!("name-{number}");
        let renamed = secrets(&[&name, "foreign"]);
        world.patch_user(NAME, &json!({"spec": {"outputs": renamed}})).await;
        world
            .until(NAME, "the new name is recorded", |user| {
                output(user, &name).is_some_and(|output| !output.digest.is_empty())
            })
            .await;
    }
    let user = world.user(NAME).await.unwrap();
    let names: Vec<String> = user_status(&user).outputs.into_iter().map(|output| output.name).collect();
    assert!(names.len() <= 20 && names.contains(&"name-25".to_owned()), "{names:?}");
    assert!(world.get_secret("first").await.is_none(), "the oldest is removed");
    for name in &names {
        assert!(world.get_secret(name).await.is_some(), "{name} is recorded");
    }
    world.patch_user(NAME, &json!({"spec": {"outputs": secrets(&["name-25"])}})).await;
    world.ready(NAME).await;
    for number in 0..25 {
        assert!(world.get_secret(&format!("name-{number}")).await.is_none(), "name-{number} is left behind");
    }
    assert_eq!(world.count(Endpoint::Create), 1);
}
