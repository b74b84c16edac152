//! Tokens of a technical user's login.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join, join_all, select};
use serde_json::json;
use technical_user_operator::domain::user::{NewUser, UserId};
use technical_user_operator::portal::clients::catena_x::{CatenaXConfig, CatenaXPortal};
use technical_user_operator::portal::{Effect, Lane, Limits, Login, Permissions, Portal, PortalError};

use tokio::sync::Semaphore;

use crate::stub::{PERMISSIONS, Reply, SECRET, Stub, empty_page, jwt, jwt_of, messages, tokens};
use crate::support::{LOGIN_SECRET, client_credentials, connection, error, portal, portal_of};

fn refusal(code: &str) -> Reply {
    Reply::json(401, &json!({"error": code, "error_description": SECRET}))
}

/// A portal whose token endpoint answers when the gate is open.
async fn with_a_held_token() -> (Stub, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let stub = Stub::start(move |seen, _| match seen.what() {
        "token" => tokens(&jwt("sa1", &PERMISSIONS), 300).held_by(&held),
        _ => Reply::json(200, &json!([])),
    })
    .await;
    (stub, gate)
}

#[tokio::test]
async fn one_token_serves_all_and_the_form_has_the_secret() {
    let (stub, gate) = with_a_held_token().await;
    let portal = portal_of(&stub);
    // All calls have begun when the first one asks for a token.
    let calls = join_all((0..20).map(|_| portal.roles(Lane::Interactive)));
    let (results, ()) = join(calls, async {
        stub.until_count("token", 1).await;
        gate.add_permits(20);
    })
    .await;
    for result in results {
        assert!(result.unwrap().is_empty());
    }
    assert_eq!(stub.count("token"), 1);
    let request = stub.seen().into_iter().find(|seen| seen.what() == "token").unwrap();
    assert_eq!(request.token, None);
    let form = request.form();
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), ("sa1", LOGIN_SECRET));
}

