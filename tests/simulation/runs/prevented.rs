//! A deletion that was prevented, and is not any more: it is carried out at once, and reported once.

use std::time::Duration;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};

use crate::kill::Kill;
use crate::world::{Process, World, simulate};

/// The name of the test.
const NAME: &str = "a_deletion_that_was_prevented";
const SOON: Duration = Duration::from_mins(10);
/// The finalizer waits for the Secret as well.
const AT_ONCE: Duration = Duration::from_secs(30);

fn is_prevented(world: &World) -> bool {
    let user = world.user("edc").unwrap_or_default();
    let conditions = user["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| condition["reason"] == "DeletionPrevented")
}

fn writes_of_the_status(world: &World) -> usize {
    world.record.count_of(|line| line.contains("operator-1 patch technicalusers.technicaluser.dev/status"))
}

/// With a webhook that fails, no status can be written, which delays no deletion.
async fn run(world: &World, webhook: bool) {
    let process = Process::start(world, Kill::never());
    world.create_user("edc", DATASPACE_DISCOVERY).await;
    world.until("edc is Ready", SOON, |world| world.is_ready("edc")).await;
    world.prevent_deletion("edc", &json!("true")).await;
    world.delete_user("edc").await;
    world.until("the deletion is prevented", SOON, is_prevented).await;

    let before = writes_of_the_status(world);
    world.prevent_deletion("edc", &Value::Null).await;
    if webhook {
        world
            .apiserver
            .faults(|faults| faults.webhooks.insert("technicalusers.technicaluser.dev/status".to_owned()));
    }
    world.until("edc is gone", AT_ONCE, |world| world.user("edc").is_none()).await;
    let reports = writes_of_the_status(world) - before;
    assert!(reports <= 2, "the status was written {reports} times");
    process.stop(world).await;
}

#[test]
fn a_deletion_that_was_prevented_is_carried_out_at_once() {
    for webhook in [false, true] {
        simulate(NAME, 1, async |world| run(world, webhook).await);
    }
}
