//! Killed at every call of a create, before and after the call is carried out, and started again at once.

use std::collections::HashMap;
use std::sync::Arc;

use portal_simulator::{Action, Endpoint, Fault, Stage as PortalStage};
use testbed::{Matcher, Stage};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::{World, connected, create, one_user, reason, world};

const NAME: &str = "edc";
/// So many worlds at once: most of them wait for an attempt to settle.
const AT_ONCE: usize = 12;

/// One call of a create, as a recorded run shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Call {
    /// The nth of its kind at the apiserver; the path without the namespace's name.
    Apiserver { method: String, path: String, dry_run: bool, nth: usize },
    /// The one at the portal (its identity provider, the wallet) that comes after so many of its kind.
    Portal { endpoint: Endpoint, skip: usize },
}

/// What has become of the call when the process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Killed {
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
    fn is_write(&self) -> bool {
        match self {
            Self::Apiserver { method, path, .. } => method != "GET" && !path.contains("/events"),
            Self::Portal { endpoint, .. } => *endpoint == Endpoint::Create,
        }
    }

    fn moments(&self) -> Vec<Killed> {
        match self {
            Self::Portal { endpoint: Endpoint::Create, .. } => {
                vec![Killed::Before, Killed::Amid, Killed::After, Killed::InVain]
            }
            _ => vec![Killed::Before, Killed::After],
        }
    }

    /// Sees to it that the call stands still at this moment; the answer comes when it does, and lets it go on.
    fn hold(&self, world: &World, killed: Killed) -> Held {
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
enum Held {
    Apiserver(testbed::Gate),
    Portal(portal_simulator::Gate),
}

impl Held {
    async fn reached(&self) {
        match self {
            Self::Apiserver(gate) => gate.reached().await.unwrap(),
            Self::Portal(gate) => gate.reached().await,
        }
    }

    /// Whether the call was made. A write that makes the resource ready can be seen a moment before its answer is held.
    async fn was_made(&self) -> bool {
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

/// The calls from `kubectl apply` to a resource that is ready.
async fn calls_of_a_create(role: &str) -> Vec<Call> {
    let world = connected(world()).await;
    let (requests, calls) = (world.proxy.requests().len(), world.simulator.calls().len());
    world.apply(&create(NAME, &world.namespace, role)).await;
    one_user(&world, NAME).await;
    let mut found = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for request in &world.proxy.requests()[requests..] {
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
    let mut seen: HashMap<Endpoint, usize> = HashMap::new();
    // The last token was obtained by the test itself.
    let made = world.simulator.calls();
    for call in &made[calls..made.len() - 1] {
        let skip = seen.entry(call.endpoint).or_default();
        found.push(Call::Portal { endpoint: call.endpoint, skip: *skip });
        *skip += 1;
    }
    found
}

/// Kills the operator there and starts it again at once. False where the call was not made this time.
async fn crash(role: &str, call: &Call, killed: Killed) -> bool {
    let mut world = connected(world()).await;
    let held = call.hold(&world, killed);
    world.apply(&create(NAME, &world.namespace, role)).await;
    let met = tokio::select! {
        () = held.reached() => true,
        _ = world.ready(NAME) => held.was_made().await,
    };
    world.kill_operator();
    let at_work = matches!(call, Call::Portal { endpoint: Endpoint::Create, .. }) && met;
    if let (Held::Portal(gate), false) = (&held, at_work) {
        gate.release();
    }
    world.start_operator();
    if at_work {
        // The portal goes on with the killed call only when the next process has seen the attempt.
        world.until(NAME, "the attempt is seen", |object| reason(object) == "SettlingAttempt").await;
        if let Held::Portal(gate) = &held {
            gate.release();
        }
    }
    one_user(&world, NAME).await;
    assert!(
        world.simulator.count(Endpoint::Create) <= 2,
        "{} creates",
        world.simulator.count(Endpoint::Create)
    );
    world.assert_nothing_leaked().await;
    met
}

/// Crashes at all of them, and tells where that did not end well.
async fn crash_everywhere(role: &'static str, calls: Vec<Call>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut crashes = JoinSet::new();
    for call in calls {
        for killed in call.moments() {
            let (call, places) = (call.clone(), Arc::clone(&places));
            crashes.spawn(async move {
                let _place = places.acquire_owned().await.unwrap();
                let point = format!("{killed:?} {call:?}");
                let write = call.is_write();
                let ended = tokio::spawn(async move { crash(role, &call, killed).await }).await;
                (point, write, ended)
            });
        }
    }
    let (mut failed, mut met) = (Vec::new(), 0);
    while let Some(crash) = crashes.join_next().await {
        match crash.unwrap() {
            (_, _, Ok(true)) => met += 1,
            (point, true, Ok(false)) => failed.push(format!("{point}: was not met")),
            // Which reads there are depends on how fast the caches follow.
            (point, false, Ok(false)) => println!("not met: {point}"),
            (point, _, Err(error)) => failed.push(format!("{point}: {error}")),
        }
    }
    assert!(failed.is_empty(), "{met} points went well, not these: {failed:#?}");
    println!("{met} points went well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_call_leaves_one_internal_user() {
    let calls = calls_of_a_create("Dataspace Discovery").await;
    for write in ["/technicalusers/edc", "/technicalusers/edc/status", "/secrets"] {
        let is_it = |call: &Call| {
            matches!(call, Call::Apiserver { path, .. } if path.ends_with(write)) && call.is_write()
        };
        assert!(calls.iter().any(is_it), "no write of {write} in {calls:#?}");
    }
    assert!(calls.contains(&Call::Portal { endpoint: Endpoint::Create, skip: 0 }), "{calls:#?}");
    crash_everywhere("Dataspace Discovery", calls).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_at_any_write_leaves_one_external_user() {
    let mut calls = calls_of_a_create("Identity Wallet Management").await;
    calls.retain(Call::is_write);
    crash_everywhere("Identity Wallet Management", calls).await;
}
