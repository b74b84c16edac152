//! Many resources at once at a slow portal: each create waits for others, and what was decided for it may not hold any more when its turn
//! comes. A quota has room for some of them only.

use std::time::Duration;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Action, Canned, Endpoint};
use serde_json::json;

use super::seeds::for_each_seed;
use crate::kill::Kill;
use crate::world::{Process, World, simulate};

const SOON: Duration = Duration::from_mins(10);
/// Within this time all is done that is possible: a create that was refused is tried again after up to an hour.
const WITHIN: Duration = Duration::from_hours(3);

fn names(world: &World) -> Vec<String> {
    let users = world.users();
    users.iter().filter_map(|user| user["metadata"]["name"].as_str().map(str::to_owned)).collect()
}

/// The resources that are Ready.
fn served(world: &World) -> usize {
    names(world).iter().filter(|name| world.is_ready(name)).count()
}

/// The portal takes its time for each create and refuses some.
fn make_slow(world: &World) {
    let slow = world.part_of(Duration::from_secs(20));
    if world.below(3) != 0 {
        world.inject(
            Endpoint::Create,
            Action::Status(Canned::error(400)),
            1 + world.below(4),
            world.below(6),
        );
    }
    world.inject(Endpoint::Create, Action::Delay(slow), 200, 0);
}

/// People change their minds meanwhile.
async fn change_something(world: &World) {
    let waiting: Vec<_> = names(world).into_iter().filter(|name| !world.is_ready(name)).collect();
    let Some(name) = waiting.get(usize::try_from(world.below(8)).unwrap_or_default()) else { return };
    match world.below(4) {
        0 => world.delete_user(name).await,
        1 => {
            let roles = json!({ "user": { "create": { "roles": ["No Such Role"] } } });
            world.change_spec(name, &roles).await;
        }
        _ => {
            world.suspend(true).await;
            tokio::time::sleep(world.part_of(Duration::from_mins(2))).await;
            world.suspend(false).await;
        }
    }
}

/// The resources that no change of the portal can serve: people asked for a role that it does not have.
fn impossible(world: &World) -> Vec<String> {
    let is_impossible = |name: &String| {
        let roles = world.user(name).map(|user| user["spec"]["user"]["create"]["roles"].clone());
        roles == Some(json!(["No Such Role"]))
    };
    names(world).into_iter().filter(is_impossible).collect()
}

async fn run(world: &World) {
    world.neighbours.settle_a_crowd();
    let process = Process::start(world, Kill::never());
    world.until("the Portal is Ready", SOON, World::portal_is_ready).await;
    let count = 6 + world.below(14);
    // The logins and the operator's own Secret are there.
    let room = (world.below(3) != 0).then(|| 1 + world.below(count - 2));
    if let Some(room) = room {
        let others = world.apiserver.objects("secrets").len();
        world.limit_secrets(others + usize::try_from(room).unwrap_or_default()).await;
    }
    make_slow(world);
    for number in 0..count {
        world.create_user(&format!("more-{number}"), DATASPACE_DISCOVERY).await;
    }
    for _ in 0..=world.below(6) {
        tokio::time::sleep(world.part_of(Duration::from_secs(40))).await;
        change_something(world).await;
    }
    // Whoever cannot be served holds no place that another one needs.
    let is_done = |world: &World| {
        let possible = names(world).len() - impossible(world).len();
        let room = room.and_then(|room| usize::try_from(room).ok()).unwrap_or(possible);
        served(world) >= possible.min(room)
    };
    world.until("each place of the quota is used", WITHIN, is_done).await;
    world.check();
    for name in impossible(world) {
        world.delete_user(&name).await;
    }
    if room.is_some() {
        world.remove_quota().await;
    }
    world.end_troubles().await;
    world.comes_to_rest().await;
    process.stop(world).await;
}

#[test]
fn crowds_are_served_as_far_as_there_is_room() {
    const NAME: &str = "crowds";
    for_each_seed(NAME, |seed| simulate(NAME, seed, run));
}
