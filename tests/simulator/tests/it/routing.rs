//! Routes, methods, and who may call what (portal contract, sections 1, 2, 3.1 and 5).

use portal_simulator::{Version, WalletDelay};

use crate::world::{ALL, NOBODY, USERS, World, change, config, creation};

/// Portal contract, section 1: any letter case after the first two segments.
#[tokio::test]
async fn paths_match_in_any_letter_case() {
    let world = World::main().await;
    let user = world.user("x").await;
    for path in [
        "/serviceAccount/ownCompany/SERVICEACCOUNTS?page=0&size=1".to_owned(),
        "/serviceaccount/owncompany/serviceaccounts/?page=0&size=1".to_owned(),
        format!("/ServiceAccount/OwnCompany/ServiceAccounts/{}", user.id),
        "/ErrorMessage".to_owned(),
    ] {
        assert_eq!(world.call("admin", &format!("GET {path}"), None).await.status, 200, "{path}");
    }
    let upper = world.sim.portal_url().to_owned() + "/API/administration/errormessage";
    assert_eq!(world.http.get(upper).send().await.unwrap().status(), 404);
}

/// Wrong methods and unknown routes have no body, with any login.
#[tokio::test]
async fn wrong_methods_and_unknown_routes() {
    let world = World::main().await;
    for (call, status, allow) in [
        (format!("DELETE {USERS}"), 405, "GET, POST"),
        (format!("PATCH {USERS}/{NOBODY}"), 405, "GET, PUT, DELETE"),
        (format!("GET {USERS}/{NOBODY}/resetCredentials"), 405, "POST"),
        ("POST /errormessage".to_owned(), 405, "GET"),
        ("GET /nope".to_owned(), 404, ""),
        (format!("GET {USERS}/{NOBODY}/more/of/it"), 404, ""),
    ] {
        for caller in ["admin", "none"] {
            let answer = world.call(caller, &call, None).await;
            assert_eq!((answer.status, answer.text.as_str()), (status, ""), "{call} as {caller}");
            assert_eq!(answer.header("allow"), allow, "{call}");
        }
    }
}

/// Portal contract, section 2: each endpoint asks for one permission.
#[tokio::test]
async fn each_endpoint_asks_for_its_permission() {
    let world = World::main().await;
    let create = creation("x", &[]);
    let update = change(NOBODY, "x");
    let calls = [
        ("view_tech_user_management", format!("GET {USERS}?page=0&size=1"), None),
        ("view_tech_user_management", format!("GET {USERS}/{NOBODY}"), None),
        ("add_tech_user_management", format!("POST {USERS}"), Some(create)),
        ("add_tech_user_management", format!("PUT {USERS}/{NOBODY}"), Some(update)),
        ("add_tech_user_management", format!("POST {USERS}/{NOBODY}/resetCredentials"), None),
        ("delete_tech_user_management", format!("DELETE {USERS}/{NOBODY}"), None),
        ("technical_roles_management", "GET /serviceaccount/user/roles".to_owned(), None),
        ("technical_roles_management", format!("POST /serviceaccount/callback/{NOBODY}/delete"), None),
        ("view_company_data", "GET /companydata/ownCompanyDetails".to_owned(), None),
        ("view_company_data", "GET /companydata/decentralidentity/urls".to_owned(), None),
        ("view_connectors", "GET /Connectors".to_owned(), None),
        ("delete_connectors", format!("DELETE /Connectors/{NOBODY}"), None),
    ];
    for (permission, call, body) in calls {
        for held in ALL {
            let _ = world.sim.set_caller_permissions("admin", [held]);
            let answer = world.call("admin", &call, body.clone()).await;
            assert_eq!(answer.status == 403, held != permission, "{call} with {held}: {answer:?}");
        }
        assert_eq!(world.call("none", &call, body).await.status, 401, "{call}");
    }
}

