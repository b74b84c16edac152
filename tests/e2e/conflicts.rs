//! Another client that writes all the time: the operator waits longer each time, and gets through when it may.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;
use testbed::{Action, Matcher};

use crate::support::{create, one_user, world};

#[tokio::test]
async fn a_write_that_always_conflicts_is_tried_ever_more_slowly_whatever_wakes_the_resource() {
    let world = world().start().await;
    world.portal_ready().await;
    let statuses = Matcher::any().method("PATCH").path("/technicalusers/edc/status");
    let conflicts = world.proxy.on(statuses).action(Action::status(409, "Conflict", "on demand"));
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.eventually("a first conflict", async || conflicts.hits() > 0).await;
    for number in 0..100 {
        let annotation = number.to_string();
        world.patch_user("edc", &json!({"metadata": {"annotations": {"another/client": annotation}}})).await;
    }
    let hits = conflicts.hits();
    assert!(hits <= 6, "{hits} tries for 100 writes of another client");
    conflicts.remove();
    world.ready("edc").await;
    one_user(&world, "edc").await;
}
