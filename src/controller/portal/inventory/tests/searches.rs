//! A search is shared work that continues when the reconcile that requested it ends.

use super::portal::PlayedPortal;
use super::*;
use crate::portal::{PortalError, ServerKind};

const ANY: Need = Need::Proof(None);

/// A list whose reading takes this number of minutes.
fn long_list(minutes: u32) -> PlayedPortal {
    PlayedPortal::with(15 * 60 - 1).and(ours("u", "edc")).page_time(Duration::from_secs(1) * minutes)
}

#[tokio::test(start_paused = true)]
async fn a_search_outlives_the_reconciles_that_asked_and_wakes_all_of_them() {
    let scene = Scene::new(long_list(4));
    for name in ["edc", "other"] {
        let meet = scene.inventory.meet(&key(name), ANY).await;
        assert_eq!(meet, Err(Unmet::Waiting));
    }
    // A third one is cancelled while it waits.
    let third = key("third");
    let cancelled = tokio::time::timeout(Duration::from_secs(1), scene.inventory.meet(&third, ANY)).await;
    assert!(cancelled.is_err());
    tokio::time::sleep(Duration::from_mins(9)).await;
    let mut woken = scene.heard.woken();
    woken.sort();
    assert_eq!(woken, [key("edc"), key("other")]);
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    assert_eq!(scene.portal.scans(), 2, "one pair for all");
}

#[tokio::test(start_paused = true)]
async fn a_long_list_is_not_waited_for_at_all_once_that_is_known() {
    let scene = Scene::new(long_list(1));
    scene.sweep().await;
    let began = Instant::now();
    assert_eq!(scene.inventory.meet(&key("edc"), ANY).await, Err(Unmet::Waiting));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_request_for_a_later_proof_gets_the_next_pair() {
    let scene = Scene::new(long_list(1));
    assert_eq!(scene.inventory.meet(&key("edc"), ANY).await, Err(Unmet::Waiting));
    tokio::time::sleep(Duration::from_secs(30)).await;
    let after = Instant::now();
    let late = Need::Proof(Some(after));
    assert_eq!(scene.inventory.meet(&key("late"), late).await, Err(Unmet::Waiting));
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(scene.heard.woken(), [key("edc")]);
    assert!(scene.inventory.meet(&key("late"), late).await.is_err());
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(scene.heard.woken(), [key("late")]);
    scene.inventory.meet(&key("late"), late).await.unwrap();
    assert_eq!(scene.portal.scans(), 3, "the second reading of the first pair is the first of the next");
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_reported_and_tried_again_while_anybody_waits() {
    let down = || PortalError::Server { server: ServerKind::Portal, status: 503 };
    let scene = Scene::new(PlayedPortal::with(3).people(move |_, _| Err(down())));
    assert_eq!(scene.inventory.meet(&key("edc"), ANY).await, Err(Unmet::Failing(down())));
    assert_eq!(scene.inventory.meet(&key("other"), ANY).await, Err(Unmet::Failing(down())));
    tokio::time::sleep(Duration::from_secs(4)).await;
    let mut woken = scene.heard.woken();
    woken.sort();
    assert_eq!(woken, [key("edc"), key("other")], "the next try fails as well");
    let tries = scene.portal.scans();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(scene.portal.scans(), tries, "no resource waits any more");
    scene.portal.behave(|_, _| Ok(()));
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_rests_is_given_up_for_a_while() {
    let scene = Scene::new(PlayedPortal::with(40).people(|page, users| {
        users.push(user(&format!("n{page}"), &format!("b-{page}")));
        Ok(())
    }));
    let mut failed = None;
    for _ in 0..20 {
        match scene.inventory.meet(&key("edc"), ANY).await {
            Err(Unmet::Failing(error)) => failed = Some(error),
            Err(Unmet::Waiting) => {}
            Ok(()) => panic!("nothing is proved"),
        }
    }
    assert!(matches!(failed, Some(PortalError::BadAnswer { reason }) if reason.contains("too fast")));
    scene.portal.behave(|_, _| Ok(()));
    scene.until_met("edc", ANY).await;
}

#[tokio::test(start_paused = true)]
async fn a_search_that_panics_is_a_failure_that_waits_before_the_next_try() {
    let scene = Scene::new(PlayedPortal::with(3).people(|_, _| panic!("a fault of this program")));
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(10) {
        match scene.inventory.meet(&key("edc"), ANY).await {
            Err(Unmet::Failing(PortalError::BadAnswer { reason })) => assert!(reason.contains("interrupted")),
            other => panic!("{other:?}"),
        }
        // It is woken at the end of each try.
        while scene.heard.woken().is_empty() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
    assert!(scene.portal.scans() < 15, "{} readings", scene.portal.scans());
    assert!(scene.gate.quiet_since().is_some());
}
