//! Outputs that a deletion cannot remove: they are reported before the resource is gone.

use kube::api::{DynamicObject, Patch, PatchParams};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::json;

use crate::clocks::set_clock;
use crate::merge::{TARGET, keys, merging, target};
use crate::support::{World, create, stored_status, user_status, world};

const NAME: &str = "edc";

#[tokio::test]
async fn an_output_of_a_kind_that_this_release_does_not_know_is_reported_at_the_deletion() {
    let world = world().start().await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    let ready = world.ready(NAME).await;
    let mut outputs = stored_status(&ready)["outputs"].clone();
    outputs.as_array_mut().unwrap().push(json!({"kind": "Later", "name": "kv/edc"}));
    let patch = Patch::Merge(json!({"status": {"outputs": outputs}}));
    world.users_api().patch_status(NAME, &PatchParams::default(), &patch).await.unwrap();
    world.delete(NAME).await;
    world.gone(NAME).await;
    let (kind, note) = world.event(NAME, "OutputLeft").await;
    assert!(kind == "Warning" && note.contains("Later \"kv/edc\""), "{kind}: {note}");
    let is_it = |line: &str| line.contains("WARN") && line.contains("kv/edc");
    assert!(world.log().lines().any(is_it), "no line of the log names it");
    assert_eq!(world.ours(), []);
}

/// Since when the operator tries in vain to remove the keys, by the status.
fn failing_since(user: &DynamicObject) -> Option<String> {
    let output = user_status(user).outputs.into_iter().find(|output| output.name == TARGET)?;
    let failed =
        output.conditions.into_iter().find(|found| found.type_ == "Removed" && found.status == "False");
    Some(failed?.last_transition_time.0.to_string())
}

async fn under_deletion_with_keys_that_cannot_be_removed() -> World {
    let world = world().start().await;
    target(&world, |_| ()).await;
    world.apply(&merging(&world, NAME, "portal")).await;
    world.ready(NAME).await;
    let patch = Patch::Merge(json!({"immutable": true}));
    world.secrets_api().patch(TARGET, &PatchParams::default(), &patch).await.unwrap();
    world.delete(NAME).await;
    world.until(NAME, "the failure is reported", |user| failing_since(user).is_some()).await;
    world
}

#[tokio::test]
async fn the_hour_for_the_removal_of_an_output_goes_on_after_a_restart() {
    let mut world = under_deletion_with_keys_that_cannot_be_removed().await;
    let since = failing_since(&world.user(NAME).await.unwrap());
    world.stop_operator().await;
    world.start_operator();
    world.eventually("it is tried again", async || world.log().matches("Starting").count() > 1).await;
    world.two_sweeps().await;
    assert_eq!(failing_since(&world.user(NAME).await.unwrap()), since, "a restart changes no time");

    // Two hours later.
    world.stop_operator().await;
    set_clock(&mut world, "+2h");
    world.start_operator();
    world.gone(NAME).await;
    let (kind, note) = world.event(NAME, "OutputLeft").await;
    assert!(kind == "Warning" && note.contains(TARGET), "{kind}: {note}");
    assert_eq!(keys(&world).await, ["portal-id", "portal-secret", "theirs"]);
    assert_eq!(world.ours(), [], "the credential is not valid any more");
}
