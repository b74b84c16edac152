//! Technical users by hand and over HTTP (portal contract, sections 2.2 to 2.6, 4.5 and 14).

use std::collections::BTreeSet;

use portal_simulator::{Change, Kind, OfferSeed, Ownership, Status, UserSeed, Version};

use crate::world::{DISCOVERY, NOBODY, WALLET, World};

/// Section 0, fact 5, and 14: names repeat and are kept exactly.
#[tokio::test]
async fn names_are_kept_exactly() {
    let world = World::main().await;
    for name in [" both ends ", "Ünïcödé 🚀 名前", "<b>&\"'</b>", "\t", "a\nb", "..", "%20"] {
        let answer = world.create(name, &[DISCOVERY]).await;
        if name.trim().is_empty() {
            assert_eq!(answer.code(), "SERVICE_NAME_EMPTY_ARGUMENT");
            continue;
        }
        assert_eq!(answer.json()[0]["name"], name);
        assert_eq!(world.details(answer.id()).await.json()["name"], name);
    }
}

/// Section 2.2: a name of 256 characters is a 500 and leaves a client behind.
#[tokio::test]
async fn too_long_names_leave_clients_behind() {
    let world = World::main().await;
    let orphans = || world.sim.orphaned_clients().len();
    let before = orphans();
    assert_eq!(world.create(&"é".repeat(255), &[DISCOVERY]).await.status, 200);
    assert_eq!(orphans(), before);
    let users = world.sim.users("One").len();
    let answer = world.create(&"n".repeat(256), &[DISCOVERY]).await;
    assert_eq!(answer.status, 500);
    assert!(answer.keys().contains(&"Npgsql".to_owned()));
    assert_eq!(world.create("with\0zero", &[DISCOVERY]).await.status, 500);
    // `dim-` counts.
    assert_eq!(world.create(&"n".repeat(252), &[WALLET]).await.status, 500);
    assert_eq!(world.sim.users("One").len(), users);
    assert_eq!(orphans(), before + 2);
}

