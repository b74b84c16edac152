//! The apiserver fails, answers too late or not at all, in the middle of a create.

use std::time::Duration;

use portal_simulator::{Endpoint, Stage as PortalStage};
use serde_json::json;
use testbed::{Action, Matcher};

use crate::support::{World, create, one_user, world};

const NAME: &str = "edc";

fn attempts() -> Matcher {
    Matcher::any().method("PATCH").path_regex("/technicalusers/edc$").unwrap()
}

fn statuses() -> Matcher {
    Matcher::any().method("PATCH").path("/technicalusers/edc/status")
}

fn secret_writes() -> Matcher {
    Matcher::any().method("POST").path_regex("/secrets$").unwrap().dry_run(false)
}

async fn connected() -> World {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    world
}

async fn ends_well(world: &World) {
    world.apply(&create(NAME, &world.namespace, "Dataspace Discovery")).await;
    one_user(world, NAME).await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
    world.assert_nothing_leaked().await;
}

#[tokio::test]
async fn an_attempt_whose_patch_was_not_answered_is_read_back_and_used() {
    let world = connected().await;
    world.proxy.on(attempts()).nth(1).action(Action::DropAfter);
    ends_well(&world).await;
    assert_eq!(world.proxy.count(&attempts()), 1);
}

#[tokio::test]
async fn an_attempt_whose_patch_did_not_arrive_is_written_again() {
    let world = connected().await;
    world.proxy.on(attempts()).nth(1).action(Action::DropBefore);
    world.proxy.on(attempts()).nth(2).action(Action::status(409, "Conflict", "on demand"));
    world.proxy.on(attempts()).nth(3).action(Action::status(500, "InternalError", "on demand"));
    ends_well(&world).await;
    assert_eq!(world.proxy.count(&attempts()), 4);
}

#[tokio::test]
async fn an_apiserver_that_fails_at_every_attempt_is_asked_ever_more_seldom() {
    let world = connected().await;
    let fault = world.proxy.on(attempts()).action(Action::status(500, "InternalError", "a webhook failed"));
    world.apply(&create(NAME, &world.namespace, "Dataspace Discovery")).await;
    world
        .operator()
        .wait_for_line(|line| line.contains("a pass failed") && line.contains("status 500"))
        .await
        .unwrap();
    fault.remove();
    ends_well(&world).await;
}

#[tokio::test]
async fn writes_of_status_and_secret_that_fail_are_made_again() {
    let world = connected().await;
    let troubles = [
        Action::status(409, "Conflict", "on demand"),
        Action::status(500, "InternalError", "on demand"),
        Action::DropBefore,
        Action::DropAfter,
    ];
    for (number, trouble) in troubles.into_iter().enumerate() {
        world.proxy.on(statuses()).nth(number + 1).action(trouble.clone());
        world.proxy.on(secret_writes()).nth(number + 1).action(trouble);
    }
    ends_well(&world).await;
}

#[tokio::test]
async fn the_network_is_cut_while_the_portal_is_at_the_create() {
    let world = connected().await;
    let gate = world.simulator.gate(Endpoint::Create, PortalStage::Working);
    world.apply(&create(NAME, &world.namespace, "Dataspace Discovery")).await;
    gate.reached().await;
    world.proxy.pause_all();
    gate.release();
    // Not a wait for something to happen: the cut lasts that long.
    tokio::time::sleep(Duration::from_secs(20)).await;
    world.proxy.resume();
    ends_well(&world).await;
}

#[tokio::test]
async fn the_network_is_cut_before_the_attempt_is_written_down() {
    let world = connected().await;
    world.patch_portal(&json!({"spec": {"resyncInterval": "11s"}})).await;
    world.proxy.pause_all();
    world.apply(&create(NAME, &world.namespace, "Dataspace Discovery")).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(world.simulator.count(Endpoint::Create), 0);
    world.proxy.resume();
    ends_well(&world).await;
}

#[tokio::test]
async fn every_watch_is_cut_in_the_middle() {
    let world = connected().await;
    let gate = world.simulator.gate(Endpoint::Create, PortalStage::Done);
    world.apply(&create(NAME, &world.namespace, "Identity Wallet Management")).await;
    gate.reached().await;
    world.proxy.drop_connections();
    gate.release();
    ends_well_external(&world).await;
}

async fn ends_well_external(world: &World) {
    one_user(world, NAME).await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
    world.assert_nothing_leaked().await;
}
