//! The portal's answer to a create does not come, whether the user was created or not.

use portal_simulator::role_names::{DATASPACE_DISCOVERY, IDENTITY_WALLET_MANAGEMENT};
use portal_simulator::{Action, Canned, Endpoint, Fault};
use std::time::Duration;

use crate::support::{create, one_user, reason, world};

const INTERNAL: &str = DATASPACE_DISCOVERY;
const EXTERNAL: &str = IDENTITY_WALLET_MANAGEMENT;

/// One user comes of it, by this number of creates.
async fn one_user_in_the_end(role: &str, action: Action, creates: usize) {
    let world = world().start().await;
    world.simulator.inject(Fault::at(Endpoint::Create, action).once());
    world.apply(&create("edc", &world.namespace, role)).await;
    world.until("edc", "it waits for the attempt", |object| reason(object) == "SettlingAttempt").await;
    one_user(&world, "edc").await;
    assert_eq!(world.simulator.count(Endpoint::Create), creates);
}

#[tokio::test]
async fn an_internal_user_was_created_and_the_connection_was_cut() {
    one_user_in_the_end(INTERNAL, Action::DoneButAnswerLost, 1).await;
}

#[tokio::test]
async fn an_external_user_was_created_and_the_connection_was_cut() {
    one_user_in_the_end(EXTERNAL, Action::DoneButAnswerLost, 1).await;
}

#[tokio::test]
async fn a_user_was_created_and_a_gateway_answered() {
    one_user_in_the_end(INTERNAL, Action::DoneThen(Canned::html(502)), 1).await;
}

#[tokio::test]
async fn a_user_was_created_and_the_portal_answered_with_an_error() {
    one_user_in_the_end(EXTERNAL, Action::DoneThen(Canned::error(500)), 1).await;
}

#[tokio::test]
async fn no_user_was_created_and_a_gateway_answered() {
    one_user_in_the_end(INTERNAL, Action::Status(Canned::html(502)), 2).await;
}

#[tokio::test]
async fn no_user_was_created_and_the_connection_was_cut() {
    one_user_in_the_end(EXTERNAL, Action::CutConnection, 2).await;
}

#[tokio::test]
async fn no_user_was_created_and_nothing_is_answered() {
    one_user_in_the_end(INTERNAL, Action::Hang, 2).await;
}

#[tokio::test]
async fn the_user_is_created_long_after_the_caller_ended() {
    one_user_in_the_end(INTERNAL, Action::DoneOnlyAfterCallerGone(Duration::from_secs(10)), 1).await;
}

/// A create with a refused token creates nothing: it is sent again with a new one.
#[tokio::test]
async fn the_token_is_refused_at_the_create() {
    for refusals in [1, 3] {
        let world = world().start().await;
        world.portal_ready().await;
        let refused = Action::Status(Canned::empty(401));
        world.simulator.inject(Fault::at(Endpoint::Create, refused).times(refusals));
        world.apply(&create("edc", &world.namespace, INTERNAL)).await;
        one_user(&world, "edc").await;
        assert_eq!(world.simulator.count(Endpoint::Create), refusals + 1);
    }
}
