//! What can go wrong with keys in Secrets of other owners: changes of the kind, and keys of one name.

use k8s_openapi::ByteString;
use kube::api::{DeleteParams, Patch, PatchParams};
use portal_simulator::Endpoint;
use serde_json::{Value, json};

use crate::merge::{TARGET, data, keys, merging, target, until_keys};
use crate::support::{World, reason, secret_value, user_status, world};

const NAME: &str = "edc";

async fn set(world: &World, outputs: Value) {
    world.patch_user(NAME, &json!({"spec": {"outputs": outputs}})).await;
}

async fn until_kind(world: &World, kind: &str) {
    let what = format!("its one output is a {kind}");
    let found = world.until(NAME, &what, |user| {
        let outputs = user_status(user).outputs;
        reason(user) == "Ready" && outputs.len() == 1 && outputs[0].kind == kind
    });
    found.await;
}

#[tokio::test]
async fn an_output_may_become_another_kind_and_back() {
    let world = world().start().await;
    target(&world, |_| ()).await;
    world.apply(&merging(&world, NAME, "portal")).await;
    world.ready(NAME).await;
    let merged = merging(&world, NAME, "portal")["spec"]["outputs"].clone();
    for _ in 0..2 {
        set(&world, json!([{"secret": {"name": "own"}}])).await;
        until_kind(&world, "Secret").await;
        assert_eq!(keys(&world).await, ["theirs"]);
        assert_eq!(world.token_with("own").await, 200);
        set(&world, merged.clone()).await;
        until_kind(&world, "MergedSecret").await;
        assert_eq!(keys(&world).await, ["portal-id", "portal-secret", "theirs"]);
        assert!(world.get_secret("own").await.is_none());
    }

    // The Secret of the same name belongs to another owner, and then to the operator.
    let owned = json!([{"secret": {"name": TARGET}}]);
    set(&world, owned).await;
    world.because(NAME, "OutputNotOurs").await;
    assert_eq!(
        keys(&world).await,
        ["portal-id", "portal-secret", "theirs"],
        "the credential is served as before"
    );
    world.secrets_api().delete(TARGET, &DeleteParams::default()).await.unwrap();
    world.sweep().await;
    until_kind(&world, "Secret").await;
    assert_eq!(world.token_with(TARGET).await, 200);
    set(&world, merged.clone()).await;
    world.because(NAME, "OutputNotOurs").await;
    assert_eq!(world.token_with(TARGET).await, 200, "the credential is served as before");
    world.secrets_api().delete(TARGET, &DeleteParams::default()).await.unwrap();
    target(&world, |_| ()).await;
    until_keys(&world, "the keys are added", &["portal-id", "portal-secret", "theirs"]).await;
    until_kind(&world, "MergedSecret").await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn a_key_that_the_owner_adds_later_is_neither_overwritten_nor_removed() {
    let world = world().start().await;
    target(&world, |_| ()).await;
    world.apply(&merging(&world, NAME, "portal")).await;
    world.ready(NAME).await;

    // A new name for a key, which the owner uses by now.
    let patch = Patch::Merge(json!({"stringData": {"other-id": "of the owner"}}));
    world.secrets_api().patch(TARGET, &PatchParams::default(), &patch).await.unwrap();
    let before = data(&world).await;
    set(&world, merging(&world, NAME, "other")["spec"]["outputs"].clone()).await;
    let words = world.because(NAME, "KeyTaken").await;
    assert!(words.contains("\"other-id\""), "{words}");
    assert_eq!(data(&world).await, before);
    set(&world, merging(&world, NAME, "portal")["spec"]["outputs"].clone()).await;
    world.ready(NAME).await;

    // The owner creates the Secret again, with a key of our name.
    world.secrets_api().delete(TARGET, &DeleteParams::default()).await.unwrap();
    let theirs = || Some([("portal-id".to_owned(), ByteString(b"of the owner".to_vec()))].into());
    target(&world, |secret| secret.data = theirs()).await;
    world.because(NAME, "KeyTaken").await;
    assert_eq!(keys(&world).await, ["portal-id", "theirs"]);
    world.delete(NAME).await;
    world.gone(NAME).await;
    assert_eq!(secret_value(&world.get_secret(TARGET).await.unwrap(), "portal-id"), "of the owner");
    assert_eq!(world.ours(), []);
}

#[tokio::test]
async fn of_two_resources_that_begin_at_once_with_one_key_the_first_keeps_it() {
    let world = world().stopped().start().await;
    target(&world, |_| ()).await;
    for name in ["one", "two"] {
        world.apply(&merging(&world, name, "same")).await;
    }
    let mut world = world;
    world.start_operator();
    let reasons = world
        .wait_for("one is ready and the other is not", async || {
            let (one, two) = (world.user("one").await.unwrap(), world.user("two").await.unwrap());
            let mut reasons = [(reason(&one), "one"), (reason(&two), "two")];
            reasons.sort();
            match &reasons {
                [(first, _), (second, _)] if first == "KeyTaken" && second == "Ready" => Ok(reasons),
                _ => Err(reasons),
            }
        })
        .await;
    let [(_, loser), (_, winner)] = reasons;
    let user = world.user_of(winner);
    let holds = async || {
        let secret = world.get_secret(TARGET).await.unwrap();
        assert_eq!(Some(secret_value(&secret, "same-id")), user.client_id);
    };
    holds().await;
    world.delete(loser).await;
    world.gone(loser).await;
    holds().await;
    assert_eq!(world.ours().len(), 1, "the user of the other one is deleted with it");
    world.ready(winner).await;
}

#[tokio::test]
async fn a_secret_of_the_operator_or_with_access_to_the_cluster_gets_no_keys() {
    let world = world().start().await;
    world.portal_ready().await;
    target(&world, |secret| secret.type_ = Some("bootstrap.kubernetes.io/token".to_owned())).await;
    let refused = [
        ("portal-login", "a login of the Portal"),
        ("technical-user-operator-e2e", "an installation of the operator"),
        (TARGET, "bootstrap.kubernetes.io/token"),
    ];
    for (name, words) in refused {
        let before = world.get_secret(name).await.unwrap();
        let mut user = merging(&world, name, "portal");
        user["spec"]["outputs"][0]["secret"]["name"] = json!(name);
        world.apply(&user).await;
        let message = world.because(name, "OutputNotOurs").await;
        assert!(message.contains(words), "{message}");
        world.two_sweeps().await;
        assert_eq!(world.get_secret(name).await.unwrap(), before);
    }
    assert_eq!(world.portal_writes(), 0, "a user was created for keys that are refused");
}
