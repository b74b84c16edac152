//! A credential that works is replaced: by a successor of its user, and by a reset of its secret.

use kube::api::{DynamicObject, Patch, PatchParams};
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Canned, Endpoint, Fault, UserView};
use serde_json::{Value, json};
use technical_user_operator::api::technical_user::RecordedRetiring;

use crate::support::vault::{entry, metadata, prepared, with_outputs};
use crate::support::{
    CONNECTOR_LOGIN, END_OVERLAP, ROTATE, World, condition, create, is_ready, recorded, secret_value,
    user_status, world,
};

pub const NAME: &str = "edc";

pub fn with_rotation(world: &World, role: &str, rotation: &Value) -> Value {
    let mut manifest = create(NAME, &world.namespace, role);
    manifest["spec"]["rotation"] = rotation.clone();
    manifest
}

pub async fn annotate(world: &World, key: &str, value: &str) {
    world.patch_user(NAME, &json!({"metadata": {"annotations": {key: value}}})).await;
}

/// The credential is as old as the interval permits.
pub async fn make_old(world: &World) {
    let patch = json!({"status": {"credential": {"issuedAt": "2026-01-01T00:00:00Z"}}});
    let api = world.users_api();
    api.patch_status(NAME, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
}

pub fn retiring(user: &DynamicObject) -> Vec<RecordedRetiring> {
    user_status(user).retiring
}

/// Waits until the second user serves. It was never reported that the resource is not ready.
pub async fn second_user(world: &World) -> DynamicObject {
    let second = |user: &DynamicObject| recorded(user).generation == Some(2) && is_ready(user);
    world.until(NAME, "its second user serves", second).await
}

/// What the token endpoint answers to the credential that a user had.
pub async fn token_of(world: &World, user: &UserView) -> u16 {
    let (id, secret) = (user.client_id.clone().unwrap(), user.secret.clone().unwrap());
    let name = format!("former-{id}");
    let url = world.simulator.token_url();
    world.secret(&name, &[("client-id", &id), ("client-secret", &secret), ("token-url", &url)]).await;
    let answer = world.token_with(&name).await;
    world.secrets_api().delete(&name, &kube::api::DeleteParams::default()).await.unwrap();
    answer
}

#[tokio::test]
async fn a_user_that_works_is_replaced_on_request_and_kept_for_the_overlap() {
    let world = world().start().await;
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &json!({"overlap": "1h"}))).await;
    let ready = world.ready(NAME).await;
    let (former, since) = (world.user_of(NAME), condition(&ready, "Ready").unwrap().last_transition_time);
    annotate(&world, ROTATE, "1").await;
    let user = second_user(&world).await;
    let (_, words) = world.event(NAME, "RotationStarted").await;
    assert!(words.contains("credential 1") && words.contains("creates another user"), "{words}");
    let (_, words) = world.event(NAME, "RotationCompleted").await;
    assert_eq!(words, "Credential 2 has replaced credential 1");
    assert_eq!(condition(&user, "Ready").unwrap().last_transition_time, since, "it was ready all the time");
    assert_eq!(user_status(&user).handled.unwrap().rotate.as_deref(), Some("1"));
    assert_eq!(user_status(&user).credential.unwrap().generation, 2);
    assert_eq!(world.token_with(NAME).await, 200);
    let user = world.until(NAME, "the former user is kept", |user| retiring(user).len() == 1).await;
    let kept = &retiring(&user)[0];
    assert_eq!((&kept.id, &kept.client_id), (&former.id.to_string(), &former.client_id));
    assert!(kept.delete_after.is_some() && kept.proof.is_some(), "{kept:?}");
    world.two_sweeps().await;
    assert_eq!(token_of(&world, &former).await, 200, "programs may still use it");
    assert_eq!((world.count(Endpoint::Create), world.ours().len()), (2, 2), "one request, one successor");
    let writes = world.writes();
    world.two_sweeps().await;
    assert_eq!(world.writes(), writes, "nothing is written while it is kept");

    annotate(&world, END_OVERLAP, &former.id.to_string()).await;
    world.until(NAME, "the former user is deleted", |user| retiring(user).is_empty()).await;
    let ours: Vec<_> = world.ours().into_iter().map(|user| user.id).collect();
    assert_eq!(ours, [world.user_of(NAME).id]);
    assert_eq!(world.token_with(NAME).await, 200);
    world.event(NAME, "PredecessorRemoved").await;
}

#[tokio::test]
async fn without_an_overlap_the_former_user_is_deleted_after_the_publication() {
    let world = world().start().await;
    world.apply(&create(NAME, &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    world.ready(NAME).await;
    annotate(&world, ROTATE, "now").await;
    second_user(&world).await;
    world.until(NAME, "the former user is deleted", |user| retiring(user).is_empty()).await;
    assert_eq!(world.token_with(NAME).await, 200);
    assert_eq!((world.count(Endpoint::Create), world.count(Endpoint::Delete)), (2, 1));
    // The same value asks for nothing.
    annotate(&world, ROTATE, "now").await;
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 2);
}

#[tokio::test]
async fn a_deletion_takes_the_former_user_along() {
    let world = world().start().await;
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &json!({"overlap": "1h"}))).await;
    world.ready(NAME).await;
    annotate(&world, ROTATE, "1").await;
    second_user(&world).await;
    world.delete(NAME).await;
    world.gone(NAME).await;
    assert_eq!(world.ours(), []);
}

