//! What a backup, or a person, removes from a resource or restores.

use kube::api::{DynamicObject, Patch, PatchParams};
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};

use crate::support::{
    CREATING, FINALIZER, World, create, one_user, recorded, stored_status, user_status, world,
};

const NAME: &str = "edc";

async fn patch_status(world: &World, status: &Value) {
    let patch = json!({ "status": status });
    world.users_api().patch_status(NAME, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
}

/// A status in the form of a merge patch that leaves nothing of another one.
fn whole(status: &Value, other: &Value) -> Value {
    let mut whole = status.clone();
    for field in other.as_object().unwrap().keys() {
        whole.as_object_mut().unwrap().entry(field.clone()).or_insert(Value::Null);
    }
    whole
}

async fn a_published_user() -> (World, portal_simulator::UserView) {
    let world = world().start().await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    let user = one_user(&world, NAME).await;
    (world, user)
}

fn names_its_user(object: &DynamicObject) -> bool {
    user_status(object).user.is_some()
}

#[tokio::test]
async fn a_lost_status_is_written_again() {
    let (world, user) = a_published_user().await;
    patch_status(&world, &Value::Null).await;
    world.until(NAME, "the status names a user", names_its_user).await;
    assert_eq!(one_user(&world, NAME).await, user);
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn a_lost_status_is_written_again_by_a_process_that_knows_nothing() {
    let (mut world, user) = a_published_user().await;
    world.stop_operator().await;
    patch_status(&world, &Value::Null).await;
    world.start_operator();
    world.until(NAME, "the status names a user", names_its_user).await;
    assert_eq!(one_user(&world, NAME).await, user);
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn status_and_attempt_are_lost_and_the_user_is_found() {
    for stopped in [false, true] {
        let (mut world, user) = a_published_user().await;
        if stopped {
            world.stop_operator().await;
        }
        world
            .patch_user(NAME, &json!({"metadata": {"annotations": {CREATING: null}, "finalizers": null}}))
            .await;
        patch_status(&world, &Value::Null).await;
        if stopped {
            world.start_operator();
        }
        world.until(NAME, "the status names a user", names_its_user).await;
        assert_eq!(one_user(&world, NAME).await, user);
        assert_eq!(world.simulator.count(Endpoint::Create), 1);
        let has_it =
            |object: &DynamicObject| object.metadata.finalizers.iter().flatten().any(|f| f == FINALIZER);
        world.until(NAME, "the finalizer is back", has_it).await;
        world.delete(NAME).await;
        world.gone(NAME).await;
        assert_eq!(world.ours(), []);
    }
}

#[tokio::test]
async fn a_finalizer_that_was_removed_by_hand_is_put_back() {
    let (world, user) = a_published_user().await;
    world.patch_user(NAME, &json!({"metadata": {"finalizers": null}})).await;
    let has_it = |object: &DynamicObject| object.metadata.finalizers.iter().flatten().any(|f| f == FINALIZER);
    world.until(NAME, "the finalizer is back", has_it).await;
    assert_eq!(one_user(&world, NAME).await, user);
    world.delete(NAME).await;
    world.gone(NAME).await;
    assert_eq!(world.ours(), []);
}

#[tokio::test]
async fn a_finalizer_that_was_removed_while_an_attempt_is_open_is_put_back() {
    let mut world = world().start().await;
    let gate = world.simulator.gate(Endpoint::Create, portal_simulator::Stage::Working);
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;
    world.kill_operator();
    world.patch_user(NAME, &json!({"metadata": {"finalizers": null}})).await;
    world.start_operator();
    let has_it = |object: &DynamicObject| object.metadata.finalizers.iter().flatten().any(|f| f == FINALIZER);
    world.until(NAME, "the finalizer is back", has_it).await;
    assert!(user_status(&world.user(NAME).await.unwrap()).user.is_none(), "the attempt is still open");
    gate.release();
    world.delete(NAME).await;
    world.gone(NAME).await;
    assert_eq!(world.ours(), []);
}

#[tokio::test]
async fn a_status_from_before_a_replacement_is_no_way_back() {
    for stopped in [false, true] {
        let (mut world, first) = a_published_user().await;
        let before = world.user(NAME).await.unwrap();
        assert_eq!(world.simulator.delete_by_hand(first.id), portal_simulator::Change::Done);
        let id = first.id.to_string();
        world.until(NAME, "a successor is named", |object| recorded(object).id != id).await;
        let second = one_user(&world, NAME).await;
        assert!(second.description.contains(" g2 "), "{}", second.description);
        if stopped {
            world.stop_operator().await;
        }
        let now = world.user(NAME).await.unwrap();
        world.patch_user(NAME, &json!({"metadata": {"annotations": before.metadata.annotations}})).await;
        patch_status(&world, &whole(stored_status(&before), stored_status(&now))).await;
        if stopped {
            world.start_operator();
        }
        let id = second.id.to_string();
        world.until(NAME, "the status names the successor", |object| recorded(object).id == id).await;
        assert_eq!(one_user(&world, NAME).await, second);
        assert_eq!(world.simulator.count(Endpoint::Create), 2);
    }
}
