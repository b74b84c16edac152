//! Kills at any request of any process, and a start after each. At the end one process runs on, and the judge decides.

use std::time::Duration;

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};

use super::seeds::for_each_seed;
use crate::kill::Kill;
use crate::world::{Process, World, simulate};

/// The most points that a process passes before it is killed. A start and a create pass about 100.
const MOST_POINTS: u64 = 160;
/// A process that has passed fewer points by then is killed where it waits.
const LONGEST_LIFE: Duration = Duration::from_mins(15);

/// Processes one after the other, each killed by chance, and amid troubles if the run has some.
async fn killed_processes(world: &World, troubled: bool) {
    for _ in 0..=world.below(5) {
        if troubled {
            world.trouble();
        }
        let process = Process::start(world, Kill::after(world.below(MOST_POINTS)));
        let _waits = tokio::time::timeout(LONGEST_LIFE, process.killed(world)).await;
        if troubled {
            world.compact_sometimes();
        }
        tokio::time::sleep(world.part_of(Duration::from_mins(2))).await;
    }
    world.end_troubles();
}

/// Two users are created, and later deleted, by processes that are killed.
async fn create_and_delete(world: &World, troubled: bool) {
    world.create_user("edc", DATASPACE_DISCOVERY).await;
    if world.below(2) == 0 {
        world.create_user("wallet", IDENTITY_WALLET_MANAGEMENT).await;
    }
    killed_processes(world, troubled).await;
    let process = Process::start(world, Kill::never());
    world.comes_to_rest().await;
    drop(process);
    for user in world.users() {
        world.delete_user(user["metadata"]["name"].as_str().unwrap()).await;
    }
    killed_processes(world, troubled).await;
    let process = Process::start(world, Kill::never());
    world.comes_to_rest().await;
    process.stop(world).await;
    world.check_secrecy();
}

#[test]
fn killed_processes_leave_no_orphan_and_no_duplicate() {
    const NAME: &str = "killed_processes_leave";
    for_each_seed(20, |seed| simulate(NAME, seed, async |world| create_and_delete(world, false).await));
}

#[test]
fn killed_processes_amid_troubles_leave_no_orphan_and_no_duplicate() {
    const NAME: &str = "killed_processes_amid";
    for_each_seed(20, |seed| simulate(NAME, seed, async |world| create_and_delete(world, true).await));
}
