//! A `TechnicalUser`'s client secret in Vault, by External Secrets, with the manifests and the policy of the page about
//! the connector.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[path = "../connector/edc/mod.rs"]
#[allow(dead_code, unused_imports, reason = "this binary needs a part of it")]
mod edc;
mod policy;
mod store;
#[path = "../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the support of the end-to-end tests; this binary needs a part of it"
)]
mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Change, Version};
use serde_json::{Value, json};

use self::edc::{Chart, Page, Reader, environment, merge};
use self::store::{NAME, Store};
use self::support::{World, create, one_company, recorded, secret_value, world};

/// The page with the manifests.
const PAGE: &str = "connector.md";
/// The role of a wallet user.
const WALLET: &str = IDENTITY_WALLET_MANAGEMENT;
/// A role of a user whose client secret can be reset in the portal.
const INTERNAL: &str = DATASPACE_DISCOVERY;

/// A technical user whose Secret is published, and the page's `SecretStore` beside it.
async fn published(role: &str) -> (World, Store) {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create(NAME, &world.namespace, role)).await;
    world.ready(NAME).await;
    let store = Store::start(world.plane, &world.namespace).await;
    (world, store)
}

async fn client_secret(world: &World) -> String {
    secret_value(&world.get_secret(NAME).await.unwrap(), "client-secret")
}

/// Waits until Vault holds what the Secret holds, and that is not `before`.
async fn follows(world: &World, store: &Store, before: &str) {
    store
        .until("Vault holds the new client secret", async || {
            let secret = client_secret(world).await;
            (secret != before && store.data().await == json!({ "content": secret })).then_some(())
        })
        .await;
}

#[tokio::test]
async fn vault_holds_a_wallet_users_client_secret_and_that_of_its_successor() {
    let (world, store) = published(WALLET).await;
    let first = client_secret(&world).await;
    assert_eq!(first, first.trim());
    store.push().await;
    assert_eq!(store.becomes("True").await, "PushSecret synced successfully");
    assert_eq!(store.data().await, json!({ "content": first }));
    let metadata = store.metadata().await.success().unwrap();
    assert_eq!(metadata["data"]["custom_metadata"], json!({"managed-by": "external-secrets"}));

    assert_eq!(world.simulator.delete_by_hand(world.user_of(NAME).id), Change::Done);
    world.sweep().await;
    world.until(NAME, "its successor is there", |user| recorded(user).generation == Some(2)).await;
    world.ready(NAME).await;
    follows(&world, &store, &first).await;

    store.delete().await;
    assert_eq!(store.deleted_or_refused().await, Ok(()));
    assert_eq!(store.entry().await.status, 404);
    world.delete(NAME).await;
    world.gone(NAME).await;
}

#[tokio::test]
async fn vault_follows_a_client_secret_that_was_reset_in_the_portal() {
    let (world, store) = published(INTERNAL).await;
    let first = client_secret(&world).await;
    store.push().await;
    store.becomes("True").await;
    let second = world.simulator.reset_by_hand(world.user_of(NAME).id).unwrap();
    follows(&world, &store, &first).await;
    assert_eq!(client_secret(&world).await, second);
}

#[tokio::test]
async fn the_entry_is_deleted_also_where_the_technical_user_was_deleted_first() {
    let (world, store) = published(WALLET).await;
    store.push().await;
    store.becomes("True").await;
    world.delete(NAME).await;
    world.gone(NAME).await;
    store.until("the Secret is gone", async || world.get_secret(NAME).await.is_none().then_some(())).await;
    store.push_again().await;
    assert_eq!(store.becomes("False").await, "could not get source secret");
    assert_eq!(store.entry().await.status, 200);
    store.delete().await;
    assert_eq!(store.deleted_or_refused().await, Ok(()));
}

#[tokio::test]
async fn an_entry_that_a_person_created_is_refused_and_not_changed() {
    let (world, store) = published(WALLET).await;
    let by_hand = json!({"content": "by hand"});
    store.write_entry(&by_hand).await;
    store.push().await;
    let words = store.becomes("False").await;
    assert!(words.ends_with("secret not managed by external-secrets"), "{words}");
    assert!(Page::read(PAGE).text().contains(&format!("\n{words}\n")), "the page does not quote: {words}");
    assert_eq!(store.data().await, by_hand);

    store.delete_entry().await;
    store.becomes("True").await;
    assert_eq!(store.data().await, json!({ "content": client_secret(&world).await }));
}

#[tokio::test]
async fn a_push_secret_that_was_refused_deletes_nothing() {
    let (_world, store) = published(WALLET).await;
    let by_hand = json!({"content": "by hand"});
    store.write_entry(&by_hand).await;
    store.push().await;
    store.becomes("False").await;
    store.delete().await;
    assert_eq!(store.deleted_or_refused().await, Err("the entry is still there".to_owned()));
    assert_eq!(store.data().await, by_hand);
}

/// The connector's container with the variables that the kubelet builds from the page's values and from the Secret in the
/// cluster. It reads this Vault.
async fn variables(world: &World, store: &Store) -> BTreeMap<String, String> {
    let chart = Chart::of("0.13");
    let mut values = chart.values_of_the_company();
    merge(&mut values, &Page::read(PAGE).yaml("values-0.13.yaml"));
    values["vault"]["hashicorp"] = store.as_value();
    let container = &chart.render(&values).unwrap()["controlplane"];
    let mut secrets = BTreeMap::new();
    for name in &container.env_from {
        let secret = world.get_secret(name).await.unwrap();
        let keys = secret.data.as_ref().unwrap().keys();
        secrets.insert(name.clone(), keys.map(|key| (key.clone(), secret_value(&secret, key))).collect());
    }
    environment(container, &secrets).unwrap()
}

/// The page's `TechnicalUser` in this namespace, with another role.
fn page_user(world: &World, role: &str) -> Value {
    let mut user = Page::read(PAGE).yaml("edc-wallet-push.yaml");
    user["metadata"]["namespace"] = json!(world.namespace);
    user["spec"]["portalRef"]["namespace"] = json!(world.namespace);
    user["spec"]["user"]["create"]["roles"] = json!([role]);
    user
}

#[tokio::test]
async fn a_connector_obtains_tokens_with_the_pages_manifests_also_after_a_reset() {
    let config = one_company(Version::Main).token_lifetime(Duration::from_secs(12));
    let world = world().simulator(config).start().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.patch_portal(&Page::read(PAGE).yaml("dataspace.yaml")).await;
    world.apply(&page_user(&world, INTERNAL)).await;
    world.ready(NAME).await;
    let store = Store::start(world.plane, &world.namespace).await;
    let first = client_secret(&world).await;
    store.push().await;
    store.becomes("True").await;

    let reader = Reader::start(&variables(&world, &store).await).await.unwrap();
    let outcome = reader.obtains_more_than(&json!(null)).await;
    assert_eq!(outcome["clientId"], json!(world.user_of(NAME).client_id), "{outcome}");
    assert_eq!(outcome["failed"], 0, "{outcome}");

    world.simulator.reset_by_hand(world.user_of(NAME).id).unwrap();
    let refused = reader.until("the token is expired", |now| now["ready"] == false).await;
    follows(&world, &store, &first).await;
    reader.obtains_more_than(&refused).await;
}
