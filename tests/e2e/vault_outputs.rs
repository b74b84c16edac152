//! Credentials in a real Vault: written as a connector reads them, repaired, and removed.

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Change, Endpoint};
use serde_json::{Value, json};
use technical_user_operator::api::technical_user::RecordedOutput;
use technical_user_operator::api::vault::VaultStatus;
use testbed::Vault;

use crate::support;
use crate::support::vault::{
    NAME, api, because, entry, metadata, policy, prepared, prepared_with, rule, set_up,
};
use crate::support::{
    END_OVERLAP, RELEASE, ROTATE, World, condition, part, secret_value, user_status, world,
};

const USER: &str = "edc";
/// A path at which no server is.
const NOWHERE: &str = "http://127.0.0.1:1";

async fn change_vault(world: &World, spec: &Value) {
    api(world).patch(NAME, &PatchParams::default(), &Patch::Merge(&json!({ "spec": spec }))).await.unwrap();
}

/// A resource with one entry in the Vault, of this path.
fn with_entry(world: &World, name: &str, path: Option<&str>) -> Value {
    with_outputs(world, name, &json!([entry(path)]))
}

fn with_outputs(world: &World, name: &str, outputs: &Value) -> Value {
    support::vault::with_outputs(world, name, DATASPACE_DISCOVERY, outputs)
}

/// What a connector reads at a path: the value of `content`, and the version.
async fn content(vault: &Vault, path: &str) -> Option<(String, u64)> {
    let answer = vault.as_root("GET", &format!("secret/data/{path}"), None).await.unwrap().success().ok()?;
    let data = &answer["data"];
    assert_eq!(data["data"].as_object().unwrap().len(), 1, "no other key than content");
    Some((data["data"]["content"].as_str()?.to_owned(), data["metadata"]["version"].as_u64()?))
}

/// The entry holds the secret that the portal shows for the user.
async fn holds_the_secret(world: &World, vault: &Vault, path: &str) {
    let secret = world.user_of(USER).secret;
    assert_eq!(content(vault, path).await.map(|(text, _)| text), secret, "{path}");
}

fn recorded(user: &DynamicObject, kind: &str) -> RecordedOutput {
    user_status(user).outputs.into_iter().find(|output| output.kind == kind).unwrap()
}

#[tokio::test]
async fn a_connector_finds_the_secret_under_the_alias_that_the_status_shows() {
    let mut world = world().start().await;
    let vault = prepared(&world).await;
    world.apply(&with_entry(&world, USER, None)).await;
    let ready = world.ready(USER).await;
    holds_the_secret(&world, &vault, "connectors/edc-1").await;
    let output = recorded(&ready, "VaultEntry");
    assert_eq!(
        (output.name.as_str(), output.resource_version.as_str()),
        (&*format!("{}/{NAME}/edc", world.namespace), "1")
    );
    let shown = output.entry.unwrap();
    assert_eq!(
        (shown.paths_secret.as_str(), shown.folder.as_str(), shown.secret_alias.as_str()),
        ("/v1/secret", "connectors", "edc-1")
    );
    let mark = &metadata(&vault, "connectors/edc-1").await.unwrap()["custom_metadata"];
    assert_eq!(mark["technicaluser.dev/owner"].as_str().unwrap().rsplit('/').next(), Some(USER));
    assert_eq!(world.get_secret(USER).await.map(drop), None, "no Secret is named");

    // A restart with nothing due writes nothing.
    world.stop_operator().await;
    let version = |user: Option<DynamicObject>| user.unwrap().metadata.resource_version;
    let before = version(world.user(USER).await);
    world.start_operator();
    world.two_sweeps().await;
    assert_eq!(version(world.user(USER).await), before);
    assert_eq!(content(&vault, "connectors/edc-1").await.unwrap().1, 1);

    world.delete(USER).await;
    world.gone(USER).await;
    assert_eq!(metadata(&vault, "connectors/edc-1").await, None);
    assert_eq!(world.ours().len(), 0);
}

