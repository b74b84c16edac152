//! What is sent again, what waits, and what is not sent at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use parking_lot::Mutex;
use serde_json::json;
use technical_user_operator::domain::user::{NewUser, UserId};
use technical_user_operator::portal::clients::catena_x::CatenaXPortal;
use technical_user_operator::portal::observe::{CallObserver, CallOutcome, Operation};
use technical_user_operator::portal::{Effect, Lane, Portal, PortalError, Refusal, ServerKind};
use technical_user_operator::process::Process;
use testbed::eventually;

use crate::stub::{PERMISSIONS, Reply, Stub, empty_page, jwt, tokens};
use crate::support::{LOGIN_SECRET, client_credentials, connection, error, network, portal_of};

fn token() -> Reply {
    tokens(&jwt("sa1", &PERMISSIONS), 300)
}

fn roles() -> Reply {
    Reply::json(200, &json!([]))
}

fn user() -> NewUser {
    NewUser { name: "n".into(), description: "d".into(), role_ids: vec!["r".into()] }
}

#[tokio::test]
async fn a_read_is_tried_again() {
    for status in [500, 502, 503, 504] {
        let stub = Stub::start(move |seen, before| match (seen.what(), before) {
            ("token", _) => token(),
            (_, 0 | 1) => Reply::html(status),
            _ => roles(),
        })
        .await;
        portal_of(&stub).roles(Lane::Interactive).await.unwrap();
        assert_eq!(stub.count("roles"), 3);
    }
    let stub =
        Stub::start(|seen, _| if seen.what() == "token" { token() } else { Reply::text(400, "") }).await;
    assert!(matches!(
        error(portal_of(&stub).roles(Lane::Interactive).await),
        PortalError::Refused { refusal: Refusal::Request, .. }
    ));
    assert_eq!(stub.count("roles"), 1);
}

#[tokio::test]
async fn a_write_is_sent_once() {
    let id = UserId::new("a");
    for status in [500, 502, 503, 504] {
        let stub =
            Stub::start(move |seen, _| if seen.what() == "token" { token() } else { Reply::html(status) })
                .await;
        let portal = portal_of(&stub);
        let server = PortalError::Server { server: ServerKind::Portal, status };
        assert_eq!(error(portal.reset(&id).await), server);
        assert_eq!(error(portal.update(&id, "n", "d").await), server);
        assert_eq!(error(portal.delete(&id).await), server);
        let failure = error(portal.create_slot().await.unwrap().create(user()).await);
        assert_eq!((failure.error, failure.effect), (server, Effect::Unknown));
        assert_eq!(stub.seen().len(), 5, "a token and four writes");
    }
}

#[tokio::test]
async fn the_effect_of_a_create_is_known_only_for_refusals() {
    for (reply, effect) in [
        (Reply::json(400, &json!({})), Effect::None),
        (Reply::text(403, ""), Effect::None),
        (Reply::text(409, ""), Effect::None),
        (Reply::html(404), Effect::None),
        (Reply::text(429, ""), Effect::None),
        (Reply::text(408, ""), Effect::Unknown),
        (Reply::html(200), Effect::Unknown),
        (Reply::text(200, "{"), Effect::Unknown),
        (Reply::text(200, &"x".repeat(2 << 20)), Effect::Unknown),
        (Reply::text(302, "").header("location", "/"), Effect::Unknown),
        (Reply::text(503, "").header("retry-after", "1"), Effect::Unknown),
    ] {
        let shown = format!("{reply:?}");
        let stub =
            Stub::start(move |seen, _| if seen.what() == "token" { token() } else { reply.clone() }).await;
        let failure = error(portal_of(&stub).create_slot().await.unwrap().create(user()).await);
        assert_eq!(failure.effect, effect, "{shown:.200}");
        assert_eq!(stub.count("serviceaccounts"), 1);
    }
}

#[tokio::test]
async fn a_short_pause_is_waited_for_and_a_long_one_reported() {
    let stub = Stub::start(|seen, before| match (seen.what(), before) {
        ("token", _) => token(),
        (_, 0) => Reply::text(429, "").header("retry-after", "2"),
        (_, 2) => Reply::text(503, "").header("retry-after", "30"),
        _ => roles(),
    })
    .await;
    let portal = portal_of(&stub);
    let start = Instant::now();
    let two_seconds = Some(Duration::from_secs(2));
    assert_eq!(
        error(portal.roles(Lane::Interactive).await),
        PortalError::Throttled { server: ServerKind::Portal, retry_after: two_seconds }
    );
    portal.roles(Lane::Interactive).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(1900));
    assert!(matches!(error(portal.roles(Lane::Interactive).await), PortalError::Throttled { .. }));
    let start = Instant::now();
    for _ in 0..3 {
        let failure = error(portal.roles(Lane::Background).await);
        assert!(
            matches!(failure, PortalError::Throttled { retry_after: Some(left), .. } if left.as_secs() >= 25)
        );
    }
    assert!(start.elapsed() < Duration::from_secs(1));
    assert_eq!(stub.count("roles"), 3);
}

