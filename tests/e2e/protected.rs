//! Deletion that an annotation prevents: user, credential and Secret stay until a person removes it.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Status, UserSeed};
use serde_json::{Value, json};

use crate::support::{PREVENT_DELETION, RELEASE, World, condition, connected, create, existing, world};

fn annotated(mut manifest: Value, value: &str) -> Value {
    manifest["metadata"]["annotations"] = json!({PREVENT_DELETION: value});
    manifest
}

/// Waits until the deletion is prevented. Returns the message.
async fn prevented(world: &World, name: &str) -> String {
    let words = world.because(name, "DeletionPrevented").await;
    let stalled = condition(&world.user(name).await.unwrap(), "Stalled").unwrap();
    assert_eq!((stalled.status.as_str(), stalled.reason.as_str()), ("True", "DeletionPrevented"));
    words
}

#[tokio::test]
async fn a_deletion_is_prevented_until_the_annotation_is_removed() {
    let mut world = connected(world()).await;
    let namespace = world.namespace.clone();
    let seeded = world.simulator.seed_user(UserSeed::new("One", "by-hand")).unwrap();
    let by_hand = existing("by-hand", &namespace, &json!({"id": seeded.id}));
    world.apply(&annotated(create("edc", &namespace, DATASPACE_DISCOVERY), "true")).await;
    world.apply(&annotated(create("odd", &namespace, DATASPACE_DISCOVERY), "")).await;
    world.apply(&annotated(create("plain", &namespace, DATASPACE_DISCOVERY), "false")).await;
    world.apply(&annotated(by_hand, "true")).await;
    for name in ["edc", "odd", "plain", "by-hand"] {
        world.ready(name).await;
    }
    let (edc, writes) = (world.user_of("edc"), world.portal_writes());
    let kept = ["edc", "odd", "by-hand"];
    for name in ["edc", "by-hand"] {
        world.delete(name).await;
    }
    let foreground =
        ["delete", "technicaluser", "odd", "--cascade=foreground", "--wait=false", "-n", &namespace];
    world.plane.kubectl(&foreground).await.unwrap().success().unwrap();
    for name in kept {
        let words = prevented(&world, name).await;
        assert!(words.contains("technicaluser.dev/prevent-deletion=true"), "{words}");
        assert!(words.contains("technicaluser.dev/prevent-deletion=false"), "{words}");
    }

    // Neither the other annotation, nor a restart, nor the clock continues the deletion.
    world.patch_user("edc", &json!({"metadata": {"annotations": {RELEASE: "true"}}})).await;
    world.stop_operator().await;
    world.start_operator();
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), writes);
    for name in kept {
        prevented(&world, name).await;
    }
    for name in ["edc", "by-hand"] {
        assert_eq!(world.token_with(name).await, 200, "{name}");
    }
    let is_gone = async || world.get_secret("odd").await.is_none();
    world.eventually("Kubernetes deletes the Secret before its owner, as the page says", is_gone).await;
    let (kind, _) = world.event("edc", "DeletionPrevented").await;
    assert_eq!((kind.as_str(), world.notes("edc", "DeletionPrevented").await.len()), ("Warning", 1));

    // It continues as the resource says now.
    let lifted = json!({"metadata": {"annotations": {PREVENT_DELETION: null, RELEASE: null}}});
    world.patch_user("edc", &lifted).await;
    world.patch_user("by-hand", &lifted).await;
    world.patch_user("odd", &json!({"metadata": {"annotations": {PREVENT_DELETION: "false"}}})).await;
    world.delete("plain").await;
    for name in ["edc", "odd", "by-hand", "plain"] {
        world.gone(name).await;
    }
    assert_eq!(world.ours(), []);
    assert!(world.simulator.view(|view| view.user(edc.id)).is_none_or(|user| user.status != Status::Active));
    assert!(world.simulator.users("One").contains(&seeded), "an existing user is not changed");
    world.eventually("the Secrets are gone", async || world.get_secret("edc").await.is_none()).await;
}