#[tokio::test]
async fn a_credential_is_replaced_when_it_is_as_old_as_the_interval() {
    let world = world().start().await;
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &json!({"interval": "720h"}))).await;
    let user = world.ready(NAME).await;
    assert!(user_status(&user).credential.unwrap().rotate_at.is_some());
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 1);
    make_old(&world).await;
    let user = second_user(&world).await;
    assert_eq!(world.token_with(NAME).await, 200);
    let (now, next) =
        (user_status(&user).credential.unwrap().issued_at, user_status(&user).credential.unwrap());
    assert!(next.rotate_at.unwrap() > now);
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 2);
}

#[tokio::test]
async fn a_secret_is_reset_in_place_where_the_login_may_not_delete() {
    let world = world().login(CONNECTOR_LOGIN).start().await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    let ready = world.ready(NAME).await;
    let (former, since) = (world.user_of(NAME), condition(&ready, "Ready").unwrap().last_transition_time);
    annotate(&world, ROTATE, "1").await;
    let rotated = |user: &DynamicObject| user_status(user).credential.is_some_and(|one| one.generation == 2);
    let user = world.until(NAME, "it has another secret", rotated).await;
    assert_eq!(user_status(&user).handled.unwrap().rotate.as_deref(), Some("1"));
    assert_eq!(condition(&user, "Ready").unwrap().last_transition_time, since);
    assert_eq!(world.user_of(NAME).id, former.id);
    assert_ne!(world.user_of(NAME).secret, former.secret);
    assert_eq!(world.token_with(NAME).await, 200);
    world.event(NAME, "SecretReset").await;
    world.two_sweeps().await;
    assert_eq!((world.count(Endpoint::Create), world.count(Endpoint::Reset)), (1, 1));
    let writes = world.writes();
    world.two_sweeps().await;
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn a_reset_of_unknown_outcome_is_shown_while_the_resource_is_ready() {
    let world = world().start().await;
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &json!({"strategy": "InPlace"}))).await;
    world.ready(NAME).await;
    world.simulator.inject(Fault::at(Endpoint::Reset, Action::DoneButAnswerLost));
    annotate(&world, ROTATE, "1").await;
    let unclear = |user: &DynamicObject| {
        let verified = condition(user, "CredentialVerified").unwrap();
        verified.status == "False" && verified.reason == "Rotating"
    };
    let user = world.until(NAME, "it is said that the credential may be refused", unclear).await;
    assert!(is_ready(&user), "less than a minute");
    let rotated = |user: &DynamicObject| {
        let number = user_status(user).credential.map(|credential| credential.generation);
        let verified = condition(user, "CredentialVerified").unwrap();
        number == Some(2) && is_ready(user) && verified.status == "True"
    };
    world.until(NAME, "it has the secret that the reset led to, and that is verified", rotated).await;
    assert_eq!((world.token_with(NAME).await, world.count(Endpoint::Reset)), (200, 1));
}

#[tokio::test]
async fn a_compromised_secret_is_invalid_at_once() {
    let world = world().start().await;
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &json!({"overlap": "24h"}))).await;
    world.ready(NAME).await;
    let former = world.user_of(NAME);
    annotate(&world, "technicaluser.dev/compromised", "ticket-7").await;
    let rotated = |user: &DynamicObject| user_status(user).credential.is_some_and(|one| one.generation == 2);
    let user = world.until(NAME, "it has another secret", rotated).await;
    assert_eq!(user_status(&user).handled.unwrap().compromised.as_deref(), Some("ticket-7"));
    assert_eq!(token_of(&world, &former).await, 401);
    assert_eq!(world.token_with(NAME).await, 200);
}

#[tokio::test]
async fn a_compromised_wallet_user_is_deleted_without_overlap() {
    let world = world().start().await;
    world.apply(&with_rotation(&world, IDENTITY_WALLET_MANAGEMENT, &json!({"overlap": "24h"}))).await;
    world.ready(NAME).await;
    let former = world.user_of(NAME);
    annotate(&world, "technicaluser.dev/compromised", "ticket-7").await;
    second_user(&world).await;
    world.until(NAME, "the former user is deleted", |user| retiring(user).is_empty()).await;
    world.two_sweeps().await;
    // The portal lists it until the wallet service has deleted it too.
    assert_eq!(retiring(&world.user(NAME).await.unwrap()), []);
    assert!(world.ours().iter().all(|user| user.id != former.id));
}

