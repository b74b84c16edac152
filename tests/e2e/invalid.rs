//! Resources that are stored and cannot be read by this operator: their status reports it, they stop no other,
//! and they can be deleted.

use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::ControlPlane;

use crate::support::{create, message, portal, reason, world};

/// A definition as another release may have had it: any text where this one knows some words, in this field of the spec.
fn loosened(file: &str, field: &str) -> Value {
    let text = std::fs::read_to_string(format!("{}/crds/{file}.yaml", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut definition: Value = serde_saphyr::from_str(&text).unwrap();
    let spec = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    spec["properties"][field].as_object_mut().unwrap().remove("enum").unwrap();
    definition
}

#[tokio::test]
async fn a_resource_that_cannot_be_read_reports_it_and_stops_no_other() {
    // A definition belongs to the whole cluster: this test has one of its own, which ends with the test program.
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start().await.unwrap()));
    let world = world().plane(plane).start().await;
    for name in ["first", "unread", "never-made"] {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
        if name != "never-made" {
            world.ready(name).await;
        }
    }
    world.ready("never-made").await;
    let made = world.user_of("unread");
    world.kubectl_apply(&loosened("technicalusers", "deletionPolicy")).await;
    world
        .eventually("the definition is in force", async || {
            let bad = create("bad", &world.namespace, DATASPACE_DISCOVERY);
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
    assert_eq!(world.count(Endpoint::Create), 3, "no user is created for what cannot be read");
    assert_eq!(world.token_with("unread").await, 200, "what was published is kept");
    world.apply(&create("another", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("another").await;
    world.ready("first").await;
    for name in ["bad", "unread"] {
        world.delete(name).await;
        world.gone(name).await;
    }
    assert!(world.ours().iter().all(|user| user.id != made.id), "its user goes with it");
}

#[tokio::test]
async fn a_portal_that_cannot_be_read_says_so_and_its_users_wait() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start().await.unwrap()));
    let world = world().plane(plane).start().await;
    world.apply(&create("first", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("first").await;
    let mut other = portal(&world.simulator, &world.namespace);
    other["metadata"]["name"] = "other".into();
    world.apply(&other).await;
    world.kubectl_apply(&loosened("portals", "whenUndeletable")).await;
    world
        .eventually("the definition is in force", async || {
            other["spec"]["whenUndeletable"] = "Burn".into();
            world.try_apply(&other).await.is_ok()
        })
        .await;
    let mut user = create("second", &world.namespace, DATASPACE_DISCOVERY);
    user["spec"]["portalRef"]["name"] = "other".into();
    world.apply(&user).await;
    let words = world.until("second", "it says what its Portal says", |user| !message(user).is_empty()).await;
    assert!(message(&words).contains("other"), "{}", message(&words));
    let portals = world.portals_api();
    world
        .eventually("the Portal says so", async || {
            reason(&portals.get("other").await.unwrap()) == "InvalidResource"
        })
        .await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 1, "no user is created for what cannot be read");
    world.apply(&create("third", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("third").await;
    world.delete("second").await;
    world.gone("second").await;
    portals.delete("other", &kube::api::DeleteParams::default()).await.unwrap();
    world.eventually("the Portal is gone", async || portals.get_opt("other").await.unwrap().is_none()).await;
    world.ready("first").await;
}
