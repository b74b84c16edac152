//! What the operator concludes from the portal's user list where that is long, moves, or hides users.

use kube::api::DynamicObject;
use kube::runtime::wait::await_condition;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, UserSeed, Version};
use serde_json::json;

use crate::support::{World, create, one_company, reason, recorded, world};

/// The number of users of others. Their names sort before those that the operator gives.
fn crowd(world: &World, count: usize) {
    for number in 0..count {
        world.simulator.seed_user(UserSeed::new("One", &format!("a-{number:05}"))).unwrap();
    }
}

/// A proof once made holds for a name that later readings do not show, because the list moves while they are read.
#[tokio::test]
async fn a_user_that_later_readings_miss_is_adopted() {
    let world = world().start().await;
    world.portal_ready().await;
    crowd(&world, 40);
    let before = world.seed_marked(&world.mark_of(world.owner("edc")).await);
    world.apply(&create("other", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("other").await;
    // From now on another client creates a user after each page, at the beginning of the list.
    let simulator = std::sync::Arc::clone(&world.simulator);
    let moving = tokio::spawn(async move {
        let mut pages = simulator.count(Endpoint::List);
        for number in 0.. {
            let seen = pages;
            simulator.wait_for(move |view| view.count(Endpoint::List) > seen).await;
            pages = simulator.count(Endpoint::List);
            simulator.seed_user(UserSeed::new("One", &format!("0-{number:05}"))).unwrap();
        }
    });
    world.two_sweeps().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let ready = world.ready("edc").await;
    moving.abort();
    assert_eq!(recorded(&ready).id, before.id.to_string(), "it is adopted");
    assert_eq!(world.count(Endpoint::Create), 1, "the other one alone was created");
}

/// How many users the long list has: few in the usual run, as many as the variable says for a measurement.
fn long_list() -> usize {
    std::env::var("TUO_TEST_LIST_USERS").ok().and_then(|count| count.parse().ok()).unwrap_or(200)
}

/// The resource as it first is so, by a watch: no state in between is missed.
async fn wait_for_first_state(
    world: &World,
    limit: std::time::Duration,
    condition: impl Fn(Option<&DynamicObject>) -> bool,
) -> DynamicObject {
    let seen = await_condition(world.users_api(), "edc", condition);
    tokio::time::timeout(limit, seen).await.unwrap().unwrap().unwrap()
}

/// A proof takes longer than a reconcile waits for it. It continues, and the resource says what it waits for.
#[tokio::test]
async fn a_search_outlives_the_reconcile_that_asked_for_it() {
    let users = long_list();
    let usual = users <= 1000;
    let simulator = one_company(Version::Main);
    let world = world().simulator(simulator).stopped().start().await;
    let mut world = world;
    crowd(&world, users);
    if usual {
        // Slow enough that 14 pages take longer than a reconcile waits.
        world.patch_portal(&json!({"spec": {"limits": {"requestsPerSecond": 2, "burst": 1}}})).await;
    }
    let began = std::time::Instant::now();
    world.start_operator();
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let limit = std::time::Duration::from_mins(if usual { 3 } else { 30 });
    let searching = |user: Option<&DynamicObject>| user.is_some_and(|user| reason(user) == "Searching");
    let waiting = wait_for_first_state(&world, limit, searching).await;
    let waited = began.elapsed();
    let words = crate::support::message(&waiting);
    assert!(words.contains("search of the portal's user list"), "{words}");
    assert!(!words.contains(|c: char| c.is_ascii_digit()), "{words}");
    let ready = |user: Option<&DynamicObject>| user.is_some_and(|user| reason(user) == "Ready");
    let user = wait_for_first_state(&world, limit, ready).await;
    let ready = began.elapsed();
    println!("{users} users: waits after {waited:?}, ready after {ready:?}");
    assert_eq!(reason(&user), "Ready");
    assert_eq!(world.count(Endpoint::Create), 1);
    world.portal_ready().await;
    world.operator().wait_for_line(|line| line.contains("The search of the user list begins")).await.unwrap();
}
