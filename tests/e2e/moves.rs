//! A portal's address: another spelling of it, and a move to another one.

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::support::{PORTAL_MOVED, create, user_status, world};

#[tokio::test]
async fn another_spelling_of_an_address_is_the_same_portal() {
    let world = world().start().await;
    // The spelling that a release before this one would have recorded.
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let spelled = world.simulator.portal_url().replace("http://127.0.0.1", "http://127.0.0.001");
    assert_ne!(spelled, world.simulator.portal_url());
    let recorded_portal = async || user_status(&world.user("edc").await.unwrap()).portal;
    let before = recorded_portal().await;
    let lists = world.count(Endpoint::List);
    world
        .patch_portal(&json!({"spec": {"catenaX": {"url": format!("{spelled}/api/administration/")}}}))
        .await;
    world.lists_answered(lists + 1).await;
    world.portal_ready().await;
    world.sweep().await;
    world.ready("edc").await;
    assert_eq!(recorded_portal().await, before);
    world.delete("edc").await;
    world.gone("edc").await;
    assert!(world.ours().is_empty());
}

#[tokio::test]
async fn a_portal_that_moved_is_followed_by_the_word_of_a_person() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create("leaving", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.apply(&create("lost-its-mark", &world.namespace, DATASPACE_DISCOVERY)).await;
    for name in ["edc", "leaving", "lost-its-mark"] {
        world.ready(name).await;
    }
    let (old, writes) = (world.simulator.portal_url().to_owned(), world.portal_writes());
    // The same server, at an address that is another one.
    let new = old.replace("127.0.0.1", "localhost");
    let unmarked = world.user_of("lost-its-mark");
    let _ = world.simulator.edit_by_hand(unmarked.id, &unmarked.name, "somebody took the mark off");
    world.patch_portal(&json!({"spec": {"catenaX": {"url": new}}})).await;
    for name in ["edc", "leaving", "lost-its-mark"] {
        let words = world.because(name, "PortalMoved").await;
        assert!(words.contains(&format!("technicaluser.dev/portal-moved={old}")), "{words}");
    }
    world.delete("leaving").await;
    world.sweep().await;
    world.because("leaving", "PortalMoved").await;
    assert_eq!(world.portal_writes(), writes);

    world.patch_portal(&json!({"metadata": {"annotations": {PORTAL_MOVED: old}}})).await;
    world.ready("edc").await;
    world.gone("leaving").await;
    let words = world.because("lost-its-mark", "PortalMoved").await;
    assert!(words.contains("shows no user of this resource"), "{words}");
    let edc = world.user("edc").await.unwrap();
    assert_eq!(user_status(&edc).portal.unwrap().url, new);
    // The word is needed no longer.
    world.patch_portal(&json!({"metadata": {"annotations": {PORTAL_MOVED: null}}})).await;
    world.sweep().await;
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Create), 3);
}
