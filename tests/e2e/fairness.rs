//! A portal that hangs takes its share of the operator's work, and no more.

use kube::api::DeleteParams;
use portal_simulator::{Action, Endpoint, Fault, Simulator, Version};
use technical_user_operator::portal::CREATE_TIMEOUT;
use tokio::time::Instant;

use crate::support::{create, one_company, portal, world};

#[tokio::test]
async fn a_heal_at_one_portal_does_not_wait_for_another_portal_that_hangs() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, "Dataspace Discovery")).await;
    world.ready("edc").await;

    let slow = Simulator::start(one_company(Version::Main)).await.unwrap();
    let mut manifest = portal(&slow, &world.namespace);
    manifest["metadata"]["name"] = "slow".into();
    world.apply(&manifest).await;
    slow.inject(Fault::at(Endpoint::Create, Action::Hang));
    for number in 0..30 {
        let mut user = create(&format!("slow-{number}"), &world.namespace, "Dataspace Discovery");
        user["spec"]["portalRef"]["name"] = "slow".into();
        world.apply(&user).await;
    }
    slow.wait_for(|view| view.count(Endpoint::Create) > 0).await;

    // All of it before the first of the creates that hang is given up.
    let hangs = Instant::now();
    for _ in 0..2 {
        world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
        world.eventually("the Secret is healed", async || world.get_secret("edc").await.is_some()).await;
    }
    world.apply(&create("another", &world.namespace, "Dataspace Discovery")).await;
    world.ready("another").await;
    assert!(hangs.elapsed() < CREATE_TIMEOUT, "{:?}", hangs.elapsed());
    world.assert_nothing_leaked().await;
}
