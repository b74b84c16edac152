//! A connector with what the operator writes: the variables from the Secret, the client secret from Vault, a token from the
//! identity provider.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::api::DynamicObject;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Change, Version};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use testbed::Vault;

use crate::edc::{Chart, Page, Reader, environment, merge};
use crate::support::vault::{apply, because, manifest, set_up, store};
use crate::support::{World, create, one_company, recorded, secret_value, user_status, world};

const USER: &str = "edc-wallet";

/// A Vault and a resource with an entry there, and with a Secret of the connector's variables.
async fn published() -> (World, Vault) {
    // The shortest life with which the operator's own login still works.
    let config = one_company(Version::Main).token_lifetime(Duration::from_secs(12));
    let world = world().simulator(config).start().await;
    let vault = Vault::start().await.unwrap();
    let token = token_with(&vault, &page().file("operator.hcl")).await;
    store(&world, &SecretString::from(token.as_str().unwrap())).await;
    // The page's Vault, at this address and with this login.
    let rest = page().yaml("vault.yaml");
    let access = json!({ "mount": rest["spec"]["mount"], "access": rest["spec"]["access"] });
    apply(&world, &manifest(&vault, &access)).await;
    because(&world, "VaultReady").await;
    let spec = json!({
        "verification": {"interval": "10s"}, "dataspace": {"walletUrl": "https://wallet.example.org/api/sts"},
    });
    world.patch_portal(&json!({ "spec": spec })).await;
    let mut user = create(USER, &world.namespace, DATASPACE_DISCOVERY);
    user["spec"]["outputs"] = page().yaml("edc-wallet.yaml")["spec"]["outputs"].take();
    world.apply(&user).await;
    world.ready(USER).await;
    (world, vault)
}

fn page() -> Page {
    Page::read("connector.md")
}

/// A token with this policy.
async fn token_with(vault: &Vault, policy: &str) -> Value {
    let name = if policy.contains("create") { "operator" } else { "connector" };
    set_up(vault, "PUT", &format!("sys/policies/acl/{name}"), &json!({ "policy": policy })).await;
    let issued = set_up(vault, "POST", "auth/token/create", &json!({ "policies": [name] })).await;
    issued["auth"]["client_token"].clone()
}

/// What the page says of the connector's own rights.
const CONNECTOR: &str = "path \"secret/data/connector/edc-wallet-*\" { capabilities = [\"read\"] }";

/// The variables of a connector that is started now: its chart with the values of the page, and where Vault is as the status of
/// the resource shows it.
async fn variables(world: &World, vault: &Vault) -> BTreeMap<String, String> {
    let user: DynamicObject = world.user(USER).await.unwrap();
    let entry = user_status(&user).outputs.into_iter().find_map(|output| output.entry).unwrap();
    let chart = Chart::of("0.13");
    let mut values = chart.values_of_the_company();
    merge(&mut values, &page().yaml("values-0.13.yaml"));
    values["vault"]["hashicorp"] = json!({
        "url": vault.address(), "token": token_with(vault, CONNECTOR).await,
        "paths": {"secret": entry.paths_secret, "folder": entry.folder},
    });
    let container = &chart.render(&values).unwrap()["controlplane"];
    let mut secrets = BTreeMap::new();
    for name in &container.env_from {
        let secret = world.get_secret(name).await.unwrap();
        let keys = secret.data.as_ref().unwrap().keys();
        secrets.insert(name.clone(), keys.map(|key| (key.clone(), secret_value(&secret, key))).collect());
    }
    environment(container, &secrets).unwrap()
}

#[tokio::test]
async fn a_connector_obtains_tokens_from_vault_also_after_a_reset_and_with_a_successor() {
    let (world, vault) = published().await;
    let before = variables(&world, &vault).await;
    assert_eq!(before["EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS"], "edc-wallet-1");
    let root = vault.root_token().expose_secret();
    assert!(!before.values().any(|value| value == root), "it reads with rights of its own");
    let running = Reader::start(&before).await.unwrap();
    let first = running.obtains_more_than(&json!(null)).await;
    assert_eq!(first["clientId"], json!(world.user_of(USER).client_id), "{first}");
    assert_eq!((&first["source"], &first["failed"]), (&json!("vault"), &json!(0)), "{first}");

    // A new secret of the same user: the connector that runs reads it for its next token.
    world.simulator.reset_by_hand(world.user_of(USER).id).unwrap();
    let secret = world.user_of(USER).secret;
    world
        .eventually("the entry has the new client secret", async || {
            let entry = vault.as_root("GET", "secret/data/connector/edc-wallet-1", None).await.unwrap();
            json!(secret) == entry.body["data"]["data"]["content"]
        })
        .await;
    running.obtains_more_than(&running.outcome().await).await;
    assert_eq!(variables(&world, &vault).await["EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS"], "edc-wallet-1");

    // Another user: a connector that is started now has its client ID and its alias.
    assert_eq!(world.simulator.delete_by_hand(world.user_of(USER).id), Change::Done);
    world.sweep().await;
    world.until(USER, "its successor is there", |user| recorded(user).generation == Some(2)).await;
    world.ready(USER).await;
    let after = variables(&world, &vault).await;
    assert_eq!(after["EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS"], "edc-wallet-2");
    let restarted = Reader::start(&after).await.unwrap();
    let successor = restarted.obtains_more_than(&json!(null)).await;
    assert_eq!(successor["clientId"], json!(world.user_of(USER).client_id), "{successor}");
    assert_eq!(successor["failed"], 0, "{successor}");
    // The one that was not restarted sends the client ID and the secret of the user that is gone, or none.
    let old = running.until("the token is expired", |now| now["ready"] == false).await;
    assert_eq!(old["clientId"], first["clientId"]);
}
