//! This process's own creates and deletes beside proofs.

use super::portal::PlayedPortal;
use super::*;

const ANY: Need = Need::Proof(None);

async fn starts(scene: &Scene, kind: Kind) -> Duration {
    let began = Instant::now();
    drop(scene.inventory.change(&key("a"), kind).await.unwrap());
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_hanging_create_delays_a_new_proof_and_nothing_else() {
    let scene = Scene::new(PlayedPortal::with(3));
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    let hanging = scene.inventory.change(&key("hangs"), Kind::Create).await.unwrap();
    let (settled, began) = (Instant::now(), Instant::now());
    let inventory = Arc::clone(&scene.inventory);
    let proof = tokio::spawn(async move { inventory.meet(&key("later"), Need::Proof(Some(settled))).await });
    tokio::task::yield_now().await;
    // A reconcile that has a proof continues, and deletes do.
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    assert_eq!(starts(&scene, Kind::Delete).await, Duration::ZERO);
    assert!(starts(&scene, Kind::Create).await <= Duration::from_secs(2));
    scene.sweep().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(starts(&scene, Kind::Create).await, Duration::ZERO, "the hanging one alone is waited for");
    assert_eq!(proof.await.unwrap(), Err(Unmet::Waiting));
    assert!(scene.heard.woken().is_empty());
    drop(hanging);
    scene.until_met("later", Need::Proof(Some(settled))).await;
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn creates_that_hang_keep_no_delete_waiting_in_any_try_of_a_proof() {
    let scene = Scene::new(PlayedPortal::with(3));
    scene.inventory.meet(&key("edc"), ANY).await.unwrap();
    let mut hanging = scene.inventory.change(&key("hangs"), Kind::Create).await.unwrap();
    let late = Need::Proof(Some(Instant::now()));
    assert!(!scene.inventory.is_met(&key("later"), late));
    for _ in 0..4 {
        // The proof has waited in vain, and the next create hangs before its next try.
        tokio::time::sleep(Duration::from_secs(25)).await;
        let next = scene.inventory.change(&key("hangs"), Kind::Create).await.unwrap();
        drop(std::mem::replace(&mut hanging, next));
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert_eq!(starts(&scene, Kind::Delete).await, Duration::ZERO);
        }
    }
    drop(hanging);
    scene.until_met("later", late).await;
}

#[tokio::test(start_paused = true)]
async fn while_a_proof_runs_no_change_starts_and_all_are_released_together() {
    let scene = Scene::new(PlayedPortal::with(30).page_time(Duration::from_millis(500)));
    let inventory = Arc::clone(&scene.inventory);
    let proof = tokio::spawn(async move { inventory.meet(&key("edc"), ANY).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    let (a, b) = (key("a"), key("b"));
    let (create, delete) =
        tokio::join!(scene.inventory.change(&a, Kind::Create), scene.inventory.change(&b, Kind::Delete));
    assert!(create.is_ok() && delete.is_ok());
    assert!(began.elapsed() >= Duration::from_millis(1800), "{:?}", began.elapsed());
    proof.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_change_does_not_wait_in_its_reconcile_for_a_long_proof() {
    let scene = Scene::new(PlayedPortal::with(60).page_time(Duration::from_mins(1)));
    assert_eq!(scene.inventory.meet(&key("edc"), ANY).await, Err(Unmet::Waiting));
    for kind in [Kind::Create, Kind::Delete] {
        let change = scene.inventory.change(&key("a"), kind).await;
        assert_eq!(change.err(), Some(Unmet::Waiting));
    }
    tokio::time::sleep(Duration::from_mins(9)).await;
    let woken = scene.heard.woken();
    assert!(woken.contains(&key("a")) && woken.contains(&key("edc")), "{woken:?}");
    assert_eq!(starts(&scene, Kind::Create).await, Duration::ZERO);
}

/// Eight tasks that change users all the time. Each change takes longer than the first wait for them to end.
fn changes_without_end(scene: &Scene, kind: Kind) -> Vec<tokio::task::JoinHandle<()>> {
    let task = |number: u32| {
        let inventory = Arc::clone(&scene.inventory);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(400) * number).await;
            loop {
                if let Ok(change) = inventory.change(&key("busy"), kind).await {
                    tokio::time::sleep(Duration::from_millis(3300)).await;
                    drop(change);
                }
            }
        })
    };
    (0..8).map(task).collect()
}

#[tokio::test(start_paused = true)]
async fn creates_without_end_do_not_keep_a_proof_waiting_for_ever() {
    let scene = Scene::new(PlayedPortal::with(3));
    let busy = changes_without_end(&scene, Kind::Create);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    scene.until_met("edc", Need::Proof(Some(began))).await;
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
    busy.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_no_longer_waits_leaves_no_change_behind() {
    let gate = CompanyGate::default();
    let quiet = gate.quiet(|_| ()).await;
    assert!(gate.change(Kind::Create, Duration::ZERO).await.is_none());
    drop(quiet);
    assert!(gate.quiet_since().is_some(), "nothing is in progress");
    let scene = Scene::new(PlayedPortal::with(1));
    assert!(scene.gate.quiet_since().is_some());
}

#[tokio::test(start_paused = true)]
async fn changes_do_not_wait_for_a_reading_that_proves_nothing() {
    let scene = Scene::new(PlayedPortal::with(60).page_time(Duration::from_mins(1)));
    assert!(scene.inventory.sweep(Duration::from_secs(1)).await.is_none());
    assert_eq!(scene.inventory.meet(&key("edc"), ANY).await, Err(Unmet::Waiting));
    assert_eq!(starts(&scene, Kind::Create).await, Duration::ZERO, "the sweep takes minutes");
    assert_eq!(starts(&scene, Kind::Delete).await, Duration::ZERO);
    scene.until_met("edc", ANY).await;
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_does_not_end_lets_changes_start_all_the_same() {
    let scene = Scene::new(PlayedPortal::with(60).page_time(Duration::from_hours(1)));
    assert_eq!(scene.inventory.meet(&key("edc"), ANY).await, Err(Unmet::Waiting));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.inventory.change(&key("a"), Kind::Create).await.err(), Some(Unmet::Waiting));
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert!(scene.heard.woken().contains(&key("a")));
    assert_eq!(starts(&scene, Kind::Create).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn those_that_waited_for_a_proof_have_their_turn_before_the_next() {
    let scene = Scene::new(PlayedPortal::with(60).page_time(Duration::from_mins(1)));
    let later = Instant::now() + Duration::from_secs(30);
    assert_eq!(scene.inventory.meet(&key("edc"), ANY).await, Err(Unmet::Waiting));
    assert_eq!(scene.inventory.change(&key("a"), Kind::Create).await.err(), Some(Unmet::Waiting));
    tokio::time::sleep_until(later).await;
    assert_eq!(scene.inventory.meet(&key("later"), Need::Proof(Some(later))).await, Err(Unmet::Waiting));
    let mut woken = Vec::new();
    while !woken.contains(&key("a")) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        woken.extend(scene.heard.woken());
    }
    assert_eq!(starts(&scene, Kind::Create).await, Duration::ZERO, "the next proof has not begun");
    scene.until_met("later", Need::Proof(Some(later))).await;
}

#[tokio::test(start_paused = true)]
async fn deletes_without_end_do_not_keep_a_proof_waiting_for_ever() {
    let scene = Scene::new(PlayedPortal::with(3));
    let busy = changes_without_end(&scene, Kind::Delete);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    let late = Need::Proof(Some(began));
    let proved = tokio::time::timeout(Duration::from_mins(2), scene.until_met("edc", late)).await;
    assert!(proved.is_ok());
    busy.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn a_create_that_gave_up_while_a_proof_was_about_to_begin_is_woken_when_it_may_start() {
    let scene = Scene::new(PlayedPortal::with(3).page_time(Duration::from_secs(10)));
    scene.sweep().await;
    let first = scene.inventory.change(&key("first"), Kind::Create).await.unwrap();
    assert_eq!(
        scene.inventory.meet(&key("edc"), Need::Proof(Some(Instant::now()))).await,
        Err(Unmet::Waiting)
    );
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let second = scene.inventory.change(&key("second"), Kind::Create).await.unwrap();
    drop(first);
    tokio::time::sleep(Duration::from_millis(10)).await;
    // The second try of the proof waits for longer than this create does.
    assert_eq!(scene.inventory.change(&key("a"), Kind::Create).await.err(), Some(Unmet::Waiting));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(scene.heard.woken(), [key("a")]);
    assert_eq!(starts(&scene, Kind::Create).await, Duration::ZERO);
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn a_user_is_listed_as_active_once_its_details_show_that() {
    let scene = Scene::new(PlayedPortal::with(3));
    scene.sweep().await;
    let status = || scene.inventory.get(&id("wallet")).unwrap().status;
    for (listed, read, expected) in [
        (UserStatus::Pending, UserStatus::Pending, UserStatus::Pending),
        (UserStatus::Pending, UserStatus::Active, UserStatus::Active),
        (UserStatus::PendingDeletion, UserStatus::Active, UserStatus::PendingDeletion),
    ] {
        scene.inventory.put(ListedUser { status: listed, ..ours("wallet", "edc") });
        scene.inventory.put_active(&UserDetails { status: read, ..details(&id("wallet"), "sa1") });
        assert_eq!(status(), expected, "{listed:?} in the list, {read:?} in the details");
    }
}
