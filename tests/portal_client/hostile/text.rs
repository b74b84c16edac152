//! Text that people will read.

use serde_json::json;
use technical_user_operator::domain::identity::{Mark, parse_own_name};
use technical_user_operator::domain::user::UserId;
use technical_user_operator::portal::{Lane, Portal};

use super::{details, listed, page_of, portal_that, with};
use crate::stub::{Reply, Stub, jwt, tokens};
use crate::support::portal_of;

const NASTY: &str = "a\u{0}\n\r\t\u{1B}[31m\u{7F}\u{9B}\u{202E}\u{2066}\u{200B}\u{FEFF}b";

/// Nothing that changes how a line is shown, and not much of it.
fn is_harmless(text: &str) -> bool {
    text.chars().count() <= 256
        && !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\u{200B}' | '\u{202E}' | '\u{2066}' | '\u{FEFF}'))
}

#[tokio::test]
async fn names_of_users_connectors_and_offers_are_harmless() {
    for name in [NASTY.to_owned(), "ä".repeat(10_000)] {
        let linked = json!({"id": name, "name": name});
        let offer = json!({"id": name, "name": name, "subscriptionId": name});
        let user = with(with(listed("a", &name), "connector", linked), "offer", offer);
        let user = with(with(user, "clientId", json!(name)), "status", json!(name));
        let page = Reply::json(200, &page_of(1, 1, &[user]));
        let stub = portal_that(move |_| page.clone()).await;
        let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
        let [user] = scan.users.as_slice() else { panic!("one user") };
        let (connector, offer) = (user.connector.clone().unwrap(), user.offer.clone().unwrap());
        for text in [
            &user.name,
            user.client_id.as_ref().unwrap(),
            &connector.id,
            &connector.name.unwrap(),
            &offer.id,
            &offer.name.unwrap(),
            &offer.subscription.unwrap(),
        ] {
            assert!(is_harmless(text), "{text:?}");
        }
    }
}

#[tokio::test]
async fn roles_and_descriptions_are_harmless() {
    let role = json!({"roleId": "r", "roleName": NASTY});
    let user = with(details("a"), "roles", json!([role]));
    let user = with(user, "description", json!(NASTY.repeat(1000)));
    let (user, roles) = (Reply::json(200, &user), Reply::json(200, &json!([role])));
    let stub =
        portal_that(move |seen| if seen.what() == "roles" { roles.clone() } else { user.clone() }).await;
    let portal = portal_of(&stub);
    let details = portal.details(&UserId::new("a"), Lane::Interactive).await.unwrap();
    assert!(is_harmless(&details.roles[0]), "{details:?}");
    assert!(details.description.chars().count() <= 2048 && !details.description.contains('\u{1B}'));
    assert!(is_harmless(&portal.roles(Lane::Interactive).await.unwrap()[0].name));
}

#[tokio::test]
async fn what_a_token_says_of_the_company_is_harmless() {
    let claims = json!({"bpn": [NASTY.repeat(100)], "client_id": NASTY,
        "resource_access": {"technical_roles_management": {"roles": [NASTY]}}});
    let payload =
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims.to_string());
    let stub = Stub::start(move |_, _| tokens(&format!("e30.{payload}.c2ln"), 300)).await;
    let login = portal_of(&stub).login().await.unwrap();
    for text in login.client_id.into_iter().chain(login.companies).chain(login.technical_roles) {
        assert!(is_harmless(&text), "{text:?}");
    }
}

/// A name with an invisible character is not the name without it, and a long one not its beginning.
#[tokio::test]
async fn no_name_becomes_another() {
    let own = "tso2187he01";
    let names =
        ["tso2187\u{200B}he01".to_owned(), format!("{own}{}", "-".repeat(300)), format!("\u{FEFF}{own}")];
    let users: Vec<_> = names.iter().zip(["a", "b", "c"]).map(|(name, id)| listed(id, name)).collect();
    let page = Reply::json(200, &page_of(3, 1, &users));
    let stub = portal_that(move |_| page.clone()).await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert!(scan.users.iter().all(|user| user.name != own), "{:?}", scan.users);
    let of_form = scan.users.iter().filter(|user| parse_own_name(&user.name).is_some()).count();
    assert_eq!(of_form, 1, "the long one is of our form, as sent");
}

/// Marks of others, half marks, marks with text that is none of a mark.
#[tokio::test]
async fn a_forged_mark_holds_no_control_characters() {
    for description in [
        "[technicaluser.dev/1 prod/ns/na\u{1B}me g1 abc]",
        "[technicaluser.dev/1 prod/ns/\u{202E}name g1 ab\u{0}c]",
        "[technicaluser.dev/1 retained a/b/c g99999999999999999999 x]",
        "[technicaluser.dev/1 a/b]",
    ] {
        let user = Reply::json(200, &with(details("a"), "description", json!(description)));
        let stub = portal_that(move |_| user.clone()).await;
        let details = portal_of(&stub).details(&UserId::new("a"), Lane::Interactive).await.unwrap();
        if let Some(mark) = Mark::find(&details.description) {
            let shown = format!("{} {}", mark.owner, mark.hint);
            assert!(is_harmless(&shown), "{shown:?}");
        }
    }
}

#[tokio::test]
async fn a_token_url_with_a_line_break_is_none() {
    let user =
        with(details("a"), "authenticationServiceUrl", json!("https://wallet.example.org/\noauth/token"));
    let user = Reply::json(200, &user);
    let stub = portal_that(move |_| user.clone()).await;
    let details = portal_of(&stub).details(&UserId::new("a"), Lane::Interactive).await.unwrap();
    // The credential is for the central identity provider, as where the portal names no token endpoint.
    assert_eq!(details.credential.unwrap().token_url, stub.token_url());
}

#[tokio::test]
async fn no_text_of_a_login_gets_into_a_header() {
    for token in ["a\r\nx-other: 1", "a\u{0}b", "ä", &"a".repeat(40_000)] {
        let reply = tokens(token, 300);
        let stub = Stub::start(move |_, _| reply.clone()).await;
        let refused = crate::support::error(portal_of(&stub).login().await);
        assert!(super::is_bad(&refused), "{refused:?}");
        assert_eq!(stub.seen().len(), 1, "the token was not used");
    }
    // One that is as long as it may be is.
    let reply = tokens(&jwt(&"s".repeat(10_000), &["view_tech_user_management"]), 300);
    let stub = Stub::start(move |_, _| reply.clone()).await;
    assert!(portal_of(&stub).login().await.unwrap().permissions.view);
}
