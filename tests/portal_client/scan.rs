//! The whole list, page by page.

use technical_user_operator::portal::{Lane, Portal};

use crate::stub::{PERMISSIONS, Reply, Stub, jwt, messages, page, tokens};
use crate::support::portal_of;

/// A portal whose list is answered by `list`.
async fn stub(list: impl Fn(usize, usize, &str) -> Reply + Send + Sync + 'static) -> Stub {
    Stub::start(move |seen, before| match seen.what() {
        "token" => tokens(&jwt("sa1", &PERMISSIONS), 300),
        "errormessage" => messages(),
        _ => list(seen.page(), before, &seen.query),
    })
    .await
}

#[tokio::test]
async fn all_pages_of_all_statuses_are_read() {
    let stub = stub(|number, _, _| match number {
        0 => page(20, 2, &(0..15).collect::<Vec<_>>()),
        _ => page(20, 2, &(15..20).collect::<Vec<_>>()),
    })
    .await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert_eq!(scan.users.len(), 20);
    assert!(scan.stable && scan.complete);
    let queries: Vec<_> = stub
        .seen()
        .into_iter()
        .filter(|seen| seen.what() == "serviceaccounts")
        .map(|seen| seen.query)
        .collect();
    let statuses = "userStatus=ACTIVE&userStatus=PENDING&userStatus=INACTIVE&userStatus=PENDING_DELETION";
    assert_eq!(queries, [format!("page=0&size=15&{statuses}"), format!("page=1&size=15&{statuses}")]);
}

#[tokio::test]
async fn a_moving_list_is_read_again() {
    let stub = stub(|number, before, _| {
        // The first way through: one user more on the second page.
        let total = if before == 1 { 21 } else { 20 };
        let ids: Vec<_> = if number == 0 { (0..15).collect() } else { (15..20).collect() };
        page(total, 2, &ids)
    })
    .await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert!(scan.stable && scan.complete);
    assert_eq!(stub.count("serviceaccounts"), 4);
}

#[tokio::test]
async fn a_list_that_never_rests_is_given_as_it_was_seen() {
    let stub = stub(|number, before, _| page(100 + before, 7, &[number])).await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert!(!scan.stable && !scan.complete);
    assert!(!scan.users.is_empty());
    assert_eq!(stub.count("serviceaccounts"), 8, "one reading and three more");
}

#[tokio::test]
async fn users_lost_among_equal_names_are_found_by_digits() {
    let stub = stub(|number, _, query| {
        if query.contains("clientId=7") {
            return page(2, 1, &[17, 7]);
        }
        if query.contains("clientId=") {
            return page(0, 0, &[]);
        }
        // Both pages show the same users; 7 and 17 are on none.
        let ids: Vec<_> = (0..16).filter(|id| *id != 7).collect();
        if number == 0 { page(18, 2, &ids) } else { page(18, 2, &[14, 15, 16]) }
    })
    .await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert!(scan.stable && scan.complete);
    assert_eq!(scan.users.len(), 18);
    assert_eq!(stub.count("serviceaccounts"), 2 + 8, "digits 0 to 7");
}

#[tokio::test]
async fn a_user_that_is_listed_twice_counts_twice() {
    let stub = stub(|_, _, _| page(4, 1, &[1, 2, 2, 3])).await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert!(scan.stable && scan.complete);
    assert_eq!(scan.users.len(), 3);
    assert_eq!(stub.count("serviceaccounts"), 1);
}

#[tokio::test]
async fn a_user_that_no_page_shows_leaves_the_scan_incomplete() {
    // User 14 is on both pages, another one of its name on none.
    let stub = stub(|number, _, query| match number {
        _ if query.contains("clientId=") => page(0, 0, &[]),
        0 => page(16, 2, &(0..15).collect::<Vec<_>>()),
        _ => page(16, 2, &[14]),
    })
    .await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert!(scan.stable && !scan.complete);
    assert_eq!(scan.users.len(), 15);
}

#[tokio::test]
async fn a_list_that_shows_fewer_users_than_it_reports_is_not_stable() {
    let stub = stub(|_, _, _| page(3, 1, &[1, 2])).await;
    let scan = portal_of(&stub).scan(Lane::Background).await.unwrap();
    assert!(!scan.stable && !scan.complete);
}

#[tokio::test]
async fn scans_of_one_order_of_names_are_alike() {
    let of = |total: usize| {
        stub(move |number, _, _| match number {
            0 => page(total, 2, &(0..15).collect::<Vec<_>>()),
            _ => page(total, 2, &(15..total).collect::<Vec<_>>()),
        })
    };
    let order = async |stub: &Stub| portal_of(stub).scan(Lane::Background).await.unwrap().order;
    let (one, same, other) = (of(16).await, of(16).await, of(17).await);
    assert_eq!(order(&one).await, order(&same).await);
    assert_ne!(order(&one).await, order(&other).await);
}

#[tokio::test]
async fn a_list_is_narrowed_by_a_client_id() {
    let stub = stub(
        |_, _, query| if query.contains("clientId=sa7") { page(2, 1, &[7, 17]) } else { page(0, 0, &[]) },
    )
    .await;
    let scan = portal_of(&stub).narrow("sa7", Lane::Interactive).await.unwrap();
    assert!(scan.complete);
    assert_eq!(scan.users.len(), 2);
    assert_eq!(stub.count("serviceaccounts"), 1);
}
