//! A process of the operator: the real controller with its own randomness, caches and memory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use technical_user_operator::app::{Controller, Parts};
use technical_user_operator::config::{Cli, Command, RunArgs};
use technical_user_operator::health::Health;
use technical_user_operator::metrics::Metrics;
use technical_user_operator::process::{Clock, Pause, Random, SetClock};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::portal::Network;
use super::{NAMESPACE, Trouble, World};
use crate::kill::Kill;

/// A running process. Dropped, it is killed: nothing of it runs on.
pub struct Process {
    name: String,
    controller: Controller,
    pub metrics: Metrics,
    pub kill: Kill,
    stop: CancellationToken,
    /// Cancelled at its end, of whatever kind.
    _ended: DropGuard,
}

impl Process {
    /// Starts the next process of a world, which works without a lease.
    pub fn start(world: &World, kill: Kill) -> Self {
        Self::start_with(world, kill, &[])
    }

    /// Starts the next process of a world, which works only while it holds the lease.
    pub fn stand_by(world: &World, kill: Kill) -> Self {
        Self::start_with(world, kill, &["--leader-election"])
    }

    fn start_with(world: &World, kill: Kill, more: &[&str]) -> Self {
        let number = world.next_process();
        let name = format!("operator-{number}");
        world.record.add(format!("{name} starts"));
        let random = Random::seeded(world.seed.wrapping_mul(1000) + number);
        let network = Network {
            portal: Arc::clone(&world.portal),
            vault: world.vault.clone(),
            record: world.record.clone(),
            random: Random::seeded(world.seed.wrapping_mul(2000) + number),
            kill: kill.clone(),
            caller: name.clone(),
            neighbours: world.neighbours.clone(),
            moments: world.moments.clone(),
        };
        let (metrics, stop) = (Metrics::default(), CancellationToken::new());
        let controller = Controller::start(Parts {
            args: args(&name, more),
            client: world.apiserver.client(&name, kill.clone()),
            transports: Arc::new(network),
            clock: clock(world),
            random,
            metrics: metrics.clone(),
            health: Health::default(),
            stop: stop.clone(),
        });
        let ended = CancellationToken::new();
        kill.pauses.of(pause_of(world, &name, controller.pause(), ended.clone()));
        Self { name, controller, metrics, kill, stop, _ended: ended.drop_guard() }
    }

    /// Waits until it is to be killed, or has ended because it lost its lease.
    pub async fn at_its_end(&mut self) {
        tokio::select! {
            biased;
            () = self.kill.hit() => {}
            _ended = self.controller.ended() => {}
        }
    }

    /// Kills it.
    pub fn kill(self, world: &World) {
        if self.kill.at().is_some() {
            world.has_killed();
        }
        match self.kill.at() {
            Some(at) => world.record.add(format!("{} is killed at {at}", self.name)),
            None => world.record.add(format!("{} is killed where it waits", self.name)),
        };
        world.keep_metrics(&self.metrics);
    }

    /// Stops it in order.
    pub async fn stop(mut self, world: &World) {
        self.stop.cancel();
        self.controller.ended().await.unwrap();
        world.record.add(format!("{} has stopped", self.name));
        world.keep_metrics(&self.metrics);
    }
}

/// Pauses a process for a time.
fn pause_of(
    world: &World,
    name: &str,
    pause: Pause,
    ended: CancellationToken,
) -> impl Fn(&str, Duration) + Send + Sync + 'static {
    let (record, moments, name) = (world.record.clone(), world.moments.clone(), name.to_owned());
    move |at, time| {
        moments.paused(time);
        record.add(format!("{name} is paused for {time:?} at {at}"));
        pause.begin();
        let (pause, ended, record, name) = (pause.clone(), ended.clone(), record.clone(), name.clone());
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = ended.cancelled() => {}
                () = tokio::time::sleep(time) => {
                    record.add(format!("{name} continues"));
                    pause.end();
                }
            }
        });
    }
}

/// The clock of a process: ahead or behind while the clocks of the world differ.
fn clock(world: &World) -> Clock {
    if world.moments.skew().is_zero() {
        return world.clock.clock();
    }
    let clock = SetClock::at(world.clock.clock().now());
    world.set_wrong(&clock);
    world.clocks.lock().push(clock.clone());
    clock.clock()
}

impl World {
    /// Sets the clock of a process ahead or behind.
    fn set_wrong(&self, clock: &SetClock) {
        let now = self.clock.clock().now();
        let (by, ahead) = (self.part_of(self.moments.skew()), self.below(2) == 0);
        self.record.add(format!("its clock is {} by {by:?}", if ahead { "ahead" } else { "behind" }));
        clock.set(if ahead { now + by } else { now - by });
    }

    /// The clocks of processes jump, sometimes.
    pub fn move_clocks(&self, troubles: &BTreeSet<Trouble>) {
        if !troubles.contains(&Trouble::Clocks) || self.below(2) == 0 {
            return;
        }
        // Clocks of processes that have ended are of no use, and do no harm.
        let clocks = self.clocks.lock().clone();
        self.record.add(format!("{} clocks jump", clocks.len()));
        for clock in &clocks {
            self.set_wrong(clock);
        }
    }
}

fn args(name: &str, more: &[&str]) -> RunArgs {
    let (namespace, pod) = (format!("--namespace={NAMESPACE}"), format!("--pod-name={name}"));
    let arguments = ["technical-user-operator", "run", "--instance=sim", &namespace, &pod];
    let arguments = arguments.iter().chain(more).map(Into::into);
    match Cli::from_arguments(arguments).unwrap().command {
        Command::Run(args) => *args,
        other => panic!("{other:?}"),
    }
}
