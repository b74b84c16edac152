//! Resources that are stored and cannot be read by this operator: they say so, stop nobody else, and can be deleted.

use portal_simulator::Endpoint;
use serde_json::{Value, json};
use testbed::ControlPlane;

use crate::support::{create, world};

/// A definition as another release may have had it: any text where this one knows some words.
fn loosened(file: &str) -> Value {
    let text = std::fs::read_to_string(format!("{}/crds/{file}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut definition: Value = serde_saphyr::from_str(&text).unwrap();
    let spec = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let policy = spec["properties"]["deletionPolicy"].as_object_mut().unwrap();
    policy.remove("enum");
    definition
}

#[tokio::test]
async fn a_resource_that_cannot_be_read_says_so_and_stops_nobody_else() {
    // A definition belongs to the whole cluster: this test has one of its own, which ends with the test program.
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start().await.unwrap()));
    let world = world().plane(plane).start().await;
    for name in ["first", "unread", "never-made"] {
        world.apply(&create(name, &world.namespace, "Dataspace Discovery")).await;
        if name != "never-made" {
            world.ready(name).await;
        }
    }
    world.ready("never-made").await;
    let made = world.user_of("unread");
    world.kubectl_apply(&loosened("technicalusers")).await;
    world
        .eventually("the definition is in force", async || {
            let bad = create("bad", &world.namespace, "Dataspace Discovery");
            let mut bad = bad.clone();
            bad["spec"]["deletionPolicy"] = "Burn".into();
            world.try_apply(&bad).await.is_ok()
        })
        .await;
    world.patch_user("unread", &json!({"spec": {"deletionPolicy": "Bury"}})).await;
    for name in ["bad", "unread"] {
        let words = world.because(name, "InvalidResource").await;
        assert!(words.contains("deletionPolicy") || words.contains("unknown variant"), "{words}");
    }
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 3, "nothing is made for what cannot be read");
    assert_eq!(world.token_with("unread").await, 200, "what was published stays");
    world.apply(&create("another", &world.namespace, "Dataspace Discovery")).await;
    world.ready("another").await;
    world.ready("first").await;
    for name in ["bad", "unread"] {
        world.delete(name).await;
        world.gone(name).await;
    }
    assert!(world.ours().iter().all(|user| user.id != made.id), "its user goes with it");
    world.assert_nothing_leaked().await;
}