/// Lets the process's clock jump; nothing may be in progress, as its time-out would come at once.
async fn later(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_portal_that_is_down_costs_one_probe() {
    let down = Arc::new(AtomicBool::new(true));
    let stub = Stub::start({
        let down = Arc::clone(&down);
        move |seen, _| match seen.what() {
            "token" => token(),
            _ if down.load(Ordering::SeqCst) => Reply::html(503),
            "serviceaccounts" if seen.method == "GET" => empty_page(),
            _ => roles(),
        }
    })
    .await;
    let portal = portal_of(&stub);
    // Three tries each: the fifth failure opens the breaker.
    for _ in 0..2 {
        let failure = error(portal.roles(Lane::Interactive).await);
        assert_eq!(
            failure,
            PortalError::Server { server: ServerKind::Portal, status: 503 },
            "the cause, not the breaker"
        );
    }
    let before = stub.seen().len();
    for result in join_all((0..20).map(|_| portal.roles(Lane::Background))).await {
        assert!(matches!(error(result), PortalError::CircuitOpen { .. }));
    }
    assert!(matches!(error(portal.create_slot().await.map(drop)), PortalError::CircuitOpen { .. }));
    assert!(matches!(error(portal.reset(&UserId::new("a")).await), PortalError::CircuitOpen { .. }));
    assert_eq!(stub.seen().len(), before);

    later(Duration::from_millis(5600)).await;
    let results = join_all((0..20).map(|_| portal.roles(Lane::Background))).await;
    let probes = results.iter().filter(|result| matches!(result, Err(PortalError::Server { .. }))).count();
    assert_eq!((probes, stub.seen().len()), (1, before + 1));

    // The next interval is twice as long; a write waits for a read that goes ahead of it.
    later(Duration::from_millis(5600)).await;
    error(portal.roles(Lane::Background).await);
    assert_eq!(stub.seen().len(), before + 1);
    down.store(false, Ordering::SeqCst);
    later(Duration::from_millis(5600)).await;
    portal.reset(&UserId::new("a")).await.unwrap();
    let sent: Vec<_> = stub.seen().into_iter().skip(before + 1).map(|seen| seen.what().to_owned()).collect();
    assert_eq!(sent, ["serviceaccounts", "resetCredentials"]);
    portal.roles(Lane::Background).await.unwrap();
}

#[tokio::test]
async fn who_listens_hears_of_every_request_and_of_the_breakers() {
    use CallOutcome::{ServerError, Success};

    let stub = Stub::start(|seen, before| match (seen.what(), before) {
        ("token", _) => token(),
        ("roles", 0) => Reply::html(503),
        ("roles", _) => roles(),
        _ => Reply::html(502),
    })
    .await;
    let heard = Arc::new(Heard::default());
    let connection = connection(&stub.origin, &stub.token_url(), client_credentials("sa1", LOGIN_SECRET));
    let portal = CatenaXPortal::new(
        connection,
        &network(),
        Arc::clone(&heard) as Arc<dyn CallObserver>,
        Process::system(),
    )
    .unwrap();
    portal.roles(Lane::Interactive).await.unwrap();
    for _ in 0..5 {
        error(portal.reset(&UserId::new("a")).await);
    }
    error(portal.reset(&UserId::new("a")).await);
    let (portal, provider) = (ServerKind::Portal, ServerKind::IdentityProvider);
    let mut calls = vec![
        (provider, Operation::Token, Success),
        (portal, Operation::Roles, ServerError),
        (portal, Operation::Roles, Success),
    ];
    calls.extend([(portal, Operation::Reset, ServerError); 5]);
    assert_eq!(*heard.calls.lock(), calls);
    assert_eq!(*heard.breakers.lock(), [(portal, true)]);
}

#[derive(Default)]
struct Heard {
    calls: Mutex<Vec<(ServerKind, Operation, CallOutcome)>>,
    breakers: Mutex<Vec<(ServerKind, bool)>>,
}

impl CallObserver for Heard {
    fn observed(&self, server: ServerKind, operation: Operation, outcome: CallOutcome, _: Duration) {
        self.calls.lock().push((server, operation, outcome));
    }

    fn breaker(&self, server: ServerKind, open: bool) {
        self.breakers.lock().push((server, open));
    }
}

#[tokio::test]
async fn one_users_500_does_not_open_the_breaker() {
    let lost = json!({"status": 500, "errors": {"x": ["clientId sa1 not found in central keycloak"]}, "details": []});
    let other = json!({"status": 500, "errors": {"x": ["Object reference not set"]}, "details": []});
    let stub = Stub::start(move |seen, _| match seen.what() {
        "token" => token(),
        _ if seen.path.contains("/lost/") => Reply::json(500, &lost),
        _ => Reply::json(500, &other),
    })
    .await;
    let portal = portal_of(&stub);
    for _ in 0..8 {
        let failure = error(portal.reset(&UserId::new("lost")).await);
        assert_eq!(failure, PortalError::ClientMissing);
        let failure = error(portal.reset(&UserId::new("other")).await);
        assert_eq!(failure, PortalError::Server { server: ServerKind::Portal, status: 500 });
    }
}

#[tokio::test]
async fn an_identity_provider_that_is_down_opens_its_own() {
    let stub = Stub::start(|_, _| Reply::html(502)).await;
    let portal = portal_of(&stub);
    eventually("the breaker opens", async || match error(portal.roles(Lane::Interactive).await) {
        PortalError::Server { server: ServerKind::IdentityProvider, status: 502 } => None,
        PortalError::CircuitOpen { server: ServerKind::IdentityProvider, .. } => Some(()),
        unexpected => panic!("{unexpected:?}"),
    })
    .await
    .unwrap();
    assert_eq!(stub.count("token"), 5);
    assert_eq!(stub.count("roles"), 0);
}
