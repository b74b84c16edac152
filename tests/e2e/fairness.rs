//! A portal that hangs takes its share of the operator's work, and no more.

use kube::api::DeleteParams;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Action, Endpoint, Fault, Simulator, Version};
use serde_json::json;
use technical_user_operator::portal::CREATE_TIMEOUT;
use tokio::time::Instant;

use crate::support::{create, one_company, portal, world};

#[tokio::test]
async fn a_heal_at_one_portal_does_not_wait_for_another_portal_that_hangs() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;

    let slow = Simulator::start(one_company(Version::Main)).await.unwrap();
    let mut manifest = portal(&slow, &world.namespace);
    manifest["metadata"]["name"] = "slow".into();
    world.apply(&manifest).await;
    slow.inject(Fault::at(Endpoint::Create, Action::Hang));
    for number in 0..30 {
        let mut user = create(&format!("slow-{number}"), &world.namespace, DATASPACE_DISCOVERY);
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
    world.apply(&create("another", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("another").await;
    assert!(hangs.elapsed() < CREATE_TIMEOUT, "{:?}", hangs.elapsed());
}

#[tokio::test]
async fn creates_that_hang_delay_no_heal_and_no_deletion_at_the_same_portal() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"limits": {"concurrency": 4}}})).await;
    for name in ["healed", "deleted"] {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
        world.ready(name).await;
    }
    let before = world.count(Endpoint::Create);
    world.simulator.inject(Fault::at(Endpoint::Create, Action::Hang));
    let hanging: Vec<String> = (0..12).map(|number| format!("hangs-{number}")).collect();
    for name in &hanging {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
    }
    world.simulator.wait_for(|view| view.count(Endpoint::Create) > before).await;

    // All of it before the first of the creates is given up.
    let hangs = Instant::now();
    world.secrets_api().delete("healed", &DeleteParams::default()).await.unwrap();
    world.delete("deleted").await;
    world.eventually("the Secret is healed", async || world.get_secret("healed").await.is_some()).await;
    world.gone("deleted").await;
    let (mut asked, mut waiting) = (0, Vec::new());
    for name in &hanging {
        let words = world.because(name, "Creating").await;
        if words.contains("The operator is creating the user") {
            asked += 1;
        } else {
            assert!(words.contains("as soon as one of them ends"), "{words}");
            waiting.push(name);
        }
    }
    assert_eq!(asked, 2, "half of the places of the limiter");
    world.delete(waiting[0]).await;
    world.gone(waiting[0]).await;
    assert_eq!(world.count(Endpoint::Create), before + 2);
    assert!(hangs.elapsed() < CREATE_TIMEOUT, "{:?}", hangs.elapsed());
}
