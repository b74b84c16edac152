//! A single name is proved absent by a few pages, where that is sound and costs less than two readings.

use super::portal::PlayedPortal;
use super::*;
use crate::portal::{PortalError, ServerKind};

const ANY: Need = Need::Proof(None);

/// A list of 1000 users, 67 pages, that was read once.
async fn long_list() -> Scene {
    let portal = PlayedPortal::with(698).page_time(Duration::from_millis(50));
    let scene = Scene::new(portal.and(user("m", "m-1")).and(user("u", "u-1")));
    for number in 0..300 {
        scene.portal.change(|users| users.push(ours(&format!("o{number}"), &format!("other-{number}"))));
    }
    scene.sweep().await;
    scene
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_has_costs_a_few_pages_and_no_reading() {
    let scene = long_list().await;
    let before = scene.portal.pages();
    scene.until_looked_for("edc", None).await;
    assert_eq!(scene.portal.scans(), 1);
    let read = scene.portal.pages() - before;
    assert!(read <= 20, "{read} pages for both forms of the name");
    assert!(scene.candidates("edc").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_somebody_has_is_left_to_the_pair_which_finds_it() {
    for external in [false, true] {
        let scene = long_list().await;
        let late = ours("late", "edc");
        let name = if external { format!("dim-{}", late.name) } else { late.name.clone() };
        scene.portal.change(|users| users.push(ListedUser { name, ..late }));
        let after = Instant::now();
        scene.until_looked_for("edc", Some(after)).await;
        assert_eq!(scene.candidates("edc"), ["late"]);
        assert_eq!(scene.portal.scans(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_search_before_an_attempt_says_nothing_of_it() {
    let scene = long_list().await;
    scene.until_looked_for("edc", None).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    scene.portal.change(|users| users.push(ours("late", "edc")));
    scene.until_looked_for("edc", Some(Instant::now())).await;
    assert_eq!(scene.candidates("edc"), ["late"]);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_absent_from_the_beginning_of_its_search_and_not_from_its_end() {
    let scene = long_list().await;
    let (who, name) = (key("edc"), owner("edc").name_prefix());
    let before = scene.portal.pages();
    let search = scene.inventory.prove_absent(&who, &name, None);
    let attempt = async {
        tokio::time::sleep(Duration::from_millis(75)).await;
        Instant::now()
    };
    let (met, during) = tokio::join!(search, attempt);
    met.unwrap();
    let once = scene.portal.pages() - before;
    scene.inventory.prove_absent(&who, &name, Some(during)).await.unwrap();
    assert_eq!(scene.portal.pages() - before, 2 * once, "it is looked for again");
}

#[tokio::test(start_paused = true)]
async fn what_this_process_changes_since_is_not_absent() {
    let scene = long_list().await;
    let (name, who) = (owner("edc").name_prefix(), key("edc"));
    scene.until_looked_for("edc", None).await;
    let pages = scene.portal.pages();
    scene.inventory.prove_absent(&who, &name, None).await.unwrap();
    assert_eq!(scene.portal.pages(), pages, "it is remembered");
    scene.inventory.put(ours("new", "edc"));
    scene.inventory.remove(&id("new"));
    scene.until_looked_for("edc", None).await;
    assert!(scene.portal.pages() > pages, "it was proved of another time");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_the_company_keeps_no_name_waiting_and_a_name_no_change() {
    let scene = long_list().await;
    let change = scene.inventory.change(&key("other"), Kind::Create).await.unwrap();
    scene.inventory.prove_absent(&key("edc"), &owner("edc").name_prefix(), None).await.unwrap();
    let second = scene.inventory.change(&key("third"), Kind::Create).await.unwrap();
    assert_eq!(scene.portal.scans(), 1);
    drop((change, second));
}

#[tokio::test(start_paused = true)]
async fn many_names_are_served_by_one_pair() {
    let scene = long_list().await;
    let names: Vec<String> = (0..40).map(|number| format!("new-{number}")).collect();
    let before = scene.portal.pages();
    let prefixes: Vec<String> = names.iter().map(|name| owner(name).name_prefix()).collect();
    let keys: Vec<Key> = names.iter().map(|name| key(name)).collect();
    let all = keys.iter().zip(&prefixes).map(|(who, prefix)| scene.inventory.prove_absent(who, prefix, None));
    futures::future::join_all(all).await;
    for name in &names {
        scene.until_looked_for(name, None).await;
    }
    assert_eq!(scene.portal.scans(), 2, "the sweep and one more");
    assert_eq!(scene.portal.pages() - before, 67);
}

#[tokio::test(start_paused = true)]
async fn one_name_after_the_other_costs_at_most_twice_as_much_as_the_pair() {
    let scene = long_list().await;
    let before = scene.portal.pages();
    for number in 0..200 {
        scene.until_looked_for(&format!("new-{number}"), None).await;
    }
    assert_eq!(scene.portal.scans(), 2);
    let read = scene.portal.pages() - before;
    assert!(read <= 67 + 67, "{read} pages for 200 names");
}

#[tokio::test(start_paused = true)]
async fn who_needs_the_pair_shares_it_with_those_who_have_a_name() {
    let scene = long_list().await;
    let (edc, prefix) = (key("edc"), owner("edc").name_prefix());
    let (holder, after) = (key("holder"), Instant::now());
    let meets = async { scene.inventory.meet(&holder, Need::Proof(Some(after))).await.is_ok() };
    let proves = async { scene.inventory.prove_absent(&edc, &prefix, Some(after)).await.is_ok() };
    tokio::join!(meets, proves);
    scene.until_met("holder", Need::Proof(Some(after))).await;
    scene.until_looked_for("edc", Some(after)).await;
    assert_eq!((scene.portal.scans(), scene.portal.pages()), (3, 3 * 67));
}

#[tokio::test(start_paused = true)]
async fn a_short_list_is_read() {
    let scene = Scene::new(PlayedPortal::with(40));
    scene.sweep().await;
    scene.until_looked_for("edc", None).await;
    assert_eq!((scene.portal.scans(), scene.portal.pages()), (2, 6));
}

#[tokio::test(start_paused = true)]
async fn a_list_that_nobody_has_read_is_read() {
    let scene = Scene::new(PlayedPortal::with(980));
    scene.until_looked_for("edc", None).await;
    assert_eq!(scene.portal.scans(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_first_reading_in_progress_is_waited_for() {
    let scene = Scene::new(PlayedPortal::with(980));
    let inventory = Arc::clone(&scene.inventory);
    let sweep = tokio::spawn(async move { inventory.sweep(Duration::from_hours(1)).await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    scene.until_looked_for("edc", None).await;
    sweep.await.unwrap().unwrap().unwrap();
    assert_eq!(scene.portal.scans(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_reported_and_tried_again() {
    let down = || PortalError::Server { server: ServerKind::Portal, status: 503 };
    let scene = long_list().await;
    scene.portal.behave(move |_, _| Err(down()));
    let (who, name) = (key("edc"), owner("edc").name_prefix());
    assert_eq!(scene.inventory.prove_absent(&who, &name, None).await, Err(Unmet::Failing(down())));
    scene.portal.behave(|_, _| Ok(()));
    scene.until_looked_for("edc", None).await;
    assert_eq!(scene.portal.scans(), 1);
}

#[tokio::test(start_paused = true)]
async fn most_names_are_proved_absent_in_a_list_that_never_rests() {
    let scene = long_list().await;
    scene.portal.behave(|page, users| {
        users.push(user(&format!("n{page}"), &format!("b-{page}")));
        Ok(())
    });
    let mut proved = 0;
    for number in 0..60 {
        let name = format!("new-{number}");
        let (who, prefix, after) = (key(&name), owner(&name).name_prefix(), Some(Instant::now()));
        for _ in 0..30 {
            if scene.inventory.prove_absent(&who, &prefix, after).await.is_ok() {
                proved += 1;
                break;
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    }
    assert!(proved > 50, "{proved} of 60 are certain");
    assert!(!scene.inventory.is_met(&key("other"), ANY), "no pair proves anything");
}
