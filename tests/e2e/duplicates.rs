//! A user that was created twice: one is kept, and the other is deleted after the status names the one that is kept.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, Stage as PortalStage, Status, UserSeed, UserView};
use serde_json::json;
use testbed::{Matcher, Stage};

use crate::crash::Held;
use crate::support::{
    CONNECTOR_LOGIN, CREATING, World, WorldBuilder, create, one_user, portal_status, world,
};

const NAME: &str = "edc";

async fn with_a_user(builder: WorldBuilder) -> (World, UserView) {
    let world = builder.start().await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    let user = one_user(&world, NAME).await;
    (world, user)
}

fn twin(world: &World, of: &UserView) -> UserView {
    world.simulator.seed_user(UserSeed::new("One", &of.name).description(&of.description)).unwrap()
}

/// Waits until a user is deleted in the portal.
async fn deleted(world: &World, user: &UserView) {
    let is_gone = |user: UserView| user.status == Status::Deleted;
    world.simulator.wait_for(|view| view.user(user.id).is_none_or(is_gone)).await;
}

#[tokio::test]
async fn the_one_that_the_status_does_not_name_is_deleted() {
    let (world, user) = with_a_user(world()).await;
    let twin = twin(&world, &user);
    deleted(&world, &twin).await;
    assert_eq!(one_user(&world, NAME).await, user);
}

#[tokio::test]
async fn the_process_is_killed_while_it_is_deleted() {
    for stage in [PortalStage::Arrived, PortalStage::Working, PortalStage::Done] {
        let (mut world, user) = with_a_user(world()).await;
        let held = Held::at_portal(&world, Endpoint::Delete, stage);
        let twin = twin(&world, &user);
        held.reached().await;
        held.kill_and_restart(&mut world, NAME).await;
        deleted(&world, &twin).await;
        assert_eq!(one_user(&world, NAME).await, user);
        assert_eq!(world.ours().len(), 1);
    }
}

#[tokio::test]
async fn no_user_is_deleted_before_the_status_names_the_one_that_is_kept() {
    let (mut world, user) = with_a_user(world()).await;
    world.stop_operator().await;
    twin(&world, &user);
    world.patch_user(NAME, &json!({"metadata": {"annotations": {CREATING: null}}})).await;
    let lost = kube::api::Patch::Merge(json!({"status": null}));
    world.users_api().patch_status(NAME, &kube::api::PatchParams::default(), &lost).await.unwrap();
    let statuses = Matcher::any().method("PATCH").path("/technicalusers/edc/status");
    let gate = world.proxy.on(statuses).hold(Stage::Before);
    world.start_operator();
    gate.reached().await.unwrap();
    assert_eq!(world.simulator.count(Endpoint::Delete), 0);
    gate.release();
    world.simulator.wait_for(|view| view.answered(Endpoint::Delete) == 1).await;
    assert_eq!(one_user(&world, NAME).await, user, "the published one is kept");
}

#[tokio::test]
async fn with_a_login_that_may_not_delete_it_is_reset_marked_and_listed() {
    let (world, user) = with_a_user(world().login(CONNECTOR_LOGIN)).await;
    let twin = twin(&world, &user);
    let id = twin.id.to_string();
    let listed =
        |portal: &kube::api::DynamicObject| portal_status(portal).retained.iter().any(|entry| entry.id == id);
    let portal = world.portal_until("the twin is listed", listed).await;
    assert_eq!(portal.retained[0].technical_user, format!("{}/{NAME}", world.namespace));
    let left = world.simulator.view(|view| view.user(twin.id)).unwrap();
    assert!(left.description.contains("[technicaluser.dev/1 retained "), "{}", left.description);
    assert_ne!(left.secret, twin.secret, "its secret was reset");
    assert_eq!(world.simulator.count(Endpoint::Reset), 1);
    assert_eq!(one_user(&world, NAME).await, user);
}
