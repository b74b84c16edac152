//! Logins of people by refresh token (portal contract, section 5.9, the second table).

use serde_json::Value;

use crate::world::{Answer, USERS, World};

async fn refresh(world: &World, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", "Cl2-CX-Portal"), ("refresh_token", token)];
    Answer::of(world.http.post(world.sim.token_url()).form(&form).send().await.unwrap()).await
}

fn next(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["refresh_token"].as_str().unwrap().to_owned()
}

fn refusal(answer: &Answer) -> (u16, Value, Value) {
    let body = answer.json();
    (answer.status, body["error"].clone(), body["error_description"].clone())
}

#[tokio::test]
async fn a_refresh_gives_a_person_s_token() {
    let world = World::main().await;
    let answer = refresh(&world, "first-refresh-token").await;
    assert_eq!(answer.json()["refresh_expires_in"], 0);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let list = format!("GET {USERS}?page=0&size=1");
    assert_eq!(world.call_with(Some(&token), &list, None).await.status, 200);
    // The callbacks of the wallet are for technical users only (section 2).
    let callback = format!("POST /serviceaccount/callback/{}/delete", crate::world::NOBODY);
    assert_eq!(world.call_with(Some(&token), &callback, None).await.status, 403);
    // People do not stand in the list of technical users.
    assert!(world.sim.users("One").iter().all(|user| user.name != "person"));
    let body = crate::world::creation("x", &[crate::world::DISCOVERY]).to_string();
    let id = world.call_with(Some(&token), &format!("POST {USERS}"), Some(&body)).await.id();
    assert_eq!(world.details(id).await.json()["LastEditorName"], "First person");
}

#[tokio::test]
async fn one_lost_answer_is_forgiven_two_are_not() {
    let world = World::main().await;
    let second = next(&refresh(&world, "first-refresh-token").await);
    let third = next(&refresh(&world, "first-refresh-token").await);
    assert_ne!(second, third);
    let invalid = |text: &str| (400, Value::from("invalid_grant"), Value::from(text));
    let answer = refresh(&world, "first-refresh-token").await;
    assert_eq!(refusal(&answer), invalid("Maximum allowed refresh token reuse exceeded"));
    for token in [third.as_str(), second.as_str(), "first-refresh-token"] {
        assert_eq!(refusal(&refresh(&world, token).await), invalid("Session doesn't have required client"));
    }
    assert_eq!(refusal(&refresh(&world, "junk").await), invalid("Invalid refresh token"));
}

#[tokio::test]
async fn the_newest_token_is_valid_for_ever() {
    let world = World::main().await;
    let mut token = "first-refresh-token".to_owned();
    for _ in 0..10 {
        token = next(&refresh(&world, &token).await);
    }
    assert!(world.sim.secrets_handed_out().contains(&token));
}

/// A token of an earlier round is no repetition: it ends the session.
#[tokio::test]
async fn an_old_token_ends_the_session() {
    let world = World::main().await;
    let second = next(&refresh(&world, "first-refresh-token").await);
    let third = next(&refresh(&world, &second).await);
    assert_eq!(refusal(&refresh(&world, "first-refresh-token").await).2, "Stale token");
    assert_eq!(refresh(&world, &third).await.status, 400);
}
