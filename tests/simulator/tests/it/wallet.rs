//! Wallet users (portal contract, sections 0 facts 7 to 9, 2.3, 2.6, 2.8, 4.2, 4.6, 6 and 13.10).

use std::time::Duration;

use portal_simulator::{Part, Status, UserSeed, Version, WalletDelay};
use serde_json::json;

use crate::world::{Answer, WALLET, World, config, soon};

async fn login(world: &World, id: &str, secret: &str, basic: bool) -> Answer {
    let url = format!("{}/oauth/token", world.sim.wallet_url());
    let mut form = vec![("grant_type", "client_credentials")];
    let request = if basic {
        world.http.post(url).basic_auth(id, Some(secret))
    } else {
        form.extend([("client_id", id), ("client_secret", secret)]);
        world.http.post(url)
    };
    Answer::of(request.form(&form).send().await.unwrap()).await
}

#[tokio::test]
async fn the_life_of_a_wallet_user() {
    let world = World::main().await;
    let id = world.create("edc", &[WALLET]).await.id();
    let pending = world.details(&id).await.json();
    assert_eq!((&pending["name"], &pending["status"]), (&json!("dim-edc"), &json!("PENDING")));
    // While PENDING the address is the identity provider's, which is wrong for it.
    assert_eq!(pending["authenticationServiceUrl"], world.sim.token_url());
    assert_eq!(world.reset(&id).await.code(), "SERVICE_UNDEFINED_CLIENTID_CONFLICT");

    world.sim.activate_wallet_users();
    let active = world.details(&id).await.json();
    assert_eq!(active["authenticationServiceUrl"], world.sim.wallet_url(), "without /oauth/token");
    let (client, secret) = (active["clientId"].as_str().unwrap(), active["secret"].as_str().unwrap());
    assert!(client.starts_with("sb-") && client.contains("!b") && client.contains('|'));
    assert!(['$', '!', '|', '='].iter().all(|c| secret.contains(*c)), "{secret}");
    for basic in [true, false] {
        let answer = login(&world, client, secret, basic).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["access_token"].as_str().unwrap().split('.').count(), 3);
        assert_eq!(login(&world, client, "wrong", basic).await.status, 401);
    }
    assert_eq!(world.reset(&id).await.status, 500);

    assert_eq!(world.delete(&id).await.status, 204);
    let leaving = world.details(&id).await.json();
    assert_eq!((&leaving["status"], &leaving["roles"]), (&json!("PENDING_DELETION"), &json!([])));
    assert_eq!(leaving["secret"], active["secret"]);
    assert_eq!(world.delete(&id).await.code(), "SERVICE_ACCOUNT_NOT_ACTIVE");
    world.sim.activate_wallet_users();
    assert_eq!(login(&world, client, secret, true).await.status, 401);
    assert_eq!(world.details(&id).await.status, 404);
}

#[tokio::test]
async fn activation_after_a_delay() {
    let delay = WalletDelay::After(Duration::from_millis(1));
    let world = World::with(config(Version::V2_6).wallet_delay(delay)).await;
    let id = world.create("edc", &[WALLET]).await.id().parse().unwrap();
    soon(world.sim.wait_for(|view| view.user(id).unwrap().status == Status::Active)).await;
    world.delete(id).await;
    // Sticks for ever up to 2.6, although the wallet has removed the key.
    soon(world.sim.wait_for(|view| view.wallet_clients().is_empty())).await;
    let key = world.view(&id.to_string());
    let refused =
        login(&world, key.client_id.as_deref().unwrap(), key.secret.as_deref().unwrap(), true).await;
    assert_eq!(refused.status, 401);
    assert_eq!(world.view(&id.to_string()).status, Status::PendingDeletion);
}

#[tokio::test]
async fn a_held_or_absent_wallet_creates_nothing() {
    let delay = WalletDelay::After(Duration::ZERO);
    let world = World::with(config(Version::Main).wallet_delay(delay)).await;
    world.sim.hold_wallet();
    let first = world.create("first", &[WALLET]).await.id().parse().unwrap();
    assert_eq!(world.view(&format!("{first}")).status, Status::Pending);
    world.sim.release_wallet();
    soon(world.sim.wait_for(|view| view.user(first).unwrap().status == Status::Active)).await;

    world.sim.stop_wallet().await;
    let url = format!("{}/oauth/token", world.sim.wallet_url());
    assert!(world.http.post(&url).send().await.unwrap_err().is_connect());
    let second = world.create("second", &[WALLET]).await.id().parse().unwrap();
    assert_eq!(world.details(first).await.status, 200, "the portal answers without the wallet");
    world.sim.restart_wallet().await.unwrap();
    soon(world.sim.wait_for(|view| view.user(second).unwrap().status == Status::Active)).await;
    assert_eq!(world.http.post(&url).send().await.unwrap().status(), 400);
    assert_eq!(world.sim.ca_pem_of(Part::Wallet), None);
}

