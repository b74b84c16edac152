//! What one server does has no effect on the requests to another one.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::future::join_all;
use tokio::time::{sleep, timeout};

use super::*;
use crate::metrics::Metrics;
use crate::observer::MetricsObserver;
use crate::portal::observe::{CallObserver, CallOutcome, Operation};
use crate::portal::{PlainHttp, Transports};
use crate::transport::{Cause, Fault, Transport};

const PORTAL: &str = "portal.example.org";
const PROVIDER: &str = "idp.example.org";
const WALLET: &str = "wallet.example.org";

const TOKEN_URL: &str = "https://idp.example.org/token";

/// How long an answer takes.
const SOON: Duration = Duration::from_millis(100);

/// What a server answers after [`SOON`]; `None` is silence.
type Servers = dyn Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync;

/// A network whose servers take time. It knows when each got its requests, and how many it had at once.
#[derive(Clone)]
struct Hosts {
    answer: Arc<Servers>,
    traffic: Arc<Mutex<BTreeMap<String, Traffic>>>,
}

#[derive(Debug, Clone, Default)]
struct Traffic {
    requests: usize,
    now: usize,
    most: usize,
}

impl Hosts {
    /// Each server answers like this; as one that works does, where that is `Err`.
    fn new(answer: impl Fn(&str) -> Result<Option<HttpResponse>, ()> + Send + Sync + 'static) -> Self {
        let answer = move |request: &HttpRequest| {
            let works = if request.url.path() == "/token" { TOKEN } else { "[]" };
            answer(request.url.host_str().unwrap()).unwrap_or_else(|()| Some(response(200, &[], works)))
        };
        Self { answer: Arc::new(answer), traffic: Arc::default() }
    }

    fn of(&self, host: &str) -> Traffic {
        self.traffic.lock().get(host).cloned().unwrap_or_default()
    }

    fn requests(&self) -> [usize; 3] {
        [PORTAL, PROVIDER, WALLET].map(|host| self.of(host).requests)
    }

    fn portal(&self, limits: Limits) -> (CatenaXPortal, Arc<Heard>) {
        self.portal_with(limits, TOKEN_URL)
    }

    fn portal_with(&self, limits: Limits, token_url: &str) -> (CatenaXPortal, Arc<Heard>) {
        let heard = Arc::new(Heard::default());
        let process = Process { random: Random::seeded(1), ..Process::system() };
        let portal = CatenaXPortal::new(
            config(limits, token_url),
            self,
            Arc::clone(&heard) as Arc<dyn CallObserver>,
            process,
        );
        (portal.unwrap(), heard)
    }
}

#[async_trait]
impl Transport for Hosts {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let host = request.url.host_str().unwrap().to_owned();
        {
            let mut traffic = self.traffic.lock();
            let traffic = traffic.entry(host.clone()).or_default();
            traffic.requests += 1;
            traffic.now += 1;
            traffic.most = traffic.most.max(traffic.now);
        }
        let answer = async {
            sleep(SOON).await;
            match (self.answer)(&request) {
                Some(response) => response,
                None => std::future::pending().await,
            }
        };
        let answer = timeout(request.timeout, answer).await;
        self.traffic.lock().get_mut(&host).unwrap().now -= 1;
        answer.map_err(|_| Fault {
            cause: Cause::Unreachable { endpoint: host, reason: "no answer in time".to_owned() },
            sent: true,
            brief: false,
        })
    }
}

impl Transports for Hosts {
    fn plain_http(&self) -> PlainHttp {
        PlainHttp::Refused
    }

    fn open(&self, _: Option<&str>, _: PlainHttp) -> Result<Arc<dyn Transport>, String> {
        Ok(Arc::new(self.clone()))
    }
}

/// The breakers that are open, by the server: each is counted up and down.
#[derive(Default)]
struct Heard {
    open: Mutex<BTreeMap<String, i32>>,
    calls: Mutex<BTreeMap<String, usize>>,
}

impl Heard {
    fn open(&self) -> Vec<String> {
        self.open.lock().iter().filter(|(_, count)| **count != 0).map(|(server, _)| server.clone()).collect()
    }

    fn calls(&self, server: ServerKind) -> usize {
        self.calls.lock().get(&server.to_string()).copied().unwrap_or_default()
    }
}

impl CallObserver for Heard {
    fn observed(&self, server: ServerKind, _: Operation, _: CallOutcome, _: Duration) {
        *self.calls.lock().entry(server.to_string()).or_default() += 1;
    }

    fn breaker(&self, server: ServerKind, open: bool) {
        *self.open.lock().entry(server.to_string()).or_default() += if open { 1 } else { -1 };
    }
}

