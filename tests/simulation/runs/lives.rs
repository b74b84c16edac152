//! The lives of the processes in a run: each is killed, or has its time, and the next one starts. At the end no process is killed.

use std::collections::BTreeSet;

use crate::kill::Kill;
use crate::world::{Process, Trouble, World};

/// What a run has beside the troubles that its seed chooses.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Two processes run at a time, of which the holder of the lease works.
    pub standby: bool,
}

type Troubles = BTreeSet<Trouble>;

impl Scenario {
    fn start(self, world: &World, kill: Kill) -> Process {
        if self.standby { Process::stand_by(world, kill) } else { Process::start(world, kill) }
    }

    /// Processes that are killed by chance, each replaced by the next.
    pub async fn killed_processes(self, world: &World, troubles: &Troubles) {
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
            if world.may_restore(troubles) {
                if let Some(standby) = standby.take() {
                    standby.kill(world);
                }
                world.restore_cluster();
                standby = self.standby.then(start);
            }
            world.compact_sometimes();
            tokio::time::sleep(world.pause()).await;
        }
        world.end_troubles().await;
        if let Some(standby) = standby {
            standby.kill(world);
        }
    }

    /// A process that is not killed, until the judge is content. It needs no lease: a standby would do nothing for hours but ask
    /// for that.
    pub async fn rest(self, world: &World, troubles: &Troubles) -> Process {
        let process = Process::start(world, Kill::never());
        world.last_creates(troubles).await;
        world.comes_to_rest().await;
        process
    }

    /// People delete what is left, while processes are killed, until the judge is content without any resource.
    pub async fn end(self, world: &World, troubles: &Troubles, process: Process) {
        process.kill(world);
        for user in world.users() {
            world.delete_user(user["metadata"]["name"].as_str().unwrap()).await;
        }
        self.killed_processes(world, troubles).await;
        self.rest(world, troubles).await.stop(world).await;
        world.check_secrecy();
    }
}

async fn at_the_end_of(process: &mut Option<Process>) {
    match process {
        Some(process) => process.at_its_end().await,
        None => std::future::pending().await,
    }
}