#[tokio::test]
async fn a_wrong_secret_costs_one_token_call_for_many_calls() {
    for code in ["unauthorized_client", "invalid_client"] {
        let stub = Stub::start(move |_, _| refusal(code)).await;
        let portal = portal_of(&stub);
        for result in join_all((0..10).map(|_| portal.roles(Lane::Interactive))).await {
            assert_eq!(error(result), PortalError::LoginRefused { code });
        }
        assert_eq!(error(portal.login().await), PortalError::LoginRefused { code });
        assert_eq!(stub.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_token_url_that_is_none_is_reported() {
    for reply in
        [Reply::html(200), Reply::html(404), Reply::json(404, &json!({"error": "Realm does not exist"}))]
    {
        let stub = Stub::start(move |_, _| reply.clone()).await;
        let failure = error(portal_of(&stub).login().await);
        assert!(failure.to_string().contains("token endpoint"), "{failure}");
    }
}

#[tokio::test]
async fn a_401_brings_one_new_token_and_one_more_try() {
    let stub = Stub::start(|seen, before| match (seen.what(), before) {
        ("token", _) => tokens(&jwt("sa1", &PERMISSIONS), 300),
        (_, 0) => Reply::text(401, ""),
        _ => Reply::json(200, &json!([])),
    })
    .await;
    let portal = portal_of(&stub);
    assert!(portal.roles(Lane::Interactive).await.unwrap().is_empty());
    assert_eq!((stub.count("token"), stub.count("roles")), (2, 2));
    let used: Vec<_> = stub.seen().into_iter().filter_map(|seen| seen.token).collect();
    assert_ne!(used[0], used[1]);
}

#[tokio::test]
async fn a_login_without_permissions_does_not_ask_for_tokens_for_ever() {
    let stub = Stub::start(|seen, _| match seen.what() {
        "token" => tokens(&jwt("sa1", &[]), 300),
        _ => Reply::text(401, ""),
    })
    .await;
    let portal = portal_of(&stub);
    assert_eq!(portal.login().await.unwrap().permissions, Permissions::default());
    for _ in 0..5 {
        assert_eq!(error(portal.roles(Lane::Interactive).await), PortalError::Unauthorized);
    }
    assert_eq!(stub.count("token"), 2);
    assert_eq!(stub.count("roles"), 6);
}

#[tokio::test]
async fn a_write_is_sent_again_after_a_401_but_a_create_is_not() {
    let stub = Stub::start(|seen, before| match (seen.what(), before) {
        ("token", _) => tokens(&jwt("sa1", &PERMISSIONS), 300),
        (_, 0) => Reply::text(401, ""),
        _ => Reply::json(200, &json!([])),
    })
    .await;
    let portal = portal_of(&stub);
    portal.reset(&UserId::new("a")).await.unwrap();
    assert_eq!(stub.count("resetCredentials"), 2);

    let user = NewUser { name: "n".into(), description: "d".into(), role_ids: vec!["r".into()] };
    let failure = error(portal.create_slot().await.unwrap().create(user.clone()).await);
    assert_eq!((failure.error, failure.effect), (PortalError::Unauthorized, Effect::None));
    assert_eq!(stub.count("serviceaccounts"), 1);
    let tokens_before = stub.count("token");
    assert!(portal.create_slot().await.unwrap().create(user).await.unwrap().is_empty());
    assert_eq!(stub.count("token"), tokens_before + 1);
    let created = stub.seen().into_iter().rfind(|seen| seen.what() == "serviceaccounts").unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&created.body).unwrap(),
        json!({"name": "n", "description": "d", "authenticationType": "SECRET", "roleIds": ["r"]})
    );
}

#[tokio::test]
async fn who_gives_up_waiting_does_not_lose_the_token() {
    let (stub, gate) = with_a_held_token().await;
    let portal = portal_of(&stub);
    {
        let impatient = pin!(portal.roles(Lane::Interactive));
        let asked = pin!(stub.until_count("token", 1));
        assert!(matches!(select(impatient, asked).await, Either::Right(_)), "the token is held back");
    }
    gate.add_permits(20);
    portal.roles(Lane::Interactive).await.unwrap();
    assert_eq!(stub.count("token"), 1);
}

#[tokio::test]
async fn a_token_that_is_no_jwt_leaves_permissions_to_be_tried() {
    let stub = Stub::start(|seen, _| match seen.what() {
        "token" => tokens("opaque", 300),
        "roles" => Reply::text(403, ""),
        _ => empty_page(),
    })
    .await;
    let login = portal_of(&stub).login().await.unwrap();
    assert_eq!((login.companies.len(), login.client_id), (0, None));
    assert_eq!(
        login.permissions,
        Permissions { view: true, create: true, delete: true, roles: false, dataspace: false }
    );
}

#[tokio::test]
async fn deletion_has_its_own_login() {
    let stub = Stub::start(|seen, _| match seen.what() {
        "token" if seen.form()["client_id"] == "sa1" => tokens(&jwt("sa1", &PERMISSIONS), 300),
        "token" if seen.form()["client_secret"] == "right" => {
            tokens(&jwt("deleter", &["delete_tech_user_management"]), 300)
        }
        "token" => refusal("unauthorized_client"),
        _ => Reply::text(204, ""),
    })
    .await;
    let with = |secret: &str| {
        let login = client_credentials("sa1", LOGIN_SECRET);
        let mut connection = connection(&stub.origin, &stub.token_url(), login);
        connection.delete_login = Some(client_credentials("deleter", secret));
        portal(connection)
    };
    let portal = with("right");
    let login = portal.login().await.unwrap();
    assert_eq!(login.client_id.as_deref(), Some("sa1"));
    assert_eq!(login.delete_client_id.as_deref(), Some("deleter"));
    assert!(login.permissions.view && login.permissions.delete);
    portal.delete(&UserId::new("a")).await.unwrap();
    let used = stub.seen().into_iter().find(|seen| seen.what() == "a").and_then(|seen| seen.token).unwrap();
    assert!(used.len() < jwt("sa1", &PERMISSIONS).len(), "the deletion login's token is the shorter one");

    let portal = with("wrong");
    let login = portal.login().await.unwrap();
    assert_eq!(login.delete_client_id.as_deref(), Some("deleter"));
    assert!(login.permissions.view);
    let trouble = login.deletion_trouble.unwrap();
    assert!(trouble.contains("unauthorized_client"), "{trouble}");
    assert_eq!(error(portal.delete(&UserId::new("a")).await), PortalError::DeletionLogin { reason: trouble });
}

/// A portal through a login, and a deletion login whose token endpoint answers so.
async fn with_deletion_login(answer: Reply) -> (Stub, CatenaXPortal) {
    let stub = Stub::start(move |seen, _| match seen.what() {
        "token" if seen.form()["client_id"] == "sa1" => tokens(&jwt("sa1", &PERMISSIONS), 300),
        "token" => answer.clone(),
        _ => Reply::text(204, ""),
    })
    .await;
    let mut connection = connection(&stub.origin, &stub.token_url(), client_credentials("sa1", LOGIN_SECRET));
    connection.delete_login = Some(client_credentials("deleter", "right"));
    let portal = portal(connection);
    (stub, portal)
}

#[tokio::test]
async fn trouble_with_the_deletion_login_never_means_that_it_may_not_delete() {
    for answer in [
        Reply::html(200),
        Reply::html(404),
        Reply::json(404, &json!({"error": "Realm does not exist"})),
        Reply::html(403),
        Reply::html(502),
        Reply::text(500, ""),
        Reply::text(429, ""),
        refusal("invalid_client"),
    ] {
        let shown = format!("{answer:?}");
        let (stub, portal) = with_deletion_login(answer).await;
        let login = portal.login().await.unwrap();
        assert!(login.permissions.view && login.permissions.delete, "{shown}");
        assert!(login.deletion_trouble.is_some(), "{shown}");
        let refused = error(portal.delete(&UserId::new("a")).await);
        assert!(matches!(refused, PortalError::DeletionLogin { .. }), "{shown}: {refused}");
        assert_eq!(stub.count("a"), 0, "{shown}");
    }
    let (_stub, portal) = with_deletion_login(tokens(&jwt("deleter", &PERMISSIONS[..1]), 300)).await;
    let login = portal.login().await.unwrap();
    assert_eq!((login.permissions.delete, login.deletion_trouble), (false, None), "its token says no");
}

#[tokio::test]
async fn a_token_that_ends_while_it_waits_for_a_place_is_not_replaced_for_ever() {
    let stub = Stub::start(|seen, _| match seen.what() {
        // Usable for one second; a place is free every two.
        "token" => tokens(&jwt("sa1", &PERMISSIONS), 11),
        _ => empty_page(),
    })
    .await;
    let limits = Limits { requests_per_second: Some(1), burst: 1, concurrency: 1 };
    let login = client_credentials("sa1", LOGIN_SECRET);
    let portal = portal(CatenaXConfig { limits, ..connection(&stub.origin, &stub.token_url(), login) });
    let calls = join_all((0..3).map(|_| portal.roles(Lane::Background)));
    let ended = tokio::time::timeout(Duration::from_mins(2), calls).await;
    assert!(ended.is_ok(), "every call ends; tokens so far: {}", stub.count("token"));
}

#[tokio::test]
async fn a_login_is_confirmed_by_a_call_with_a_token_that_says_the_same() {
    let stub = Stub::start(|seen, before| match (seen.what(), before) {
        ("token", 0) => tokens(&jwt_of("VICTIM", "sa1", &PERMISSIONS), 300),
        ("token", _) => tokens(&jwt_of("OWN", "sa1", &PERMISSIONS), 300),
        // The first token is none that the portal knows.
        (_, 0) => Reply::text(401, ""),
        _ => empty_page(),
    })
    .await;
    let portal = portal_of(&stub);
    let forged = portal.login().await.unwrap();
    assert_eq!(forged.companies, ["VICTIM"]);
    assert_eq!(error(portal.confirm(&forged).await), PortalError::OtherCompany);
    let own = portal.login().await.unwrap();
    assert_eq!(own.companies, ["OWN"]);
    portal.confirm(&own).await.unwrap();
    let other_client = Login { client_id: Some("sa2".to_owned()), ..own };
    assert_eq!(error(portal.confirm(&other_client).await), PortalError::OtherCompany);
}

#[tokio::test]
async fn a_login_that_the_portal_refuses_is_not_confirmed() {
    let stub = Stub::start(|seen, _| match seen.what() {
        "token" => tokens(&jwt_of("VICTIM", "sa1", &PERMISSIONS), 300),
        _ => Reply::text(401, ""),
    })
    .await;
    let portal = portal_of(&stub);
    let forged = portal.login().await.unwrap();
    assert_eq!(error(portal.confirm(&forged).await), PortalError::Unauthorized);
}

/// A portal through a login, and a deletion login for which `token` is issued and to whose calls the portal answers so.
async fn with_deletion_token(token: &str, answer: Reply) -> CatenaXPortal {
    let (token, bearer) = (token.to_owned(), token.to_owned());
    let stub = Stub::start(move |seen, _| match seen.what() {
        "token" if seen.form()["client_id"] == "sa1" => tokens(&jwt("sa1", &PERMISSIONS), 300),
        "token" => tokens(&token, 300),
        _ if seen.token.as_ref() == Some(&bearer) => answer.clone(),
        _ => empty_page(),
    })
    .await;
    let mut connection = connection(&stub.origin, &stub.token_url(), client_credentials("sa1", LOGIN_SECRET));
    connection.delete_login = Some(client_credentials("deleter", "right"));
    portal(connection)
}

#[tokio::test]
async fn a_deletion_login_is_confirmed_by_a_call_with_its_own_token() {
    let deleter = jwt("deleter", &["delete_tech_user_management"]);
    let confirm = async |token: &str, answer| {
        with_deletion_token(token, answer).await.confirm_deletion_login("deleter").await
    };
    confirm(&deleter, empty_page()).await.unwrap();
    let refused = error(confirm(&deleter, Reply::text(403, "")).await);
    assert!(matches!(refused, PortalError::Forbidden { .. }), "it may not read: {refused}");
    assert_eq!(error(confirm(&deleter, Reply::text(401, "")).await), PortalError::Unauthorized);
    for other in ["opaque".to_owned(), jwt("sa2", &["delete_tech_user_management"])] {
        assert_eq!(error(confirm(&other, empty_page()).await), PortalError::OtherCompany, "{other}");
    }
    let (_stub, portal) = with_deletion_login(refusal("invalid_client")).await;
    let refused = error(portal.confirm_deletion_login("deleter").await);
    assert!(matches!(refused, PortalError::LoginRefused { .. }), "{refused}");
}

#[tokio::test]
async fn nothing_is_sent_with_a_token_of_another_company() {
    let stub = Stub::start(|seen, before| match (seen.what(), before) {
        ("token", 1) => tokens(&jwt_of("TWO", "sa1", &PERMISSIONS), 300),
        // No company.
        ("token", 2) => tokens(&jwt_of("", "sa1", &PERMISSIONS), 300),
        ("token", _) => tokens(&jwt_of("ONE", "sa1", &PERMISSIONS), 300),
        ("roles", _) => Reply::json(200, &json!([])),
        _ => empty_page(),
    })
    .await;
    let portal = Arc::new(portal_of(&stub));
    let user = UserId::new("a");
    let login = portal.login().await.unwrap();
    let portal = portal.bound_to(&login.companies);
    assert!(portal.roles(Lane::Interactive).await.is_ok());
    for _ in 0..2 {
        portal.forget_token().await;
        let before = stub.seen().len();
        assert_eq!(error(portal.details(&user, Lane::Interactive).await), PortalError::OtherCompany);
        assert_eq!(error(portal.scan(Lane::Background).await), PortalError::OtherCompany);
        assert_eq!(error(portal.delete(&user).await), PortalError::OtherCompany);
        assert_eq!(portal.create_slot().await.err(), Some(PortalError::OtherCompany));
        let sent: Vec<_> = stub.seen().split_off(before).iter().map(|seen| seen.what().to_owned()).collect();
        assert!(sent.iter().all(|what| matches!(what.as_str(), "token" | "errormessage")), "{sent:?}");
        // Logging in continues, or the company could not be found.
        assert_ne!(portal.login().await.unwrap().companies, ["ONE"]);
    }
    portal.forget_token().await;
    assert!(portal.roles(Lane::Interactive).await.is_ok(), "the company is back");
}

#[tokio::test]
async fn what_is_bound_to_one_company_sends_nothing_once_the_login_belongs_to_another() {
    let stub = Stub::start(|seen, before| match (seen.what(), before) {
        ("token", 0) => tokens(&jwt_of("ONE", "sa1", &PERMISSIONS), 300),
        ("token", _) => tokens(&jwt_of("TWO", "sa1", &PERMISSIONS), 300),
        ("errormessage", _) => messages(),
        ("roles", _) => Reply::json(200, &json!([])),
        _ => empty_page(),
    })
    .await;
    let portal = Arc::new(portal_of(&stub));
    let one = Arc::clone(&portal).bound_to(&portal.login().await.unwrap().companies);
    assert!(one.roles(Lane::Interactive).await.is_ok());
    portal.forget_token().await;
    let moved = portal.login().await.unwrap();
    assert_eq!(moved.companies, ["TWO"]);
    let two = Arc::clone(&portal).bound_to(&moved.companies);
    assert!(two.scan(Lane::Interactive).await.unwrap().complete);
    let (sent, user) = (stub.seen().len(), UserId::new("a"));
    assert_eq!(error(one.details(&user, Lane::Interactive).await), PortalError::OtherCompany);
    assert_eq!(error(one.scan(Lane::Background).await), PortalError::OtherCompany);
    assert_eq!(error(one.narrow("sa7", Lane::Interactive).await), PortalError::OtherCompany);
    assert_eq!(error(one.update(&user, "n", "d").await), PortalError::OtherCompany);
    assert_eq!(error(one.reset(&user).await), PortalError::OtherCompany);
    assert_eq!(error(one.delete(&user).await), PortalError::OtherCompany);
    assert_eq!(one.create_slot().await.err(), Some(PortalError::OtherCompany));
    assert_eq!(stub.seen().len(), sent);
    assert!(two.roles(Lane::Interactive).await.is_ok());
    assert_eq!(stub.count("token"), 2, "both share the tokens");
}