fn config(limits: Limits, token_url: &str) -> CatenaXConfig {
    CatenaXConfig {
        api_url: format!("https://{PORTAL}"),
        token_url: token_url.into(),
        login: Credentials::ClientCredentials { client_id: "sa1".into(), client_secret: "s".into() },
        delete_login: None,
        ca_bundle: None,
        insecure_http: false,
        limits,
        external_token_url: None,
    }
}

fn credential_at(host: &str) -> Credential {
    Credential::with_secret("sa2".into(), "secret".to_owned().into(), format!("https://{host}/token"))
}

async fn verify(portal: &CatenaXPortal, host: &str) -> Verification {
    portal.verify(&credential_at(host), Lane::Interactive).await
}

async fn is_accepted(portal: &CatenaXPortal, host: &str) -> bool {
    matches!(verify(portal, host).await, Verification::Accepted { .. })
}

async fn reads(portal: &CatenaXPortal) -> Result<(), PortalError> {
    portal.roles(Lane::Interactive).await.map(drop)
}

/// Sends so many credentials to a host at the same time.
async fn verify_all(portal: &CatenaXPortal, host: &str, count: usize) {
    join_all((0..count).map(|_| verify(portal, host))).await;
}

fn only(host: &'static str, answer: fn() -> Option<HttpResponse>) -> Hosts {
    Hosts::new(move |asked| if asked == host { Ok(answer()) } else { Err(()) })
}

fn concurrency(concurrency: u32) -> Limits {
    Limits { concurrency, ..Limits::default() }
}

