//! Users that the wallet service has not created yet.

use super::portal::PlayedPortal;
use super::*;
use crate::domain::user::Credential;
use crate::portal::{PortalError, ServerKind};

/// A pending user of a resource in the list.
fn listed(resource: &str) -> ListedUser {
    ListedUser { status: UserStatus::Pending, ..ours(resource, resource) }
}

fn pending(resource: &str) -> UserDetails {
    UserDetails { status: UserStatus::Pending, credential: None, ..details(&id(resource), resource) }
}

impl Scene {
    fn of_pending(count: usize) -> Self {
        let names: Vec<String> = (0..count).map(|n| format!("edc-{n}")).collect();
        let portal = names.iter().fold(PlayedPortal::with(30), |portal, name| portal.and(listed(name)));
        let scene = Self::new(portal.page_time(Duration::from_millis(20)));
        for name in &names {
            scene.inventory.details_read(&key(name), &pending(name));
        }
        scene
    }

    fn is_pending(&self, resource: &str) -> bool {
        self.inventory.still_pending(&key(resource), &id(resource)).is_some()
    }

    fn finish(&self, resource: &str) {
        self.portal.change(|users| {
            let user = users.iter_mut().find(|user| user.id == id(resource)).unwrap();
            user.status = UserStatus::Active;
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_shows_of_all_of_them_which_one_is_not_pending_any_more() {
    let scene = Scene::of_pending(20);
    let shown = scene.inventory.still_pending(&key("edc-7"), &id("edc-7")).unwrap();
    assert_eq!((shown.id, shown.name), (id("edc-7"), pending("edc-7").name));
    assert!(
        !scene.is_pending("other") && scene.inventory.still_pending(&key("other"), &id("edc-7")).is_none()
    );
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(scene.is_pending("edc-7") && scene.heard.woken().is_empty());

    let before = scene.portal.pages();
    scene.finish("edc-7");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(scene.heard.woken(), [key("edc-7")]);
    assert!(!scene.is_pending("edc-7") && scene.is_pending("edc-8"));
    // Its details are read again, and the list is read for the others: two pages each time, less often with time.
    scene.inventory.details_read(&key("edc-7"), &details(&id("edc-7"), "edc-7"));
    let pages = scene.portal.pages() - before;
    assert!((2..=6).contains(&pages), "{pages}");

    // Details are read again after a while: the list of a portal may be behind.
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert!(!scene.is_pending("edc-8"));
    scene.inventory.details_read(&key("edc-8"), &pending("edc-8"));
    assert!(scene.is_pending("edc-8"));
    // Nobody asks for them any more.
    tokio::time::sleep(FORGOTTEN + Duration::from_mins(5)).await;
    let before = scene.portal.pages();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(scene.portal.pages(), before);
    assert!(scene.heard.woken().is_empty());
}

const FORGOTTEN: Duration = Duration::from_mins(15);

#[tokio::test(start_paused = true)]
async fn a_new_one_is_looked_for_soon_while_another_waits_for_long() {
    let scene = Scene::of_pending(1);
    tokio::time::sleep(Duration::from_mins(4)).await;
    assert!(scene.is_pending("edc-0"));
    scene.portal.change(|users| users.push(listed("new")));
    scene.inventory.details_read(&key("new"), &pending("new"));
    scene.finish("new");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(scene.heard.woken(), [key("new")]);
}

/// Its details are read by the timer of its resource, which waits longer and longer.
#[tokio::test(start_paused = true)]
async fn one_that_the_list_does_not_show_is_left_to_its_resource() {
    let scene = Scene::of_pending(1);
    scene.inventory.details_read(&key("hidden"), &pending("hidden"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(scene.heard.woken(), [key("hidden")], "once");
    for _ in 0..10 {
        assert!(!scene.is_pending("hidden"));
        scene.inventory.details_read(&key("hidden"), &pending("hidden"));
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert!(scene.heard.woken().is_empty());
    }
    // A replica of the portal was behind.
    scene.portal.change(|users| users.push(listed("hidden")));
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(scene.is_pending("hidden"));
}

#[tokio::test(start_paused = true)]
async fn while_the_list_cannot_be_read_each_resource_asks_for_its_own() {
    let scene = Scene::of_pending(2);
    scene.portal.behave(|_, _| Err(PortalError::Server { server: ServerKind::Portal, status: 500 }));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!scene.is_pending("edc-0") && !scene.is_pending("edc-1"));
    assert!(scene.heard.woken().is_empty(), "a failure wakes nobody");
    scene.portal.behave(|_, _| Ok(()));
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert!(scene.is_pending("edc-0") && scene.is_pending("edc-1"));
}

#[tokio::test(start_paused = true)]
async fn a_long_list_is_read_for_a_tenth_of_the_time_at_most() {
    let scene = Scene::of_pending(300);
    let began = Instant::now();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_mins(1)).await;
        // A user that is new each minute would have the list read every two seconds.
        let minute = began.elapsed().as_secs() / 60;
        scene.inventory.details_read(&key(&format!("new-{minute}")), &pending("edc-5"));
    }
    let busy = u32::try_from(scene.portal.pages()).unwrap() * Duration::from_millis(20);
    assert!(busy <= began.elapsed() / 10 + Duration::from_secs(1), "{busy:?}");
}

#[tokio::test(start_paused = true)]
async fn a_user_that_was_deleted_or_is_in_doubt_is_not_taken_for_pending() {
    let scene = Scene::of_pending(3);
    scene.inventory.remove(&id("edc-0"));
    scene.inventory.doubt_pending(&id("edc-1"));
    assert_eq!(["edc-0", "edc-1", "edc-2"].map(|name| scene.is_pending(name)), [false, false, true]);
}

/// Details that have a secret are not kept, whatever their status is.
#[tokio::test(start_paused = true)]
async fn no_secret_is_kept() {
    let scene = Scene::of_pending(0);
    let credential = Credential::with_secret("sa1".into(), "secret".to_owned().into(), "https://t".into());
    let user = UserDetails { credential: Some(credential), ..pending("edc") };
    scene.inventory.details_read(&key("edc"), &user);
    assert!(!scene.is_pending("edc"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_replaced_is_not_kept() {
    let scene = Scene::of_pending(1);
    let weak = Arc::downgrade(&scene.inventory);
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(scene.inventory);
    assert_eq!(weak.strong_count(), 0);
    let before = scene.portal.pages();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(scene.portal.pages(), before);
}