#[tokio::test]
async fn what_others_change_or_delete_in_an_entry_is_repaired_and_named() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&with_entry(&world, USER, Some("connectors/team/edc"))).await;
    world.ready(USER).await;
    let path = "connectors/team/edc-1";
    let whole = || async { content(&vault, path).await.map(|(text, _)| text) };
    let secret = whole().await.unwrap();
    // What others have at the path of a later user is of no matter for the present one.
    let theirs = json!({"data": {"content": "of a person"}});
    set_up(&vault, "POST", "secret/data/connectors/team/edc-2", &theirs).await;
    for (method, call, body, found) in [
        ("POST", "data", json!({"data": {"content": "another", "more": 1}}), "as it should be"),
        ("DELETE", "data", json!({}), "its newest version was deleted in Vault"),
        (
            "PUT",
            "destroy",
            json!({"versions": [1, 2, 3, 4, 5, 6, 7, 8]}),
            "its newest version was destroyed in Vault",
        ),
        ("DELETE", "metadata", json!({}), "it was deleted in Vault with all its versions"),
    ] {
        set_up(&vault, method, &format!("secret/{call}/{path}"), &body).await;
        world
            .eventually(&format!("{method} {call} is repaired"), async || {
                let data = vault.as_root("GET", &format!("secret/data/{path}"), None).await.unwrap();
                data.success().is_ok_and(|data| data["data"]["data"] == json!({"content": secret}))
            })
            .await;
        world
            .eventually(&format!("an Event: {found}"), async || {
                let notes = world.notes(USER, "OutputHealed").await;
                notes.iter().any(|note| note.contains("VaultEntry") && note.contains(found))
            })
            .await;
    }
    world.ready(USER).await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

/// A backup has the entry with its mark, an older secret and a lower version.
#[tokio::test]
async fn an_entry_of_a_restored_vault_gets_the_current_secret() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&with_entry(&world, USER, None)).await;
    world.ready(USER).await;
    let path = "connectors/edc-1";
    let (older, _) = content(&vault, path).await.unwrap();
    let mark = metadata(&vault, path).await.unwrap()["custom_metadata"].clone();
    world.simulator.reset_by_hand(world.user_of(USER).id).unwrap();
    let is_current = async || content(&vault, path).await.map(|(text, _)| text) == world.user_of(USER).secret;
    world.eventually("the entry has the new secret", is_current).await;
    assert!(content(&vault, path).await.unwrap().1 > 1);

    set_up(&vault, "DELETE", &format!("secret/metadata/{path}"), &json!({})).await;
    set_up(&vault, "POST", &format!("secret/metadata/{path}"), &json!({"custom_metadata": mark})).await;
    set_up(&vault, "POST", &format!("secret/data/{path}"), &json!({"data": {"content": older}})).await;
    world.eventually("the entry has the current secret", is_current).await;
    world.ready(USER).await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn an_entry_of_others_is_not_changed_and_no_user_is_created_for_it() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    let theirs = json!({"data": {"content": "of a person"}});
    set_up(&vault, "POST", "secret/data/connectors/edc-1", &theirs).await;
    world.apply(&with_entry(&world, USER, None)).await;
    let words = world.because(USER, "OutputNotOurs").await;
    assert!(words.contains("another client of Vault"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    assert_eq!(content(&vault, "connectors/edc-1").await, Some(("of a person".to_owned(), 1)));

    // A person deletes it; then another resource with the same path comes second.
    set_up(&vault, "DELETE", "secret/metadata/connectors/edc-1", &json!({})).await;
    world.sweep().await;
    world.ready(USER).await;
    world.apply(&with_entry(&world, "second", Some("connectors/edc"))).await;
    let words = world.because("second", "OutputNotOurs").await;
    assert!(words.contains("the TechnicalUser ") && words.contains(&format!("/{USER}")), "{words}");
    assert_eq!(world.count(Endpoint::Create), 1);
    world.delete("second").await;
    world.gone("second").await;
    holds_the_secret(&world, &vault, "connectors/edc-1").await;
}

#[tokio::test]
async fn a_path_outside_the_prefix_and_missing_rights_are_reported_before_a_user_is_created() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    world.apply(&with_entry(&world, USER, Some("connectors-of-others/edc"))).await;
    let words = world.because(USER, "PathNotAllowed").await;
    assert!(words.contains("connectors-of-others/edc") && words.contains("connectors/"), "{words}");
    change_vault(&world, &json!({"access": []})).await;
    world.because(USER, "AccessDenied").await;
    // The policy permits less than the Vault's access.
    change_vault(&world, &json!({"access": [rule("Same", "connectors-of-others")]})).await;
    let words = world.because(USER, "PolicyTooNarrow").await;
    assert!(words.contains("create, read, update on secret/data/connectors-of-others/edc-1"), "{words}");
    assert_eq!(world.portal_writes(), 0);
    set_up(&vault, "PUT", "sys/policies/acl/writer", &policy("connectors-of-others/")).await;
    world.ready(USER).await;
    holds_the_secret(&world, &vault, "connectors-of-others/edc-1").await;
    // A Vault that is needed is not deleted.
    api(&world).delete(NAME, &DeleteParams::default()).await.unwrap();
    because(&world, "InUse").await;
    world.delete(USER).await;
    world.gone(USER).await;
    world
        .eventually("the Vault is deleted", async || api(&world).get_opt(NAME).await.unwrap().is_none())
        .await;
}

