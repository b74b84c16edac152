//! Rotations and changes of roles while processes are killed, answers are lost and people change things: a credential in an output
//! is always valid, and at rest each resource has one user, with the roles of its spec.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use serde_json::{Value, json};

use super::lives::Scenario;
use super::seeds::for_each_seed;
use crate::world::{Trouble, World, simulate};

/// The outputs of a spec: the default one, a Secret beside an entry that it names, or two Secrets and an entry.
fn outputs(number: u64) -> Value {
    let vault = |more: Value| json!({ "vault": more });
    let entry = vault(json!({ "vaultRef": { "name": "vault" } }));
    match number {
        0 => Value::Null,
        1 => json!([{ "secret": { "name": "edc-env", "format": "EdcEnv" } }, entry]),
        _ => {
            let keys = json!({ "client-id": "id", "client-secret": "secret" });
            let entry =
                vault(json!({ "vaultRef": { "name": "vault" }, "path": "connectors/both", "keys": keys }));
            json!([{ "secret": {} }, { "secret": { "name": "edc-more", "format": "Dotenv" } }, entry])
        }
    }
}

async fn run(world: &World) {
    let scenario = Scenario { standby: world.below(4) == 0 };
    let all = Trouble::of_changing_specs(&[
        &Trouble::OF_VAULT[..],
        &Trouble::OF_VIEWS[..],
        &Trouble::COMMON[..],
        &Trouble::OF_HOLDS[..],
        &Trouble::AT_ROTATIONS[..],
    ]);
    let others = [&Trouble::OF_ROTATIONS[..], &Trouble::OF_WORKLOADS[..]].concat();
    let troubles = world.choose_troubles_with(&all, &others);
    world.install_vault().await;
    world.prepare(&troubles).await;
    let role = |wallet: bool| if wallet { IDENTITY_WALLET_MANAGEMENT } else { DATASPACE_DISCOVERY };
    for (name, number) in [("edc", 1 + world.below(2)), ("app", 0)] {
        let more = json!({ "rotation": world.rotation(), "outputs": outputs(number) });
        world.create_user_with(name, role(world.below(3) == 0), &more).await;
    }
    world.install_workloads(["edc", "app"]).await;
    scenario.killed_processes(world, &troubles).await;
    let process = scenario.rest(world, &troubles).await;
    world.rotates_by_interval().await;
    world.replaces_without_faults().await;
    scenario.end(world, &troubles, process).await;
}

#[test]
fn rotations_keep_a_valid_credential_in_each_output() {
    const NAME: &str = "rotations";
    for_each_seed(NAME, |seed| simulate(NAME, seed, run));
}
