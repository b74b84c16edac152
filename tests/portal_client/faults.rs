//! A portal, an identity provider and a wallet that fail in the ways of the real ones.

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use portal_simulator::{
    Action, Canned, Endpoint, Fault, IdpMoment, IdpTrouble, Part, Simulator, UserSeed, Version,
};
use std::time::Duration;
use technical_user_operator::domain::user::UserId;
use technical_user_operator::portal::{
    CreateFailure, Effect, Lane, Portal, PortalError, ServerKind, Verification,
};

use crate::simulated::{COMPANY, config, credential, portal_to, start, wanted};
use crate::support::{LOGIN_SECRET, client_credentials, error};

/// A create that fails, and how many users came of it.
async fn failed_create(simulator: &Simulator) -> (CreateFailure, usize) {
    let portal = portal_to(simulator);
    let user = wanted(&portal, "edc", &[DATASPACE_DISCOVERY]).await;
    let failure = error(portal.create_slot().await.unwrap().create(user).await);
    assert_eq!(simulator.count(Endpoint::Create), 1, "a create is sent once");
    let shown = format!("{failure} {failure:?}");
    for secret in simulator.secrets_handed_out() {
        assert!(!shown.contains(&secret), "{shown}");
    }
    (failure, simulator.users(COMPANY).iter().filter(|user| user.name == "edc").count())
}

#[tokio::test]
async fn a_create_that_may_have_worked_says_so() {
    for (action, made) in [
        (Action::CutConnection, 0),
        (Action::DoneButAnswerLost, 1),
        (Action::Status(Canned::error(502)), 0),
        (Action::DoneThen(Canned::error(502)), 1),
        (Action::Status(Canned::html(500)), 0),
        (Action::DoneThen(Canned::html(200)), 1),
        (Action::DoneThen(Canned::empty(504)), 1),
    ] {
        let simulator = start(config(Version::V2_6)).await;
        simulator.inject(Fault::at(Endpoint::Create, action.clone()));
        let (failure, users) = failed_create(&simulator).await;
        assert_eq!((failure.effect, users), (Effect::Unknown, made), "{action:?} {failure:?}");
    }
}

#[tokio::test]
async fn a_create_amid_trouble_at_the_identity_provider() {
    for (trouble, moment, status) in [
        (IdpTrouble::Status(503), IdpMoment::BeforeClient, 502),
        (IdpTrouble::Status(503), IdpMoment::AfterClient, 502),
        (IdpTrouble::Html, IdpMoment::BeforeClient, 500),
        (IdpTrouble::RolesNotAssigned, IdpMoment::AfterClient, 500),
    ] {
        let simulator = start(config(Version::Main)).await;
        simulator.trouble_idp(trouble, moment, None);
        let (failure, users) = failed_create(&simulator).await;
        assert_eq!(failure.error, PortalError::Server { server: ServerKind::Portal, status }, "{trouble:?}");
        assert_eq!((failure.effect, users), (Effect::Unknown, 0));
    }
}

#[tokio::test]
async fn a_create_that_cannot_be_sent_creates_no_user() {
    let simulator = start(config(Version::V2_6)).await;
    let portal = portal_to(&simulator);
    let user = wanted(&portal, "edc", &[DATASPACE_DISCOVERY]).await;
    let slot = portal.create_slot().await.unwrap();
    simulator.stop(Part::Portal).await;
    // A connection that stood before is cut under the request; a new one is refused before it.
    let first = error(slot.create(user.clone()).await);
    assert!(matches!(first.error, PortalError::Unreachable { .. }), "{first:?}");
    let second = error(portal.create_slot().await.unwrap().create(user).await);
    assert_eq!(second.effect, Effect::None, "{second:?}");
    assert_eq!(simulator.count(Endpoint::Create), 0);
}

