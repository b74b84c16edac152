//! A Secret that names the alias of an entry in a Vault names one whose entry holds the credential, also while Vault refuses to write
//! another one.

use std::time::Duration;

use kube::api::DynamicObject;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Version, WalletDelay};
use serde_json::{Value, json};
use technical_user_operator::api::technical_user::RecordedOutput;
use testbed::Vault;

use crate::support::vault::{entry, metadata, policy, prepared, set_up, with_outputs};
use crate::support::{World, condition, one_company, secret_value, user_status, world};

const USER: &str = "edc";
const ALIAS: &str = "EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS";

/// From now on the login may write the entries whose paths begin with this.
async fn permit(vault: &Vault, path: &str) {
    set_up(vault, "PUT", "sys/policies/acl/writer", &policy(path)).await;
}

async fn with_variables(world: &World, role: &str) -> Value {
    world.patch_portal(&json!({"spec": {"dataspace": {"walletUrl": "https://wallet.example.org"}}})).await;
    with_outputs(world, USER, role, &json!([{"secret": {"format": "EdcEnv"}}, entry(None)]))
}

/// The alias in the Secret, and the version of the Secret.
async fn named(world: &World) -> Option<(String, Option<String>)> {
    let secret = world.get_secret(USER).await?;
    Some((secret_value(&secret, ALIAS), secret.metadata.resource_version))
}

fn output(user: &DynamicObject, kind: &str) -> Option<RecordedOutput> {
    user_status(user).outputs.into_iter().find(|output| output.kind == kind)
}

/// Why an output is not ready.
fn why(user: &DynamicObject, kind: &str) -> Option<String> {
    let ready = output(user, kind)?.conditions.into_iter().find(|shown| shown.status == "False")?;
    Some(format!("{}: {}", ready.reason, ready.message))
}

#[tokio::test]
async fn a_secret_keeps_the_alias_until_the_entry_at_another_path_is_written() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    let manifest = with_variables(&world, DATASPACE_DISCOVERY).await;
    world.apply(&manifest).await;
    world.ready(USER).await;
    let before = named(&world).await.unwrap();
    assert_eq!(before.0, "edc-1");

    permit(&vault, "connectors/edc").await;
    let outputs = json!([{"secret": {"format": "EdcEnv"}}, entry(Some("connectors/other"))]);
    world.patch_user(USER, &json!({"spec": {"outputs": outputs}})).await;
    let words = world.because(USER, "PolicyTooNarrow").await;
    assert!(words.contains("connectors/other-1"), "{words}");
    world.two_sweeps().await;
    assert_eq!(named(&world).await, Some(before), "its entry holds the credential");
    assert!(metadata(&vault, "connectors/edc-1").await.is_some());
    let user = world.user(USER).await.unwrap();
    assert_eq!(why(&user, "Secret"), None, "it is as it should be for now");

    permit(&vault, "connectors/").await;
    world
        .eventually("the Secret names the other entry", async || {
            let moved = named(&world).await.is_some_and(|(alias, _)| alias == "other-1");
            assert!(!moved || metadata(&vault, "connectors/other-1").await.is_some(), "it is there before");
            moved
        })
        .await;
    world.ready(USER).await;
    world
        .eventually("the former entry is deleted", async || {
            metadata(&vault, "connectors/edc-1").await.is_none()
        })
        .await;
}

#[tokio::test]
async fn a_secret_of_a_user_without_an_entry_waits_for_the_entry() {
    let delay = WalletDelay::After(Duration::from_secs(5));
    let world = world().simulator(one_company(Version::Main).wallet_delay(delay)).start().await;
    let vault = prepared(&world).await;
    let manifest = with_variables(&world, IDENTITY_WALLET_MANAGEMENT).await;
    world.apply(&manifest).await;
    world.because(USER, "Pending").await;
    permit(&vault, "elsewhere/").await;
    world.because(USER, "PolicyTooNarrow").await;
    let user = world.until(USER, "its Secret waits", |user| why(user, "Secret").is_some()).await;
    let words = why(&user, "Secret").unwrap();
    assert!(words.starts_with("NotYet: It names the alias of the VaultEntry "), "{words}");
    world.two_sweeps().await;
    assert_eq!(named(&world).await, None);

    permit(&vault, "connectors/").await;
    world.ready(USER).await;
    assert_eq!(named(&world).await.unwrap().0, "edc-1");
    let user = world.user(USER).await.unwrap();
    let conditions = user_status(&user).outputs.into_iter().flat_map(|output| output.conditions);
    assert!(conditions.into_iter().all(|shown| shown.status == "True"));
    assert_eq!(condition(&user, "Published").unwrap().status, "True");
}
