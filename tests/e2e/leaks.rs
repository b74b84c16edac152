//! Each world is scanned for secrets where it is dropped.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::support::{World, create, secret_value, world};

/// Writes a client secret where none may be.
async fn leak(world: &World) {
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let secret = secret_value(&world.get_secret("edc").await.unwrap(), "client-secret");
    world.patch_user("edc", &json!({"metadata": {"annotations": {"example.org/leak": secret}}})).await;
}

#[tokio::test]
#[should_panic(expected = "a secret occurs in TechnicalUser")]
async fn a_test_that_ends_with_a_secret_in_an_annotation_fails() {
    let world = world().start().await;
    leak(&world).await;
}

#[tokio::test]
#[should_panic(expected = "what the test found")]
async fn the_scan_does_not_hide_the_failure_of_a_test() {
    let world = world().start().await;
    leak(&world).await;
    panic!("what the test found");
}