/// Portal contract, sections 5.1 and 13.2: no audience is 401, no permission and no record are 403.
#[tokio::test]
async fn tokens_that_do_not_do() {
    let world = World::main().await;
    let list = format!("GET {USERS}?page=0&size=1");
    for (caller, status) in
        [("empty", 401), ("noperm", 403), ("unknown", 403), ("viewer", 200), ("offer", 200)]
    {
        assert_eq!(world.call(caller, &list, None).await.status, status, "{caller}");
    }
    assert_eq!(world.call("unknown", "GET /staticdata/operator-bpn", None).await.status, 200);
    // A technical user whose role carries nothing of the portal's client.
    let made = world.create("s", &["3940f9b0-4393-4463-b659-15463098557b"]).await.json();
    let token = world.login(made[0]["clientId"].as_str().unwrap(), made[0]["secret"].as_str().unwrap()).await;
    let token = token.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.call_with(Some(&token), &list, None).await.status, 401);
}

/// Portal contract, section 3.1: bodies of 401 and 403 only from 2.4 on.
#[tokio::test]
async fn refusals_have_a_body_from_2_4_on() {
    for version in Version::ALL {
        let world = World::new(version).await;
        for (caller, status) in [("none", 401), ("noperm", 403)] {
            let answer = world.call(caller, &format!("GET {USERS}?page=0&size=1"), None).await;
            assert_eq!(answer.status, status);
            assert_eq!(answer.text.is_empty(), version < Version::V2_4, "{version}");
            assert_eq!(answer.header("www-authenticate").starts_with("Bearer"), status == 401);
        }
    }
}

/// Portal contract, sections 5.2 and 5.9: what the two roles of use may do.
#[tokio::test]
async fn roles_carry_their_permissions() {
    let world = World::main().await;
    let user = world.user("x").await;
    let id = user.id.to_string();
    let calls = [
        (format!("GET {USERS}?page=0&size=1"), None, 200, 200),
        (format!("GET {USERS}/{id}"), None, 200, 200),
        (format!("POST {USERS}"), Some(creation("y", &[])), 200, 403),
        (format!("PUT {USERS}/{id}"), Some(change(&id, "x")), 200, 403),
        (format!("POST {USERS}/{id}/resetCredentials"), None, 200, 403),
        (format!("DELETE {USERS}/{id}"), None, 403, 403),
        ("GET /serviceaccount/user/roles".to_owned(), None, 200, 403),
        ("GET /connectors".to_owned(), None, 200, 403),
    ];
    for (call, body, connector_management, offer_management) in calls {
        assert_eq!(world.call("op", &call, body.clone()).await.status, connector_management, "{call}");
        assert_eq!(world.call("offer", &call, body).await.status, offer_management, "{call}");
    }
}

/// Portal contract, section 5.1: 300 s of patience with a token that has ended; tokens may end mid-run.
#[tokio::test]
async fn ended_tokens() {
    let lifetime = std::time::Duration::from_millis(1);
    let world = World::with(config(Version::Main).token_lifetime(lifetime)).await;
    let token = world.token("admin").await;
    let list = format!("GET {USERS}?page=0&size=1");
    assert_eq!(world.call_with(token.as_deref(), &list, None).await.status, 200, "within the patience");
    world.sim.expire_tokens();
    assert_eq!(world.call_with(token.as_deref(), &list, None).await.status, 401);
    let token = world.token("admin").await;
    assert_eq!(world.call_with(token.as_deref(), &list, None).await.status, 200);
    world.sim.revoke_tokens();
    assert_eq!(world.call_with(token.as_deref(), &list, None).await.status, 401);
}

/// A caller moves to another company, or out of the portal's knowledge.
#[tokio::test]
async fn callers_move() {
    let world = World::with(config(Version::Main).wallet_delay(WalletDelay::Never)).await;
    let list = format!("GET {USERS}?page=0&size=15");
    assert_eq!(world.sim.set_caller_company("viewer", Some("Two")), portal_simulator::Change::Done);
    let names = world.call("viewer", &list, None).await.text;
    assert!(names.contains("\"other\"") && !names.contains("\"admin\""));
    let _ = world.sim.set_caller_company("viewer", None);
    assert_eq!(world.call("viewer", &list, None).await.status, 403);
}
