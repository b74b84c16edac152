//! A kill after each effect of a process: each write of a first run, when it is sent and when it is answered.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use super::seeds::for_each_seed;
use crate::kill::{Kill, Point};
use crate::world::{Process, World, simulate};

/// The writes at which a process is killed: those of a start, of a create with two outputs, and some more.
pub const EFFECTS: u64 = 16;

async fn run(world: &World) {
    world.install_vault().await;
    let (effect, answered) = ((world.seed - 1) / 2 % EFFECTS, world.seed.is_multiple_of(2));
    let entry = json!({ "vault": { "vaultRef": { "name": "vault" } } });
    let env = json!({ "secret": { "name": "edc-env", "format": "EdcEnv" } });
    world.create_user_with("edc", DATASPACE_DISCOVERY, &json!({ "outputs": [env, entry] })).await;
    for deletes in [false, true] {
        if deletes {
            world.delete_user("edc").await;
        }
        let point = if answered { Point::Answered } else { Point::Sent };
        let mut process = Process::start(world, Kill::at_write(point, "", effect));
        tokio::select! {
            biased;
            () = process.at_its_end() => {}
            () = tokio::time::sleep(std::time::Duration::from_mins(5)) => {}
        }
        process.kill(world);
        let process = Process::start(world, Kill::never());
        world.comes_to_rest().await;
        process.stop(world).await;
    }
    world.check_secrecy();
}

#[test]
fn a_kill_after_each_effect_leaves_nothing_behind() {
    const NAME: &str = "a_kill_after_each_effect";
    for_each_seed(NAME, |seed| simulate(NAME, seed, run));
}