#[tokio::test]
async fn what_hangs_is_given_up_in_time() {
    let simulator = start(config(Version::V2_6)).await;
    let portal = portal_to(&simulator);
    let user = wanted(&portal, "edc", &[DATASPACE_DISCOVERY]).await;
    simulator.inject(Fault::at(Endpoint::Create, Action::DoneOnlyAfterCallerGone(Duration::ZERO)));
    simulator.inject(Fault::at(Endpoint::Roles, Action::Hang));
    simulator.inject(Fault::at(Endpoint::WalletToken, Action::Hang));
    let start = tokio::time::Instant::now();
    let slot = portal.create_slot().await.unwrap();
    let wallet = credential("any", "any", simulator.wallet_url());
    let (created, roles, verified) = tokio::join!(
        slot.create(user),
        portal.roles(Lane::Interactive),
        portal.verify(&wallet, Lane::Background)
    );
    let waited = start.elapsed().as_secs();
    assert!((29..=33).contains(&waited), "{waited}");
    let failure = error(created);
    let late = "no answer in time";
    assert!(
        matches!(&failure.error, PortalError::Unreachable { reason, .. } if reason == late),
        "{failure:?}"
    );
    assert_eq!(failure.effect, Effect::Unknown);
    assert!(matches!(error(roles), PortalError::Unreachable { reason, .. } if reason == late));
    assert!(matches!(verified, Verification::Unreachable { reason, .. } if reason == late));
    // The portal completes it after the caller has gone.
    simulator.wait_for(|view| view.users(COMPANY).iter().any(|user| user.name == "edc")).await;
}

#[tokio::test]
async fn a_read_survives_a_cut_connection() {
    let simulator = start(config(Version::V2_6)).await;
    simulator.inject(Fault::at(Endpoint::Roles, Action::CutConnection).times(2));
    portal_to(&simulator).roles(Lane::Interactive).await.unwrap();
    assert_eq!(simulator.count(Endpoint::Roles), 3);
}

#[tokio::test]
async fn a_restart_of_the_portal_is_survived() {
    let simulator = start(config(Version::V2_6)).await;
    let portal = portal_to(&simulator);
    portal.roles(Lane::Interactive).await.unwrap();
    simulator.stop(Part::Portal).await;
    assert!(matches!(error(portal.roles(Lane::Interactive).await), PortalError::Unreachable { .. }));
    simulator.restart(Part::Portal).await.unwrap();
    portal.roles(Lane::Interactive).await.unwrap();
}

#[tokio::test]
async fn users_of_one_name_over_many_pages() {
    for version in [Version::V2_0, Version::Main] {
        let simulator = start(config(version)).await;
        for _ in 0..100 {
            simulator.seed_user(UserSeed::new(COMPANY, "same")).unwrap();
        }
        simulator.seed_user(UserSeed::new(COMPANY, "alone")).unwrap();
        let scan = portal_to(&simulator).scan(Lane::Background).await.unwrap();
        let same = scan.users.iter().filter(|user| user.name == "same").count();
        assert!(scan.stable && scan.complete, "{version}: {same} of 100");
        assert_eq!(same, 100);
        assert!(scan.users.iter().any(|user| user.name == "alone"));
    }
}

#[tokio::test]
async fn a_user_that_the_portal_cannot_show() {
    let simulator = start(config(Version::V2_6)).await;
    let user = simulator.seed_user(UserSeed::new(COMPANY, "seeded").without_editor()).unwrap();
    let portal = portal_to(&simulator);
    for _ in 0..4 {
        let failure = error(portal.details(&UserId::new(&user.id.to_string()), Lane::Background).await);
        assert_eq!(
            failure,
            PortalError::Server { server: ServerKind::Portal, status: 500 },
            "never the breaker"
        );
    }
    portal.scan(Lane::Background).await.unwrap();
}

#[tokio::test]
async fn a_token_that_ends_early_is_replaced() {
    let simulator = start(config(Version::V2_6)).await;
    let portal = portal_to(&simulator);
    portal.roles(Lane::Interactive).await.unwrap();
    simulator.inject(Fault::at(Endpoint::Roles, Action::Status(Canned::empty(401))).once());
    portal.roles(Lane::Interactive).await.unwrap();
    assert_eq!(simulator.count(Endpoint::Token), 2);
}

#[tokio::test]
async fn a_wrong_secret() {
    let simulator = start(config(Version::V2_6)).await;
    let mut connection = crate::simulated::connection_to(&simulator);
    for (id, code) in [("sa1", "unauthorized_client"), ("nobody", "invalid_client")] {
        connection.login = client_credentials(id, &format!("{LOGIN_SECRET}-not"));
        let portal = crate::support::portal(connection.clone());
        assert_eq!(error(portal.login().await), PortalError::LoginRefused { code });
    }
    assert_eq!(simulator.count(Endpoint::Token), 2);
}
