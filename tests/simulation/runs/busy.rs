//! A client that changes a resource all the time, while the operator cannot do its work: what fails is not repeated at each change.

use std::time::Duration;

use portal_simulator::role_names::DATASPACE_DISCOVERY;

use crate::apiserver::Verb;
use crate::kill::Kill;
use crate::world::{Process, World, simulate};

/// The name of the test.
const NAME: &str = "a_busy_client";
const SOON: Duration = Duration::from_mins(10);

/// The operator may not read the Secret, and cannot report it: its writes fail, many of them with a conflict. The judge counts these.
async fn run(world: &World) {
    let process = Process::start(world, Kill::never());
    world.until("the Portal is Ready", SOON, World::portal_is_ready).await;
    world.create_user("edc", DATASPACE_DISCOVERY).await;
    world.apiserver.faults(|faults| {
        faults.missing_rights.insert((Verb::Get, "secrets".to_owned()));
        faults.webhooks.insert("technicalusers.technicaluser.dev".to_owned());
    });
    world.is_busy_with("edc");
    tokio::time::sleep(Duration::from_mins(2)).await;
    world.check();
    world.apiserver.faults(|faults| {
        faults.missing_rights.clear();
        faults.webhooks.clear();
    });
    world.comes_to_rest().await;
    process.stop(world).await;
}

#[test]
fn a_busy_client_causes_no_hot_loop_while_the_operator_may_not_work() {
    for seed in 1..=3 {
        simulate(NAME, seed, run);
    }
}
