//! Specs that people change again and again while processes are killed: at rest the world matches the last valid ones.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use super::lives::Scenario;
use super::seeds::for_each_seed;
use crate::world::{Trouble, World, simulate};

async fn run(world: &World) {
    let scenario = Scenario { standby: world.below(4) == 0 };
    let all = Trouble::of_changing_specs(&[
        &Trouble::OF_VAULT[..],
        &Trouble::OF_VIEWS[..],
        &Trouble::COMMON[..],
        &Trouble::OF_HOLDS[..],
        &Trouble::OF_SPECS[..],
    ]);
    let troubles = world.choose_troubles_and(&all, Trouble::ChangedSpecs);
    world.install_vault().await;
    world.install_shared_secret().await;
    world.prepare(&troubles).await;
    let entry = json!({ "vault": { "vaultRef": { "name": "vault" } } });
    let env = json!({ "secret": { "name": "edc-env", "format": "EdcEnv" } });
    world.create_user_with("edc", DATASPACE_DISCOVERY, &json!({ "outputs": [env, entry] })).await;
    world.create_user("app", DATASPACE_DISCOVERY).await;
    scenario.killed_processes(world, &troubles).await;
    let process = scenario.rest(world, &troubles).await;
    scenario.end(world, &troubles, process).await;
}

#[test]
fn specs_that_change_are_served_as_they_are_at_last() {
    const NAME: &str = "specs_that_change";
    for_each_seed(NAME, |seed| simulate(NAME, seed, run));
}
