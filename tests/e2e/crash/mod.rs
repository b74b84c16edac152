//! Killing the operator at every call of something, as a run without a crash shows its calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use portal_simulator::{Action, Endpoint, Fault, Stage as PortalStage};
use testbed::{Matcher, Stage};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::World;

/// So many worlds at once: most of them wait for an attempt to settle.
const AT_ONCE: usize = 12;

/// One call, as a recorded run shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// The nth of its kind at the apiserver; the path without the namespace's name.
    Apiserver { method: String, path: String, dry_run: bool, nth: usize },
    /// The one at the portal (its identity provider, the wallet) that comes after so many of its kind.
    Portal { endpoint: Endpoint, skip: usize },
}

/// What has become of the call when the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Killed {
    /// It is not carried out; at the portal it is carried out later.
    Before,
    /// The portal is at it.
    Amid,
    /// It was carried out, and nobody knows.
    After,
    /// It arrives, and is never carried out.
    InVain,
}

impl Call {
    /// Whether it changes something. Which reads there are depends on how fast the caches follow.
    pub fn is_write(&self) -> bool {
        match self {
            Self::Apiserver { method, path, .. } => method != "GET" && !path.contains("/events"),
            Self::Portal { endpoint, .. } => *endpoint == Endpoint::Create,
        }
    }

    /// When the process can be killed at it.
    pub fn moments(&self) -> Vec<Killed> {
        match self {
            Self::Portal { endpoint: Endpoint::Create, .. } => {
                vec![Killed::Before, Killed::Amid, Killed::After, Killed::InVain]
            }
            _ => vec![Killed::Before, Killed::After],
        }
    }

    /// Sees to it that the call stands still at this moment; the answer comes when it does, and lets it go on.
    pub fn hold(&self, world: &World, killed: Killed) -> Held {
        match self {
            Self::Apiserver { method, path, dry_run, nth } => {
                let path = format!("^{}$", regex_of(path, &world.namespace));
                let matcher = Matcher::any().method(method).dry_run(*dry_run).watch(false);
                let stage = if killed == Killed::Before { Stage::Before } else { Stage::After };
                Held::Apiserver(world.proxy.on(matcher.path_regex(&path).unwrap()).nth(*nth).hold(stage))
            }
            Self::Portal { endpoint, skip } => {
                let stage = match killed {
                    Killed::Before | Killed::InVain => PortalStage::Arrived,
                    Killed::Amid => PortalStage::Working,
                    Killed::After => PortalStage::Done,
                };
                if killed == Killed::InVain {
                    world.simulator.inject(Fault::at(*endpoint, Action::CutConnection).once());
                }
                Held::Portal(world.simulator.gate_after(*endpoint, stage, *skip))
            }
        }
    }
}

/// A call that stands still.
pub enum Held {
    Apiserver(testbed::Gate),
    Portal(portal_simulator::Gate),
}

impl Held {
    /// Waits until the call stands there.
    pub async fn reached(&self) {
        match self {
            Self::Apiserver(gate) => gate.reached().await.unwrap(),
            Self::Portal(gate) => gate.reached().await,
        }
    }

    /// Whether the call was made. A write that makes the resource ready can be seen a moment before its answer is held.
    pub async fn was_made(&self) -> bool {
        let made = matches!(self, Self::Apiserver(gate) if gate.is_expected());
        if made {
            self.reached().await;
        }
        made
    }
}

fn regex_of(path: &str, namespace: &str) -> String {
    path.replace('.', "\\.").replace("{}", namespace)
}

/// Where a recording began.
pub struct Begun {
    requests: usize,
    calls: usize,
}

impl Begun {
    /// From now on.
    pub fn now(world: &World) -> Self {
        Self { requests: world.proxy.requests().len(), calls: world.simulator.calls().len() }
    }

    /// The calls since then; those for the Portal itself are left out.
    pub fn calls(&self, world: &World) -> Vec<Call> {
        let mut found = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for request in &world.proxy.requests()[self.requests..] {
            let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
            if query.contains("watch=") || path.contains("/portals/") || path.ends_with("/portal-login") {
                continue;
            }
            let path = path.replace(&world.namespace, "{}");
            let dry_run = query.contains("dryRun=All");
            let nth = seen.entry(format!("{} {path} {dry_run}", request.method)).or_default();
            *nth += 1;
            found.push(Call::Apiserver { method: request.method.clone(), path, dry_run, nth: *nth });
        }
        let mut seen: BTreeMap<Endpoint, usize> = BTreeMap::new();
        // The last token was obtained by the test itself.
        let made = world.simulator.calls();
        for call in &made[self.calls..made.len() - 1] {
            let skip = seen.entry(call.endpoint).or_default();
            found.push(Call::Portal { endpoint: call.endpoint, skip: *skip });
            *skip += 1;
        }
        found
    }
}

/// Crashes at all of these calls, each in a world of its own, and tells where that did not end well. `crash` tells whether
/// the call was made.
pub async fn crash_everywhere<F>(calls: Vec<Call>, crash: impl Fn(Call, Killed) -> F)
where
    F: Future<Output = bool> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut crashes = JoinSet::new();
    for call in calls {
        for killed in call.moments() {
            let (point, write) = (format!("{killed:?} {call:?}"), call.is_write());
            let (crash, places) = (crash(call.clone(), killed), Arc::clone(&places));
            crashes.spawn(async move {
                let _place = places.acquire_owned().await.unwrap();
                (point, write, tokio::spawn(crash).await)
            });
        }
    }
    let (mut failed, mut met) = (Vec::new(), 0);
    while let Some(crash) = crashes.join_next().await {
        match crash.unwrap() {
            (_, _, Ok(true)) => met += 1,
            (point, true, Ok(false)) => failed.push(format!("{point}: was not met")),
            (point, false, Ok(false)) => println!("not met: {point}"),
            (point, _, Err(error)) => failed.push(format!("{point}: {error}")),
        }
    }
    assert!(failed.is_empty(), "{met} points went well, not these: {failed:#?}");
    println!("{met} points went well");
}