#[tokio::test(start_paused = true)]
async fn a_wallet_that_is_silent_delays_no_call_of_the_portal() {
    let network = only(WALLET, || None);
    let (portal, heard) = network.portal(Limits::default());
    let portal = Arc::new(portal);
    let stuck = tokio::spawn({
        let portal = Arc::clone(&portal);
        async move { verify_all(&portal, WALLET, 20).await }
    });
    sleep(SOON).await;
    while !stuck.is_finished() {
        let began = Instant::now();
        reads(&portal).await.unwrap();
        assert!(is_accepted(&portal, PROVIDER).await);
        assert!(began.elapsed() <= 3 * SOON, "a token, a call and another token: {:?}", began.elapsed());
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(network.of(WALLET).requests, 8, "four at once, until five have failed");
    assert_eq!(heard.open(), ["the wallet"]);
    reads(&portal).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_portal_that_fails_stops_no_verification() {
    let network = only(PORTAL, || Some(response(502, &[], "")));
    let (portal, heard) = network.portal(Limits::default());
    while !matches!(reads(&portal).await, Err(PortalError::CircuitOpen { server: ServerKind::Portal, .. })) {}
    let asked = network.of(PORTAL).requests;
    for _ in 0..10 {
        assert!(is_accepted(&portal, PROVIDER).await && is_accepted(&portal, WALLET).await);
    }
    assert_eq!((network.of(PORTAL).requests, heard.open()), (asked, vec!["the portal".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn an_identity_provider_that_fails_is_named_and_stops_no_wallet() {
    let network = only(PROVIDER, || Some(response(500, &[], r#"{"error":"unknown_error"}"#)));
    let (portal, heard) = network.portal(Limits::default());
    let server = ServerKind::IdentityProvider;
    assert_eq!(reads(&portal).await, Err(PortalError::Server { server, status: 500 }));
    let expected = Verification::Unreachable {
        endpoint: "idp.example.org:443".into(),
        reason: "it answered 500".into(),
    };
    for sent in [2, 3, 4, 5, 5, 5] {
        assert_eq!(verify(&portal, PROVIDER).await, expected, "the cause, also while nothing is sent");
        assert_eq!(network.of(PROVIDER).requests, sent);
    }
    assert_eq!(heard.open(), ["the identity provider"], "the login and the credentials count together");
    sleep(Duration::from_secs(2)).await;
    let error = reads(&portal).await.unwrap_err();
    assert!(error.to_string().starts_with("the identity provider failed repeatedly"), "{error}");
    assert!(is_accepted(&portal, WALLET).await);
    assert_eq!(network.requests(), [0, 5, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_shows_that_the_server_works() {
    let network = only(WALLET, || Some(response(401, &[], r#"{"error":"invalid_client"}"#)));
    let (portal, heard) = network.portal(Limits::default());
    for _ in 0..20 {
        assert_eq!(verify(&portal, WALLET).await, Verification::Refused { unknown_client: true });
    }
    assert_eq!((network.of(WALLET).requests, heard.open()), (20, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_the_identity_provider_is_for_its_requests_alone() {
    let began = Instant::now();
    let network = Hosts::new(move |host| match host {
        PROVIDER if (1..30).contains(&began.elapsed().as_secs()) => {
            Ok(Some(response(429, &[(RETRY_AFTER, "60")], "")))
        }
        _ => Err(()),
    });
    let (portal, _) = network.portal(Limits::default());
    reads(&portal).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(!is_accepted(&portal, PROVIDER).await);
    for _ in 0..20 {
        let Verification::Unreachable { reason, .. } = verify(&portal, PROVIDER).await else { panic!() };
        assert!(reason.contains("it requests a pause"), "{reason}");
        reads(&portal).await.unwrap();
        assert!(is_accepted(&portal, WALLET).await);
    }
    assert_eq!(network.requests(), [21, 2, 20], "the login and one credential");
    sleep(Duration::from_mins(1)).await;
    assert!(is_accepted(&portal, PROVIDER).await);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_the_portal_holds_no_verification_back() {
    let network = only(PORTAL, || Some(response(429, &[(RETRY_AFTER, "60")], "")));
    let (portal, _) = network.portal(Limits::default());
    for _ in 0..3 {
        let error = reads(&portal).await.unwrap_err();
        assert!(matches!(error, PortalError::Throttled { server: ServerKind::Portal, .. }), "{error}");
        assert!(is_accepted(&portal, PROVIDER).await && is_accepted(&portal, WALLET).await);
    }
    assert_eq!(network.requests(), [1, 4, 3]);
}

#[tokio::test(start_paused = true)]
async fn one_probe_per_interval_goes_to_the_server_that_failed() {
    let network = only(WALLET, || Some(response(502, &[], "")));
    let (portal, _) = network.portal(Limits::default());
    for _ in 0..5 {
        verify(&portal, WALLET).await;
    }
    let mut expected = network.requests();
    for interval in [5, 10, 20, 40, 60, 60] {
        sleep(Duration::from_millis(interval * 1000 - 100)).await;
        verify_all(&portal, WALLET, 10).await;
        assert_eq!(network.requests(), expected, "{interval}");
        sleep(Duration::from_millis(interval * 100 + 200)).await;
        verify_all(&portal, WALLET, 10).await;
        expected[2] += 1;
        assert_eq!(network.requests(), expected, "{interval}");
    }
}

/// Without a token the portal is not called, so its breaker learns nothing, and the next call is the probe.
#[tokio::test(start_paused = true)]
async fn a_login_that_fails_settles_no_probe_of_the_portal() {
    let works = Arc::new(Mutex::new((true, false)));
    let network = {
        let works = Arc::clone(&works);
        Hosts::new(move |host| {
            let (provider, portal) = *works.lock();
            let down = Ok(Some(response(502, &[], "")));
            if host == PROVIDER && !provider || host == PORTAL && !portal { down } else { Err(()) }
        })
    };
    let (portal, heard) = network.portal(Limits::default());
    while !matches!(reads(&portal).await, Err(PortalError::CircuitOpen { .. })) {}
    portal.forget_token().await;
    let asked = network.of(PORTAL).requests;
    *works.lock() = (false, true);
    sleep(Duration::from_secs(6)).await;
    let server = ServerKind::IdentityProvider;
    assert_eq!(reads(&portal).await, Err(PortalError::Server { server, status: 502 }));
    assert_eq!((network.of(PORTAL).requests, heard.open()), (asked, vec!["the portal".to_owned()]));
    *works.lock() = (true, true);
    sleep(Duration::from_secs(2)).await;
    reads(&portal).await.unwrap();
    assert!(heard.open().is_empty());
}

#[tokio::test(start_paused = true)]
async fn fewer_requests_go_at_once_only_to_the_server_that_refuses() {
    let refused = Arc::new(Mutex::new(3));
    let network = {
        let refused = Arc::clone(&refused);
        Hosts::new(move |host| {
            let mut left = refused.lock();
            if host != WALLET || *left == 0 {
                return Err(());
            }
            *left -= 1;
            Ok(Some(response(429, &[(RETRY_AFTER, "1")], "")))
        })
    };
    let (portal, _) = network.portal(concurrency(4));
    for _ in 0..3 {
        verify(&portal, WALLET).await;
    }
    sleep(Duration::from_secs(2)).await;
    network.traffic.lock().clear();
    let reading = join_all((0..12).map(|_| reads(&portal)));
    tokio::join!(reading, verify_all(&portal, PROVIDER, 12), verify_all(&portal, WALLET, 12));
    assert_eq!([PORTAL, PROVIDER, WALLET].map(|host| network.of(host).most), [4, 4, 1]);
}

#[tokio::test(start_paused = true)]
async fn no_server_has_more_requests_at_once_than_the_limit() {
    for limit in [1, 3] {
        let network = Hosts::new(|_| Err(()));
        let (portal, heard) = network.portal(concurrency(limit));
        let reading = join_all((0..30).map(|_| reads(&portal)));
        tokio::join!(reading, verify_all(&portal, PROVIDER, 30), verify_all(&portal, WALLET, 30));
        for (host, server) in [
            (PORTAL, ServerKind::Portal),
            (PROVIDER, ServerKind::IdentityProvider),
            (WALLET, ServerKind::Wallet),
        ] {
            let traffic = network.of(host);
            assert_eq!(traffic.most, limit as usize, "{host}");
            assert_eq!(heard.calls(server), traffic.requests, "each request to {host} is reported once");
        }
    }
}

/// The rate holds for each server: none gets more than the operator of the portal asked for.
#[tokio::test(start_paused = true)]
async fn the_rate_holds_for_each_server() {
    let network = Hosts::new(|_| Err(()));
    let (portal, _) = network.portal(Limits { requests_per_second: Some(10), burst: 1, concurrency: 64 });
    reads(&portal).await.unwrap();
    let began = Instant::now();
    let reading = async {
        join_all((0..50).map(|_| reads(&portal))).await;
        began.elapsed()
    };
    let verifying = async |host: &str| {
        verify_all(&portal, host, 50).await;
        began.elapsed()
    };
    let (portal, provider, wallet) = tokio::join!(reading, verifying(PROVIDER), verifying(WALLET));
    for took in [portal, provider, wallet] {
        assert!((Duration::from_millis(4900)..Duration::from_millis(5500)).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_of_the_portals_own_origin_are_apart_from_its_calls() {
    let answer = |request: &HttpRequest| {
        Some(if request.url.path() == "/token" { response(200, &[], TOKEN) } else { response(502, &[], "") })
    };
    let network = Hosts { answer: Arc::new(answer), traffic: Arc::default() };
    let (portal, heard) = network.portal_with(Limits::default(), &format!("https://{PORTAL}/token"));
    while !matches!(reads(&portal).await, Err(PortalError::CircuitOpen { server: ServerKind::Portal, .. })) {}
    assert!(is_accepted(&portal, PORTAL).await);
    assert_eq!(heard.open(), ["the portal"]);
    assert_eq!((heard.calls(ServerKind::IdentityProvider), heard.calls(ServerKind::Wallet)), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_counted_of_a_portal_goes_with_it() {
    let network = Hosts::new(|host| match host {
        PROVIDER => Err(()),
        _ => Ok(Some(response(502, &[], ""))),
    });
    let (portal, heard) = network.portal(Limits::default());
    for _ in 0..5 {
        let _ = reads(&portal).await;
        verify(&portal, WALLET).await;
    }
    assert_eq!(heard.open(), ["the portal", "the wallet"]);
    let portal: Arc<dyn Portal> = Arc::new(portal);
    let bound = Arc::clone(&portal).bound_to(&[]);
    drop(portal);
    assert_eq!(heard.open(), ["the portal", "the wallet"], "another client of the same servers is there");
    drop(bound);
    assert!(heard.open().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_in_the_metrics_until_its_portal_is_gone() {
    let metrics = Metrics::default();
    let check = |line: &str| {
        let text = metrics.encode();
        assert!(text.lines().any(|found| found == line), "{line} in:\n{text}");
    };
    let network = only(WALLET, || Some(response(502, &[], "")));
    let portals = [(); 2].map(|()| {
        let observer = Arc::new(MetricsObserver(metrics.clone()));
        let config = config(Limits::default(), TOKEN_URL);
        CatenaXPortal::new(config, &network, observer, Process::system()).unwrap()
    });
    for portal in &portals {
        for _ in 0..5 {
            verify(portal, WALLET).await;
        }
    }
    check("tuo_portal_calls_total{server=\"wallet\",operation=\"verify\",outcome=\"failed\"} 10");
    let [first, second] = portals;
    check("tuo_portal_circuit_open{server=\"wallet\"} 2");
    drop(first);
    check("tuo_portal_circuit_open{server=\"wallet\"} 1");
    drop(second);
    for server in ["portal", "identity_provider", "wallet"] {
        check(&format!("tuo_portal_circuit_open{{server=\"{server}\"}} 0"));
    }
}
