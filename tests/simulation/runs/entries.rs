//! Entries in a Vault, written and removed by processes that are killed, while the Vault, the apiserver, the portal and people give
//! trouble.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use serde_json::{Value, json};

use super::lives::Scenario;
use super::seeds::for_each_seed;
use crate::world::{SHARED, Trouble, World, simulate};

/// An entry with the variables of a connector beside it, which name its alias.
fn connector() -> Value {
    json!({ "outputs": [
        { "secret": { "name": "edc-env", "format": "EdcEnv" } },
        { "vault": { "vaultRef": { "name": "vault" } } },
    ] })
}

/// An entry with other keys, and a Secret with the same credential.
fn program() -> Value {
    let keys = json!({ "client-id": "id", "client-secret": "secret", "token-url": "url" });
    let vault = json!({ "vaultRef": { "name": "vault" }, "path": "connectors/app", "keys": keys });
    json!({ "outputs": [{ "secret": {} }, { "vault": vault }] })
}

/// Keys in an entry of another owner.
fn guest() -> Value {
    let keys = json!({ "client-id": "portal-id", "client-secret": "portal-secret" });
    let path = format!("connectors/{SHARED}");
    let vault =
        json!({ "vaultRef": { "name": "vault" }, "path": path, "creationPolicy": "Merge", "keys": keys });
    json!({ "outputs": [{ "vault": vault }] })
}

async fn run(world: &World) {
    let scenario = Scenario { standby: world.below(4) == 0 };
    let troubles = world
        .choose_troubles(&[&Trouble::OF_VAULT[..], &Trouble::OF_VIEWS[..], &Trouble::COMMON[..]].concat());
    world.install_vault().await;
    world.prepare(&troubles).await;
    let role = if world.below(2) == 0 { IDENTITY_WALLET_MANAGEMENT } else { DATASPACE_DISCOVERY };
    world.create_user_with("edc", role, &connector()).await;
    world.create_user_with("app", DATASPACE_DISCOVERY, &program()).await;
    if world.below(2) == 0 {
        world.create_user_with("guest", DATASPACE_DISCOVERY, &guest()).await;
    }
    scenario.killed_processes(world, &troubles).await;
    let process = scenario.rest(world, &troubles).await;
    if !troubles.contains(&Trouble::People) {
        // People delete resources, perhaps before anything is written for them.
        world.moments.has_checked(&[
            "nothing of others is changed in an entry",
            "what is written into an entry is verified and accepted",
            "an entry holds the credential of the resource that its mark names",
            "a Secret names the alias of an entry with the credential of its user",
        ]);
    }
    world.notices_a_deletion().await;
    scenario.end(world, &troubles, process).await;
}

#[test]
fn entries_in_a_vault_are_those_of_the_resources() {
    const NAME: &str = "entries_in_a_vault";
    for_each_seed(NAME, |seed| simulate(NAME, seed, run));
}
