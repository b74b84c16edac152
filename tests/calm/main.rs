//! What the operator costs, counted by the apiserver's own metrics and the simulator's call log.
//!
//! A test binary of its own: the apiserver counts all requests, so nothing else may run beside it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../e2e/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the support of the end-to-end tests; this binary needs a part of it"
)]
mod support;

use kube::api::DynamicObject;
use portal_simulator::Endpoint;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use support::{World, condition, create, portal_status, world};
use testbed::{Matcher, RecordedRequest, RequestCounts, eventually};

/// The kinds that are written for a user.
const OF_USERS: [&str; 2] = ["technicalusers", "secrets"];

/// The kinds that the operator owns. Events and the Lease are others.
const OURS: [&str; 3] = ["technicalusers", "secrets", "portals"];

/// Writes of these kinds, dry runs aside.
fn writes(counts: &RequestCounts, kinds: &[&str]) -> u64 {
    counts
        .filter(|call| call.is_write() && !call.is_dry_run() && kinds.contains(&call.resource.as_str()))
        .total()
}

async fn counts(world: &World) -> RequestCounts {
    world.plane.request_counts().await.unwrap()
}

/// The writes for users since `before`, once the apiserver has counted at least `least` of them.
async fn writes_since(world: &World, before: &RequestCounts, least: u64) -> u64 {
    eventually("the apiserver counted the writes", || async {
        let now = writes(&counts(world).await.since(before), &OF_USERS);
        (now >= least).then_some(now)
    })
    .await
    .unwrap()
}

fn described(call: &RecordedRequest) -> String {
    format!("{} {} {:?}", call.method, call.target, call.apiserver_code)
}

async fn assert_silent(world: &World, before: &RequestCounts, what: &str) {
    let since = counts(world).await.since(before);
    let written = world.proxy.matching(&Matcher::writes().dry_run(false));
    let last: Vec<_> =
        written.iter().rev().take(5).map(|call| format!("{} {}", call.method, call.target)).collect();
    assert_eq!(writes(&since, &OURS), 0, "{what} writes nothing; the last writes: {last:#?}");
}

/// Waits until the portal's list was read this number of times more. One page of the list is one call.
async fn sweeps(world: &World, more: usize) {
    let pages = world.ours().len() / 15 + 1;
    let before = world.simulator.count(Endpoint::Roles);
    world.simulator.wait_for(|view| view.count(Endpoint::Roles) >= before + more).await;
    let lists = world.simulator.count(Endpoint::List);
    world.simulator.wait_for(|view| view.count(Endpoint::List) >= lists + pages).await;
}

/// Calls for one user.
fn calls_per_user(world: &World) -> usize {
    [Endpoint::Details, Endpoint::Create, Endpoint::Update, Endpoint::Reset, Endpoint::Delete]
        .into_iter()
        .map(|endpoint| world.simulator.count(endpoint))
        .sum()
}

#[tokio::test]
async fn writes_are_few_a_calm_system_is_silent_and_a_restart_is_cheap() {
    let mut world = world().start().await;
    world.portal_because("LoggedIn").await;
    sweeps(&world, 1).await;

    // A new internal user: the attempt with the finalizer, the Secret, the status. One more write is the test's own.
    let before = counts(&world).await;
    world.apply(&create("internal", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("internal").await;
    sweeps(&world, 1).await;
    assert_eq!(writes_since(&world, &before, 4).await, 1 + 3, "a new internal user");

    // A wallet user: also a status that it is pending.
    let before = counts(&world).await;
    world.apply(&create("wallet", &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    world.ready("wallet").await;
    sweeps(&world, 1).await;
    let wallet = writes_since(&world, &before, 4).await - 1;
    let seen: Vec<_> =
        world.proxy.matching(&Matcher::writes().dry_run(false)).iter().rev().take(8).map(described).collect();
    assert!(wallet <= 5, "a new wallet user took {wallet} writes; the last ones: {seen:#?}");

    // Fifty users, calm over several sweeps: no write, no call for any of them.
    let names: Vec<String> = (0..48).map(|number| format!("user-{number}")).collect();
    for name in &names {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
    }
    for name in &names {
        world.ready(name).await;
    }
    sweeps(&world, 1).await;
    let users = i64::try_from(world.simulator.users("One").len()).unwrap();
    let counted = |portal: &DynamicObject| {
        let status = portal_status(portal);
        (status.technical_users, status.users) == (Some(50), Some(users))
    };
    world.portal_until("its status counts them", counted).await;
    let (before, calls) = (counts(&world).await, calls_per_user(&world));
    let seen = world.ready("internal").await;
    sweeps(&world, 3).await;
    assert_silent(&world, &before, "a calm system").await;
    assert_eq!(calls_per_user(&world), calls, "a calm system makes no call for a user");
    let now = world.ready("internal").await;
    assert_eq!(seen.metadata.resource_version, now.metadata.resource_version);
    let since = |object| condition(object, "Ready").unwrap().last_transition_time;
    assert_eq!(since(&seen), since(&now));

    // A restart with nothing due: one sweep, no call for any user, no write.
    world.stop_operator().await;
    let (before, lists) = (counts(&world).await, world.simulator.count(Endpoint::List));
    world.start_operator();
    world.operator().wait_for_line(|line| line.contains("Ready")).await.unwrap();
    world.simulator.wait_for(|view| view.count(Endpoint::List) >= lists + 4).await;
    let first_sweep = world.simulator.count(Endpoint::List) - lists;
    assert!(first_sweep <= 4 + 1, "{first_sweep} pages for 52 users");
    sweeps(&world, 2).await;
    assert_eq!(calls_per_user(&world), calls, "a restart makes no call for a user");
    assert_silent(&world, &before, "a restart").await;
}
