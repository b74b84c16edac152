//! Bodies: long, slow, nested, compressed, of wrong types.

use std::time::Duration;

use serde_json::{Value, json};
use technical_user_operator::domain::user::{Credential, NewUser, UserId};
use technical_user_operator::portal::{Effect, Lane, Portal, PortalError, Refusal, ServerKind, Verification};

use super::{is_bad, portal_that};
use crate::stub::{PERMISSIONS, Reply, SECRET, Stub, jwt, messages, tokens};
use crate::support::{error, portal_of};

/// As a portal writes it, but endless.
fn endless(status: u16) -> Reply {
    Reply::endless(status, &[b' '; 16 << 10], Duration::ZERO)
}

#[tokio::test]
async fn an_endless_answer_ends_with_its_limit() {
    let stub = portal_that(|_| endless(200)).await;
    let portal = portal_of(&stub);
    let too_long = PortalError::BadAnswer { reason: "it is too long" };
    let id = UserId::new("a");
    assert_eq!(error(portal.scan(Lane::Background).await.map(drop)), too_long);
    assert_eq!(error(portal.details(&id, Lane::Interactive).await), too_long);
    assert_eq!(error(portal.roles(Lane::Interactive).await), too_long);
    let slot = portal.create_slot().await.unwrap();
    let user = NewUser { name: "n".into(), description: "d".into(), role_ids: Vec::new() };
    assert_eq!(error(slot.create(user).await).effect, Effect::Unknown);
    // What these answer does not matter: the status says that they are done.
    portal.update(&id, "n", "d").await.unwrap();
    portal.reset(&id).await.unwrap();
    portal.delete(&id).await.unwrap();
}

#[tokio::test]
async fn an_endless_error_is_the_error_that_its_status_says() {
    for (status, want) in [
        (400, PortalError::Refused { refusal: Refusal::Request, status: 400, code: "other" }),
        (409, PortalError::Refused { refusal: Refusal::State, status: 409, code: "other" }),
        (502, PortalError::Server { server: ServerKind::Portal, status: 502 }),
    ] {
        let stub = portal_that(move |_| endless(status)).await;
        assert_eq!(error(portal_of(&stub).reset(&UserId::new("a")).await), want);
    }
}

#[tokio::test]
async fn an_error_may_be_as_nested_as_it_likes() {
    let nested = format!("{}{}", r#"{"errors":["#.repeat(3000), "]}".repeat(3000));
    let wide =
        json!({"errors": {"x": vec![json!([]); 10_000]}, "details": vec![json!({}); 10_000]}).to_string();
    for body in [nested, wide] {
        let stub = portal_that(move |_| Reply::text(404, &body)).await;
        let refused = error(portal_of(&stub).details(&UserId::new("a"), Lane::Interactive).await);
        assert_eq!(
            refused,
            PortalError::Refused { refusal: Refusal::Request, status: 404, code: "other" },
            "no proof that it is gone"
        );
    }
}

#[tokio::test]
async fn an_endless_token_is_refused_by_login_and_verification() {
    let stub = Stub::start(|_, _| endless(200)).await;
    let portal = portal_of(&stub);
    assert!(is_bad(&error(portal.login().await)));
    let token_url = format!("{}/token", stub.origin);
    let credential = Credential::with_secret("sa2".into(), "x".into(), token_url);
    let verified = portal.verify(&credential, Lane::Interactive).await;
    assert!(matches!(verified, Verification::Unreachable { .. }), "{verified:?}");
}

/// The clock jumps once the connection stands, so that only the answer is waited for.
#[tokio::test]
async fn a_byte_a_second_ends_with_the_calls_time() {
    let stub = Stub::start(|seen, _| match seen.what() {
        "token" => tokens(&jwt("sa1", &PERMISSIONS), 300),
        "errormessage" => messages(),
        "roles" => Reply::json(200, &json!([])),
        _ => Reply::endless(200, b" ", Duration::from_secs(1)),
    })
    .await;
    let portal = portal_of(&stub);
    portal.roles(Lane::Interactive).await.unwrap();
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let failure = error(portal.delete(&UserId::new("a")).await);
    assert!(matches!(failure, PortalError::Unreachable { .. }), "{failure:?}");
    assert!(began.elapsed() <= Duration::from_secs(31), "{:?}", began.elapsed());
}

#[tokio::test]
async fn nothing_is_decompressed() {
    let compressed: &[u8] = &[0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 0x03];
    let stub = portal_that(move |_| Reply::bytes(200, compressed).header("content-encoding", "gzip")).await;
    let refused = error(portal_of(&stub).roles(Lane::Interactive).await);
    assert!(is_bad(&refused), "{refused:?}");
    assert!(stub.seen().iter().all(|seen| seen.accept_encoding.is_none()), "none is asked for");
}

/// Values that an answer may hold in the place of another.
fn values() -> Vec<Value> {
    let mut nested = json!(1);
    for _ in 0..100 {
        nested = json!([nested]);
    }
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(SECRET),
        json!([]),
        json!({}),
        json!([SECRET, 1, null]),
        nested,
    ]
}

#[tokio::test]
async fn wrong_types_end_in_errors_that_quote_nothing() {
    for value in values() {
        let answer = value.clone();
        let stub = Stub::start(move |seen, _| match seen.what() {
            "token" => tokens(&jwt("sa1", &PERMISSIONS), 300),
            _ => Reply::json(200, &answer),
        })
        .await;
        let portal = portal_of(&stub);
        let shown = [
            format!("{:?}", portal.capabilities().await),
            format!("{:?}", portal.scan(Lane::Background).await.map(drop)),
            format!("{:?}", portal.roles(Lane::Background).await.map(drop)),
            format!("{:?}", portal.details(&UserId::new("a"), Lane::Background).await.map(drop)),
        ];
        assert!(shown.iter().all(|shown| !shown.contains(SECRET)), "{shown:?}");
        assert!(shown[3].contains("BadAnswer"), "{shown:?}");
    }
}

#[tokio::test]
async fn a_wrong_type_in_any_member_is_refused_or_ignored() {
    let good = super::details("a");
    for key in good.as_object().unwrap().keys() {
        for value in values() {
            let answer = Reply::json(200, &super::with(good.clone(), key, value));
            let stub = portal_that(move |_| answer.clone()).await;
            let result = portal_of(&stub).details(&UserId::new("a"), Lane::Background).await;
            assert!(result.is_ok() || result.as_ref().is_err_and(is_bad), "{key}: {result:?}");
        }
    }
}
