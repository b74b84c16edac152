//! Killed at every write of an adoption, and started again at once: the user is taken over, and no other one is created.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, Status};
use serde_json::json;

use crate::adoption::{adopts, by_hand, grant};
use crate::crash::{Call, Killed, calls_of, crash_at, crash_everywhere};
use crate::support::{World, recorded, world};

const NAME: &str = "edc";
const BY_HAND: &str = "our connector";

async fn with_a_user() -> World {
    let world = world().start().await;
    by_hand(&world, BY_HAND, DATASPACE_DISCOVERY);
    grant(&world, true).await;
    world
}

async fn ask(world: &World) {
    world.apply(&adopts(world, NAME, json!({"name": BY_HAND}))).await;
}

async fn is_taken_over(world: &World) {
    world.ready(NAME).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_a_user_is_taken_over_takes_it_over() {
    let mut calls = calls_of(&with_a_user().await, ask, is_taken_over).await;
    let mark = Call::Portal { endpoint: Endpoint::Update, skip: 0 };
    calls.retain(|call| call.is_write() || *call == mark);
    assert!(calls.contains(&mark), "{calls:#?}");
    crash_everywhere(calls, async |call: Call, killed: Killed| {
        let (world, met) = crash_at(with_a_user().await, NAME, (call, killed), ask, is_taken_over).await;
        let users = world.simulator.users("One");
        let taken = users.iter().find(|user| user.name == BY_HAND).unwrap();
        assert_eq!(recorded(&world.user(NAME).await.unwrap()).id, taken.id.to_string());
        assert!(taken.description.contains("technicaluser.dev/1"), "{}", taken.description);
        assert_eq!((taken.status, world.count(Endpoint::Create)), (Status::Active, 0));
        assert_eq!(world.token_with(NAME).await, 200);
        met
    })
    .await;
}