#[tokio::test]
async fn a_vault_that_is_down_prevents_the_create_and_no_other_output_of_a_user_that_exists() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    change_vault(&world, &json!({"address": NOWHERE})).await;
    because(&world, "Unreachable").await;
    let outputs = json!([{"secret": {}}, entry(None)]);
    world.apply(&with_outputs(&world, USER, &outputs)).await;
    let words = world.because(USER, "VaultNotReady").await;
    assert!(words.contains("Unreachable"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    change_vault(&world, &json!({"address": vault.address()})).await;
    world.ready(USER).await;
    holds_the_secret(&world, &vault, "connectors/edc-1").await;

    // It is down again: the Secret is repaired all the same, and the resource is kept ready.
    change_vault(&world, &json!({"address": NOWHERE})).await;
    because(&world, "Unreachable").await;
    world.secrets_api().delete(USER, &DeleteParams::default()).await.unwrap();
    world.eventually("the Secret is there again", async || world.get_secret(USER).await.is_some()).await;
    world.ready(USER).await;
    assert_eq!(world.token_with(USER).await, 200);
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn the_user_is_deleted_before_the_entry_and_an_entry_that_is_left_is_listed_until_it_is_gone() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    world.apply(&with_entry(&world, USER, None)).await;
    world.ready(USER).await;
    change_vault(&world, &json!({"address": NOWHERE})).await;
    because(&world, "Unreachable").await;
    world.delete(USER).await;
    world.eventually("the user is deleted", async || world.ours().is_empty()).await;
    let words = world.because(USER, "Unreachable").await;
    assert!(words.contains("within an hour") && words.contains("VaultEntry"), "{words}");
    // A person does not wait for the hour.
    world.patch_user(USER, &json!({"metadata": {"annotations": {RELEASE: "yes"}}})).await;
    world.gone(USER).await;
    let object = api(&world).get(NAME).await.unwrap();
    let status: VaultStatus = part(&object, "status").unwrap();
    assert_eq!(status.abandoned.len(), 1, "{status:?}");
    assert_eq!(status.abandoned[0].path, "secret/data/connectors/edc-1");
    assert!(status.abandoned[0].owner.ends_with(USER));
    assert!(metadata(&vault, "connectors/edc-1").await.is_some());

    change_vault(&world, &json!({"address": vault.address()})).await;
    world
        .eventually("the entry is removed, and not listed any more", async || {
            let object = api(&world).get(NAME).await.unwrap();
            let status: VaultStatus = part(&object, "status").unwrap();
            status.abandoned.is_empty() && metadata(&vault, "connectors/edc-1").await.is_none()
        })
        .await;
}

#[tokio::test]
async fn a_retained_user_s_entry_holds_the_deletion_until_it_can_be_removed() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    let mut manifest = with_entry(&world, USER, None);
    manifest["spec"]["deletionPolicy"] = json!("Retain");
    world.apply(&manifest).await;
    world.ready(USER).await;
    change_vault(&world, &json!({"address": NOWHERE})).await;
    because(&world, "Unreachable").await;
    world.delete(USER).await;
    let words = world.because(USER, "Unreachable").await;
    assert!(words.contains("may be valid after the deletion"), "{words}");
    world.two_sweeps().await;
    assert!(world.user(USER).await.is_some());
    change_vault(&world, &json!({"address": vault.address()})).await;
    world.gone(USER).await;
    assert_eq!(metadata(&vault, "connectors/edc-1").await, None);
}

