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

mod page;
mod policy;
mod store;
#[path = "../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the support of the end-to-end tests; this binary needs a part of it"
)]
mod support;

use portal_simulator::Change;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use serde_json::json;

use self::page::Page;
use self::store::{NAME, Store};
use self::support::{World, create, recorded, secret_value, world};

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
    assert!(Page::read().text().contains(&format!("\n{words}\n")), "the page does not quote: {words}");
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