/// Section 6: the stub's address has the path at its end, the real one's has not.
#[tokio::test]
async fn the_reported_address() {
    let world = World::with(config(Version::Main).wallet_url_with_path(true)).await;
    let user = world.wallet_user("edc").await;
    let url = world.details(user.id).await.json()["authenticationServiceUrl"].clone();
    assert_eq!(url, format!("{}/oauth/token", world.sim.wallet_url()));
}

/// Section 4.6: only 29 letters and digits of a name count; two users that agree there break.
#[tokio::test]
async fn names_that_agree_at_the_wallet() {
    let world = World::main().await;
    let long = "edc-".to_owned() + &"x".repeat(30);
    let first = world.wallet_user(&format!("{long}-1")).await;
    let second = world.wallet_user(&format!("{}-2", long.to_uppercase())).await;
    assert_eq!((first.status, second.status), (Status::Active, Status::Pending));
    world.sim.activate_wallet_users();
    assert_eq!(world.view(&second.id.to_string()).status, Status::Pending, "for ever");
    // Another company's wallet is another place.
    let call = "POST /serviceaccount/owncompany/serviceaccounts";
    let body = crate::world::creation(&long, &[WALLET]);
    let theirs = world.call("other", call, Some(body)).await.id();
    world.sim.activate_wallet_users();
    assert_eq!(world.view(&theirs).status, Status::Active);
    // An operator of the portal may start the creation again, once the name is free.
    assert_eq!(world.delete(first.id).await.status, 204);
    world.sim.activate_wallet_users();
    let retrigger = format!(
        "POST /serviceaccount/callback/{}/retrigger-create-dim-technical-user",
        second.process.unwrap()
    );
    assert_eq!(world.call("admin", &retrigger, None).await.status, 200);
    world.sim.activate_wallet_users();
    assert_eq!(world.view(&second.id.to_string()).status, Status::Active);
}

/// Section 4.6: the deletion of one of two such users takes the other's key.
#[tokio::test]
async fn a_deletion_can_take_the_other_s_key() {
    let world = World::main().await;
    let first = world.sim.seed_user(UserSeed::new("One", "dim-edc.1").external()).unwrap();
    let second = world.sim.seed_user(UserSeed::new("One", "dim-edc-1").external()).unwrap();
    assert_eq!(world.delete(second.id).await.status, 204);
    world.sim.activate_wallet_users();
    let status = async |user: &portal_simulator::UserView| {
        login(&world, user.client_id.as_deref().unwrap(), user.secret.as_deref().unwrap(), true).await.status
    };
    assert_eq!((status(&first).await, status(&second).await), (401, 200));
}

/// Sections 2 and 2.8: the callbacks.
#[tokio::test]
async fn callbacks() {
    let world = World::main().await;
    let id = world.create("edc", &[WALLET]).await.id();
    let process = world.view(&id).process.unwrap();
    let callback = format!("POST /serviceaccount/callback/{process}");
    let body = json!({"authenticationServiceUrl": "https://w", "clientID": "c", "clientSecret": "s"});
    assert_eq!(world.call("viewer", &callback, Some(body.clone())).await.status, 403);
    assert_eq!(world.call("op", &callback, Some(json!({}))).await.status, 400);
    let answer = world.call("op", &callback, Some(body.clone())).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    let details = world.details(&id).await.json();
    assert_eq!((&details["status"], &details["clientId"]), (&json!("ACTIVE"), &json!("c")));
    let again = world.call("op", &callback, Some(body.clone())).await;
    assert_eq!((again.status, again.json()["details"].clone()), (409, json!([])));
    let unknown = format!("POST /serviceaccount/callback/{}", crate::world::NOBODY);
    assert_eq!(world.call("op", &unknown, Some(body)).await.status, 404);

    world.delete(&id).await;
    let deleted = format!("POST /serviceaccount/callback/{process}/delete");
    world.sim.set_version(Version::V2_6);
    assert_eq!(world.call("op", &deleted, None).await.status, 409, "it waits for the wrong step");
    world.sim.set_version(Version::Main);
    assert_eq!(world.call("op", &deleted, None).await.status, 200);
    assert_eq!(world.view(&id).status, Status::Deleted);
}

#[tokio::test]
async fn a_user_may_be_pending_forever() {
    let world = World::main().await;
    let user =
        world.sim.seed_user(UserSeed::new("One", "dim-stuck").external().status(Status::Pending)).unwrap();
    world.sim.activate_wallet_users();
    assert_eq!(world.view(&user.id.to_string()).status, Status::Pending);
}
