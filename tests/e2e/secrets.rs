//! The Secret: never that of another client, always as the portal has it, and where the spec wants it.

use kube::api::{DeleteParams, Patch, PatchParams};
use portal_simulator::Endpoint;
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};
use testbed::Matcher;

use crate::support::{World, create, secret_value, user_status, world};

async fn edit(world: &World, name: &str, patch: &Value) {
    world.secrets_api().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
}

#[tokio::test]
async fn a_secret_of_another_owner_is_not_changed_and_no_user_is_created() {
    let world = world().start().await;
    world.secret("edc", &[("client-id", "by hand")]).await;
    let before = world.get_secret("edc").await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    let words = world.because("edc", "OutputNotOurs").await;
    assert!(words.contains("another client") && words.contains("creates no user"), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.portal_writes(), 0);
    assert_eq!(world.get_secret("edc").await, before);
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    world.sweep().await;
    world.ready("edc").await;

    let mut second = create("second", &world.namespace, DATASPACE_DISCOVERY);
    second["spec"]["outputs"] = json!([{"secret": {"name": "edc"}}]);
    world.apply(&second).await;
    let words = world.because("second", "OutputNotOurs").await;
    assert!(words.contains(&format!("the TechnicalUser e2e/{}/edc", world.namespace)), "{words}");
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 1);
    assert_eq!(world.token_with("edc").await, 200);
    world.patch_user("second", &json!({"spec": {"outputs": null}})).await;
    world.ready("second").await;
    world.delete("second").await;
    world.gone("second").await;
    assert_eq!(world.token_with("edc").await, 200);
}

#[tokio::test]
async fn a_secret_is_healed_from_the_portal_without_a_new_credential() {
    let world = world().start().await;
    let mut manifest = create("edc", &world.namespace, DATASPACE_DISCOVERY);
    manifest["spec"]["outputs"] =
        json!([{"secret": {"labels": {"restart": "me"}, "annotations": {"note": "of the EDC"}}}]);
    world.apply(&manifest).await;
    world.ready("edc").await;
    let good = world.get_secret("edc").await.unwrap();
    let labels = good.metadata.labels.clone().unwrap();
    assert_eq!((labels["restart"].as_str(), labels["technicaluser.dev/instance"].as_str()), ("me", "e2e"));
    assert_eq!(good.metadata.annotations.as_ref().unwrap()["note"], "of the EDC");
    let writes = world.portal_writes();
    let healed = async |what: &str| {
        world
            .eventually(what, async || {
                world.get_secret("edc").await.is_some_and(|secret| {
                    secret.data == good.data
                        && secret.metadata.labels == good.metadata.labels
                        && secret.metadata.annotations == good.metadata.annotations
                        && secret.metadata.owner_references == good.metadata.owner_references
                })
            })
            .await;
    };
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    healed("a deleted Secret is there again").await;
    let (kind, note) = world.event("edc", "OutputHealed").await;
    assert_eq!(kind, "Normal", "{note}");
    edit(&world, "edc", &json!({"stringData": {"client-secret": "wrong"}})).await;
    healed("a changed value is right again").await;
    edit(&world, "edc", &json!({"stringData": {"more": "of mine"}, "data": {"bpn": null}})).await;
    healed("a key that was added is gone, one that was removed is there").await;
    edit(
        &world,
        "edc",
        &json!({"metadata": {"labels": {"restart": "you", "technicaluser.dev/instance": null}}}),
    )
    .await;
    healed("labels are right again").await;
    edit(
        &world,
        "edc",
        &json!({"metadata": {"annotations": {"note": null, "technicaluser.dev/user-id": "x"}}}),
    )
    .await;
    healed("annotations are right again").await;
    edit(&world, "edc", &json!({"metadata": {"ownerReferences": null}})).await;
    healed("the ownerReference is there again").await;
    world.ready("edc").await;
    assert_eq!(world.portal_writes(), writes, "no new credential was created");
}

