//! The way of one `TechnicalUser` without any fault, and that a seed repeats a run.

use std::time::Duration;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::kill::Kill;
use crate::world::{COMPANY, Process, World, simulate};

/// The name of the test.
const NAME: &str = "the_same_seed";
const SOON: Duration = Duration::from_mins(10);

/// A `TechnicalUser` becomes Ready, its Secret is repaired twice, and it is deleted.
async fn one_user(world: &World) -> Vec<String> {
    let process = Process::start(world, Kill::never());
    world.create_user("edc", DATASPACE_DISCOVERY).await;
    world.until("edc is Ready", SOON, |world| world.is_ready("edc")).await;
    let published = world.secret("edc").unwrap();
    let at_the_portal = &world.portal.users(COMPANY)[1];
    assert_eq!(Some(published["client-secret"].as_str().unwrap()), at_the_portal.secret.as_deref());

    world.delete_secret("edc").await;
    let same = |world: &World| world.secret("edc").as_ref() == Some(&published);
    world.until("the Secret is written again", SOON, same).await;
    world.change_secret("edc", &json!({ "data": { "client-secret": "eA==" } })).await;
    world.until("the Secret is repaired", SOON, same).await;

    let reset = world.portal.reset_by_hand(at_the_portal.id).unwrap();
    let has_it = |world: &World| world.secret("edc").is_some_and(|secret| secret["client-secret"] == reset);
    world.until("the new secret is published", Duration::from_hours(2), has_it).await;

    world.delete_user("edc").await;
    world.until("edc is gone", SOON, |world| world.user("edc").is_none()).await;
    world.until("the Secret is gone", SOON, |world| world.secret("edc").is_none()).await;
    assert_eq!(world.portal.orphaned_clients(), Vec::<String>::new());
    world.comes_to_rest().await;
    process.stop(world).await;
    world.check_secrecy();
    world.record.lines()
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 1..=5 {
        let (one, other) = (simulate(NAME, seed, one_user), simulate(NAME, seed, one_user));
        for (number, (line, again)) in one.iter().zip(&other).enumerate() {
            assert_eq!(line, again, "seed {seed}, line {number}");
        }
        assert_eq!(one.len(), other.len(), "seed {seed}");
    }
    assert_ne!(simulate(NAME, 1, one_user), simulate(NAME, 2, one_user), "another seed gives another run");
}
