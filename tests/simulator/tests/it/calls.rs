//! The log of calls, gates and the record of secrets.

use portal_simulator::{Answer as Ended, Config, Endpoint, Simulator, Stage, Version};

use crate::world::{DISCOVERY, USERS, World, config, soon};

#[tokio::test]
async fn calls_are_logged() {
    let world = World::main().await;
    let user = world.user("logged").await;
    let calls = world.sim.calls();
    assert_eq!(calls.iter().map(|call| call.number).collect::<Vec<_>>(), [1, 2]);
    let (token, create) = (&calls[0], &calls[1]);
    assert_eq!((token.endpoint, token.caller.as_deref()), (Endpoint::Token, Some("admin")));
    assert!(token.body.is_none());
    assert_eq!((create.endpoint, create.caller.as_deref()), (Endpoint::Create, Some("admin")));
    assert_eq!((create.method.as_str(), create.answer), ("POST", Some(Ended::Status(200))));
    assert_eq!(create.path, format!("/api/administration{USERS}"));
    assert_eq!(create.body.as_ref().unwrap()["name"], "logged");
    let all = format!("{calls:?}");
    assert!(!all.contains(&user.secret.unwrap()) && !all.contains("admin-secret"));
    world.list("page=0&size=2&clientId=x").await;
    assert!(world.sim.calls_of(Endpoint::List)[0].path.ends_with("?page=0&size=2&clientId=x"));
    world.call("none", "GET /nowhere", None).await;
    assert_eq!(world.sim.calls_of(Endpoint::Other)[0].answer, Some(Ended::Status(404)));
}

#[tokio::test]
#[should_panic(expected = "its last calls:\n1 Token: POST ")]
async fn a_state_that_does_not_come_fails_with_the_last_calls() {
    let world = World::main().await;
    world.list("page=0&size=1").await;
    tokio::time::pause();
    world.sim.wait_for(|view| view.answered(Endpoint::Create) > 0).await;
}

#[tokio::test]
#[should_panic(expected = "no call of Create stands at the gate Arrived")]
async fn a_call_that_does_not_come_to_a_gate_fails() {
    let world = World::main().await;
    let gate = world.sim.gate(Endpoint::Create, Stage::Arrived);
    tokio::time::pause();
    gate.reached().await;
}

/// A test holds call N of an endpoint at a stage, and everything else continues.
#[tokio::test]
async fn gates_hold_a_call() {
    let world = World::main().await;
    let arrived = world.sim.gate_after(Endpoint::Create, Stage::Arrived, 1);
    assert_eq!(world.create("first", &[DISCOVERY]).await.status, 200);
    let roles = [DISCOVERY];
    let second = world.create("second", &roles);
    let watch = async {
        soon(arrived.reached()).await;
        assert_eq!(arrived.calls()[0].body.as_ref().unwrap()["name"], "second");
        assert!(world.sim.users("One").iter().all(|user| user.name != "second"));
        assert_eq!(world.list("page=0&size=1").await.status, 200);
        let done = world.sim.gate(Endpoint::Create, Stage::Done);
        arrived.release();
        soon(done.reached()).await;
        assert!(world.sim.users("One").iter().any(|user| user.name == "second"));
        assert_eq!(world.sim.view(|view| view.answered(Endpoint::Create)), 1);
        drop(done);
    };
    let (answer, ()) = futures::future::join(second, watch).await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.create("third", &[DISCOVERY]).await.status, 200, "the gate is open");
}

#[tokio::test]
async fn every_secret_is_recorded() {
    let world = World::main().await;
    let token = world.token("admin").await.unwrap();
    let user = world.user("x").await;
    let fresh = world.reset(user.id).await.json()["secret"].as_str().unwrap().to_owned();
    let wallet = world.wallet_user("w").await.secret.unwrap();
    let secrets = world.sim.secrets_handed_out();
    for secret in [
        "admin-secret".to_owned(),
        "first-refresh-token".to_owned(),
        token,
        user.secret.unwrap(),
        fresh,
        wallet,
    ] {
        assert!(secrets.contains(&secret));
    }
}

/// Dropping the simulator stops it.
#[tokio::test]
async fn the_end() {
    let world = World::main().await;
    let url = format!("{}/errormessage", world.sim.api_url());
    assert_eq!(world.http.get(&url).send().await.unwrap().status(), 200);
    drop(world.sim);
    soon(async { while world.http.get(&url).send().await.is_ok() {} }).await;
}

/// Two simulators do not disturb each other.
#[tokio::test]
async fn two_at_once() {
    let first = World::main().await;
    let second = Simulator::start(Config::new(Version::V2_0)).await.unwrap();
    assert_ne!(first.sim.portal_url(), second.portal_url());
    assert_eq!(first.login("admin", "admin-secret").await.status, 200);
    assert!(second.calls().is_empty());
}

/// The costs of section 14, which only have to be on: how long they take is the machine's affair.
#[tokio::test]
async fn calls_can_cost_time() {
    let world = World::with(config(Version::Main).latency(true)).await;
    let user = world.user("x").await;
    assert_eq!(world.list("page=0&size=1&clientId=x").await.status, 200);
    assert_eq!(world.details(user.id).await.status, 200);
    assert_eq!(world.update(user.id, "x").await.status, 200);
    assert_eq!(world.reset(user.id).await.status, 200);
    assert_eq!(world.delete(user.id).await.status, 204);
}
