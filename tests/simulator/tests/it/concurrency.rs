//! Simultaneous calls (portal contract, sections 2.4 and 14).

use std::collections::BTreeSet;

use futures::future::join_all;
use portal_simulator::{Endpoint, Stage, Version};

use crate::world::{Answer, USERS, World, change, soon};

/// Sends the same call this number of times, and lets the answers come only when all have read the row.
async fn at_once(
    world: &World,
    endpoint: Endpoint,
    call: &str,
    body: Option<&str>,
    times: usize,
) -> Vec<Answer> {
    let token = world.token("admin").await;
    let gate = world.sim.gate(endpoint, Stage::Working);
    // Those that the identity provider refuses never come to the gate.
    let all_under_way = async {
        soon(world.sim.wait_for(|view| view.count(endpoint) >= times)).await;
        soon(gate.reached()).await;
        if endpoint == Endpoint::Delete {
            soon(world.sim.wait_for(|view| view.answered(endpoint) >= times - 1)).await;
        } else {
            soon(gate.reached_by(times)).await;
        }
        gate.release();
    };
    let calls = join_all((0..times).map(|_| world.call_with(token.as_deref(), call, body)));
    futures::future::join(calls, all_under_way).await.0
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses
}

#[tokio::test]
async fn twelve_updates() {
    for (version, wanted) in [(Version::Main, 1), (Version::V2_2, 1), (Version::V2_1, 12)] {
        let world = World::new(version).await;
        let id = world.user("x").await.id;
        let body = change(&id.to_string(), "y").to_string();
        let call = format!("PUT {USERS}/{id}");
        let answers = at_once(&world, Endpoint::Update, &call, Some(&body), 12).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, wanted, "{version}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(
                (answer.status, answer.keys()),
                (500, vec!["Npgsql.EntityFrameworkCore.PostgreSQL".to_owned()])
            );
        }
        // One after the other they all work.
        assert_eq!(world.update(id, "z").await.status, 200);
    }
}

#[tokio::test]
async fn eight_resets() {
    let world = World::main().await;
    let user = world.user("x").await;
    let call = format!("POST {USERS}/{}/resetCredentials", user.id);
    let answers = at_once(&world, Endpoint::Reset, &call, None, 8).await;
    assert_eq!(statuses(&answers), [200; 8]);
    let secrets: BTreeSet<String> =
        answers.iter().map(|answer| answer.json()["secret"].as_str().unwrap().to_owned()).collect();
    assert_eq!(secrets.len(), 8);
    let client = user.client_id.unwrap();
    let mut valid = 0;
    for secret in &secrets {
        valid += u32::from(world.login(&client, secret).await.status == 200);
    }
    assert_eq!(valid, 1);
}

#[tokio::test]
async fn six_deletes() {
    let world = World::main().await;
    let id = world.user("x").await.id;
    let answers = at_once(&world, Endpoint::Delete, &format!("DELETE {USERS}/{id}"), None, 6).await;
    assert_eq!(statuses(&answers), [204, 500, 500, 500, 500, 500]);
}

/// Without a gate, too, simultaneous updates meet.
#[tokio::test]
async fn updates_meet_by_themselves() {
    let world = World::main().await;
    let id = world.user("x").await.id;
    let token = world.token("admin").await;
    let (call, body) = (format!("PUT {USERS}/{id}"), change(&id.to_string(), "y").to_string());
    let answers = join_all((0..12).map(|_| world.call_with(token.as_deref(), &call, Some(&body)))).await;
    assert!(statuses(&answers).contains(&200));
    assert!(statuses(&answers).contains(&500));
}

/// Creates of one name make as many users: there is no idempotence.
#[tokio::test]
async fn simultaneous_creates() {
    let world = World::main().await;
    let answers = join_all((0..6).map(|_| world.create("x", &[crate::world::DISCOVERY]))).await;
    let ids: BTreeSet<String> = answers.iter().map(Answer::id).collect();
    assert_eq!(ids.len(), 6);
}
