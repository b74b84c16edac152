//! A user that a person created is taken over: marked, published, rotated and deleted as a user of the operator.

use kube::api::{DeleteParams, Patch, PatchParams};
use portal_simulator::role_names::{DATASPACE_DISCOVERY, SEMANTIC_MODEL_MANAGEMENT};
use portal_simulator::{Endpoint, Status, UserSeed, UserView};
use serde_json::{Value, json};

use crate::rotation::annotate;
use crate::support::{ROTATE, World, create, reason, recorded, secret_value, world};

pub fn by_hand(world: &World, name: &str, role: &str) -> UserView {
    let seed = UserSeed::new("One", name).description("by hand").roles([role]);
    world.simulator.seed_user(seed).unwrap()
}

pub fn adopts(world: &World, name: &str, adopt: Value) -> Value {
    let mut manifest = create(name, &world.namespace, DATASPACE_DISCOVERY);
    manifest["spec"]["user"]["create"]["adopt"] = adopt;
    manifest
}

fn now(world: &World, user: &UserView) -> UserView {
    world.simulator.users("One").into_iter().find(|now| now.id == user.id).unwrap()
}

pub async fn grant(world: &World, adopt: bool) {
    let rule = json!({"namespaces": {"from": "Same"}, "adopt": adopt});
    world.patch_portal(&json!({"spec": {"access": [rule]}})).await;
}

#[tokio::test]
async fn a_user_that_was_created_by_hand_is_taken_over_rotated_and_deleted() {
    let world = world().start().await;
    let user = by_hand(&world, "our connector", SEMANTIC_MODEL_MANAGEMENT);
    grant(&world, false).await;
    world.apply(&adopts(&world, "edc", json!({"name": "our connector"}))).await;
    let words = world.because("edc", "AccessDenied").await;
    assert!(words.contains("adopt: true"), "{words}");
    assert_eq!(now(&world, &user), user, "it was not touched");

    grant(&world, true).await;
    let ready = world.ready("edc").await;
    let adopted = now(&world, &user);
    assert_eq!((recorded(&ready).id, recorded(&ready).generation), (user.id.to_string(), Some(1)));
    assert_eq!((&adopted.name, &adopted.secret), (&user.name, &user.secret), "name and secret are kept");
    assert!(adopted.description.contains("technicaluser.dev/1"), "{}", adopted.description);
    assert_eq!(world.token_with("edc").await, 200);
    // It has another role than the spec names, and is kept all the same.
    let (_, words) = world.event("edc", "RolesDiffer").await;
    assert!(words.contains(SEMANTIC_MODEL_MANAGEMENT) && words.contains(DATASPACE_DISCOVERY), "{words}");
    world.event("edc", "UserAdopted").await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 0);
    assert_eq!(world.count(Endpoint::Update), 1, "it is described once");

    // The successor is a user that the operator creates.
    annotate(&world, ROTATE, "1").await;
    world
        .until("edc", "the successor is published", |edc| {
            recorded(edc).generation == Some(2) && reason(edc) == "Ready"
        })
        .await;
    world.eventually("the user is deleted", async || now(&world, &user).status == Status::Deleted).await;
    world.delete("edc").await;
    world.gone("edc").await;
    assert!(
        world
            .simulator
            .users("One")
            .iter()
            .all(|user| user.status == Status::Deleted || user.description.is_empty())
    );
}

#[tokio::test]
async fn a_user_is_found_again_by_its_mark_and_taken_over_by_one_resource_only() {
    let mut world = world().start().await;
    let user = by_hand(&world, "by-hand", DATASPACE_DISCOVERY);
    let id = json!({"id": user.id.to_string().to_uppercase()});
    world.apply(&adopts(&world, "edc", id.clone())).await;
    world.ready("edc").await;
    world.apply(&adopts(&world, "other", id)).await;
    let words = world.because("other", "OwnedByOther").await;
    assert!(words.contains(&format!("e2e/{}/edc", world.namespace)), "{words}");
    world.delete("other").await;
    world.gone("other").await;

    world.stop_operator().await;
    let lost = json!({"user": null, "credential": null, "portal": null, "outputs": null, "conditions": null});
    let body = Patch::Merge(json!({ "status": lost }));
    world.users_api().patch_status("edc", &PatchParams::default(), &body).await.unwrap();
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    world.start_operator();
    let ready = world.ready("edc").await;
    assert_eq!(recorded(&ready).id, user.id.to_string());
    let secret = world.get_secret("edc").await.unwrap();
    assert_eq!(Some(secret_value(&secret, "client-secret")), user.secret);
    assert_eq!(world.count(Endpoint::Create), 0);

    world.delete("edc").await;
    world.gone("edc").await;
    assert_eq!(now(&world, &user).status, Status::Deleted);
}
