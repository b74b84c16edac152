//! Faults on demand (portal contract, section 13.11).

use std::time::Duration;

use portal_simulator::{Action, Answer as Ended, Canned, Endpoint, Fault};

use crate::world::{Answer, DISCOVERY, USERS, World, creation, soon};

fn named(world: &World, name: &str) -> usize {
    world.sim.users("One").iter().filter(|user| user.name == name).count()
}

async fn try_create(world: &World, name: &str) -> reqwest::Result<Answer> {
    let token = world.token("admin").await;
    let request = world.request("POST", USERS, token.as_deref()).json(&creation(name, &[DISCOVERY]));
    Ok(Answer::of(request.send().await?).await)
}

#[tokio::test]
async fn canned_answers() {
    let world = World::main().await;
    let busy = Canned::error(503).header("Retry-After", "7");
    world.sim.inject(Fault::at(Endpoint::List, Action::Status(busy)).times(2).skip(1));
    let statuses = async || world.list("page=0&size=1").await;
    assert_eq!(statuses().await.status, 200);
    let answer = statuses().await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "7"));
    assert!(answer.json()["errorId"].is_string());
    assert_eq!((statuses().await.status, statuses().await.status), (503, 200));

    let id = world.sim.inject(Fault::at(Endpoint::List, Action::Status(Canned::html(502))));
    assert_eq!((statuses().await.status, statuses().await.media()), (502, "text/html"));
    world.sim.remove_fault(id);
    world.sim.inject(Fault::at(Endpoint::List, Action::Status(Canned::empty(429))));
    assert_eq!((statuses().await.status, statuses().await.text.as_str()), (429, ""));
    world.sim.clear_faults();
    world.sim.inject(Fault::at(Endpoint::List, Action::HtmlInstead).once());
    let page = statuses().await;
    assert_eq!((page.status, page.media()), (200, "text/html"));
    assert_eq!(statuses().await.status, 200);
}

#[tokio::test]
async fn faults_of_one_caller_or_path() {
    let world = World::main().await;
    let user = world.user("x").await;
    let broken = || Action::Status(Canned::empty(500));
    world.sim.inject(Fault::anywhere(broken()).caller("viewer"));
    world.sim.inject(Fault::at(Endpoint::List, broken()).path_contains("page=1"));
    world.sim.inject(Fault::at(Endpoint::Details, broken()).path_contains(&user.id.to_string()));
    assert_eq!(world.login("viewer", "viewer-secret").await.status, 500);
    assert_eq!(world.list("page=0&size=1").await.status, 200);
    assert_eq!(world.list("page=1&size=1").await.status, 500);
    assert_eq!(world.details(user.id).await.status, 500);
    assert_eq!(world.update(user.id, "x").await.status, 200);
}

#[tokio::test]
async fn cuts_before_and_after_the_work() {
    let world = World::main().await;
    world.sim.inject(Fault::at(Endpoint::Create, Action::CutConnection).once());
    try_create(&world, "before").await.unwrap_err();
    assert_eq!(named(&world, "before"), 0);
    world.sim.inject(Fault::at(Endpoint::Create, Action::DoneButAnswerLost).once());
    try_create(&world, "after").await.unwrap_err();
    assert_eq!(named(&world, "after"), 1);
    let calls = world.sim.calls_of(Endpoint::Create);
    assert_eq!(
        calls.iter().map(|call| (call.answer, call.done)).collect::<Vec<_>>(),
        [(Some(Ended::Cut), None), (Some(Ended::Cut), Some(200)),]
    );
}

#[tokio::test]
async fn done_then_another_answer() {
    let world = World::main().await;
    world.sim.inject(Fault::at(Endpoint::Create, Action::DoneThen(Canned::error(502))).once());
    assert_eq!(try_create(&world, "x").await.unwrap().status, 502);
    assert_eq!(named(&world, "x"), 1);
}

#[tokio::test]
async fn a_hang_ends_with_the_caller() {
    let world = World::main().await;
    world.sim.inject(Fault::at(Endpoint::Create, Action::Hang).once());
    let create = try_create(&world, "x");
    tokio::select! {
        _ = create => panic!("no answer was to come"),
        () = soon(world.sim.wait_for(|view| view.count(Endpoint::Create) == 1)) => {}
    }
    soon(world.sim.wait_for(|view| view.answered(Endpoint::Create) == 1)).await;
    let call = world.sim.calls_of(Endpoint::Create)[0].clone();
    assert_eq!((call.answer, call.caller_gone, call.done), (Some(Ended::Cut), true, None));
}

/// Section 14: the caller gives up, the user is created all the same, a moment later.
#[tokio::test]
async fn done_only_after_the_caller_is_gone() {
    let world = World::main().await;
    let action = Action::DoneOnlyAfterCallerGone(Duration::from_millis(1));
    world.sim.inject(Fault::at(Endpoint::Create, action).once());
    let create = try_create(&world, "late");
    tokio::select! {
        _ = create => panic!("no answer was to come"),
        () = soon(world.sim.wait_for(|view| view.count(Endpoint::Create) == 1)) => {}
    }
    soon(world.sim.wait_for(|view| view.users("One").iter().any(|user| user.name == "late"))).await;
}

/// Section 14: without any fault, too, a create continues when its caller ends.
#[tokio::test]
async fn a_create_continues_without_its_caller() {
    let world = World::main().await;
    let gate = world.sim.gate(Endpoint::Create, portal_simulator::Stage::Working);
    let create = try_create(&world, "late");
    tokio::select! {
        _ = create => panic!("no answer was to come"),
        () = soon(gate.reached()) => {}
    }
    assert_eq!(named(&world, "late"), 0);
    gate.release();
    soon(world.sim.wait_for(|view| view.users("One").iter().any(|user| user.name == "late"))).await;
}

#[tokio::test]
async fn delays_and_other_endpoints() {
    let world = World::main().await;
    world.sim.inject(Fault::at(Endpoint::List, Action::Delay(Duration::from_millis(1))).once());
    assert_eq!(world.list("page=0&size=1").await.status, 200);
    world.sim.inject(Fault::at(Endpoint::Token, Action::Status(Canned::html(503))).once());
    assert_eq!(world.login("admin", "admin-secret").await.media(), "text/html");
    world.sim.inject(Fault::at(Endpoint::ErrorMessage, Action::CutConnection).once());
    let url = format!("{}/errormessage", world.sim.api_url());
    world.http.get(&url).send().await.unwrap_err();
    world.sim.inject(Fault::at(Endpoint::WalletToken, Action::Status(Canned::empty(500))).once());
    let wallet = format!("{}/oauth/token", world.sim.wallet_url());
    assert_eq!(world.http.post(wallet).send().await.unwrap().status(), 500);
}
