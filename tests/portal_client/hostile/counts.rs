//! More than there may be: entries, pages, users, roles.

use serde_json::{Value, json};
use technical_user_operator::domain::user::UserId;
use technical_user_operator::portal::{Lane, Portal, PortalError};

use super::{details, is_bad, listed, page_of, portal_that, with};
use crate::stub::{Reply, empty_page};
use crate::support::{error, portal_of};

#[tokio::test]
async fn a_page_with_more_users_than_were_asked_for_is_refused() {
    for count in [16, 1000] {
        let users: Vec<Value> =
            (0..count).map(|id| json!({"serviceAccountId": format!("id-{id}")})).collect();
        let page = Reply::json(200, &page_of(count, 1, &users));
        let stub = portal_that(move |_| page.clone()).await;
        let refused = error(portal_of(&stub).scan(Lane::Background).await.map(drop));
        let reason = "a page lists more users than were asked for";
        assert_eq!(refused, PortalError::BadAnswer { reason });
        assert_eq!(stub.count("serviceaccounts"), 1, "{count}");
    }
}

#[tokio::test]
async fn a_company_with_too_many_users_is_refused_with_the_first_page() {
    for total in [22_001, u64::MAX] {
        let page = Reply::json(200, &page_of(total, 4_000, &[listed("a", "a")]));
        let stub = portal_that(move |_| page.clone()).await;
        let refused = error(portal_of(&stub).scan(Lane::Background).await.map(drop));
        assert!(refused.to_string().contains("more than 22000 technical users"), "{refused}");
        assert_eq!(stub.count("serviceaccounts"), 1);
    }
}

#[tokio::test]
async fn totals_and_pages_that_lie_prove_nothing() {
    // One user, a total of two, and nothing in smaller lists.
    let page = Reply::json(200, &page_of(2, 1, &[listed("a", "a")]));
    let stub =
        portal_that(move |seen| if seen.query.contains("clientId") { empty_page() } else { page.clone() })
            .await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert!(!scan.complete);
    // No pages, and users on the first.
    let page = Reply::json(200, &page_of(0, 0, &[listed("a", "a")]));
    let stub =
        portal_that(move |seen| if seen.query.contains("clientId") { empty_page() } else { page.clone() })
            .await;
    assert!(!portal_of(&stub).scan(Lane::Background).await.unwrap().complete);
    // Negative, fractional, as text.
    for meta in [
        json!({"totalElements": -1, "totalPages": 1}),
        json!({"totalElements": 1.5, "totalPages": 1}),
        json!({"totalElements": "1", "totalPages": 1}),
        json!({"totalElements": 1, "totalPages": 1e99}),
    ] {
        let page = Reply::json(200, &json!({"meta": meta, "content": []}));
        let stub = portal_that(move |_| page.clone()).await;
        assert!(is_bad(&error(portal_of(&stub).scan(Lane::Background).await.map(drop))));
    }
}

#[tokio::test]
async fn more_roles_than_there_may_be_are_refused() {
    let role = |id: usize| json!({"roleId": format!("r-{id}"), "roleName": "R"});
    let offered = Reply::json(200, &(0..513).map(role).collect());
    let of_a_user = with(details("a"), "roles", (0..257).map(role).collect());
    let of_a_user = Reply::json(200, &of_a_user);
    let stub = portal_that(move |seen| match seen.what() {
        "roles" => offered.clone(),
        _ => of_a_user.clone(),
    })
    .await;
    let portal = portal_of(&stub);
    let refused = PortalError::BadAnswer { reason: "it lists more roles than it may" };
    assert_eq!(error(portal.roles(Lane::Interactive).await), refused);
    assert_eq!(error(portal.details(&UserId::new("a"), Lane::Interactive).await), refused);
}
