//! Bodies that are odd or wrong (portal contract, sections 1, 2.2 and 3.2).

use portal_simulator::Version;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::world::{Answer, DISCOVERY, NOBODY, USERS, World, change, creation};

async fn post(world: &World, content_type: Option<&str>, body: &str) -> Answer {
    let token = world.token("admin").await;
    let mut request = world.request("POST", USERS, token.as_deref()).body(body.to_owned());
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    Answer::of(request.send().await.unwrap()).await
}

async fn post_json(world: &World, body: &str) -> Answer {
    post(world, Some("application/json"), body).await
}

/// Portal contract, sections 1 and 3.2: which content types are taken.
#[tokio::test]
async fn content_types() {
    let world = World::main().await;
    let body = creation("x", &[DISCOVERY]).to_string();
    for taken in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(post(&world, Some(taken), &body).await.status, 200, "{taken}");
    }
    for refused in ["text/plain", "application/x-www-form-urlencoded", "text/json", "application/xml"] {
        let answer = post(&world, Some(refused), &body).await;
        assert_eq!((answer.status, answer.text.as_str()), (415, ""), "{refused}");
    }
    let answer = post(&world, None, &body).await;
    assert_eq!((answer.status, answer.media()), (415, "application/json"));
    assert_eq!(answer.json()["type"], "https://tools.ietf.org/html/rfc9110#section-15.5.16");
    assert!(answer.json().get("errors").is_none());
    // The routing refuses a foreign type before it checks the caller.
    let request = world.request("POST", USERS, None).header("content-type", "text/plain").body("x");
    assert_eq!(request.send().await.unwrap().status(), 415);
}

/// Portal contract, section 1: unknown fields are ignored, the letter case of names does not matter.
#[tokio::test]
async fn lax_where_the_real_service_is() {
    let world = World::main().await;
    let body = json!({"NAME": "n", "Description": "", "AuthenticationType": "secret", "RoleIds": [DISCOVERY],
        "more": {"x": [1]}});
    assert_eq!(post_json(&world, &body.to_string()).await.status, 200);
    let mut body = creation("x", &[DISCOVERY]);
    body["description"] = json!("d".repeat(200_000));
    let answer = post_json(&world, &body.to_string()).await;
    assert_eq!(answer.json()[0]["description"].as_str().unwrap().len(), 200_000);
    let upper = DISCOVERY.to_uppercase();
    assert_eq!(post_json(&world, &creation("x", &[&upper]).to_string()).await.status, 200);
}

/// Portal contract, section 3.2: the keys of what model binding refuses.
#[tokio::test]
async fn strict_where_the_real_service_is() {
    let world = World::main().await;
    let parameter = "technicalUserCreationInfo";
    let cases = [
        ("", vec!["", parameter]),
        ("null", vec!["", parameter]),
        ("[]", vec!["$", parameter]),
        ("\"x\"", vec!["$", parameter]),
        ("{\"name\":\"x\",}", vec!["$", parameter]),
        ("{} {}", vec!["$", parameter]),
        ("{}", vec!["Description", "Name", "UserRoleIds"]),
        (r#"{"name":1,"description":"d","roleIds":[]}"#, vec!["$.name", parameter]),
        (
            r#"{"name":"n","description":"d","authenticationType":1,"roleIds":[]}"#,
            vec!["$.authenticationType", parameter],
        ),
        (
            r#"{"name":"n","description":"d","authenticationType":null,"roleIds":[]}"#,
            vec!["$.authenticationType", parameter],
        ),
        (r#"{"name":"n","description":"d","roleIds":"x"}"#, vec!["$.roleIds", parameter]),
        (r#"{"name":"n","description":"d","roleIds":[null]}"#, vec!["$.roleIds[0]", parameter]),
        (
            r#"{"name":"n","description":"d","roleIds":["607818be-4978-41f4-bf63-fa8d2de51165","607818be497841f4bf63fa8d2de51165"]}"#,
            vec!["$.roleIds[1]", parameter],
        ),
    ];
    for (body, mut keys) in cases {
        let answer = post_json(&world, body).await;
        assert_eq!((answer.status, answer.media()), (400, "application/json"), "{body}");
        keys.sort_unstable();
        assert_eq!(answer.keys(), keys, "{body}");
        assert!(answer.json().get("errorId").is_none() && answer.json().get("traceId").is_some());
    }
    world.sim.set_version(Version::V2_3);
    assert_eq!(post_json(&world, "[]").await.keys(), ["$", "serviceAccountCreationInfo"]);
}

/// Portal contract, section 2.2: the order of the checks.
#[tokio::test]
async fn the_first_check_that_fails_answers() {
    let world = World::main().await;
    let mut body = creation(" ", &[NOBODY]);
    body["authenticationType"] = json!("JWT");
    let code = async |body: &serde_json::Value| post_json(&world, &body.to_string()).await.code();
    assert_eq!(code(&body).await, "SERVICE_AUTH_SECRET_ARGUMENT");
    body["authenticationType"] = json!("SECRET");
    assert_eq!(code(&body).await, "SERVICE_NAME_EMPTY_ARGUMENT");
    body["name"] = json!("x");
    assert_eq!(code(&body).await, "SERVICE_ROLES_NOT_ASSIGN_ARGUMENT");
    let answer = post_json(&world, &body.to_string()).await.json();
    assert_eq!(answer["errors"], json!({"unknown": ["SERVICE_ROLES_NOT_ASSIGN_ARGUMENT"]}));
}

/// Portal contract, section 2.4: updates are strict about the path, lax about the name.
#[tokio::test]
async fn updates() {
    let world = World::main().await;
    let user = world.user("before").await;
    let put = async |path: &str, body: String| {
        let token = world.token("admin").await;
        world.call_with(token.as_deref(), &format!("PUT {USERS}/{path}"), Some(&body)).await
    };
    let id = user.id.to_string();
    let answer = put("junk", "[]".to_owned()).await;
    assert_eq!(answer.keys(), ["$", "serviceAccountDetails", "serviceAccountId"]);
    assert_eq!(put("junk", change(&id, "x").to_string()).await.keys(), ["serviceAccountId"]);
    let missing = json!({"name": "x", "description": "", "authenticationType": "SECRET"});
    assert_eq!(put(&id, missing.to_string()).await.code(), "SERVICE_ID_PATH_NOT_MATCH_ARGUMENT");
    // In the path an id may be written without hyphens.
    assert_eq!(put(&user.id.simple().to_string(), change(&id, "after").to_string()).await.status, 200);
    assert_eq!(world.view(&id).name, "after");
    let client = user.client_id.unwrap();
    assert_eq!(world.sim.view(|view| view.idp_client_name(&client)).unwrap(), "after");
    // The secret and the roles stay.
    assert_eq!(world.view(&id).secret, user.secret);
    assert_eq!(world.view(&id).roles, [DATASPACE_DISCOVERY]);
    assert_eq!(put(&id, change(&id, &"n".repeat(256)).to_string()).await.status, 500);
}
