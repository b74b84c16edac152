//! The token endpoint (portal contract, sections 5.5, 5.9 and 13.2).

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portal_simulator::role_names::{DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT};
use portal_simulator::{Change, OfferSeed, UserSeed};
use serde_json::{Value, json};

use crate::world::{Answer, World};

async fn post(world: &World, form: &[(&str, &str)]) -> Answer {
    Answer::of(world.http.post(world.sim.token_url()).form(form).send().await.unwrap()).await
}

/// The claims of a token of JWT shape.
fn claims(token: &str) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    for part in &parts {
        URL_SAFE_NO_PAD.decode(part).unwrap();
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap()
}

#[tokio::test]
async fn right_credentials_in_body_or_header() {
    let world = World::main().await;
    let body = world.login("admin", "admin-secret").await;
    let basic = world.http.post(world.sim.token_url()).basic_auth("admin", Some("admin-secret"));
    let basic = Answer::of(basic.form(&[("grant_type", "client_credentials")]).send().await.unwrap()).await;
    for answer in [body, basic] {
        assert_eq!((answer.status, answer.media()), (200, "application/json"));
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["scope"]), (&json!("Bearer"), &json!("email profile")));
        assert!(body.get("refresh_token").is_none());
    }
}

/// Section 5.9, the table, line by line.
#[tokio::test]
async fn wrong_requests() {
    let world = World::main().await;
    let grant = ("grant_type", "client_credentials");
    let cases = [
        (vec![grant, ("client_id", "admin"), ("client_secret", "wrong")], 401, "unauthorized_client"),
        (vec![grant, ("client_id", "admin")], 401, "unauthorized_client"),
        (vec![grant, ("client_id", "nobody"), ("client_secret", "wrong")], 401, "invalid_client"),
        (vec![grant], 401, "invalid_client"),
        (vec![("grant_type", "nonsense"), ("client_id", "admin")], 400, "unsupported_grant_type"),
        (vec![("client_id", "admin")], 400, "invalid_request"),
        (vec![("grant_type", "password"), ("client_id", "Cl2-CX-Portal")], 401, "invalid_grant"),
    ];
    for (form, status, error) in cases {
        let answer = post(&world, &form).await;
        assert_eq!((answer.status, answer.json()["error"].as_str().unwrap()), (status, error), "{form:?}");
    }
    let wrong = post(&world, &[grant, ("client_id", "nobody")]).await.json();
    assert_eq!(wrong["error_description"], "Invalid client or Invalid client credentials");
    let basic = world.http.post(world.sim.token_url()).basic_auth("admin", Some("wrong")).form(&[grant]);
    assert_eq!(basic.send().await.unwrap().status(), 401);

    let json = world.http.post(world.sim.token_url()).json(&json!({"grant_type": "client_credentials"}));
    let json = Answer::of(json.send().await.unwrap()).await;
    assert_eq!(
        (json.status, &json.json()["error_description"]),
        (400, &json!("Missing form parameter: grant_type"))
    );

    let other = world.sim.token_url().replace("CX-Central", "Nowhere");
    let realm = Answer::of(world.http.post(other).form(&[grant]).send().await.unwrap()).await;
    assert_eq!((realm.status, realm.json()), (404, json!({"error": "Realm does not exist"})));
    let get = Answer::of(world.http.get(world.sim.token_url()).send().await.unwrap()).await;
    assert_eq!((get.status, get.json()), (405, json!({"error": "HTTP 405 Method Not Allowed"})));
}

/// A disabled client cannot be distinguished from an unknown one.
#[tokio::test]
async fn disabled_and_restored_clients() {
    let world = World::main().await;
    let invalid = (401, "invalid_client".to_owned());
    assert_eq!(world.sim.disable_idp_client("admin"), Change::Done);
    assert_eq!(world.login_verdict("admin", "admin-secret").await, invalid);
    assert_eq!(world.login_verdict("admin", "wrong").await, invalid);
    assert_eq!(world.sim.restore_idp_client("admin"), Change::Done);
    assert_eq!(world.login("admin", "admin-secret").await.status, 200);
    assert_eq!(world.sim.remove_idp_client("admin"), Change::Done);
    assert_eq!(world.login_verdict("admin", "admin-secret").await, invalid);
    assert_eq!(world.sim.restore_idp_client("admin"), Change::Done);
    assert_eq!(world.sim.set_caller_secret("admin", "changed"), Change::Done);
    assert_eq!(world.login_verdict("admin", "admin-secret").await, (401, "unauthorized_client".to_owned()));
    assert_eq!(world.login("admin", "changed").await.status, 200);
    assert_eq!(world.sim.remove_idp_client("nobody"), Change::NotFound);
}

