//! Kills at any request of any process, and a start after each. At the end no process is killed, and the judge decides.

use std::time::Duration;

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};

use super::seeds::for_each_seed;
use crate::kill::Kill;
use crate::world::{Process, World, simulate};

/// The most points that a process passes before it is killed. A start and a create pass about 100.
const MOST_POINTS: u64 = 160;
/// A process that has passed fewer points by then is killed where it waits.
const LONGEST_LIFE: Duration = Duration::from_mins(15);

/// What a run has beside the kills.
#[derive(Debug, Clone, Copy)]
struct Scenario {
    /// The apiserver and the portal have troubles, and other clients interfere.
    troubled: bool,
    /// Two processes run at a time, of which the holder of the lease works.
    standby: bool,
}

impl Scenario {
    fn start(self, world: &World, kill: Kill) -> Process {
        if self.standby { Process::stand_by(world, kill) } else { Process::start(world, kill) }
    }

    /// Processes that are killed by chance, each replaced by the next.
    async fn killed_processes(self, world: &World) {
        let start = || self.start(world, Kill::after(world.below(MOST_POINTS)));
        let mut standby = self.standby.then(start);
        for _ in 0..=world.below(5) {
            if self.troubled {
                world.trouble();
            }
            let mut process = start();
            tokio::select! {
                biased;
                () = process.at_its_end() => process.kill(world),
                () = at_the_end_of(&mut standby) => {
                    if let Some(ended) = standby.replace(process) {
                        ended.kill(world);
                    }
                }
                () = tokio::time::sleep(LONGEST_LIFE) => process.kill(world),
            }
            if self.troubled {
                world.interfere().await;
                world.compact_sometimes();
            }
            tokio::time::sleep(world.part_of(Duration::from_mins(2))).await;
        }
        world.end_troubles();
        if let Some(standby) = standby {
            standby.kill(world);
        }
    }

    /// Processes that are not killed, until the judge is content.
    async fn rest(self, world: &World) -> Vec<Process> {
        let processes = (0..=u8::from(self.standby)).map(|_| self.start(world, Kill::never())).collect();
        world.comes_to_rest().await;
        processes
    }

    /// Users are created, and later deleted, by processes that are killed.
    async fn run(self, world: &World) {
        world.create_user("edc", DATASPACE_DISCOVERY).await;
        if world.below(2) == 0 {
            world.create_user("wallet", IDENTITY_WALLET_MANAGEMENT).await;
        }
        self.killed_processes(world).await;
        drop(self.rest(world).await);
        for user in world.users() {
            world.delete_user(user["metadata"]["name"].as_str().unwrap()).await;
        }
        self.killed_processes(world).await;
        for process in self.rest(world).await {
            process.stop(world).await;
        }
        world.check_secrecy();
    }
}

async fn at_the_end_of(process: &mut Option<Process>) {
    match process {
        Some(process) => process.at_its_end().await,
        None => std::future::pending().await,
    }
}

#[test]
fn killed_processes_leave_no_orphan_and_no_duplicate() {
    const NAME: &str = "killed_processes_leave";
    let scenario = Scenario { troubled: false, standby: false };
    for_each_seed(15, |seed| simulate(NAME, seed, async |world| scenario.run(world).await));
}

#[test]
fn killed_processes_amid_troubles_leave_no_orphan_and_no_duplicate() {
    const NAME: &str = "killed_processes_amid";
    let scenario = Scenario { troubled: true, standby: false };
    for_each_seed(25, |seed| simulate(NAME, seed, async |world| scenario.run(world).await));
}

#[test]
fn killed_processes_with_a_standby_leave_no_orphan_and_no_duplicate() {
    const NAME: &str = "killed_processes_with";
    let scenario = Scenario { troubled: true, standby: true };
    for_each_seed(6, |seed| simulate(NAME, seed, async |world| scenario.run(world).await));
}
