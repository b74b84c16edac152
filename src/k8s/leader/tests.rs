use std::convert::Infallible;

use http::{Method, Request, Response};
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;

/// How the apiserver behaves.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Fails,
    Hangs,
}

struct Stored {
    mood: Mood,
    lease: Option<Value>,
    version: u64,
    /// Methods of the calls that were answered.
    calls: Vec<Method>,
}

/// An apiserver that keeps one lease and insists on `resourceVersion`.
#[derive(Clone)]
struct Apiserver(Arc<Mutex<Stored>>);

impl Apiserver {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Stored { mood: Mood::Well, lease: None, version: 0, calls: Vec::new() })))
    }

    /// A client whose calls fail or hang by the server's mood; `reachable` cuts off this one alone.
    fn client(&self, reachable: &Arc<Mutex<bool>>) -> Client {
        let (server, reachable) = (self.clone(), reachable.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (server, reachable) = (server.clone(), reachable.clone());
            async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let mood = server.0.lock().mood;
                if mood == Mood::Hangs || !*reachable.lock() {
                    std::future::pending::<()>().await;
                }
                let method = request.method().clone();
                let bytes = request.into_body().collect_bytes().await.unwrap();
                let (code, body) = match mood {
                    Mood::Fails => (500, status(500, "InternalError")),
                    _ => server.0.lock().answer(&method, &bytes),
                };
                let body = Body::from(body.to_string().into_bytes());
                Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
            }
        });
        Client::new(service, "default")
    }

    fn mood(&self, mood: Mood) {
        self.0.lock().mood = mood;
    }

    fn spec(&self) -> Value {
        self.0.lock().lease.as_ref().unwrap()["spec"].clone()
    }

    fn candidate(&self, pod: &str) -> Process {
        let reachable = Arc::new(Mutex::new(true));
        let client = self.client(&reachable);
        let lease = LeaseMetadata {
            namespace: "ns".into(),
            name: "lease".into(),
            labels: BTreeMap::from([("team".into(), "connector".into())]),
        };
        let (leadership, election) = Election::start(
            client,
            lease,
            pod,
            Metrics::default(),
            Health::default(),
            &crate::process::Process::system(),
        );
        Process { leadership, election, reachable }
    }
}

impl Stored {
    fn answer(&mut self, method: &Method, body: &[u8]) -> (u16, Value) {
        self.calls.push(method.clone());
        match (method, &self.lease) {
            (&Method::GET, Some(lease)) => (200, lease.clone()),
            (&Method::GET | &Method::PUT, None) => (404, status(404, "NotFound")),
            (&Method::POST, Some(_)) => (409, status(409, "AlreadyExists")),
            (_, lease) => {
                let mut sent: Value = serde_json::from_slice(body).unwrap();
                if let Some(lease) = lease
                    && lease["metadata"]["resourceVersion"] != sent["metadata"]["resourceVersion"]
                {
                    return (409, status(409, "Conflict"));
                }
                self.version += 1;
                sent["metadata"]["resourceVersion"] = json!(self.version.to_string());
                self.lease = Some(sent.clone());
                (200, sent)
            }
        }
    }
}

fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason})
}

struct Process {
    leadership: Leadership,
    election: Election,
    reachable: Arc<Mutex<bool>>,
}

impl Process {
    fn leads(&self) -> bool {
        self.leadership.is_leader()
    }

    fn cut_off(&self) {
        *self.reachable.lock() = false;
    }