#[tokio::test]
async fn an_output_moves_from_a_secret_to_vault_and_back() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    world.apply(&with_outputs(&world, USER, &json!([{"secret": {}}]))).await;
    world.ready(USER).await;
    world.patch_user(USER, &json!({"spec": {"outputs": [entry(None)]}})).await;
    world.eventually("the Secret is removed", async || world.get_secret(USER).await.is_none()).await;
    // The Secret is deleted before the status stops naming it.
    world.until(USER, "one output is left", |user| user_status(user).outputs.len() == 1).await;
    world.ready(USER).await;
    holds_the_secret(&world, &vault, "connectors/edc-1").await;

    world.patch_user(USER, &json!({"spec": {"outputs": [{"secret": {}}]}})).await;
    world
        .eventually("the entry is removed", async || metadata(&vault, "connectors/edc-1").await.is_none())
        .await;
    world.ready(USER).await;
    assert_eq!(world.token_with(USER).await, 200);
    assert_eq!(world.count(Endpoint::Create), 1);
    // Nothing is left that holds the Vault.
    api(&world).delete(NAME, &DeleteParams::default()).await.unwrap();
    world
        .eventually("the Vault is deleted", async || api(&world).get_opt(NAME).await.unwrap().is_none())
        .await;
}

#[tokio::test]
async fn a_successor_has_an_entry_of_its_own_and_the_variables_name_it() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    world.patch_portal(&json!({"spec": {"dataspace": {"walletUrl": "https://wallet.example.org"}}})).await;
    let outputs = json!([{"secret": {"format": "EdcEnv"}}, entry(None)]);
    world.apply(&with_outputs(&world, USER, &outputs)).await;
    world.ready(USER).await;
    let alias = async || {
        let secret = world.get_secret(USER).await.unwrap();
        secret_value(&secret, "EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS")
    };
    assert_eq!(alias().await, "edc-1");
    let lost = world.user_of(USER).client_id.unwrap();
    assert_eq!(world.simulator.remove_idp_client(&lost), Change::Done);
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.because(USER, "IdentityLost").await;
    world.patch_user(USER, &json!({"metadata": {"annotations": {ROTATE: "1"}}})).await;
    world
        .until(USER, "the successor is published", |user| {
            let status = user_status(user);
            let named = status.user.and_then(|user| user.generation);
            named == Some(2) && condition(user, "Ready").is_some_and(|ready| ready.status == "True")
        })
        .await;
    assert_eq!(alias().await, "edc-2");
    assert!(content(&vault, "connectors/edc-2").await.is_some());
    world
        .eventually("the entry of the former user is removed", async || {
            metadata(&vault, "connectors/edc-1").await.is_none()
        })
        .await;
}

