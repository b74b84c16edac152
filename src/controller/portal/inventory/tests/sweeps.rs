//! The periodic reading of the list.

use super::portal::PlayedPortal;
use super::*;
use crate::portal::{PortalError, ServerKind};

#[tokio::test(start_paused = true)]
async fn a_slow_sweep_continues_is_not_begun_twice_and_wakes_the_portal_at_its_end() {
    let scene = Scene::new(PlayedPortal::with(150).page_time(Duration::from_secs(30)));
    let patience = Duration::from_mins(1);
    assert!(scene.inventory.sweep(patience).await.is_none());
    assert!(scene.inventory.sweep(patience).await.is_none());
    assert_eq!(scene.portal.scans(), 1);
    assert_eq!(*scene.heard.sweeps.lock(), 0);
    tokio::time::sleep(Duration::from_mins(4)).await;
    assert_eq!(*scene.heard.sweeps.lock(), 1);
    let took = scene.inventory.sweep(patience).await.unwrap().unwrap();
    assert_eq!(took.as_secs(), 300);
    assert_eq!(scene.portal.scans(), 1, "its result was waiting");
    assert!(scene.inventory.sweep(patience).await.is_none());
    assert_eq!(scene.portal.scans(), 2, "the next one");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_reports_why_it_failed_and_the_next_one_tries_again() {
    let scene = Scene::new(PlayedPortal::with(3).people(|page, _| {
        if page == 0 { Err(PortalError::Server { server: ServerKind::Portal, status: 500 }) } else { Ok(()) }
    }));
    let patience = Duration::from_mins(1);
    assert_eq!(
        scene.inventory.sweep(patience).await,
        Some(Err(PortalError::Server { server: ServerKind::Portal, status: 500 }))
    );
    assert!(scene.inventory.sweep(patience).await.unwrap().is_ok());
    assert_eq!(*scene.heard.sweeps.lock(), 0, "it was waited for");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_uses_the_reading_of_a_search_in_progress() {
    let scene = Scene::new(PlayedPortal::with(150).page_time(Duration::from_secs(1)));
    assert!(scene.inventory.meet(&key("edc"), Need::Proof(None)).await.is_err());
    scene.sweep().await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(scene.portal.scans(), 2, "the pair of the search");
}

#[tokio::test(start_paused = true)]
async fn a_reading_is_judged_before_anybody_acts_on_it() {
    struct Judge;
    #[async_trait]
    impl Listener for Judge {
        async fn list_read(&self, inventory: &Inventory, changes: &Changes) {
            inventory.suspect_mass_disappearance(
                inventory.with(Snapshot::is_empty).unwrap().then_some(changes.users.len()),
            );
        }

        fn wake(&self, _: Vec<Key>) {}

        fn sweep_ended(&self) {}
    }
    let portal = Arc::new(Fake(PlayedPortal::with(5)));
    let seen: Arc<dyn Portal> = Arc::clone(&portal) as _;
    let gate = CompanyGate::default();
    let inventory = Arc::new(Inventory::new(
        seen,
        gate,
        Arc::new(Judge),
        Metrics::default(),
        crate::process::Process::system(),
    ));
    inventory.sweep(Duration::from_mins(1)).await.unwrap().unwrap();
    portal.change(Vec::clear);
    // Its details answered 404 between the sweeps.
    let missing = Instant::now();
    assert!(inventory.is_judged());
    inventory.meet(&key("edc"), Need::Judgement(missing)).await.unwrap();
    assert_eq!(inventory.mass_disappearance(), Some(5));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_shows_the_user_contradicts_details_that_know_no_such_user() {
    let pending = |text: &str| {
        let mut user = ours(text, text);
        user.status = UserStatus::Pending;
        user
    };
    let inactive = |text: &str| {
        let mut user = ours(text, text);
        user.status = UserStatus::Inactive;
        user
    };
    let active = ours("active", "active");
    let scene =
        Scene::new(PlayedPortal::with(3).and(active).and(pending("pending")).and(inactive("inactive")));
    scene.sweep().await;
    let gone = async |user: &str| {
        scene.inventory.confirms_gone(&key("edc"), &id(user), Instant::now()).await.unwrap()
    };
    for user in ["active", "pending"] {
        assert!(!gone(user).await, "{user}: a replica of the portal lags behind");
    }
    assert!(gone("inactive").await);
    assert!(gone("unknown").await);
    scene.portal.remove("active");
    assert!(gone("active").await, "a later reading does not show it any more");
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_the_reading_did_not_show_contradicts_nothing() {
    // A foreign user of the very same name keeps the entry of the deleted one.
    let twin = |text: &str| user(text, &ours("u", "edc").name);
    let scene = Scene::new(PlayedPortal::with(20).and(twin("u")).and(twin("v")).and(twin("w")));
    scene.sweep().await;
    scene.portal.remove("u");
    scene.portal.change(|users| users.push(twin("x")));
    let since = Instant::now();
    assert!(scene.inventory.confirms_gone(&key("edc"), &id("u"), since).await.unwrap());
}
