//! What proves a name absent, and what does not.

use super::portal::PlayedPortal;
use super::*;

const ANY: Need = Need::Proof(None);

#[tokio::test(start_paused = true)]
async fn two_readings_of_one_order_are_a_proof_and_the_first_may_be_a_sweep() {
    let scene = Scene::new(PlayedPortal::with(40).and(ours("u", "edc")));
    scene.sweep().await;
    assert_eq!(scene.portal.scans(), 1);
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    assert_eq!(scene.portal.scans(), 2);
    assert_eq!(scene.candidates("edc"), ["u"]);
    assert!(scene.candidates("other").is_empty());
    scene.inventory.meet(&key("other"), ANY).await.unwrap();
    assert_eq!(scene.portal.scans(), 2, "a proof serves every resource");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_moves_while_it_is_read_removes_nothing_that_was_proved() {
    let scene = Scene::new(PlayedPortal::with(40).and(ours("u", "edc")));
    scene.inventory.meet(&key("other"), ANY).await.unwrap();
    // The total changes between the pages of every reading, and what comes after the first page is not seen.
    scene.portal.behave(|page, users| {
        users.push(user(&format!("n{page}"), &format!("b-{page}")));
        Ok(())
    });
    scene.sweep().await;
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    assert_eq!(scene.candidates("edc"), ["u"], "it is adopted, not created a second time");
    assert!(!scene.heard.has_heard_of("u") || scene.inventory.get(&id("u")).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_user_that_one_complete_reading_misses_is_not_absent() {
    let scene = Scene::new(PlayedPortal::with(30).and(ours("u", "edc")).and(user("z0", "z0")));
    scene.inventory.meet(&key("other"), ANY).await.unwrap();
    // One before ours is deleted and one behind it is created between two pages: the total stays the same, and ours
    // moves to a page that was read already.
    let mut pages = 0;
    scene.portal.behave(move |_, users| {
        pages += 1;
        if pages == 3 {
            users.retain(|user| user.id != id("f3"));
            users.push(user("z1", "z1"));
        }
        Ok(())
    });
    scene.sweep().await;
    assert!(scene.inventory.get(&id("u")).is_none(), "the reading misses it");
    assert!(scene.inventory.with(Snapshot::is_complete).unwrap(), "and takes itself for complete");
    assert_eq!(scene.candidates("edc"), ["u"]);
    scene.sweep().await;
    assert!(scene.inventory.get(&id("u")).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_pair_of_different_orders_is_no_proof() {
    let mut pages = 0;
    let scene = Scene::new(PlayedPortal::with(30).and(ours("u", "edc")).and(user("z0", "z0")).people(
        move |_, users| {
            pages += 1;
            if pages == 3 {
                users.retain(|user| user.id != id("f3"));
                users.push(user("z1", "z1"));
            }
            Ok(())
        },
    ));
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    assert_eq!(scene.portal.scans(), 3, "the second reading shows other names than the first");
    assert_eq!(scene.candidates("edc"), ["u"]);
}

#[tokio::test(start_paused = true)]
async fn a_proof_is_not_older_than_what_is_asked() {
    let scene = Scene::new(PlayedPortal::with(3));
    scene.sweep().await;
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    let settled = Instant::now();
    scene.portal.change(|users| users.push(ours("late", "edc")));
    scene.inventory.meet(&key("edc"), Need::Proof(Some(settled))).await.unwrap();
    assert_eq!(scene.candidates("edc"), ["late"]);
    assert_eq!(scene.portal.scans(), 4, "both readings began after it");
}

#[tokio::test(start_paused = true)]
async fn own_changes_are_written_through_readings_that_missed_them() {
    let scene = Scene::new(PlayedPortal::with(40).and(ours("gone", "old")).page_time(Duration::from_secs(1)));
    scene.sweep().await;
    let inventory = Arc::clone(&scene.inventory);
    let sweep = tokio::spawn(async move { inventory.sweep(Duration::from_hours(1)).await });
    tokio::time::sleep(Duration::from_millis(2500)).await;
    scene.inventory.put(ours("new", "edc"));
    scene.inventory.remove(&id("gone"));
    sweep.await.unwrap().unwrap().unwrap();
    assert_eq!(scene.candidates("edc"), ["new"]);
    assert!(scene.candidates("old").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_change_of_ours_between_two_sweeps_makes_them_no_pair() {
    let scene = Scene::new(PlayedPortal::with(3));
    scene.sweep().await;
    drop(scene.inventory.change(&key("edc"), Kind::Create).await.unwrap());
    scene.sweep().await;
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    assert_eq!(scene.portal.scans(), 3, "the last sweep and one more");
}

#[tokio::test(start_paused = true)]
async fn what_any_reading_finds_is_passed_on() {
    let scene = Scene::new(PlayedPortal::with(3).and(ours("u", "edc")).and(ours("v", "vault")));
    scene.sweep().await;
    scene.heard.changes.lock().clear();
    scene.portal.remove("u");
    scene.inventory.meet(&key("other"), ANY).await.unwrap();
    assert!(scene.heard.has_heard_of("u") && !scene.heard.has_heard_of("v"));
    scene.portal.remove("v");
    scene.inventory.meet(&key("other"), Need::Judgement(Instant::now())).await.unwrap();
    assert!(scene.heard.has_heard_of("v"));
}

#[tokio::test(start_paused = true)]
async fn marks_of_users_that_left_are_removed() {
    let scene = Scene::new(PlayedPortal::with(3).and(ours("u", "edc")));
    scene.sweep().await;
    for user in ["u", "f1"] {
        scene.inventory.remember(&id(user), None);
    }
    scene.portal.remove("f1");
    scene.sweep().await;
    assert_eq!(scene.inventory.mark(&id("f1")), None);
    assert_eq!(scene.inventory.mark(&id("u")), Some(None));
}
