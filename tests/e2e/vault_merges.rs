//! Keys in entries of other owners in a real Vault.

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::Vault;

use crate::support::vault::{merged, metadata, prepared, set_up, with_outputs};
use crate::support::{World, world};

const USER: &str = "edc";
const PATH: &str = "connectors/app";

/// What is in the entry; null if its newest version is deleted, or if there is none.
async fn data(vault: &Vault) -> Value {
    let answer = vault.as_root("GET", &format!("secret/data/{PATH}"), None).await.unwrap();
    answer.success().map(|answer| answer["data"]["data"].clone()).unwrap_or_default()
}

async fn owner_writes(vault: &Vault, data: &Value) {
    set_up(vault, "POST", &format!("secret/data/{PATH}"), &json!({ "data": data })).await;
}

/// The pairs of the custom metadata that are the operator's.
async fn notes(vault: &Vault) -> Vec<String> {
    let custom = metadata(vault, PATH).await.unwrap()["custom_metadata"].clone();
    let names = custom.as_object().map(|custom| custom.keys().cloned().collect::<Vec<_>>());
    names.unwrap_or_default().into_iter().filter(|name| name.starts_with("technicaluser.dev/")).collect()
}

async fn apply(world: &World, name: &str, keys: &Value) {
    let outputs = json!([merged(PATH, keys)]);
    world.apply(&with_outputs(world, name, DATASPACE_DISCOVERY, &outputs)).await;
}

/// A short interval between comparisons, and an entry of another owner.
async fn started() -> (World, Vault) {
    let world = world().start().await;
    let vault = prepared(&world).await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    owner_writes(&vault, &json!({"theirs": "kept"})).await;
    (world, vault)
}

#[tokio::test]
async fn keys_are_written_again_whatever_the_owner_does_with_the_entry() {
    let (world, vault) = started().await;
    apply(&world, USER, &json!({"client-secret": "content"})).await;
    world.ready(USER).await;
    let secret = world.user_of(USER).secret.unwrap();
    assert_eq!(data(&vault).await, json!({"theirs": "kept", "content": secret}));
    let (entry, metadata) = (format!("secret/data/{PATH}"), format!("secret/metadata/{PATH}"));
    for (deletes, theirs) in [
        (false, json!({"theirs": "changed"})),
        (false, json!({"theirs": "changed", "content": "another"})),
        (true, json!({"theirs": "created again"})),
    ] {
        if deletes {
            set_up(&vault, "DELETE", &metadata, &json!({})).await;
        }
        owner_writes(&vault, &theirs).await;
        let mut expected = theirs.clone();
        expected["content"] = json!(secret);
        world.eventually(&format!("{theirs} has the keys"), async || data(&vault).await == expected).await;
    }
    world.ready(USER).await;

    // A deleted version is not written over. The owner restores it.
    set_up(&vault, "DELETE", &entry, &json!({})).await;
    let words = world.because(USER, "MergeTargetMissing").await;
    assert!(words.contains(&entry) && words.contains("deleted"), "{words}");
    assert_eq!(data(&vault).await, Value::Null);
    owner_writes(&vault, &json!({"theirs": "restored"})).await;
    world.sweep().await;
    world
        .eventually("the keys are there", async || {
            data(&vault).await == json!({"theirs": "restored", "content": secret})
        })
        .await;
    world.ready(USER).await;
    assert_eq!(world.count(Endpoint::Create), 1);

    world.delete(USER).await;
    world.gone(USER).await;
    assert_eq!(data(&vault).await, json!({"theirs": "restored"}));
    assert_eq!(notes(&vault).await, Vec::<String>::new());
    assert_eq!(world.ours(), []);
}

#[tokio::test]
async fn two_resources_add_keys_to_one_entry_and_none_overwrites_a_key_of_others() {
    let (world, vault) = started().await;
    apply(&world, "one", &json!({"client-secret": "one"})).await;
    apply(&world, "two", &json!({"client-secret": "two", "client-id": "two-id"})).await;
    world.ready("one").await;
    world.ready("two").await;
    let [one, two] = ["one", "two"].map(|name| world.user_of(name));
    let whole = json!({"theirs": "kept", "one": one.secret, "two": two.secret, "two-id": two.client_id});
    assert_eq!(data(&vault).await, whole);
    assert_eq!(notes(&vault).await.len(), 2);

    for (name, key) in [("three", "theirs"), ("four", "one")] {
        apply(&world, name, &json!({"client-secret": key})).await;
        let words = world.because(name, "KeyTaken").await;
        assert!(words.contains(&format!("\"{key}\"")), "{words}");
    }
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 2, "no user is created for a key of others");
    assert_eq!(data(&vault).await, whole);

    world.delete("one").await;
    world.gone("one").await;
    world.sweep().await;
    world.ready("four").await;
    let four = world.user_of("four").secret;
    assert_eq!(
        data(&vault).await,
        json!({"theirs": "kept", "one": four, "two": two.secret, "two-id": two.client_id})
    );
}

/// Both have the same moment to add their keys: no write of one removes what the other one has written.
#[tokio::test]
async fn resources_that_add_keys_at_one_moment_all_have_them() {
    let (world, vault) = started().await;
    let names: Vec<String> = (1..=4).map(|number| format!("user-{number}")).collect();
    let keys: Vec<Value> = names.iter().map(|name| json!({"client-secret": name})).collect();
    futures::future::join_all(names.iter().zip(&keys).map(|(name, keys)| apply(&world, name, keys))).await;
    let mut expected = json!({"theirs": "kept"});
    for name in &names {
        world.ready(name).await;
        expected[name.as_str()] = json!(world.user_of(name).secret);
    }
    assert_eq!(data(&vault).await, expected);
    assert_eq!(notes(&vault).await.len(), names.len());
    for name in &names {
        world.delete(name).await;
    }
    for name in &names {
        world.gone(name).await;
    }
    assert_eq!(data(&vault).await, json!({"theirs": "kept"}));
    assert_eq!(notes(&vault).await, Vec::<String>::new());
}
