//! Users of the portal that bear this installation's mark while no resource claims them: listed, never deleted.

use portal_simulator::UserSeed;
use serde_json::json;
use technical_user_operator::domain::identity::{Hint, Mark, Owner};

use crate::support::{create, secret_value, status, sweeps, world};

#[tokio::test]
async fn a_user_without_a_resource_is_listed_until_one_claims_it() {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    let identity = world.get_secret("technical-user-operator-e2e").await.unwrap();
    let hint = Hint::of_installation(&secret_value(&identity, "id"));
    let owner = Owner { instance: "e2e".into(), namespace: world.namespace.clone(), name: "lost".into() };
    let elsewhere = Owner { instance: "other".into(), ..owner.clone() };
    let seed = |owner: &Owner, retained: bool| {
        let mark = Mark { owner: owner.clone(), generation: 1, hint: hint.clone(), retained };
        let seed = UserSeed::new("One", &owner.user_name(1, None)).description(&mark.describe(None));
        world.simulator.seed_user(seed).unwrap()
    };
    let ours = seed(&owner, false);
    seed(&elsewhere, false);
    seed(&Owner { name: "left".into(), ..owner.clone() }, true);
    let unclaimed = || async {
        let portal = world.portal().await?;
        let listed = status(&portal)["unclaimed"].as_array()?.clone();
        (!listed.is_empty()).then_some(listed)
    };
    let listed = testbed::eventually("the user is listed", unclaimed).await.unwrap();
    let resource = format!("{}/lost", world.namespace);
    assert_eq!(json!(listed), json!([{ "id": ours.id, "name": ours.name, "technicalUser": resource }]));
    sweeps(&world, 2).await;
    assert!(world.simulator.users("One").contains(&ours), "it is not touched");

    world.apply(&create("lost", &world.namespace, "Dataspace Discovery")).await;
    testbed::eventually("a resource claims it", || async {
        let portal = world.portal().await?;
        status(&portal)["unclaimed"].is_null().then_some(())
    })
    .await
    .unwrap();
    let user = world
        .until("lost", "its user is recorded", |user| status(user)["user"]["id"] == json!(ours.id))
        .await;
    assert_eq!(status(&user)["user"]["generation"], 1);
    world.assert_nothing_leaked().await;
}