/// The entry of the former alias is kept for the overlap; its credential is not valid any more.
#[tokio::test]
async fn a_former_entry_does_not_keep_a_compromised_user() {
    let world = world().start().await;
    let _vault = prepared(&world).await;
    let mut manifest = with_outputs(&world, NAME, IDENTITY_WALLET_MANAGEMENT, &json!([entry(None)]));
    manifest["spec"]["rotation"] = json!({"overlap": "24h"});
    world.apply(&manifest).await;
    world.ready(NAME).await;
    let former = world.user_of(NAME);
    annotate(&world, "technicaluser.dev/compromised", "ticket-7").await;
    second_user(&world).await;
    world.until(NAME, "the former user is deleted", |user| retiring(user).is_empty()).await;
    assert!(world.ours().iter().all(|user| user.id != former.id));
}

#[tokio::test]
async fn a_wallet_user_is_not_replaced_periodically_where_the_login_may_not_delete() {
    let world = world().login(CONNECTOR_LOGIN).start().await;
    world.apply(&with_rotation(&world, IDENTITY_WALLET_MANAGEMENT, &json!({"interval": "720h"}))).await;
    world.ready(NAME).await;
    make_old(&world).await;
    let (type_, words) = world.event(NAME, "RotationNeedsDelete").await;
    assert!(type_ == "Warning" && words.contains("deleteAuth"), "{type_} {words}");
    world.two_sweeps().await;
    assert_eq!(world.count(Endpoint::Create), 1);
    assert!(is_ready(&world.user(NAME).await.unwrap()));
    assert_eq!(world.notes(NAME, "RotationNeedsDelete").await.len(), 1);
}

#[tokio::test]
async fn a_successor_that_the_portal_refuses_leaves_the_credential_and_is_reported() {
    let world = world().start().await;
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.ready(NAME).await;
    world.simulator.inject(Fault::at(Endpoint::Create, Action::Status(Canned::error(400))));
    annotate(&world, ROTATE, "1").await;
    let user = world
        .until(NAME, "it is reported", |user| {
            condition(user, "Rotating").is_some_and(|one| one.status == "False")
        })
        .await;
    assert!(is_ready(&user), "{user:?}");
    assert_eq!(world.token_with(NAME).await, 200);
    world.two_sweeps().await;
    assert!(world.count(Endpoint::Create) <= 3, "{} creates", world.count(Endpoint::Create));
    world.simulator.clear_faults();
    // What the portal refused is tried again when something changes.
    annotate(&world, ROTATE, "2").await;
    let user = second_user(&world).await;
    assert_eq!(condition(&user, "Rotating"), None);
}

#[tokio::test]
async fn each_credential_has_an_entry_of_its_own_in_vault_until_the_end_of_the_overlap() {
    let world = world().start().await;
    let vault = prepared(&world).await;
    let mut manifest = with_outputs(&world, NAME, DATASPACE_DISCOVERY, &json!([entry(None)]));
    manifest["spec"]["rotation"] = json!({"overlap": "1h"});
    world.apply(&manifest).await;
    world.ready(NAME).await;
    let former = world.user_of(NAME);
    annotate(&world, ROTATE, "1").await;
    second_user(&world).await;
    world.until(NAME, "the former user is kept", |user| retiring(user).len() == 1).await;
    for path in ["connectors/edc-1", "connectors/edc-2"] {
        assert!(metadata(&vault, path).await.is_some(), "{path}");
    }
    let outputs = user_status(&world.user(NAME).await.unwrap()).outputs;
    let superseded = outputs.iter().find(|output| output.delete_after.is_some()).unwrap().name.clone();
    annotate(&world, END_OVERLAP, &format!("{superseded} {}", former.id)).await;
    world.until(NAME, "the former user is deleted", |user| retiring(user).is_empty()).await;
    assert_eq!(metadata(&vault, "connectors/edc-1").await, None);
    assert!(metadata(&vault, "connectors/edc-2").await.is_some());
}

#[tokio::test]
async fn a_status_that_is_lost_during_the_overlap_costs_no_user_its_overlap() {
    let world = world().start().await;
    world.apply(&with_rotation(&world, DATASPACE_DISCOVERY, &json!({"overlap": "1h"}))).await;
    world.ready(NAME).await;
    let former = world.user_of(NAME);
    annotate(&world, ROTATE, "1").await;
    second_user(&world).await;
    let api = world.users_api();
    let wiped = json!({"status": {
        "conditions": null, "user": null, "portal": null, "credential": null, "outputs": null, "retiring": null,
        "handled": null,
    }});
    api.patch_status(NAME, &PatchParams::default(), &Patch::Merge(&wiped)).await.unwrap();
    second_user(&world).await;
    let user = world.until(NAME, "the former user is named again", |user| retiring(user).len() == 1).await;
    assert_eq!(retiring(&user)[0].id, former.id.to_string());
    world.two_sweeps().await;
    assert_eq!(token_of(&world, &former).await, 200);
    assert_eq!(world.count(Endpoint::Create), 2);
    let secret = world.get_secret(NAME).await.unwrap();
    assert_eq!(secret_value(&secret, "client-id"), recorded(&user).client_id.unwrap());
}
