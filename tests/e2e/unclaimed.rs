//! Users of the portal that bear this installation's mark while no resource claims them: listed, never deleted.

use portal_simulator::UserSeed;
use serde_json::json;
use technical_user_operator::domain::identity::{Hint, Mark, Owner};

use crate::support::{create, secret_value, status, world};

#[tokio::test]
async fn a_user_without_a_resource_is_listed_until_one_claims_it() {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    let identity = world.get_secret("technical-user-operator-e2e").await.unwrap();
    let hint = Hint::of_installation(&secret_value(&identity, "id"));
    let owner = Owner { instance: "e2e".into(), namespace: world.namespace.clone(), name: "lost".into() };
    let elsewhere = Owner { instance: "other".into(), ..owner.clone() };
    let seed = |owner: &Owner, retained: bool| {
        let mark = Mark { owner: owner.clone(), generation: 1, hint: hint.clone(), retained, login: false };
        let seed = UserSeed::new("One", &owner.user_name(1, None)).description(&mark.describe(None));
        world.simulator.seed_user(seed).unwrap()
    };
    let ours = seed(&owner, false);
    seed(&elsewhere, false);
    seed(&Owner { name: "left".into(), ..owner.clone() }, true);
    let portal = world
        .portal_until("the user is listed", |portal| {
            status(portal)["unclaimed"].as_array().is_some_and(|list| !list.is_empty())
        })
        .await;
    let resource = format!("{}/lost", world.namespace);
    assert_eq!(portal["unclaimed"], json!([{ "id": ours.id, "name": ours.name, "technicalUser": resource }]));
    world.more_lists_answered(2).await;
    assert!(world.simulator.users("One").contains(&ours), "it is not touched");

    world.apply(&create("lost", &world.namespace, "Dataspace Discovery")).await;
    world.portal_until("a resource claims it", |portal| status(portal)["unclaimed"].is_null()).await;
    let user = world
        .until("lost", "its user is recorded", |user| status(user)["user"]["id"] == json!(ours.id))
        .await;
    assert_eq!(status(&user)["user"]["generation"], 1);
}
