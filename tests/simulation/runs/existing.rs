//! Users that people create at the portal, and resources that publish them: by name, by client ID and by id. People create them
//! late, a second one of the same name, and delete them, while processes are killed and the list moves.

use portal_simulator::role_names::DATASPACE_DISCOVERY;

use super::lives::Scenario;
use super::seeds::for_each_seed;
use crate::world::{Trouble, World, simulate};

async fn run(world: &World) {
    let scenario = Scenario { standby: world.below(4) == 0 };
    let all = Trouble::of_changing_specs(&[&Trouble::OF_VIEWS[..], &Trouble::COMMON[..]]);
    let troubles = world.choose_troubles_with(&all, &Trouble::OF_EXISTING);
    world.prepare(&troubles).await;
    world.install_existing().await;
    if world.below(2) == 0 {
        world.create_user("edc", DATASPACE_DISCOVERY).await;
    }
    scenario.killed_processes(world, &troubles).await;
    let process = scenario.rest(world, &troubles).await;
    scenario.end(world, &troubles, process).await;
}

#[test]
fn existing_users_are_published_and_never_changed() {
    const NAME: &str = "existing_users";
    for_each_seed(NAME, |seed| simulate(NAME, seed, run));
}
