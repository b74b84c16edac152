//! Kills at any request of any process, and a start after each. At the end no process is killed, and the judge decides.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};

use super::lives::Scenario;
use super::seeds::for_each_seed;
use crate::world::{Trouble, World, simulate};

/// Users are created, and later deleted, by processes that are killed.
async fn run(scenario: Scenario, world: &World) {
    let all = [&Trouble::COMMON[..], &Trouble::OF_BACKUPS[..], &Trouble::OF_HOLDS[..]].concat();
    // A pause shows most where another process takes over meanwhile.
    let troubles = if scenario.standby && world.below(2) == 0 {
        world.choose_troubles_and(&all, Trouble::Pauses)
    } else {
        world.choose_troubles(&all)
    };
    world.prepare(&troubles).await;
    world.create_user("edc", DATASPACE_DISCOVERY).await;
    world
        .create_user(
            "wallet",
            if world.below(2) == 0 { IDENTITY_WALLET_MANAGEMENT } else { DATASPACE_DISCOVERY },
        )
        .await;
    scenario.killed_processes(world, &troubles).await;
    let process = scenario.rest(world, &troubles).await;
    // People may have deleted all resources before anything was done for them.
    if !world.users().is_empty() {
        // People may have given each Secret another name.
        let names_outputs = world.users().iter().all(|user| user["spec"]["outputs"].is_array());
        let written = if names_outputs {
            "what is written into a Secret is verified and accepted"
        } else {
            "a credential is verified before it is written"
        };
        world.moments.has_checked(&[
            "no user is created a second time",
            "a create is sent right after its attempt is recorded",
            written,
            "Ready is true only with a valid credential",
        ]);
    }
    world.notices_a_deletion().await;
    scenario.end(world, &troubles, process).await;
}

#[test]
fn killed_processes_leave_no_orphan_and_no_duplicate() {
    const NAME: &str = "killed_processes_leave";
    let scenario = Scenario { standby: false };
    for_each_seed(NAME, |seed| simulate(NAME, seed, async |world| run(scenario, world).await));
}

#[test]
fn killed_processes_with_a_standby_leave_no_orphan_and_no_duplicate() {
    const NAME: &str = "killed_processes_with";
    let scenario = Scenario { standby: true };
    for_each_seed(NAME, |seed| simulate(NAME, seed, async |world| run(scenario, world).await));
}
