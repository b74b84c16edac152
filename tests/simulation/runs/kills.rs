//! Kills at any request of any process, and a start after each. At the end no process is killed, and the judge decides.

use std::collections::BTreeSet;

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};

use super::seeds::for_each_seed;
use crate::kill::Kill;
use crate::world::{Process, Trouble, World, simulate};

/// What a run has beside the troubles that its seed chooses.
#[derive(Debug, Clone, Copy)]
struct Scenario {
    /// Two processes run at a time, of which the holder of the lease works.
    standby: bool,
}

type Troubles = BTreeSet<Trouble>;

impl Scenario {
    fn start(self, world: &World, kill: Kill) -> Process {
        if self.standby { Process::stand_by(world, kill) } else { Process::start(world, kill) }
    }

    /// Processes that are killed by chance, each replaced by the next.
    async fn killed_processes(self, world: &World, troubles: &Troubles) {
        let start = || self.start(world, world.kill_by(troubles));
        let mut standby = self.standby.then(start);
        for _ in 0..=world.below(5) {
            world.trouble(troubles).await;
            let mut process = start();
            tokio::select! {
                biased;
                () = process.at_its_end() => process.kill(world),
                () = at_the_end_of(&mut standby) => {
                    if let Some(ended) = standby.replace(process) {
                        ended.kill(world);
                    }
                }
                () = world.goes_on(troubles) => process.kill(world),
            }
            world.check();
            world.compact_sometimes();
            tokio::time::sleep(world.pause()).await;
        }
        world.end_troubles().await;
        if let Some(standby) = standby {
            standby.kill(world);
        }
    }

    /// Processes that are not killed, until the judge is content.
    async fn rest(self, world: &World, troubles: &Troubles) -> Vec<Process> {
        let processes = (0..=u8::from(self.standby)).map(|_| self.start(world, Kill::never())).collect();
        world.last_creates(troubles).await;
        world.comes_to_rest().await;
        processes
    }

    /// Users are created, and later deleted, by processes that are killed.
    async fn run(self, world: &World) {
        let troubles = world.choose_troubles();
        world.prepare(&troubles).await;
        world.create_user("edc", DATASPACE_DISCOVERY).await;
        world
            .create_user(
                "wallet",
                if world.below(2) == 0 { IDENTITY_WALLET_MANAGEMENT } else { DATASPACE_DISCOVERY },
            )
            .await;
        self.killed_processes(world, &troubles).await;
        let processes = self.rest(world, &troubles).await;
        world.moments.has_checked(&[
            "no user is created a second time",
            "a create is sent right after its attempt is recorded",
            "a credential is verified before it is written",
            "Ready is true only with a valid credential",
        ]);
        world.notices_a_deletion().await;
        drop(processes);
        for user in world.users() {
            world.delete_user(user["metadata"]["name"].as_str().unwrap()).await;
        }
        self.killed_processes(world, &troubles).await;
        for process in self.rest(world, &troubles).await {
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
    let scenario = Scenario { standby: false };
    for_each_seed(60, |seed| simulate(NAME, seed, async |world| scenario.run(world).await));
}

#[test]
fn killed_processes_with_a_standby_leave_no_orphan_and_no_duplicate() {
    const NAME: &str = "killed_processes_with";
    let scenario = Scenario { standby: true };
    for_each_seed(6, |seed| simulate(NAME, seed, async |world| scenario.run(world).await));
}
