//! Requests for a rotation at a bad moment: before the first credential is there, during another rotation, and twice.

use kube::api::DynamicObject;
use portal_simulator::role_names::IDENTITY_WALLET_MANAGEMENT;
use portal_simulator::{Endpoint, Version, WalletDelay};
use serde_json::json;

use crate::rotation::{NAME, annotate, second_user, with_rotation};
use crate::support::{
    FULL_LOGIN, LOGIN_OF_TWO, ROTATE, World, condition, is_ready, one_company, secret_value, user_status,
    world,
};

/// A world in which the user waits for the wallet service until the test answers for it.
async fn waiting() -> World {
    let world = world().simulator(one_company(Version::Main).wallet_delay(WalletDelay::Never)).start().await;
    world.apply(&with_rotation(&world, IDENTITY_WALLET_MANAGEMENT, &json!({"overlap": "24h"}))).await;
    world.because(NAME, "Pending").await;
    world
}

/// The same, with a user that serves.
async fn serving() -> World {
    let world = waiting().await;
    world.simulator.activate_wallet_users();
    world.ready(NAME).await;
    world
}

async fn successor_waits(world: &World) {
    let waits = |user: &DynamicObject| condition(user, "Rotating").is_some_and(|one| one.reason == "Pending");
    world.until(NAME, "the successor waits for the wallet service", waits).await;
}

fn handled(user: &DynamicObject) -> Option<String> {
    user_status(user).handled?.rotate
}

/// The successor is published, and no third user was created.
async fn is_replaced_once(world: &World, request: &str) {
    world.simulator.activate_wallet_users();
    let user = second_user(world).await;
    assert_eq!(handled(&user).as_deref(), Some(request));
    world.two_sweeps().await;
    let user = world.user(NAME).await.unwrap();
    assert!(is_ready(&user) && condition(&user, "Rotating").is_none());
    assert_eq!((world.count(Endpoint::Create), world.token_with(NAME).await), (2, 200));
}

/// It may wait for the wallet service for ever.
#[tokio::test]
async fn a_request_for_a_user_that_is_pending_leads_to_another_one() {
    let world = waiting().await;
    annotate(&world, ROTATE, "early").await;
    world.simulator.wait_for(|view| view.answered(Endpoint::Create) == 2).await;
    is_replaced_once(&world, "early").await;
}

#[tokio::test]
async fn a_request_during_another_one_and_a_request_that_is_repeated_lead_to_one_successor() {
    let world = serving().await;
    annotate(&world, ROTATE, "1").await;
    successor_waits(&world).await;
    annotate(&world, ROTATE, "2").await;
    world.two_sweeps().await;
    successor_waits(&world).await;
    is_replaced_once(&world, "2").await;

    annotate(&world, ROTATE, "2").await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 2, "it was handled");
}

#[tokio::test]
async fn another_companys_login_during_a_rotation_changes_nothing() {
    let world = serving().await;
    let before = world.get_secret(NAME).await.unwrap();
    annotate(&world, ROTATE, "1").await;
    successor_waits(&world).await;
    let writes = world.portal_writes();
    world.login(LOGIN_OF_TWO).await;
    world.because(NAME, "CompanyChanged").await;
    world.two_sweeps().await;
    let now = world.get_secret(NAME).await.unwrap();
    assert_eq!(secret_value(&now, "client-secret"), secret_value(&before, "client-secret"));
    assert_eq!(world.portal_writes(), writes);

    world.login(FULL_LOGIN).await;
    world.sweep().await;
    successor_waits(&world).await;
    is_replaced_once(&world, "1").await;
}
