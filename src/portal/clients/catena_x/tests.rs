//! The client over a transport without a network: what is above the transport works the same there.

use std::sync::Arc;
use std::time::Duration;

use http::header::RETRY_AFTER;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{CatenaXConfig, CatenaXPortal};
use crate::domain::user::Credential;
use crate::portal::observe::NoObserver;
use crate::portal::resilient::Limits;
use crate::portal::{Credentials, Lane, Portal, PortalError, ServerKind, Verification};
use crate::process::{Process, Random, SetClock};
use crate::transport::in_memory::{InMemory, Seen, response};
use crate::transport::{HttpRequest, HttpResponse};

mod servers;

const TOKEN: &str = r#"{"access_token":"t1","expires_in":300}"#;

fn portal_at(network: &InMemory, process: Process) -> CatenaXPortal {
    let login =
        Credentials::ClientCredentials { client_id: "sa1".into(), client_secret: "s & t".to_owned().into() };
    let config = CatenaXConfig {
        api_url: "https://portal.example.org".into(),
        token_url: "https://idp.example.org/token".into(),
        login,
        delete_login: None,
        ca_bundle: None,
        insecure_http: false,
        limits: Limits::default(),
        external_token_url: None,
    };
    CatenaXPortal::new(config, network, Arc::new(NoObserver), process).unwrap()
}

/// The network in which each request to the portal is answered like this, and each request for a token gets one.
fn network(portal: impl Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync + 'static) -> InMemory {
    InMemory::new(move |request| {
        if request.url.path() == "/token" { Some(response(200, &[], TOKEN)) } else { portal(request) }
    })
}

fn calls(network: &InMemory) -> usize {
    network.seen().iter().filter(|seen| seen.path != "/token").count()
}

#[tokio::test(start_paused = true)]
async fn a_call_carries_the_token_of_the_login() {
    let network = network(|_| Some(response(200, &[], "[]")));
    let portal = portal_at(&network, Process::system());
    assert_eq!(portal.roles(Lane::Interactive).await.unwrap(), []);
    let [token, roles] = network.seen().try_into().unwrap();
    let form = "grant_type=client_credentials&client_id=sa1&client_secret=s+%26+t";
    let expected = Seen { method: "POST".into(), path: "/token".into(), bearer: None, body: form.into() };
    assert_eq!(token, expected);
    assert_eq!(
        (roles.method.as_str(), roles.bearer.as_deref(), roles.body.as_str()),
        ("GET", Some("t1"), "")
    );
}

/// The portal answers each call; each token is good for this time.
fn with_tokens_for(seconds: u64) -> InMemory {
    let token = format!(r#"{{"access_token":"t1","expires_in":{seconds}}}"#);
    InMemory::new(move |request| {
        let body = if request.url.path() == "/token" { &token } else { "[]" };
        Some(response(200, &[], body))
    })
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_in_time_and_never_used_when_it_is_about_to_end() {
    // 12 s: too old to be used after 2 s, and due for replacement after 9.6 s.
    let network = with_tokens_for(12);
    let portal = portal_at(&network, Process::system());
    let tokens = || network.seen().len() - calls(&network);
    for _ in 0..2 {
        portal.roles(Lane::Interactive).await.unwrap();
    }
    assert_eq!(tokens(), 1);
    tokio::time::advance(Duration::from_millis(2200)).await;
    portal.roles(Lane::Interactive).await.unwrap();
    assert_eq!(tokens(), 2);

    let portal = portal_at(&with_tokens_for(5), Process::system());
    let error = portal.roles(Lane::Interactive).await.unwrap_err();
    assert!(matches!(error, PortalError::BadAnswer { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_sends_one_probe_per_interval() {
    let network = network(|_| Some(response(502, &[], "")));
    let portal = portal_at(&network, Process::system());
    while !matches!(portal.roles(Lane::Interactive).await, Err(PortalError::CircuitOpen { .. })) {}
    let before = calls(&network);
    for _ in 0..10 {
        assert!(matches!(portal.roles(Lane::Interactive).await, Err(PortalError::CircuitOpen { .. })));
    }
    assert_eq!(calls(&network), before, "nothing reaches the network");
    tokio::time::advance(Duration::from_secs(6)).await;
    for _ in 0..10 {
        assert!(portal.roles(Lane::Interactive).await.is_err());
    }
    assert_eq!(calls(&network), before + 1, "the probe");
}

#[tokio::test(start_paused = true)]
async fn a_date_to_wait_for_counts_by_the_clock_of_the_process() {
    let clock = SetClock::at("2026-11-22T12:00:00Z".parse().unwrap());
    let network = network(|_| Some(response(429, &[(RETRY_AFTER, "Sun, 22 Nov 2026 12:01:30 GMT")], "")));
    let portal = portal_at(&network, Process { clock: clock.clock(), ..Process::system() });
    let pause = Some(Duration::from_secs(90));
    let first = portal.roles(Lane::Interactive).await.unwrap_err();
    assert_eq!(first, PortalError::Throttled { server: ServerKind::Portal, retry_after: pause });
    let sent = network.seen().len();
    assert!(matches!(portal.roles(Lane::Background).await, Err(PortalError::Throttled { .. })));
    assert_eq!(network.seen().len(), sent, "the limiter holds all calls back");
}

#[tokio::test(start_paused = true)]
async fn a_silent_token_endpoint_is_given_up_in_time() {
    let network = InMemory::new(|_| None);
    let portal = portal_at(&network, Process::system());
    let credential = Credential::with_secret(
        "sa2".into(),
        "secret".to_owned().into(),
        "https://wallet.example.org/token".into(),
    );
    let began = Instant::now();
    let Verification::Unreachable { endpoint, .. } = portal.verify(&credential, Lane::Interactive).await
    else {
        panic!("nothing answered")
    };
    assert_eq!((endpoint.as_str(), began.elapsed()), ("wallet.example.org:443", Duration::from_secs(15)));
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_not_read_to_its_end() {
    let network = network(|_| Some(response(200, &[], &" ".repeat(1 << 20))));
    let portal = portal_at(&network, Process::system());
    let error = portal.roles(Lane::Interactive).await.unwrap_err();
    assert_eq!(error, PortalError::BadAnswer { reason: "it is too long" });
}

/// When the requests of a call that fails three times are sent.
async fn times(seed: u64) -> Vec<Duration> {
    let (began, times) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let sent = Arc::clone(&times);
    let network = network(move |_| {
        sent.lock().push(began.elapsed());
        Some(response(502, &[], ""))
    });
    let portal = portal_at(&network, Process { random: Random::seeded(seed), ..Process::system() });
    assert!(portal.roles(Lane::Interactive).await.is_err());
    let times = times.lock().clone();
    assert_eq!(times.len(), 3);
    times
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_the_times_of_a_run() {
    let first = times(7).await;
    assert_eq!(times(7).await, first);
    assert_ne!(times(8).await, first);
}
