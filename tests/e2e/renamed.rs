//! A user that a person renamed in the portal: a search by name would not find it any more.

use kube::api::{Patch, PatchParams};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Change, Endpoint};
use serde_json::{Value, json};

use crate::support::{World, create, one_user, recorded, world};

const ROLE: &str = DATASPACE_DISCOVERY;

async fn patch_status(world: &World, name: &str, change: &Value) {
    let body = Patch::Merge(json!({ "status": change }));
    world.users_api().patch_status(name, &PatchParams::default(), &body).await.unwrap();
}

async fn until_named(world: &World, user: &portal_simulator::UserView) {
    world
        .eventually("the user has its name again", async || {
            world.simulator.users("One").iter().any(|now| now.id == user.id && now.name == user.name)
        })
        .await;
}

#[tokio::test]
async fn a_renamed_user_gets_its_name_back() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, ROLE)).await;
    let user = one_user(&world, "edc").await;
    assert_eq!(world.simulator.edit_by_hand(user.id, "renamed", &user.description), Change::Done);
    until_named(&world, &user).await;
    world.until("edc", "its status has the name", |edc| recorded(edc).name == user.name).await;
    let writes = world.portal_writes();
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), writes, "it is written once");
    assert_eq!(one_user(&world, "edc").await.id, user.id);
}

/// The user list has no descriptions: it is seen when the user is read, here for its new secret.
#[tokio::test]
async fn a_user_that_a_person_described_and_reset_gets_its_description_back() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create("edc", &world.namespace, ROLE)).await;
    let user = one_user(&world, "edc").await;
    assert_eq!(world.simulator.edit_by_hand(user.id, &user.name, "of a person"), Change::Done);
    world.simulator.reset_by_hand(user.id).unwrap();
    world
        .eventually("the user has its description again", async || {
            world
                .simulator
                .users("One")
                .iter()
                .any(|now| now.id == user.id && now.description == user.description)
        })
        .await;
    world.ready("edc").await;
    assert_eq!(world.token_with("edc").await, 200);
    assert_eq!(one_user(&world, "edc").await.id, user.id);
}

#[tokio::test]
async fn a_renamed_user_is_found_by_its_secret_where_the_status_is_lost() {
    let mut world = world().start().await;
    world.apply(&create("edc", &world.namespace, ROLE)).await;
    let user = one_user(&world, "edc").await;
    world.stop_operator().await;
    assert_eq!(world.simulator.edit_by_hand(user.id, "renamed", &user.description), Change::Done);
    let lost = json!({"user": null, "credential": null, "portal": null, "outputs": null, "conditions": null});
    patch_status(&world, "edc", &lost).await;
    world.start_operator();
    until_named(&world, &user).await;
    assert_eq!(one_user(&world, "edc").await.id, user.id);
    assert_eq!(world.count(Endpoint::Create), 1, "no second user was created");
}

/// As an earlier release wrote it.
#[tokio::test]
async fn a_status_without_a_proof_gets_it_from_the_list() {
    let mut world = world().start().await;
    world.apply(&create("edc", &world.namespace, ROLE)).await;
    one_user(&world, "edc").await;
    world.stop_operator().await;
    let proof = recorded(&world.user("edc").await.unwrap()).proof;
    assert!(proof.is_some());
    patch_status(&world, "edc", &json!({"user": {"proof": null}})).await;
    let read = world.count(Endpoint::Details);
    world.start_operator();
    world.until("edc", "its proof is back", |edc| recorded(edc).proof == proof).await;
    assert_eq!(world.count(Endpoint::Details), read, "its details were not read for that");
}
