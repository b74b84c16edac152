//! Deletion is asked for at any point of a resource's life, and the process is killed on the way.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Endpoint, Fault, Stage as PortalStage, Status};
use testbed::{Matcher, Stage};

use crate::crash::Held;
use crate::support::{World, connected, create, one_user, reason, world};

const NAME: &str = "edc";
const INTERNAL: &str = DATASPACE_DISCOVERY;
const EXTERNAL: &str = IDENTITY_WALLET_MANAGEMENT;

async fn nothing_is_left(world: &World) {
    world.gone(NAME).await;
    assert_eq!(world.ours(), []);
}

#[tokio::test]
async fn while_the_attempt_is_in_progress() {
    for role in [INTERNAL, EXTERNAL] {
        let world = world().start().await;
        let gate = world.simulator.gate(Endpoint::Create, PortalStage::Working);
        world.apply(&create(NAME, &world.namespace, role)).await;
        gate.reached().await;
        world.delete(NAME).await;
        gate.release();
        nothing_is_left(&world).await;
        assert_eq!(world.simulator.count(Endpoint::Create), 1);
    }
}

/// Killed with the portal at the create, which ends late or never; deleted meanwhile.
async fn with_an_open_attempt(role: &str, made: bool) {
    let mut world = world().start().await;
    if !made {
        world.simulator.inject(Fault::at(Endpoint::Create, Action::CutConnection).once());
    }
    let gate = world.simulator.gate(Endpoint::Create, PortalStage::Arrived);
    world.apply(&create(NAME, &world.namespace, role)).await;
    gate.reached().await;
    world.kill_operator();
    world.delete(NAME).await;
    world.start_operator();
    world.until(NAME, "the attempt is seen", |object| reason(object) == "SettlingAttempt").await;
    gate.release();
    nothing_is_left(&world).await;
    assert_eq!(world.simulator.count(Endpoint::Create), 1);
}

#[tokio::test]
async fn with_an_open_attempt_that_created_an_internal_user() {
    with_an_open_attempt(INTERNAL, true).await;
}

#[tokio::test]
async fn with_an_open_attempt_that_created_an_external_user() {
    with_an_open_attempt(EXTERNAL, true).await;
}

#[tokio::test]
async fn with_an_open_attempt_that_created_none() {
    with_an_open_attempt(INTERNAL, false).await;
}

#[tokio::test]
async fn while_the_user_waits_for_the_wallet() {
    for killed in [false, true] {
        let mut world = world().start().await;
        world.simulator.stop_wallet().await;
        world.apply(&create(NAME, &world.namespace, EXTERNAL)).await;
        world.because(NAME, "Pending").await;
        if killed {
            world.kill_operator();
            world.start_operator();
        }
        world.delete(NAME).await;
        world.because(NAME, "Undeletable").await;
        assert_eq!(world.ours().len(), 1);
        world.simulator.restart_wallet().await.unwrap();
        nothing_is_left(&world).await;
    }
}

/// Kills the operator at a call of a deletion and starts the next one at once.
async fn killed_at(role: &str, hold: impl FnOnce(&World) -> Held) {
    let mut world = connected(world()).await;
    world.apply(&create(NAME, &world.namespace, role)).await;
    let user = one_user(&world, NAME).await;
    let call = hold(&world);
    world.delete(NAME).await;
    call.reached().await;
    call.kill_and_restart(&mut world, NAME).await;
    nothing_is_left(&world).await;
    let left = world.simulator.view(|view| view.user(user.id)).map(|user| user.status);
    assert!(
        left.is_none_or(|status| matches!(status, Status::Deleted | Status::PendingDeletion)),
        "{left:?}"
    );
}

#[tokio::test]
async fn killed_while_the_portal_is_asked_for_the_details() {
    killed_at(INTERNAL, |world| Held::at_portal(world, Endpoint::Details, PortalStage::Arrived)).await;
}

#[tokio::test]
async fn killed_while_the_portal_deletes() {
    for role in [INTERNAL, EXTERNAL] {
        for stage in [PortalStage::Arrived, PortalStage::Working, PortalStage::Done] {
            killed_at(role, |world| Held::at_portal(world, Endpoint::Delete, stage)).await;
        }
    }
}

#[tokio::test]
async fn killed_while_the_finalizer_is_taken_away() {
    for stage in [Stage::Before, Stage::After] {
        let finalizer = Matcher::any().method("PATCH").path_regex("/technicalusers/edc$").unwrap();
        killed_at(INTERNAL, |world| Held::at_apiserver(world, finalizer, stage)).await;
    }
}
