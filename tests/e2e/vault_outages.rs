//! A Vault that is sealed or gone while users exist.

use kube::api::{Patch, PatchParams};
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;
use technical_user_operator::api::vault::VaultStatus;

use crate::support::vault::{
    NAME, api, because, entry, metadata, prepared, rule, set_up, store, token_for, with_outputs,
};
use crate::support::{MovedClock, condition, part, user_status, world};

const USER: &str = "edc";
const ENTRY: &str = "connectors/edc-1";
/// A path at which no server is.
const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn a_vault_that_is_sealed_is_waited_for_and_nothing_is_created_again() {
    let mut world = world().start().await;
    let vault = prepared(&world).await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&with_outputs(&world, USER, DATASPACE_DISCOVERY, &json!([entry(None)]))).await;
    world.ready(USER).await;
    set_up(&vault, "PUT", "sys/seal", &json!({})).await;
    let sealed = |user: &kube::api::DynamicObject| {
        let outputs = user_status(user).outputs;
        outputs.iter().flat_map(|output| &output.conditions).any(|shown| shown.reason == "VaultSealed")
    };
    let user = world.until(USER, "its output reports the sealed Vault", sealed).await;
    assert_eq!(condition(&user, "Ready").unwrap().status, "True", "the credential serves");
    because(&world, "VaultSealed").await;
    // A process that begins meanwhile knows no more.
    world.kill_operator();
    world.start_operator();
    world.two_sweeps().await;
    world.apply(&with_outputs(&world, "second", DATASPACE_DISCOVERY, &json!([entry(None)]))).await;
    world.because("second", "VaultNotReady").await;
    assert_eq!(world.count(Endpoint::Create), 1, "no user for an entry that cannot be written");

    vault.unseal().await.unwrap();
    because(&world, "VaultReady").await;
    world.until(USER, "its output is ready", |user| !sealed(user)).await;
    world.ready(USER).await;
    world.ready("second").await;
    assert_eq!(world.count(Endpoint::Create), 2);
    let data = vault.as_root("GET", &format!("secret/data/{ENTRY}"), None).await.unwrap().success().unwrap();
    assert_eq!(data["data"]["data"]["content"].as_str(), world.user_of(USER).secret.as_deref());
    assert_eq!(data["data"]["metadata"]["version"], json!(1), "it was not written again");
}

/// What only a person can repair in a Vault is reported by the resources that need it.
#[tokio::test]
async fn a_refused_login_of_a_vault_is_reported_at_the_output_until_it_is_corrected() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    let outputs = json!([{"secret": {}}, entry(None)]);
    world.apply(&with_outputs(&world, USER, DATASPACE_DISCOVERY, &outputs)).await;
    world.ready(USER).await;
    world.secret("vault-token", &[("token", "hvs.this-is-no-token")]).await;
    // A change of the spec is checked at once.
    let more = json!({"spec": {"access": [rule("Same", "connectors"), rule("Same", "connectors/more")]}});
    api(&world).patch(NAME, &PatchParams::default(), &Patch::Merge(&more)).await.unwrap();
    because(&world, "LoginRefused").await;
    let words = world.because(USER, "VaultNotReady").await;
    assert!(
        words.contains(&format!("Vault {}/{NAME} is not ready (LoginRefused)", world.namespace)),
        "{words}"
    );
    let user = world.user(USER).await.unwrap();
    let shown = |kind: &str| {
        let output = user_status(&user).outputs.into_iter().find(|output| output.kind == kind).unwrap();
        (output.conditions[0].status.clone(), output.conditions[0].reason.clone())
    };
    assert_eq!(shown("VaultEntry"), ("False".to_owned(), "VaultNotReady".to_owned()));
    assert_eq!(shown("Secret").0, "True");

    store(&world, &token_for(&vault, "connectors/").await).await;
    because(&world, "VaultReady").await;
    world.ready(USER).await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn an_entry_is_abandoned_after_an_hour_of_tries_once_its_user_is_deleted() {
    let (clock, builder) = MovedClock::new(world());
    let world = builder.start().await;
    let vault = prepared(&world).await;
    world.apply(&with_outputs(&world, USER, DATASPACE_DISCOVERY, &json!([entry(None)]))).await;
    world.ready(USER).await;
    let elsewhere = json!({"spec": {"address": NOWHERE}});
    api(&world).patch(NAME, &PatchParams::default(), &Patch::Merge(&elsewhere)).await.unwrap();
    because(&world, "Unreachable").await;
    world.delete(USER).await;
    let words = world.because(USER, "Unreachable").await;
    assert!(words.contains("within an hour"), "{words}");
    assert_eq!(world.ours(), []);
    // Not a moment before.
    clock.ahead_by("+50m");
    world.two_sweeps().await;
    assert!(world.user(USER).await.is_some(), "it is not an hour yet");
    clock.ahead_by("+70m");
    world.gone(USER).await;
    let status: VaultStatus = part(&api(&world).get(NAME).await.unwrap(), "status").unwrap();
    assert_eq!(status.abandoned.len(), 1, "{status:?}");
    assert_eq!(status.abandoned[0].path, format!("secret/data/{ENTRY}"));

    let back = json!({"spec": {"address": vault.address()}});
    api(&world).patch(NAME, &PatchParams::default(), &Patch::Merge(&back)).await.unwrap();
    world.eventually("the entry is removed", async || metadata(&vault, ENTRY).await.is_none()).await;
}
