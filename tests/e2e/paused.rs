//! A process that stands still after it has written its attempt down, and wakes up too late to ask the portal.

use std::time::{Duration, Instant};

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use testbed::{Matcher, Process, Stage};

use crate::support::{create, one_user, world};

/// The POST starts within ten seconds of the patch, or not at all.
const TOO_LONG: Duration = Duration::from_secs(11);

fn attempts() -> Matcher {
    Matcher::any().method("PATCH").path_regex("/technicalusers/edc$").unwrap()
}

/// Returns when the process stands still: the signal reaches each of its threads a moment after it was sent.
async fn pause(operator: &Process) {
    operator.sigstop().unwrap();
    let tasks = format!("/proc/{}/task", operator.id());
    let stands = |task: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap_or_default();
        // After the name in parentheses comes the state.
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
    };
    let stand = || async { std::fs::read_dir(&tasks).unwrap().all(stands).then_some(()) };
    testbed::eventually("every thread stands still", stand).await.unwrap();
}

#[tokio::test]
async fn another_process_takes_over_and_the_one_that_wakes_up_asks_for_nothing() {
    let mut world = world().start().await;
    world.portal_because("LoggedIn").await;
    let gate = world.proxy.on(attempts()).nth(1).hold(Stage::After);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await.unwrap();
    pause(world.operator()).await;
    gate.release();
    let (_way, kubeconfig) = world.another_way().await;
    world.start_operator_with(&kubeconfig);
    let user = one_user(&world, "edc").await;
    world.operators()[0].sigcont().unwrap();
    // Whichever it sees first: that the answer to its patch came too late, then it reads back; or the answer, then it sees
    // that it is too late for the create.
    let read_back = Matcher::any().method("GET").path_regex("/technicalusers/edc$").unwrap();
    world
        .eventually("the first process notices that it is too late", async || {
            let lines = world.operators()[0].lines();
            lines.iter().any(|line| line.contains("not started in time")) || world.proxy.count(&read_back) > 0
        })
        .await;
    world.more_lists_answered(4).await;
    assert_eq!(one_user(&world, "edc").await, user);
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn it_starts_over_with_an_attempt_of_its_own() {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    let gate = world.proxy.on(attempts()).nth(1).hold(Stage::After);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await.unwrap();
    pause(world.operator()).await;
    gate.release();
    let written = Instant::now();
    world.eventually("the attempt is too old", async || written.elapsed() >= TOO_LONG).await;
    assert_eq!(world.simulator.count(Endpoint::Create), 0);
    world.operator().sigcont().unwrap();
    one_user(&world, "edc").await;
    assert_eq!(world.proxy.count(&attempts()), 2, "the first attempt was not used");
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}