/// Section 4.2: users of a subscription are disabled until it is activated, INACTIVE after its end.
#[tokio::test]
async fn users_of_a_subscription() {
    let world = World::main().await;
    let offer = OfferSeed { provider: "Two".to_owned(), name: "App".to_owned(), subscription_active: false };
    let user = world.sim.seed_user(UserSeed::new("One", "App").managed(offer).disabled()).unwrap();
    let (client, secret) = (user.client_id.unwrap(), user.secret.unwrap());
    let details = world.details(user.id).await.json();
    assert_eq!((&details["status"], &details["secret"]), (&json!("ACTIVE"), &json!(secret)));
    assert_eq!(world.login(&client, &secret).await.status, 401);
    let _ = world.sim.set_subscription(user.id, true);
    assert_eq!(world.login(&client, &secret).await.status, 200);
    let _ = world.sim.set_subscription(user.id, false);
    assert_eq!(world.login(&client, &secret).await.status, 200, "the client stays enabled");
    assert_eq!(world.delete(user.id).await.code(), "SERVICE_ACCOUNT_NOT_ACTIVE");
}

/// Sections 5.5 and 5.9: the claims.
#[tokio::test]
async fn tokens_say_who_and_what() {
    let world = World::main().await;
    let user = world.user("x").await;
    let (client, secret) = (user.client_id.unwrap(), user.secret.unwrap());
    assert!(secret.len() == 32 && secret.chars().all(|c| c.is_ascii_alphanumeric()));
    let mut orders = BTreeSet::new();
    let mut lives = BTreeSet::new();
    for _ in 0..40 {
        let answer = world.login(&client, &secret).await.json();
        lives.insert(answer["expires_in"].as_u64().unwrap());
        let claims = claims(answer["access_token"].as_str().unwrap());
        assert_eq!((&claims["azp"], &claims["client_id"]), (&json!(client), &json!(client)));
        assert_eq!(claims["preferred_username"], format!("service-account-{client}"));
        assert_eq!(claims["bpn"], "BPNL000000000ONE");
        let issuer = world.sim.token_url().replace("/protocol/openid-connect/token", "");
        assert_eq!((&claims["iss"], &claims["typ"]), (&json!(issuer), &json!("Bearer")));
        let access = &claims["resource_access"];
        assert_eq!(access["technical_roles_management"]["roles"], json!([DATASPACE_DISCOVERY]));
        assert_eq!(access["Cl2-CX-Portal"]["roles"], json!(["view_connectors"]));
        orders.insert(claims["aud"].to_string());
    }
    assert!(orders.len() > 1, "the audience has no fixed order");
    assert_eq!(lives, BTreeSet::from([299, 300]));

    let wallet_role = world.token("empty").await.unwrap();
    assert!(!claims(&wallet_role)["aud"].to_string().contains("Cl2-CX-Portal"));
    let op = world.token("op").await.unwrap();
    let roles = claims(&op)["resource_access"]["Cl2-CX-Portal"]["roles"].clone();
    assert_eq!(roles.as_array().unwrap().len(), 7);
    assert!(!roles.to_string().contains("delete_tech_user_management"));
}

/// The portal answers with the roles of its database, whatever the identity provider's console was used for.
#[tokio::test]
async fn roles_that_the_identity_provider_alone_knows_are_in_tokens_and_not_in_details() {
    let world = World::main().await;
    let user = world.sim.seed_user(UserSeed::new("One", "user").roles([DATASPACE_DISCOVERY])).unwrap();
    let set = world.sim.set_roles_in_identity_provider(user.id, [SEMANTIC_MODEL_MANAGEMENT]);
    assert_eq!(set, Change::Done);
    let token = world.login(user.client_id.as_deref().unwrap(), user.secret.as_deref().unwrap()).await.json();
    let claims = claims(token["access_token"].as_str().unwrap());
    let roles = &claims["resource_access"]["technical_roles_management"]["roles"];
    assert_eq!(*roles, json!([SEMANTIC_MODEL_MANAGEMENT]));
    let details = world.sim.users("One").into_iter().find(|found| found.id == user.id).unwrap();
    assert_eq!(details.roles, [DATASPACE_DISCOVERY]);
}
