//! Killed before the first write to an entry in a Vault: the status names its place, and nothing is there. Then the next operator
//! starts, or the resource changes before it does.

use kube::api::{DynamicObject, Patch, PatchParams};
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use technical_user_operator::api::technical_user::RecordedOutput;
use testbed::{Matcher, Stage, Vault};

use crate::support::vault::{
    api, because, entries, entry, policy, prepared, put_a_proxy_before, rule, set_up, with_outputs,
};
use crate::support::{World, condition, connected, user_status, world};

const NAME: &str = "edc";

/// A world in which the operator was killed when the status named a place for the entry, and nothing was there yet.
async fn killed_before_the_write() -> (World, Vault) {
    let mut world = connected(world()).await;
    let vault = prepared(&world).await;
    set_up(&vault, "PUT", "sys/policies/acl/writer", &policy("")).await;
    put_a_proxy_before(&vault, &mut world).await;
    let writes = Matcher::writes().path_regex("^/v1/secret/(meta)?data/connectors/").unwrap();
    let held = world.vault_proxy.as_ref().unwrap().on(writes).nth(1).hold(Stage::Before);
    world.apply(&with_outputs(&world, NAME, DATASPACE_DISCOVERY, &json!([entry(None)]))).await;
    held.reached().await.unwrap();
    world.kill_operator();
    let outputs = user_status(&world.user(NAME).await.unwrap()).outputs;
    let begun: Vec<_> = outputs.iter().flat_map(|output| &output.begun).collect();
    assert_eq!(begun.iter().map(|entry| entry.secret_alias.as_str()).collect::<Vec<_>>(), ["edc-1"]);
    assert!(!outputs.iter().any(RecordedOutput::is_written), "{outputs:#?}");
    assert!(entries(&vault, "connectors").await.is_empty());
    (world, vault)
}

/// Waits until the resource is ready, and its status names one output, which is written, and no other place. Returns the path of an
/// entry in a Vault.
async fn one_output(world: &World) -> Option<String> {
    let is_so = |user: &DynamicObject| {
        let ready = condition(user, "Ready").is_some_and(|ready| {
            ready.status == "True" && ready.observed_generation == user.metadata.generation
        });
        let outputs = user_status(user).outputs;
        ready && matches!(outputs.as_slice(), [output] if output.is_written() && output.begun.is_empty())
    };
    let user = world.until(NAME, "one output is written", is_so).await;
    assert_eq!((world.ours().len(), world.count(Endpoint::Create)), (1, 1));
    let entry = user_status(&user).outputs.remove(0).entry?;
    Some(format!("{}/{}", entry.folder, entry.secret_alias))
}

/// The entries below the two folders, each with its content.
async fn found(vault: &Vault) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for folder in ["connectors", "others"] {
        for name in entries(vault, folder).await {
            let path = format!("{folder}/{name}");
            let data = vault.as_root("GET", &format!("secret/data/{path}"), None).await.unwrap();
            found.push((path, data.success().unwrap()["data"]["data"]["content"].clone()));
        }
    }
    found
}

/// The one entry that is there holds the credential.
async fn is_at(world: &World, vault: &Vault, path: &str) {
    assert_eq!(one_output(world).await.as_deref(), Some(path));
    assert_eq!(found(vault).await, [(path.to_owned(), json!(world.user_of(NAME).secret))]);
}

async fn set_outputs(world: &World, outputs: Value) {
    world.patch_user(NAME, &json!({"spec": {"outputs": outputs}})).await;
}

#[tokio::test]
async fn an_entry_that_was_only_announced_is_written_after_a_restart() {
    let (mut world, vault) = killed_before_the_write().await;
    world.start_operator();
    is_at(&world, &vault, "connectors/edc-1").await;
}

#[tokio::test]
async fn an_entry_that_was_only_announced_is_forgotten_when_the_spec_names_another_path() {
    let (mut world, vault) = killed_before_the_write().await;
    set_outputs(&world, json!([entry(Some("connectors/other"))])).await;
    world.start_operator();
    is_at(&world, &vault, "connectors/other-1").await;
}

/// The output is the same one, and has another place.
#[tokio::test]
async fn an_entry_that_was_only_announced_is_forgotten_when_the_vault_gives_it_another_folder() {
    let (mut world, vault) = killed_before_the_write().await;
    let access = Patch::Merge(json!({"spec": {"access": [rule("Same", "others")]}}));
    api(&world).patch(crate::support::vault::NAME, &PatchParams::default(), &access).await.unwrap();
    world.start_operator();
    because(&world, "VaultReady").await;
    is_at(&world, &vault, "others/edc-1").await;
}

#[tokio::test]
async fn an_entry_that_was_only_announced_is_forgotten_when_the_output_becomes_a_secret() {
    let (mut world, vault) = killed_before_the_write().await;
    set_outputs(&world, json!([{"secret": {}}])).await;
    world.start_operator();
    assert_eq!(one_output(&world).await, None);
    assert_eq!(world.token_with(NAME).await, 200);
    assert_eq!(found(&vault).await, []);
}

#[tokio::test]
async fn a_resource_whose_entry_was_only_announced_is_deleted() {
    let (mut world, vault) = killed_before_the_write().await;
    world.delete(NAME).await;
    world.start_operator();
    world.gone(NAME).await;
    assert_eq!((world.ours(), found(&vault).await), (Vec::new(), Vec::new()));
}
