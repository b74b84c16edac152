//! Two operators at once, without an election: a thing that happens for a moment, and must do no harm.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Canned, Endpoint, Fault, Stage};
use serde_json::Value;
use testbed::{Matcher, Process};

use crate::support::{World, create, one_user, reason, world};

fn refusals(calls: &[portal_simulator::Call], name: &str) -> usize {
    let names = |body: &Value| body["name"].as_str().is_some_and(|user| user.ends_with(&format!("-{name}")));
    calls.iter().filter(|call| call.body.as_ref().is_some_and(names)).count()
}

#[tokio::test]
async fn ten_resources_get_one_user_each() {
    let mut world = world().stopped().start().await;
    let names: Vec<String> = (0..10).map(|number| format!("edc-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let role = if number % 3 == 0 { IDENTITY_WALLET_MANAGEMENT } else { DATASPACE_DISCOVERY };
        world.apply(&create(name, &world.namespace, role)).await;
    }
    world.start_operator();
    world.start_operator();
    for name in &names {
        one_user(&world, name).await;
    }
    world.more_lists_answered(4).await;
    for name in &names {
        one_user(&world, name).await;
    }
    assert_eq!(world.ours().len(), 10);
    assert_eq!(world.simulator.count(Endpoint::Create), 10, "an attempt is one process's alone");
}

/// Waits until one of the operators has searched a resource's user after these marks in their logs.
async fn searched(world: &World, marks: &[usize], object: &str) {
    let searches = |line: &String| line.contains("step=Search") && line.contains(object);
    world
        .eventually("an operator searches for the user", async || {
            let mut operators = world.operators().iter().zip(marks);
            operators.any(|(operator, mark)| operator.lines()[*mark..].iter().any(searches))
        })
        .await;
}

#[tokio::test]
async fn a_portal_that_refuses_every_create_is_not_asked_again_and_again() {
    let mut world = world().start().await;
    world.start_operator();
    world.simulator.inject(Fault::at(Endpoint::Create, Action::Status(Canned::error(400))));
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.because("edc", "CreateRefused").await;
    // The other one cannot know of the refusal: it searches the user, and sends one request.
    world.simulator.wait_for(|view| refusals(view.calls(), "edc") == 2).await;
    let marks: Vec<usize> = world.operators().iter().map(Process::line_count).collect();
    // Nor can the first one know of that refusal: it searches the user, and remembers its own refusal.
    searched(&world, &marks, &format!("{}/edc", world.namespace)).await;
    world.until("edc", "it is refused again", |object| reason(object) == "CreateRefused").await;
    world.apply(&create("later", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.because("later", "CreateRefused").await;
    assert_eq!(refusals(&world.simulator.calls(), "edc"), 2, "each has asked once");
    let statuses = Matcher::any().method("PATCH").path("/technicalusers/edc/status");
    assert!(world.proxy.count(&statuses) < 20, "they overwrite each other: {}", world.proxy.count(&statuses));
    assert_eq!(world.ours(), []);
}

#[tokio::test]
async fn a_deletion_during_a_create_is_reported_once() {
    let mut world = world().start().await;
    world.start_operator();
    let gate = world.simulator.gate(Endpoint::Create, Stage::Working);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;
    world.delete("edc").await;
    world.until("edc", "one has reported it", |object| !reason(object).is_empty()).await;
    world.more_lists_answered(4).await;
    let statuses = Matcher::any().method("PATCH").path("/technicalusers/edc/status");
    assert!(world.proxy.count(&statuses) < 10, "they overwrite each other: {}", world.proxy.count(&statuses));
    gate.release();
    world.gone("edc").await;
    assert_eq!(world.ours(), []);
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}
