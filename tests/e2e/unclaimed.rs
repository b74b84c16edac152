//! Users of the portal that bear this installation's mark while no resource claims them: listed, never deleted.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;
use technical_user_operator::domain::identity::{Mark, Owner};

use crate::support::{create, portal_status, recorded, world};

#[tokio::test]
async fn a_user_without_a_resource_is_listed_until_one_claims_it() {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    let mark = world.mark_of(world.owner("lost")).await;
    let ours = world.seed_marked(&mark);
    let of_another = Owner { instance: "other".into(), ..mark.owner.clone() };
    world.seed_marked(&Mark { owner: of_another, ..mark.clone() });
    world.seed_marked(&Mark { owner: world.owner("left"), retained: true, ..mark });
    let portal =
        world.portal_until("the user is listed", |portal| !portal_status(portal).unclaimed.is_empty()).await;
    let resource = format!("{}/lost", world.namespace);
    assert_eq!(
        json!(portal.unclaimed),
        json!([{ "id": ours.id, "name": ours.name, "technicalUser": resource }])
    );
    world.more_lists_answered(2).await;
    assert!(world.simulator.users("One").contains(&ours), "it is not touched");

    world.apply(&create("lost", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.portal_until("a resource claims it", |portal| portal_status(portal).unclaimed.is_empty()).await;
    let user =
        world.until("lost", "its user is recorded", |user| recorded(user).id == ours.id.to_string()).await;
    assert_eq!(recorded(&user).generation, Some(1));
}