#[tokio::test]
async fn a_secret_that_is_no_longer_ours_is_reported_and_not_changed() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    edit(&world, "edc", &json!({"metadata": {"annotations": {"technicaluser.dev/owner": null}}})).await;
    world.because("edc", "OutputNotOurs").await;
    let taken = world.get_secret("edc").await;
    world.two_sweeps().await;
    assert_eq!(world.get_secret("edc").await, taken);
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    world.sweep().await;
    world.ready("edc").await;
    assert_eq!(world.token_with("edc").await, 200);
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn a_secret_that_was_reset_by_hand_is_found_and_published() {
    let world = world().start().await;
    world.patch_portal(&json!({"spec": {"verification": {"interval": "10s"}}})).await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let new = world.simulator.reset_by_hand(world.user_of("edc").id).unwrap();
    world
        .eventually("the new secret is published", async || {
            secret_value(&world.get_secret("edc").await.unwrap(), "client-secret") == new
        })
        .await;
    let (kind, note) = world.event("edc", "CredentialChanged").await;
    assert!(kind == "Normal" && note.contains("edc"), "{note}");
    world
        .until("edc", "the second credential is counted", |user| {
            user_status(user).credential.is_some_and(|credential| credential.generation == 2)
        })
        .await;
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Reset), 0);
}

#[tokio::test]
async fn what_the_spec_changes_is_changed() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let user = world.user_of("edc");
    world.patch_user("edc", &json!({"spec": {"user": {"create": {"description": "for the EDC"}}}})).await;
    world.ready("edc").await;
    assert!(world.user_of("edc").description.ends_with("] for the EDC"));

    let renamed = json!([{"secret": {"name": "credential", "labels": {"a": "b"}}}]);
    world.patch_user("edc", &json!({"spec": {"outputs": renamed}})).await;
    world.ready("edc").await;
    assert_eq!(world.token_with("credential").await, 200);
    world.eventually("the former Secret is gone", async || world.get_secret("edc").await.is_none()).await;
    let relabelled = json!([{"secret": {"name": "credential", "labels": {"a": "c"}}}]);
    world.patch_user("edc", &json!({"spec": {"outputs": relabelled}})).await;
    world.ready("edc").await;
    assert_eq!(world.get_secret("credential").await.unwrap().metadata.labels.unwrap()["a"], "c");
    assert_eq!((world.user_of("edc").id, world.user_of("edc").secret), (user.id, user.secret));
    assert_eq!(world.count(Endpoint::Create), 1);
}

/// Another controller may write its own annotations into the Secret as often as it likes.
#[tokio::test]
async fn what_others_change_of_a_secret_costs_nothing() {
    let world = world().start().await;
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready("edc").await;
    let before = user_status(&world.user("edc").await.unwrap()).outputs;
    let reads = || world.proxy.count(&Matcher::any().method("GET").watch(false).path("/secrets/edc"));
    let (reads_before, writes_before) = (reads(), world.writes());
    for number in 0..100 {
        let annotations = json!({"example.org/seen": number.to_string()});
        edit(&world, "edc", &json!({"metadata": {"annotations": annotations}})).await;
    }
    // A change of what is ours is seen in the metadata at once, and ends the series.
    edit(&world, "edc", &json!({"metadata": {"annotations": {"technicaluser.dev/user-id": "x"}}})).await;
    let user = world.user_of("edc").id.to_string();
    world
        .eventually("our annotation is right again", async || {
            let annotations = world.get_secret("edc").await.unwrap().metadata.annotations.unwrap();
            annotations["technicaluser.dev/user-id"] == user && annotations["example.org/seen"] == "99"
        })
        .await;
    world.until("edc", "the repair is recorded", |user| user_status(user).outputs != before).await;
    let (reads, writes) = (reads() - reads_before, world.writes() - writes_before);
    assert!(reads <= 12, "{reads} reads for 100 changes");
    // One of the Secret and one of the status; a cache that lags behind may cost a conflict.
    assert!(writes <= 4, "{writes} writes");
    // A value is healed however often the Secret was changed before.
    let good = secret_value(&world.get_secret("edc").await.unwrap(), "client-secret");
    edit(&world, "edc", &json!({"stringData": {"client-secret": "wrong"}})).await;
    world
        .eventually("the value is right again", async || {
            secret_value(&world.get_secret("edc").await.unwrap(), "client-secret") == good
        })
        .await;
}
