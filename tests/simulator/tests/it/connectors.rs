//! Connectors and the technical users that they use (portal contract, sections 2.10 and 14).

use portal_simulator::{Change, ConnectorStatus, Kind, Status, Version};
use reqwest::multipart::Form;
use serde_json::json;

use crate::world::{Answer, NOBODY, WALLET, World};

async fn register(world: &World, caller: &str, name: &str, user: Option<String>) -> Answer {
    let mut form = Form::new()
        .text("Name", name.to_owned())
        .text("ConnectorUrl", format!("no url: {name}"))
        .text("Location", "DE");
    if let Some(user) = user {
        form = form.text("TechnicalUserId", user);
    }
    let token = world.token(caller).await;
    Answer::of(world.request("POST", "/Connectors", token.as_deref()).multipart(form).send().await.unwrap())
        .await
}

#[tokio::test]
async fn a_connector_holds_its_user() {
    let world = World::main().await;
    let user = world.user("edc").await;
    let answer = register(&world, "op", "my-edc", Some(user.id.to_string())).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json().as_str().unwrap().to_owned();
    assert!(answer.header("location").ends_with(&id));
    let linked = json!({"id": id, "name": "my-edc"});
    assert_eq!(world.details(user.id).await.json()["connector"], linked);
    let filter = format!("page=0&size=15&clientId={}", user.client_id.as_deref().unwrap());
    assert_eq!(world.list(&filter).await.json()["content"][0]["connector"], linked);
    let connector = world.call("op", &format!("GET /connectors/{id}"), None).await.json();
    assert_eq!(
        (&connector["status"], &connector["technicalUser"]["name"]),
        (&json!("PENDING"), &json!("edc"))
    );

    let code = "SERVICE_USERID_ACTIVATION_PENDING_CONFLICT";
    assert_eq!(world.delete(user.id).await.verdict(), (409, code.to_owned()));
    let _ = world.sim.set_connector_status(id.parse().unwrap(), ConnectorStatus::Active);
    assert_eq!(world.delete(user.id).await.code(), code);
    assert_eq!(world.reset(user.id).await.status, 200);
    let second = register(&world, "op", "second", Some(user.id.to_string())).await;
    assert_eq!(second.verdict(), (400, "CONNECTOR_ARGUMENT_TECH_USER_IN_USE".to_owned()));

    // Without the flag the user is free again.
    assert_eq!(world.call("op", &format!("DELETE /connectors/{id}"), None).await.status, 204);
    assert_eq!(world.details(user.id).await.json()["connector"], json!(null));
    assert_eq!(world.call("op", &format!("DELETE /connectors/{id}"), None).await.status, 409);
    assert_eq!(world.delete(user.id).await.status, 204);
}

/// Section 5.3: the one way for a technical user to delete a technical user.
#[tokio::test]
async fn a_connector_takes_its_user_along() {
    let world = World::main().await;
    for user in [world.user("edc").await, world.wallet_user("edc").await] {
        let answer = register(&world, "op", &format!("{:?}", user.kind), Some(user.id.to_string())).await;
        let id = answer.json().as_str().unwrap().to_owned();
        let call = format!("DELETE /Connectors/{id}?deleteServiceAccount=true");
        assert_eq!(world.call("other", &call, None).await.code(), "CONNECTOR_NOT_PROVIDER_COMPANY_NOR_HOST");
        assert_eq!(world.call("op", &call, None).await.status, 204);
        let wanted = if user.kind == Kind::Internal { Status::Deleted } else { Status::PendingDeletion };
        assert_eq!(world.view(&user.id.to_string()).status, wanted);
        if user.kind == Kind::Internal {
            assert_eq!(world.details(user.id).await.status, 404);
        }
    }
}

#[tokio::test]
async fn registrations_are_checked() {
    let world = World::main().await;
    let other = world.sim.users("Two")[0].id.to_string();
    let code = |answer: &Answer| answer.code();
    let wrong = "CONNECTOR_ARGUMENT_TECH_USER_NOT_ACTIVE";
    assert_eq!(code(&register(&world, "op", "a", Some(NOBODY.to_owned())).await), wrong);
    assert_eq!(code(&register(&world, "op", "a", Some(other)).await), wrong);
    assert_eq!(register(&world, "op", "a", Some("junk".to_owned())).await.keys(), ["TechnicalUserId"]);
    let pending = world.create("w", &[WALLET]).await.id();
    assert_eq!(register(&world, "op", "a", Some(pending)).await.status, 201, "a PENDING user is accepted");
    assert_eq!(register(&world, "op", "a", None).await.verdict(), (409, "CONNECTOR_DUPLICATE".to_owned()));
    assert_eq!(world.call("op", "POST /Connectors", Some(json!({"Name": "x"}))).await.status, 415);
    assert_eq!(world.call("op", "POST /Connectors", None).await.status, 415);
    assert_eq!(register(&world, "viewer", "b", None).await.status, 403);
    assert_eq!(register(&world, "op", "", None).await.keys(), ["Name"]);
    assert_eq!(world.call("op", "GET /connectors?page=0&size=21", None).await.status, 400);
    assert_eq!(world.call("op", "GET /connectors?size=20", None).await.json()["meta"]["totalElements"], 1);
    assert_eq!(
        world.call("op", &format!("GET /connectors/{NOBODY}"), None).await.code(),
        "CONNECTOR_NOT_FOUND"
    );
}

#[tokio::test]
async fn addresses_change() {
    let world = World::main().await;
    let id = register(&world, "op", "a", None).await.json().as_str().unwrap().to_owned();
    let call = format!("PUT /connectors/{id}/connectorUrl");
    assert_eq!(world.call("op", &call, Some(json!({"connectorUrl": "https://b"}))).await.status, 204);
    let connector = world.call("op", &format!("GET /connectors/{id}"), None).await.json();
    assert_eq!(connector["connectorUrl"], "https://b");
}

/// Section 7: up to 2.4 a user may serve two connectors; then it is listed twice and its details answer 500
/// (sections 2.3 and 10).
#[tokio::test]
async fn two_connectors_on_one_user() {
    let world = World::new(Version::V2_4).await;
    let user = world.user("edc").await;
    for name in ["a", "b"] {
        assert_eq!(register(&world, "admin", name, Some(user.id.to_string())).await.status, 201);
    }
    assert_eq!(world.details(user.id).await.status, 500);
    let filter = format!("page=0&size=15&clientId={}", user.client_id.unwrap());
    assert_eq!(world.list(&filter).await.json()["meta"]["totalElements"], 2);
}

#[tokio::test]
async fn connectors_linked_by_hand() {
    let world = World::main().await;
    let user = world.user("edc").await;
    let connector = world.sim.link_connector(user.id, "by-hand").unwrap();
    assert_eq!(world.delete(user.id).await.status, 409);
    assert_eq!(world.sim.set_connector_status(connector, ConnectorStatus::Inactive), Change::Done);
    assert_eq!(world.delete(user.id).await.status, 204);
    let unlinked =
        world.sim.view(|view| view.connectors().into_iter().all(|connector| connector.user.is_none()));
    assert!(unlinked);
}