/// Sections 2.2 and 4.5: what the roles make.
#[tokio::test]
async fn roles_decide_what_is_created() {
    let world = World::main().await;
    let made = async |roles: &[&str]| {
        let users = world.create("x", roles).await.json();
        let users = users.as_array().unwrap().clone();
        users.iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(made(&[DISCOVERY]).await, ["x"]);
    assert_eq!(made(&[WALLET]).await, ["dim-x"]);
    assert_eq!(made(&[WALLET, DISCOVERY]).await, ["x", "dim-x"]);
    assert_eq!(made(&[]).await, Vec::<String>::new());
    let twice = world.create("x", &[DISCOVERY, DISCOVERY]).await.json();
    assert_eq!(twice[0]["roles"].as_array().unwrap().len(), 1);
    let clients: BTreeSet<Option<String>> = world
        .sim
        .users("One")
        .into_iter()
        .filter(|user| user.name == "x")
        .map(|user| user.client_id)
        .collect();
    assert_eq!(clients.len(), 3, "each user has a client of its own");
}

/// Section 14: an INACTIVE user is hidden from the list, readable and resettable, and nothing else.
#[tokio::test]
async fn inactive_users() {
    let world = World::main().await;
    let user = world.user("idle-user").await;
    assert_eq!(world.sim.set_status(user.id, Status::Inactive), Change::Done);
    assert!(!world.list("page=0&size=15").await.text.contains("idle-user"));
    assert_eq!(world.details(user.id).await.json()["status"], "INACTIVE");
    let reset = world.reset(user.id).await;
    assert_eq!(reset.status, 200);
    let secret = reset.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(world.login(&user.client_id.unwrap(), &secret).await.status, 200);
    assert_eq!(world.update(user.id, "x").await.verdict(), (409, "SERVICE_ACCOUNT_NOT_FOUND".to_owned()));
    assert_eq!(world.delete(user.id).await.verdict(), (409, "SERVICE_ACCOUNT_NOT_ACTIVE".to_owned()));
}

/// Section 13.7: get and delete answer 404, update and reset 409.
#[tokio::test]
async fn unknown_users() {
    let world = World::main().await;
    let code = || "SERVICE_ACCOUNT_NOT_FOUND".to_owned();
    assert_eq!(world.details(NOBODY).await.verdict(), (404, code()));
    assert_eq!(world.delete(NOBODY).await.verdict(), (404, code()));
    assert_eq!(world.update(NOBODY, "x").await.verdict(), (409, code()));
    assert_eq!(world.reset(NOBODY).await.verdict(), (409, code()));
}

/// Section 14: the operator's own user resets its own credential; the token in hand continues working.
#[tokio::test]
async fn a_caller_resets_itself() {
    let world = World::main().await;
    let token = world.token("op").await;
    let me = world.sim.users("One").into_iter().find(|user| user.name == "op").unwrap();
    let call = format!("POST /serviceaccount/owncompany/serviceaccounts/{}/resetCredentials", me.id);
    let answer = world.call_with(token.as_deref(), &call, None).await;
    let fresh = answer.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(world.login_verdict("op", "op-secret").await, (401, "unauthorized_client".to_owned()));
    assert_eq!(world.login("op", &fresh).await.status, 200);
    assert_eq!(world.call_with(token.as_deref(), &call, None).await.status, 200);
    // The editor of a user that a technical user touched is that user's name.
    assert_eq!(world.details(me.id).await.json()["LastEditorName"], "op");
}

/// Section 14: a deleted caller's live tokens continue working.
#[tokio::test]
async fn a_deleted_caller_is_accepted_for_a_while() {
    let world = World::main().await;
    let token = world.token("op").await;
    let me = world.sim.users("One").into_iter().find(|user| user.name == "op").unwrap();
    assert_eq!(world.delete(me.id).await.status, 204);
    assert_eq!(world.login_verdict("op", "op-secret").await, (401, "invalid_client".to_owned()));
    let call = "GET /serviceaccount/owncompany/serviceaccounts?page=0&size=1";
    assert_eq!(world.call_with(token.as_deref(), call, None).await.status, 200);
}

/// What people do in the web page is what the API shows.
#[tokio::test]
async fn people_work_by_hand() {
    let world = World::main().await;
    let user = world.user("x").await;
    let client = user.client_id.clone().unwrap();
    let fresh = world.sim.reset_by_hand(user.id).unwrap();
    assert_eq!(world.details(user.id).await.json()["secret"], fresh);
    assert_eq!(world.login(&client, user.secret.as_deref().unwrap()).await.status, 401);
    assert_eq!(world.sim.edit_by_hand(user.id, "y", "edited"), Change::Done);
    assert_eq!(world.details(user.id).await.json()["description"], "edited");
    assert_eq!(world.sim.delete_by_hand(user.id), Change::Done);
    assert_eq!(world.details(user.id).await.status, 404);
    assert_eq!(world.login(&client, &fresh).await.status, 401);
    let nobody = NOBODY.parse().unwrap();
    assert_eq!(world.sim.delete_by_hand(nobody), Change::NotFound);
    assert_eq!(world.sim.set_status(nobody, Status::Active), Change::NotFound);
    assert!(world.sim.reset_by_hand(nobody).is_none());
}

/// Section 2.3: rows without a last editor, as of the portal's own seed data, answer 500.
#[tokio::test]
async fn users_without_editor() {
    let world = World::main().await;
    let user = world.sim.seed_user(UserSeed::new("One", "x").without_editor()).unwrap();
    assert_eq!(world.details(user.id).await.status, 500);
}

#[tokio::test]
async fn seeded_users_are_as_asked() {
    let world = World::main().await;
    let seed = UserSeed::new("Two", "dim-w").external().description("d").client_id("sb-x!b1|y!b2");
    let user = world.sim.seed_user(seed).unwrap();
    assert_eq!((user.kind, user.ownership, user.status), (Kind::External, Ownership::Own, Status::Active));
    assert_eq!(world.view(&user.id.to_string()), user);
    assert!(world.sim.seed_user(UserSeed::new("Nowhere", "x")).is_none());
    assert!(world.sim.seed_user(UserSeed::new("One", "x").roles(["No Such Role"])).is_none());
}

/// Section 2.5: deletes of wallet users whose process is not as it should be.
#[tokio::test]
async fn processes_forbid_deletes() {
    let world = World::main().await;
    let seed = || UserSeed::new("One", "dim-w").external();
    let alone = world.sim.seed_user(seed().without_process()).unwrap();
    assert_eq!(
        world.delete(alone.id).await.verdict(),
        (409, "SERVICE_ACCOUNT_NOT_LINKED_TO_PROCESS".to_owned())
    );
    let leaving = world.sim.seed_user(seed()).unwrap();
    assert_eq!(world.delete(leaving.id).await.status, 204);
    let _ = world.sim.set_status(leaving.id, Status::Active);
    assert_eq!(
        world.delete(leaving.id).await.verdict(),
        (409, "SERVICE_ACCOUNT_PENDING_PROCESS_STEPS".to_owned())
    );
    let offer = OfferSeed { provider: "Two".to_owned(), name: "App".to_owned(), subscription_active: false };
    let managed = world.sim.seed_user(seed().managed(offer)).unwrap();
    let answer = world.delete(managed.id).await;
    assert_eq!((answer.status, answer.json()["details"].clone()), (404, serde_json::json!([])));
    assert!(answer.text.contains(&format!("externalId {} does not exist", managed.process.unwrap())));
}

/// Section 2.3: a state that the normal flow never makes, which clients shall survive.
#[tokio::test]
async fn the_pending_text_is_no_address() {
    for (version, text) in [(Version::V2_4, false), (Version::V2_5, true)] {
        let world = World::new(version).await;
        let user = world.wallet_user("w").await;
        let _ = world.sim.set_status(user.id, Status::Pending);
        let url =
            world.details(user.id).await.json()["authenticationServiceUrl"].as_str().unwrap().to_owned();
        assert_eq!(!url.starts_with("http"), text, "{version}: {url}");
    }
}