    async fn has_lost(&self) -> bool {
        timeout(Duration::from_millis(1), self.leadership.lost()).await.is_ok()
    }
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_candidates_one_leads() {
    let server = Apiserver::new();
    let (a, b) = (server.candidate("a"), server.candidate("b"));
    seconds(5).await;
    assert!(a.leads() ^ b.leads());
    let first = a.leads();
    for _ in 0..60 {
        seconds(1).await;
        assert_eq!((a.leads(), b.leads()), (first, !first));
    }
    assert!(!a.has_lost().await && !b.has_lost().await);
    let spec = server.spec();
    assert_eq!((&spec["leaseDurationSeconds"], &spec["leaseTransitions"]), (&json!(15), &json!(0)));
    assert!(spec["holderIdentity"].as_str().unwrap().starts_with(if first { "a_" } else { "b_" }));
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_after_the_leader_has_stopped_to_act() {
    let server = Apiserver::new();
    let a = server.candidate("a");
    a.leadership.acquired().await;
    let b = server.candidate("b");
    seconds(5).await;
    a.cut_off();
    let cut = Instant::now();
    while a.leads() {
        assert!(!b.leads());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(cut.elapsed() > Duration::from_secs(7) && cut.elapsed() <= Duration::from_millis(10_200));
    assert!(a.has_lost().await);
    let stopped = Instant::now();
    b.leadership.acquired().await;
    assert!(stopped.elapsed() >= Duration::from_secs(4), "{:?}", stopped.elapsed());
    assert!(b.leads() && !a.leads());
    assert_eq!(server.spec()["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn an_apiserver_that_fails_or_hangs_ends_leadership_in_time() {
    for mood in [Mood::Fails, Mood::Hangs] {
        let server = Apiserver::new();
        let a = server.candidate("a");
        a.leadership.acquired().await;
        server.mood(mood);
        let cut = Instant::now();
        a.leadership.lost().await;
        assert!(cut.elapsed() <= RENEW_DEADLINE && !a.leads());
        server.mood(Mood::Well);
        seconds(60).await;
        assert!(!a.leads(), "a process that has lost does not lead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_survived() {
    let server = Apiserver::new();
    let a = server.candidate("a");
    a.leadership.acquired().await;
    seconds(3).await;
    for mood in [Mood::Fails, Mood::Hangs] {
        server.mood(mood);
        seconds(6).await;
        server.mood(Mood::Well);
        seconds(10).await;
        assert!(a.leads());
    }
    assert_eq!(server.spec()["leaseTransitions"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_paused_process_that_wakes_up_late_is_no_leader() {
    let server = Apiserver::new();
    let a = server.candidate("a");
    a.leadership.acquired().await;
    // Time passes and no task of ours runs.
    tokio::time::advance(Duration::from_secs(11)).await;
    assert!(!a.leads());
    a.leadership.lost().await;
}

#[tokio::test(start_paused = true)]
async fn another_name_in_the_lease_ends_leadership_at_once() {
    let server = Apiserver::new();
    let a = server.candidate("a");
    a.leadership.acquired().await;
    {
        let mut stored = server.0.lock();
        let lease = stored.lease.as_mut().unwrap();
        lease["spec"]["holderIdentity"] = json!("thief");
        lease["metadata"]["resourceVersion"] = json!("77");
    }
    seconds(3).await;
    assert!(!a.leads() && a.has_lost().await);
}

#[tokio::test(start_paused = true)]
async fn a_release_hands_over_at_once() {
    let server = Apiserver::new();
    let a = server.candidate("a");
    a.leadership.acquired().await;
    let b = server.candidate("b");
    seconds(4).await;
    let Process { leadership, election, .. } = a;
    election.release().await;
    assert!(!leadership.is_leader());
    let spec = server.spec();
    assert_eq!((&spec["holderIdentity"], &spec["leaseDurationSeconds"]), (&json!(""), &json!(1)));
    let released = Instant::now();
    b.leadership.acquired().await;
    assert!(released.elapsed() < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_release_is_bounded_and_a_standby_has_nothing_to_release() {
    let server = Apiserver::new();
    let a = server.candidate("a");
    a.leadership.acquired().await;
    let b = server.candidate("b");
    seconds(3).await;
    b.election.release().await;
    assert!(a.leads());
    server.mood(Mood::Hangs);
    let started = Instant::now();
    a.election.release().await;
    assert!(started.elapsed() <= RELEASE_WITHIN && !a.leadership.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_left_to_its_holder() {
    let server = Apiserver::new();
    let a = server.candidate("a");
    a.leadership.acquired().await;
    let b = server.candidate("b");
    seconds(4).await;
    server.0.lock().lease = None;
    seconds(10).await;
    assert!(a.leads() && !b.leads());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_is_one_call() {
    let server = Apiserver::new();
    let a = server.candidate("a");
    a.leadership.acquired().await;
    seconds(21).await;
    let calls = server.0.lock().calls.clone();
    assert_eq!(calls[..2], [Method::GET, Method::POST]);
    assert!(calls[2..].iter().all(|method| method == Method::PUT) && calls.len() <= 13, "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn without_election_a_process_leads_for_good() {
    let leadership = Leadership::without_election();
    leadership.acquired().await;
    seconds(1000).await;
    assert!(leadership.is_leader());
    assert!(timeout(Duration::from_secs(1000), leadership.lost()).await.is_err());
}
