//! A suspended resource: it is observed, its status says what would be done, and nothing else is written.

use kube::api::{DeleteParams, DynamicObject};
use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{Endpoint, Stage, Status};
use serde_json::json;
use testbed::Matcher;

use crate::support::{
    CREATING, ROTATE, World, condition, connected, create, message, reason, recorded, user_status, world,
};

async fn suspend(world: &World, name: &str, suspend: bool) {
    world.patch_user(name, &json!({"spec": {"suspend": suspend}})).await;
}

/// Waits until the status has the list of what would be done, for the spec as it is.
async fn planned(world: &World, name: &str, holds: impl Fn(&[String]) -> bool) -> DynamicObject {
    let is_seen = |object: &DynamicObject| {
        let status = user_status(object);
        status.observed_generation == object.metadata.generation
            && condition(object, "Suspended").is_some_and(|suspended| suspended.status == "True")
            && holds(&status.planned)
    };
    world.until(name, "the status says what would be done", is_seen).await
}

/// Two sweeps, which change nothing of the resources and their outputs.
async fn is_calm(world: &World) {
    let writes = || {
        let writes = world.proxy.matching(&Matcher::writes().dry_run(false)).into_iter();
        writes
            .map(|write| write.target)
            .filter(|target| !target.contains("/events") && !target.contains("/portals/"))
    };
    let (before, portal) = (writes().count(), world.portal_writes());
    world.two_sweeps().await;
    assert_eq!(writes().skip(before).collect::<Vec<_>>(), Vec::<String>::new());
    assert_eq!(world.portal_writes(), portal);
}

#[tokio::test]
async fn nothing_is_changed_and_the_status_says_what_would_be_done() {
    let mut world = connected(world()).await;
    let namespace = world.namespace.clone();
    let mut new = create("edc", &namespace, DATASPACE_DISCOVERY);
    new["spec"]["suspend"] = true.into();
    world.apply(&new).await;
    let seen = planned(&world, "edc", |planned| planned.len() == 2).await;
    let steps = user_status(&seen).planned;
    assert!(steps[0].starts_with("create user t") && steps[0].contains(DATASPACE_DISCOVERY), "{steps:?}");
    assert!(
        steps[1].starts_with("write the credential of user t") && steps[1].ends_with("Secret \"edc\""),
        "{steps:?}"
    );
    assert_eq!(reason(&seen), "Suspended");
    assert!(message(&seen).contains("status.planned"), "{}", message(&seen));
    assert!(seen.metadata.finalizers.is_none() && seen.metadata.annotations.is_none(), "{:?}", seen.metadata);
    is_calm(&world).await;
    assert!(world.get_secret("edc").await.is_none());
    assert_eq!(world.count(Endpoint::Create), 0);

    suspend(&world, "edc", false).await;
    let ready = world.ready("edc").await;
    assert_eq!((condition(&ready, "Suspended"), user_status(&ready).planned.len()), (None, 0));
    let user = world.user_of("edc");

    // A credential that works is reported as before.
    suspend(&world, "edc", true).await;
    planned(&world, "edc", <[String]>::is_empty).await;
    world.patch_user("edc", &json!({"metadata": {"annotations": {ROTATE: "now"}}})).await;
    let seen = planned(&world, "edc", |planned| !planned.is_empty()).await;
    let steps = user_status(&seen).planned;
    assert!(steps[0].ends_with(&format!("which replaces user {}", user.id)), "{steps:?}");
    assert_eq!(condition(&seen, "Ready").unwrap().status, "True");
    assert_eq!(recorded(&seen).id, user.id.to_string());
    is_calm(&world).await;
    world.patch_user("edc", &json!({"metadata": {"annotations": {ROTATE: null}}})).await;
    planned(&world, "edc", <[String]>::is_empty).await;

    // One that is not published any more is not.
    world.secrets_api().delete("edc", &DeleteParams::default()).await.unwrap();
    let seen = planned(&world, "edc", |planned| planned.len() == 1).await;
    assert_eq!(
        (condition(&seen, "Ready").unwrap().status.as_str(), reason(&seen).as_str()),
        ("False", "Suspended")
    );
    assert_eq!(
        user_status(&seen).planned,
        [format!("write the credential of user {} into Secret \"edc\"", user.id)]
    );

    world.delete("edc").await;
    let deletes = format!("delete user {} in the portal", user.id);
    let seen = planned(&world, "edc", |planned| planned.first() == Some(&deletes)).await;
    assert_eq!(user_status(&seen).planned, [deletes.as_str(), "remove the finalizer"]);
    assert_eq!(reason(&seen), "Suspended");
    world.stop_operator().await;
    world.start_operator();
    is_calm(&world).await;
    assert_eq!(world.notes("edc", "Suspended").await, Vec::<String>::new(), "a person wanted it");
    suspend(&world, "edc", false).await;
    world.gone("edc").await;
    assert!(world.simulator.view(|view| view.user(user.id)).is_none_or(|user| user.status != Status::Active));
}

#[tokio::test]
async fn a_create_in_progress_ends_and_its_user_is_recorded() {
    let world = connected(world()).await;
    let gate = world.simulator.gate(Endpoint::Create, Stage::Arrived);
    world.apply(&create("edc", &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;
    suspend(&world, "edc", true).await;
    world.until("edc", "it is suspended", |edc| condition(edc, "Suspended").is_some()).await;
    gate.release();
    let seen = world.until("edc", "its user is recorded", |edc| user_status(edc).user.is_some()).await;
    assert_eq!(recorded(&seen).id, world.user_of("edc").id.to_string());
    assert!(seen.metadata.annotations.unwrap().contains_key(CREATING));
    let publishes = |planned: &[String]| planned.iter().any(|step| step.ends_with("into Secret \"edc\""));
    planned(&world, "edc", publishes).await;
    assert!(world.get_secret("edc").await.is_none());
    suspend(&world, "edc", false).await;
    world.ready("edc").await;
    assert_eq!(world.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn a_resource_of_a_suspended_portal_says_what_would_be_done() {
    let world = connected(world()).await;
    for name in ["edc", "leaving"] {
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
        world.ready(name).await;
    }
    let leaving = world.user_of("leaving");
    world.patch_portal(&json!({"spec": {"suspend": true}})).await;
    world.portal_because("Suspended").await;
    world.apply(&create("new", &world.namespace, DATASPACE_DISCOVERY)).await;
    world.delete("leaving").await;
    for (name, first) in [
        ("new", "create user t".to_owned()),
        ("leaving", format!("delete user {} in the portal", leaving.id)),
    ] {
        world.because(name, "PortalSuspended").await;
        let lists = |object: &DynamicObject| {
            user_status(object).planned.first().is_some_and(|step| step.starts_with(&first))
        };
        world.until(name, "the status says what would be done", lists).await;
    }
    assert_eq!(user_status(&world.user("edc").await.unwrap()).planned, Vec::<String>::new());
    is_calm(&world).await;
    world.patch_portal(&json!({"spec": {"suspend": null}})).await;
    let ready = world.ready("new").await;
    assert_eq!(user_status(&ready).planned, Vec::<String>::new());
    world.gone("leaving").await;
}
