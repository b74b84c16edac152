//! A rotation by the interval waits for a window; what a person asks for does not.

use jiff::{SignedDuration, Timestamp};
use kube::api::DynamicObject;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Endpoint, Version, WalletDelay};
use serde_json::{Value, json};

use crate::role_changes::{only_user_with, set_roles};
use crate::rotation::{NAME, annotate, make_old, second_user, with_rotation};
use crate::support::{ROTATE, World, condition, is_ready, one_company, recorded, user_status, world};

fn window(cron: &str, zone: &str) -> Value {
    json!({"cron": cron, "duration": "1h", "timeZone": zone})
}

/// A window that opens in half a year, and when.
fn far() -> (Value, String) {
    let day = (Timestamp::now() + SignedDuration::from_hours(180 * 24)).strftime("%Y-%m-%d").to_string();
    let (month, of_month) = (&day[5..7], &day[8..]);
    (window(&format!("30 2 {of_month} {month} *"), "UTC"), format!("{day}T02:30:00Z"))
}

async fn set_windows(world: &World, windows: &[Value]) {
    world.patch_user(NAME, &json!({"spec": {"rotation": {"windows": windows}}})).await;
}

fn rotate_at(user: &DynamicObject) -> Option<String> {
    user_status(user).credential.unwrap().rotate_at
}

#[tokio::test]
async fn a_rotation_begins_in_a_window_and_is_completed_after_it() {
    let world = world().simulator(one_company(Version::Main).wallet_delay(WalletDelay::Never)).start().await;
    let (far, opens) = far();
    let rotation = json!({"interval": "720h", "windows": [far]});
    world.apply(&with_rotation(&world, IDENTITY_WALLET_MANAGEMENT, &rotation)).await;
    world.because(NAME, "Pending").await;
    world.simulator.activate_wallet_users();
    let user = world.ready(NAME).await;
    assert_eq!(rotate_at(&user), Some(opens.clone()));

    make_old(&world).await;
    world.two_sweeps().await;
    let user = world.user(NAME).await.unwrap();
    assert_eq!((world.count(Endpoint::Create), rotate_at(&user)), (1, Some(opens.clone())));
    assert_eq!(condition(&user, "Rotating"), None);

    // It opens, and closes before the wallet service has answered.
    set_windows(&world, &[window("*/15 * * * *", "Europe/Berlin"), far.clone()]).await;
    let waits = |user: &DynamicObject| condition(user, "Rotating").is_some_and(|one| one.reason == "Pending");
    world.until(NAME, "the successor waits", waits).await;
    set_windows(&world, &[far]).await;
    let seen = |user: &DynamicObject| user_status(user).observed_generation == user.metadata.generation;
    world.until(NAME, "the window is closed", |user| seen(user) && waits(user)).await;
    world.simulator.activate_wallet_users();
    let user = second_user(&world).await;
    assert_eq!((world.count(Endpoint::Create), rotate_at(&user)), (2, Some(opens)));
}

#[tokio::test]
async fn what_a_person_asks_for_waits_for_no_window_and_one_that_never_opens_is_reported() {
    let world = world().start().await;
    let never = json!({"interval": "720h", "windows": [window("0 2 30 2 *", "UTC")]});
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &never)).await;
    let fault = |user: &DynamicObject, words: &str| {
        condition(user, "Rotating").is_some_and(|one| {
            one.status == "False" && one.reason == "WindowNeverOpens" && one.message.contains(words)
        })
    };
    let user = world.until(NAME, "the day is reported", |user| fault(user, "0 2 30 2 *")).await;
    assert!(is_ready(&user), "{user:?}");
    assert_eq!(rotate_at(&user), None);
    make_old(&world).await;
    set_windows(&world, &[window("0 2 * * SAT", "Europe/Bonn"), far().0]).await;
    world.until(NAME, "the time zone is reported", |user| fault(user, "Europe/Bonn")).await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 1);

    annotate(&world, ROTATE, "1").await;
    world.until(NAME, "it is replaced on request", |user| recorded(user).generation == Some(2)).await;
    set_windows(&world, &[far().0]).await;
    world.until(NAME, "nothing is wrong", |user| condition(user, "Rotating").is_none()).await;
    make_old(&world).await;
    set_roles(&world, &[IDENTITY_WALLET_MANAGEMENT]).await;
    only_user_with(&world, &[IDENTITY_WALLET_MANAGEMENT]).await;
    assert_eq!((world.count(Endpoint::Create), world.token_with(NAME).await), (3, 200));
}