#[tokio::test]
async fn a_fixed_alias_is_the_path_as_it_is_written_and_a_change_of_the_mode_moves_the_entry() {
    let world = world().start().await;
    let vault = prepared_with(&world, "Fixed").await;
    let keys = json!({"client-id": "id", "client-secret": "secret", "token-url": "url"});
    let outputs = json!([{"vault": {"vaultRef": {"name": NAME}, "path": "connectors/edc", "keys": keys}}]);
    world.apply(&with_outputs(&world, USER, &outputs)).await;
    world.ready(USER).await;
    let data = set_up(&vault, "GET", "secret/data/connectors/edc", &json!({})).await;
    let client = world.user_of(USER).client_id.unwrap();
    assert_eq!(data["data"]["data"]["id"], json!(client));
    assert_eq!(data["data"]["data"].as_object().unwrap().len(), 3);
    change_vault(&world, &json!({"aliasMode": "PerGeneration"})).await;
    world
        .eventually("the entry is moved", async || {
            metadata(&vault, "connectors/edc").await.is_none()
                && metadata(&vault, "connectors/edc-1").await.is_some()
        })
        .await;
    world.ready(USER).await;
}

/// An entry that another one replaces is kept for the overlap as an output that the spec drops is, across a restart.
#[tokio::test]
async fn a_superseded_entry_is_kept_for_the_overlap() {
    let mut world = world().start().await;
    let vault = prepared_with(&world, "Fixed").await;
    let mut manifest = with_entry(&world, USER, Some("connectors/edc"));
    manifest["spec"]["rotation"] = json!({"overlap": "1h"});
    world.apply(&manifest).await;
    world.ready(USER).await;
    change_vault(&world, &json!({"aliasMode": "PerGeneration"})).await;
    let kept = async |world: &World| {
        let user = world.user(USER).await.unwrap();
        user_status(&user).outputs.into_iter().find(|output| output.delete_after.is_some())
    };
    world.eventually("the entry is kept", async || kept(&world).await.is_some()).await;
    holds_the_secret(&world, &vault, "connectors/edc-1").await;
    world.stop_operator().await;
    world.start_operator();
    world.two_sweeps().await;
    holds_the_secret(&world, &vault, "connectors/edc").await;

    let former = kept(&world).await.unwrap().name;
    world.patch_user(USER, &json!({"metadata": {"annotations": {END_OVERLAP: former}}})).await;
    world
        .eventually("the entry is removed", async || metadata(&vault, "connectors/edc").await.is_none())
        .await;
    world.ready(USER).await;
    holds_the_secret(&world, &vault, "connectors/edc-1").await;
    assert_eq!(user_status(&world.user(USER).await.unwrap()).outputs.len(), 1);
}

/// An entry that is named again, while no operator sees it, is in use: the next time that the spec drops it, it is kept for the whole
/// overlap.
#[tokio::test]
async fn an_entry_that_is_named_again_is_no_former_one() {
    let mut world = world().start().await;
    let vault = prepared(&world).await;
    let secret = json!({"secret": {}});
    let mut manifest = with_outputs(&world, USER, &json!([secret, entry(None)]));
    manifest["spec"]["rotation"] = json!({"overlap": "1h"});
    world.apply(&manifest).await;
    world.ready(USER).await;
    let is_kept =
        |user: &DynamicObject| user_status(user).outputs.iter().any(|output| output.delete_after.is_some());
    world.patch_user(USER, &json!({"spec": {"outputs": [secret]}})).await;
    world.until(USER, "the entry is kept", is_kept).await;
    world.stop_operator().await;

    world.patch_user(USER, &json!({"spec": {"outputs": [secret, entry(None)]}})).await;
    world.start_operator();
    world.ready(USER).await;
    assert!(!is_kept(&world.user(USER).await.unwrap()));
    holds_the_secret(&world, &vault, "connectors/edc-1").await;
}
