//! Trouble between the portal and the identity provider (portal contract, section 14).

use portal_simulator::{Change, IdpMoment, IdpTrouble, Part, Status};

use crate::world::{Answer, DISCOVERY, World};

fn orphans(world: &World) -> usize {
    world.sim.orphaned_clients().len()
}

fn texts(answer: &Answer) -> String {
    answer.json()["errors"].to_string()
}

/// The client was removed by hand: the row can be neither used nor removed.
#[tokio::test]
async fn a_client_removed_by_hand() {
    let world = World::main().await;
    let user = world.user("lonely-one").await;
    let client = user.client_id.unwrap();
    assert_eq!(world.sim.remove_idp_client(&client), Change::Done);
    let entry = world.list(&format!("page=0&size=15&clientId={client}")).await.json()["content"][0].clone();
    assert_eq!(entry["status"], "ACTIVE");
    for answer in [
        world.details(user.id).await,
        world.update(user.id, "x").await,
        world.reset(user.id).await,
        world.delete(user.id).await,
    ] {
        assert_eq!(answer.status, 500);
        assert_eq!(answer.keys(), ["Org.Eclipse.TractusX.Portal.Backend.Provisioning.Library"]);
        assert!(texts(&answer).contains(&format!("clientId {client} not found in central keycloak")));
        assert_eq!(answer.json()["details"], serde_json::json!([]));
    }
    assert_eq!(world.view(&user.id.to_string()).status, Status::Active);
}

/// 503, 403 and 401 of the identity provider are 502 of the portal, whichever call it is.
#[tokio::test]
async fn a_refusing_identity_provider() {
    let world = World::main().await;
    let user = world.user("x").await;
    for (status, name) in [(503, "503 ServiceUnavailable"), (403, "403 Forbidden"), (401, "401 Unauthorized")]
    {
        world.sim.trouble_idp(IdpTrouble::Status(status), IdpMoment::BeforeClient, None);
        for answer in [
            world.create("y", &[DISCOVERY]).await,
            world.details(user.id).await,
            world.update(user.id, "x").await,
            world.reset(user.id).await,
            world.delete(user.id).await,
        ] {
            assert_eq!(answer.status, 502);
            assert!(texts(&answer).contains(&format!("remote service returned status code: {name}")));
        }
        assert_eq!(world.list("page=0&size=1").await.status, 200, "the list needs no identity provider");
        world.sim.heal_idp();
    }
    // The failed delete and reset changed nothing.
    assert_eq!(world.view(&user.id.to_string()), user);
    assert_eq!(world.details(user.id).await.json()["secret"], user.secret.unwrap());
    assert_eq!(
        (orphans(&world), world.details(user.id).await.status),
        (1, 200),
        "only the caller without company"
    );
}

/// Before or after the client was created: the caller cannot distinguish them.
#[tokio::test]
async fn failure_after_the_client_was_created() {
    let world = World::main().await;
    let before = orphans(&world);
    world.sim.trouble_idp(IdpTrouble::Status(503), IdpMoment::BeforeClient, Some(1));
    let first = world.create("x", &[DISCOVERY]).await;
    assert_eq!(orphans(&world), before);
    world.sim.trouble_idp(IdpTrouble::Status(503), IdpMoment::AfterClient, Some(1));
    let second = world.create("x", &[DISCOVERY]).await;
    assert_eq!(orphans(&world), before + 1);
    assert_eq!(first.json()["errors"], second.json()["errors"]);
    assert!(world.sim.users("One").iter().all(|user| user.name != "x"));
    assert_eq!(world.create("x", &[DISCOVERY]).await.status, 200, "once only");
}

/// A web page is a 500 that seems permanent.
#[tokio::test]
async fn a_web_page_instead_of_json() {
    let world = World::main().await;
    world.sim.trouble_idp(IdpTrouble::Html, IdpMoment::BeforeClient, Some(1));
    let answer = world.create("x", &[DISCOVERY]).await;
    assert_eq!((answer.status, answer.keys()), (500, vec!["System.Text.Json".to_owned()]));
}

/// Roles that cannot be assigned leave a client behind that the API never shows.
#[tokio::test]
async fn roles_that_cannot_be_assigned() {
    let world = World::main().await;
    let before = orphans(&world);
    let total = world.list("page=0&size=1").await.json()["meta"]["totalElements"].clone();
    world.sim.trouble_idp(IdpTrouble::RolesNotAssigned, IdpMoment::AfterClient, Some(1));
    assert_eq!(world.create("x", &[DISCOVERY]).await.status, 500);
    assert_eq!(orphans(&world), before + 1);
    assert_eq!(world.list("page=0&size=1").await.json()["meta"]["totalElements"], total);
}

#[tokio::test]
async fn an_unreachable_identity_provider() {
    let world = World::main().await;
    let user = world.user("x").await;
    let token = world.token("admin").await;
    world.sim.stop(Part::Idp).await;
    let details = format!("GET /serviceaccount/owncompany/serviceaccounts/{}", user.id);
    assert_eq!(world.call_with(token.as_deref(), &details, None).await.status, 502);
    assert!(world.http.post(world.sim.token_url()).send().await.unwrap_err().is_connect());
    world.sim.restart(Part::Idp).await.unwrap();
    assert_eq!(world.call_with(token.as_deref(), &details, None).await.status, 200);
}

#[tokio::test]
async fn an_unreachable_portal() {
    let world = World::main().await;
    world.sim.stop(Part::Portal).await;
    let url = format!("{}/errormessage", world.sim.api_url());
    assert!(world.http.get(&url).send().await.unwrap_err().is_connect());
    assert_eq!(world.login("admin", "admin-secret").await.status, 200);
    world.sim.restart(Part::Portal).await.unwrap();
    assert_eq!(world.http.get(&url).send().await.unwrap().status(), 200);
}
