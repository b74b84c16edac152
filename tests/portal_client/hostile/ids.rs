//! Ids and names of others.

use serde_json::{Value, json};
use technical_user_operator::domain::user::{NewUser, UserId};
use technical_user_operator::portal::{CreateFailure, Effect, Lane, Portal, PortalError, Refusal};

use super::{details, is_bad, listed, page_of, portal_that, with};
use crate::stub::Reply;
use crate::support::{error, portal_of};

fn new_user() -> NewUser {
    NewUser { name: "tso2187he01-edc".into(), description: "d".into(), role_ids: vec!["r".into()] }
}

fn created(id: &str, name: &str) -> Value {
    json!({"serviceAccountId": id, "clientId": "sa7", "name": name, "status": "ACTIVE", "roles": [], "secret": "s"})
}

#[tokio::test]
async fn the_answer_to_a_create_must_be_about_the_user_that_was_asked_for() {
    let own = "tso2187he01-edc";
    for users in [
        // The user of another company.
        json!([created("a", "edc-discovery")]),
        json!(created("a", "edc-discovery")),
        // Another resource's or another generation's.
        json!([created("a", "tso2187he02-edc")]),
        json!([created("a", own), created("b", "edc-discovery")]),
        json!([created("a", &format!("dim-dim-{own}"))]),
        // The name is the same to the eye.
        json!([created("a", &format!("{own}\u{200B}"))]),
        // One user twice, and more users than a create makes.
        json!([created("a", own), created("A", &format!("dim-{own}"))]),
        json!([created("a", own), created("b", own), created("c", own)]),
        json!([created("../a", own)]),
        json!([created("", own)]),
    ] {
        let answer = Reply::json(200, &users);
        let stub = portal_that(move |_| answer.clone()).await;
        let slot = portal_of(&stub).create_slot().await.unwrap();
        let CreateFailure { error, effect } = error(slot.create(new_user()).await);
        assert!(is_bad(&error), "{error:?}");
        assert_eq!(effect, Effect::Unknown, "a user may exist: the operator searches it by name");
    }
}

#[tokio::test]
async fn the_answer_to_a_create_is_used_where_it_is_as_agreed() {
    let own = "tso2187he01-edc";
    let answer = Reply::json(200, &json!([created("A", own), created("B", &format!("dim-{own}"))]));
    let stub = portal_that(move |_| answer.clone()).await;
    let slot = portal_of(&stub).create_slot().await.unwrap();
    let users = slot.create(new_user()).await.unwrap();
    assert_eq!(users.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[tokio::test]
async fn details_of_another_user_are_refused() {
    let answer = Reply::json(200, &details("b"));
    let stub = portal_that(move |_| answer.clone()).await;
    let refused = error(portal_of(&stub).details(&UserId::new("a"), Lane::Interactive).await);
    assert_eq!(refused, PortalError::BadAnswer { reason: "it is about another user" });
}

#[tokio::test]
async fn an_id_that_is_none_is_never_sent() {
    let stub = portal_that(|_| Reply::text(200, "")).await;
    let portal = portal_of(&stub);
    portal.login().await.unwrap();
    let before = stub.seen().len();
    for id in ["", ".", "..", "../../connectors", "a/b", "a?b", "a%2Fb", "a\nb", &"a".repeat(65)] {
        let id = UserId::new(id);
        for refused in [
            error(portal.details(&id, Lane::Interactive).await.map(drop)),
            error(portal.update(&id, "n", "d").await),
            error(portal.reset(&id).await),
            error(portal.delete(&id).await),
        ] {
            assert_eq!(
                refused,
                PortalError::Refused { refusal: Refusal::Request, status: 400, code: "other" },
                "no proof that it is gone"
            );
        }
    }
    assert_eq!(stub.seen().len(), before);
}

#[tokio::test]
async fn a_list_with_an_id_that_is_none_is_refused() {
    for id in ["", "..", "a/b", "a b", "\u{202E}a", &"a".repeat(65)] {
        let page = Reply::json(200, &page_of(1, 1, &[listed(id, "n")]));
        let stub = portal_that(move |_| page.clone()).await;
        assert!(is_bad(&error(portal_of(&stub).scan(Lane::Background).await.map(drop))), "{id}");
    }
}

#[tokio::test]
async fn a_credential_that_is_not_printable_is_refused() {
    for (key, value) in [
        ("clientId", "sa7\nX-Other: 1"),
        ("clientId", "sa\u{0}7"),
        ("clientId", "sä7"),
        ("secret", "s\r\nt"),
        ("secret", "s\u{1B}[2J"),
        ("secret", &"s".repeat(4097)),
    ] {
        let answer = Reply::json(200, &with(details("a"), key, json!(value)));
        let stub = portal_that(move |_| answer.clone()).await;
        let refused = error(portal_of(&stub).details(&UserId::new("a"), Lane::Interactive).await);
        assert!(is_bad(&refused), "{key}");
    }
}
