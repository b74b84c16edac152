//! The apiserver fails, answers too late or not at all, in the middle of a create.

use kube::api::{Patch, PatchParams};
use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Endpoint, Stage as PortalStage};
use serde_json::json;
use testbed::{Action, Matcher, Stage};

use crate::support::{World, condition, create, message, one_user, reason, user_status, world};

const NAME: &str = "edc";

fn attempts() -> Matcher {
    Matcher::any().method("PATCH").path_regex("/technicalusers/edc$").unwrap()
}

fn statuses() -> Matcher {
    Matcher::any().method("PATCH").path("/technicalusers/edc/status")
}

fn secret_writes() -> Matcher {
    Matcher::any().method("POST").path_regex("/secrets$").unwrap().dry_run(false)
}

async fn world_with_a_login() -> World {
    let world = world().start().await;
    world.portal_because("LoggedIn").await;
    world
}

async fn creates_one_user(world: &World) {
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    one_user(world, NAME).await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn an_attempt_whose_patch_was_not_answered_is_read_back_and_used() {
    let world = world_with_a_login().await;
    world.proxy.on(attempts()).nth(1).action(Action::DropAfter);
    creates_one_user(&world).await;
    assert_eq!(world.proxy.count(&attempts()), 1);
}

#[tokio::test]
async fn an_attempt_whose_patch_was_lost_is_written_again() {
    let world = world_with_a_login().await;
    world.proxy.on(attempts()).nth(1).action(Action::DropBefore);
    world.proxy.on(attempts()).nth(2).action(Action::status(409, "Conflict", "on demand"));
    world.proxy.on(attempts()).nth(3).action(Action::status(500, "InternalError", "on demand"));
    creates_one_user(&world).await;
    assert_eq!(world.proxy.count(&attempts()), 4);
}

#[tokio::test]
async fn an_apiserver_that_fails_at_every_attempt_is_reported_and_no_user_is_created() {
    let world = world_with_a_login().await;
    let fault = world.proxy.on(attempts()).action(Action::status(500, "InternalError", "a webhook failed"));
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    let message = world.because(NAME, "KubernetesError").await;
    assert!(message.contains("status 500: a webhook failed"), "{message}");
    assert_eq!(world.simulator.count(Endpoint::Create), 0);
    fault.remove();
    creates_one_user(&world).await;
}

#[tokio::test]
async fn a_webhook_that_fails_or_a_busy_apiserver_is_reported_in_its_own_words_before_the_portal_is_asked() {
    let world = world_with_a_login().await;
    let dry_runs = || Matcher::any().method("POST").path_regex("/secrets$").unwrap().dry_run(true);
    for (made, (name, code, words)) in [
        ("webhook", 500, "failed calling webhook \"policy.example.org\": no endpoints available"),
        ("busy", 429, "too many requests, please try again later"),
    ]
    .into_iter()
    .enumerate()
    {
        let fault = world.proxy.on(dry_runs()).action(Action::status(code, "InternalError", words));
        world.apply(&create(name, &world.namespace, DATASPACE_DISCOVERY)).await;
        let message = world.because(name, "OutputNotWritable").await;
        assert!(message.contains(words), "{message}");
        assert!(condition(&world.user(name).await.unwrap(), "Reconciling").is_some());
        assert_eq!(world.simulator.count(Endpoint::Create), made);
        fault.remove();
        one_user(&world, name).await;
    }
}

#[tokio::test]
async fn the_words_about_the_real_write_of_a_secret_are_withheld() {
    let world = world_with_a_login().await;
    let words = "data quoted-by-a-webhook is not allowed";
    let fault = world.proxy.on(secret_writes()).action(Action::status(500, "InternalError", words));
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    world.because(NAME, "OutputNotWritable").await;
    for text in [world.log(), format!("{:?}", world.user(NAME).await)] {
        assert!(!text.contains("quoted-by-a-webhook"), "{text}");
    }
    fault.remove();
    creates_one_user(&world).await;
}

#[tokio::test]
async fn a_failure_before_there_is_a_plan_is_reported_too() {
    let world = world_with_a_login().await;
    // The Secret of a resource without a user is not read.
    let writes =
        world.proxy.on(secret_writes()).action(Action::status(503, "ServiceUnavailable", "no write"));
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    let not_written = |user: &_| message(user).contains("could not write the Secret");
    world.until(NAME, "its user is there", not_written).await;
    let metadata = Matcher::any().method("GET").path_regex("/secrets/edc$").unwrap();
    let reads = world.proxy.on(metadata).action(Action::status(503, "ServiceUnavailable", "etcd is away"));
    let user = world.until(NAME, "it cannot be read", |user| message(user).contains("etcd is away")).await;
    assert_eq!(reason(&user), "KubernetesError");
    assert!(condition(&user, "Reconciling").is_some());
    writes.remove();
    reads.remove();
    creates_one_user(&world).await;
}

#[tokio::test]
async fn a_portal_whose_finalizer_is_refused_says_so() {
    let mut world = world().stopped().start().await;
    let finalizers = Matcher::any().method("PATCH").path_regex("/portals/catena-x$").unwrap();
    let fault = world.proxy.on(finalizers).action(Action::status(500, "InternalError", "a webhook failed"));
    world.start_operator();
    let message = world.portal_because("KubernetesError").await;
    assert!(message.contains("status 500: a webhook failed"), "{message}");
    fault.remove();
    world.portal_because("LoggedIn").await;
}

#[tokio::test]
async fn a_status_that_cannot_be_written_is_an_event_and_a_log_line() {
    let world = world_with_a_login().await;
    let fault = world.proxy.on(statuses()).action(Action::status(403, "Forbidden", "no status today"));
    world.apply(&create(NAME, &world.namespace, "No such role")).await;
    let (kind, note) = world.event(NAME, "StatusNotWritten").await;
    assert_eq!(kind, "Warning");
    assert!(note.contains("no status today"), "{note}");
    let says = |line: &str| line.contains("could not be written") && line.contains("/edc");
    world.operator().wait_for_line(says).await.unwrap();
    fault.remove();
    world.because(NAME, "RoleNotOffered").await;
}

#[tokio::test]
async fn an_attempt_that_is_read_back_in_a_later_state_is_not_followed_by_what_was_known_before() {
    let world = world_with_a_login().await;
    let gate = world.proxy.on(attempts()).nth(1).hold(Stage::After);
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await.unwrap();
    // Another client writes the status between the attempt and its reading back.
    let status = json!({"status": {"observedGeneration": 7, "handled": {"rotate": "once"}}});
    let params = PatchParams::default();
    world.users_api().patch_status(NAME, &params, &Patch::Merge(&status)).await.unwrap();
    world.proxy.drop_connections();
    gate.release();
    creates_one_user(&world).await;
    let object = world.ready(NAME).await;
    let status = user_status(&object);
    assert_eq!(status.handled.unwrap().rotate.as_deref(), Some("once"));
    assert_eq!(status.observed_generation, Some(1));
}

#[tokio::test]
async fn writes_of_status_and_secret_that_fail_are_repeated() {
    let world = world_with_a_login().await;
    let troubles = [
        Action::status(409, "Conflict", "on demand"),
        Action::status(500, "InternalError", "on demand"),
        Action::DropBefore,
        Action::DropAfter,
    ];
    for (number, trouble) in troubles.into_iter().enumerate() {
        world.proxy.on(statuses()).nth(number + 1).action(trouble.clone());
        world.proxy.on(secret_writes()).nth(number + 1).action(trouble);
    }
    creates_one_user(&world).await;
}

#[tokio::test]
async fn the_network_is_cut_while_the_portal_is_at_the_create() {
    let world = world_with_a_login().await;
    let gate = world.simulator.gate(Endpoint::Create, PortalStage::Working);
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await;
    let tokens = world.simulator.count(Endpoint::Token);
    world.proxy.pause_all();
    gate.release();
    // The credential is tried during the cut; what comes next is a write to the apiserver, which is not answered.
    world.simulator.wait_for(|view| view.answered(Endpoint::Token) > tokens).await;
    assert!(world.get_secret(NAME).await.is_none());
    world.proxy.resume();
    creates_one_user(&world).await;
}

#[tokio::test]
async fn the_network_is_cut_before_the_attempt_is_written_down() {
    let world = world_with_a_login().await;
    let gate = world.proxy.on(attempts()).nth(1).hold(Stage::Before);
    world.apply(&create(NAME, &world.namespace, DATASPACE_DISCOVERY)).await;
    gate.reached().await.unwrap();
    world.proxy.pause_all();
    gate.release();
    // The operator gives up the patch: nothing answers for longer than it waits.
    let gave_up = |line: &str| line.contains("/edc") && line.contains("did not answer");
    world.operator().wait_for_line(gave_up).await.unwrap();
    assert_eq!(world.simulator.count(Endpoint::Create), 0);
    world.proxy.resume();
    creates_one_user(&world).await;
}

#[tokio::test]
async fn every_watch_is_cut_in_the_middle() {
    let world = world_with_a_login().await;
    let gate = world.simulator.gate(Endpoint::Create, PortalStage::Done);
    world.apply(&create(NAME, &world.namespace, IDENTITY_WALLET_MANAGEMENT)).await;
    gate.reached().await;
    world.proxy.drop_connections();
    gate.release();
    has_one_external_user(&world).await;
}

async fn has_one_external_user(world: &World) {
    one_user(world, NAME).await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}
