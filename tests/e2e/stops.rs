//! Asked to stop while the portal is at a create.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Canned, Endpoint, Fault, Stage};

use crate::support::{create, one_user, recorded, stop_operator_during, world};

#[tokio::test]
async fn it_waits_for_the_answer_and_writes_the_user_down() {
    for role in [DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT] {
        let mut world = world().start().await;
        let gate = world.simulator.gate(Endpoint::Create, Stage::Working);
        world.apply(&create("edc", &world.namespace, role)).await;
        gate.reached().await;
        let operator = world.operator();
        stop_operator_during(operator, async || gate.release()).await;
        let named = recorded(&world.user("edc").await.unwrap()).id;
        assert_eq!(named, world.ours()[0].id.to_string());
        world.start_operator();
        one_user(&world, "edc").await;
        assert_eq!(world.simulator.count(Endpoint::Create), 1);
    }
}

#[tokio::test]
async fn it_ends_also_where_no_answer_comes_and_the_next_one_finds_the_user() {
    let mut world = world().start().await;
    world.simulator.inject(
        Fault::at(Endpoint::Create, Action::DoneOnlyAfterCallerGone(std::time::Duration::ZERO)).once(),
    );
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.simulator.wait_for(|view| view.count(Endpoint::Create) == 1).await;
    world.stop_operator().await;
    world.start_operator();
    one_user(&world, "edc").await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn no_create_is_started_any_more() {
    let mut world = world().start().await;
    let gate = world.simulator.gate(Endpoint::Create, Stage::Working);
    world.apply(&create("first", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;
    let operator = world.operator();
    stop_operator_during(operator, async || {
        world.apply(&create("second", &world.namespace, DATASPACE_DISCOVERY)).await;
        gate.release();
    })
    .await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
    world.start_operator();
    one_user(&world, "first").await;
    one_user(&world, "second").await;
}

#[tokio::test]
async fn the_user_is_written_down_also_where_the_portal_fails_right_after() {
    let mut world = world().start().await;
    let gate = world.simulator.gate(Endpoint::Create, Stage::Working);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;
    for endpoint in [Endpoint::Details, Endpoint::Token] {
        world.simulator.inject(Fault::at(endpoint, Action::Status(Canned::html(502))));
    }
    let operator = world.operator();
    stop_operator_during(operator, async || gate.release()).await;
    let named = recorded(&world.user("edc").await.unwrap()).id;
    assert_eq!(named, world.ours()[0].id.to_string());
    world.simulator.clear_faults();
    world.start_operator();
    one_user(&world, "edc").await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}
