//! What happens between two moments: requests to the apiserver, calls of the portal, processor time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use portal_simulator::{Call, Endpoint};
use testbed::{RequestCounts, RequestLabels};

use crate::figures::{Figures, float};
use crate::place::Place;
use crate::usage::{machine_time, processor_time, processors};

/// The kinds that are written for users and portals.
const OURS: [&str; 4] = ["technicalusers", "secrets", "portals", "vaults"];

/// The kinds that the operator reads and writes. The apiserver counts the requests of all clients by kind. Beside the operator
/// and the benchmark ([`of_the_benchmark`]) only Kubernetes' garbage collector uses these kinds: it reads Secrets and their owners.
const KINDS: [&str; 6] = ["technicalusers", "secrets", "portals", "vaults", "events", "resourcequotas"];

/// What is added to the reads that the garbage collector sends, too.
const COLLECTOR: &str = " (also by the garbage collector)";

/// A moment from which on is measured.
pub struct Meter {
    began: Instant,
    machine: Duration,
    processes: BTreeMap<&'static str, Duration>,
    requests: RequestCounts,
    of_the_operator: u64,
    calls: usize,
}

/// What happened since then.
pub struct Reading {
    /// The time that passed.
    pub elapsed: Duration,
    /// The time for which processors were busy for others than these processes.
    pub others: Duration,
    /// The processor time of each process.
    pub processes: BTreeMap<&'static str, Duration>,
    /// The requests that the apiserver answered, of the kinds that the operator uses.
    pub requests: RequestCounts,
    /// All requests of the operator.
    pub of_the_operator: u64,
    /// The calls that the portal received.
    pub calls: Vec<Call>,
}

impl Meter {
    /// Measures from now on.
    pub async fn start(place: &Place) -> Self {
        Self {
            requests: settled(place).await,
            of_the_operator: place.plane.requests_of_service_accounts().await.unwrap(),
            calls: place.simulator.view(|view| view.calls().len()),
            began: Instant::now(),
            machine: machine_time(),
            processes: processes(place),
        }
    }

    /// What happened up to now. An operator that was started meanwhile counts from its start.
    pub async fn read(&self, place: &Place) -> Reading {
        let elapsed = self.began.elapsed();
        let machine = machine_time().saturating_sub(self.machine);
        let before = |name| self.processes.get(name).copied().unwrap_or_default();
        let used = |(name, now): (&'static str, Duration)| (name, now.saturating_sub(before(name)));
        let processes: BTreeMap<_, _> = processes(place).into_iter().map(used).collect();
        let calls = place.simulator.view(|view| view.calls().iter().skip(self.calls).cloned().collect());
        let of_the_operator =
            place.plane.requests_of_service_accounts().await.unwrap() - self.of_the_operator;
        let requests = settled(place).await.since(&self.requests).filter(|labels| !of_the_benchmark(labels));
        Reading {
            elapsed,
            others: machine.saturating_sub(processes.values().sum()),
            processes,
            requests,
            of_the_operator,
            calls,
        }
    }
}

/// The requests of the operator's kinds. The apiserver counts a request shortly after its answer, so this waits until nothing
/// more is counted.
async fn settled(place: &Place) -> RequestCounts {
    let mut last = RequestCounts::default();
    testbed::eventually("the apiserver counted the requests", async || {
        let counts = place.plane.request_counts().await.unwrap();
        let counts = counts.filter(|labels| KINDS.contains(&labels.resource.as_str()));
        let same = counts == last;
        last = counts;
        same.then(|| last.clone())
    })
    .await
    .unwrap()
}

/// The processor time of each process so far. The portal is a part of the benchmark's own process.
fn processes(place: &Place) -> BTreeMap<&'static str, Duration> {
    let mut found: BTreeMap<_, _> = place
        .plane
        .pids()
        .into_iter()
        .map(|(name, pid)| (name, processor_time(u32::try_from(pid).unwrap())))
        .collect();
    found.insert("benchmark with portal", processor_time(std::process::id()));
    if let Some(operator) = place.running() {
        found.insert("operator", processor_time(operator));
    }
    found
}

/// The requests of the benchmark itself: it creates, deletes and watches resources.
fn of_the_benchmark(labels: &RequestLabels) -> bool {
    labels.resource == "technicalusers" && ["POST", "DELETE", "WATCH"].contains(&labels.verb.as_str())
}

impl Reading {
    /// Writes of the kinds that are written for users and portals. Events are none, and dry runs change nothing.
    pub fn writes(&self) -> u64 {
        let ours = |labels: &RequestLabels| OURS.contains(&labels.resource.as_str());
        self.requests.filter(|labels| ours(labels) && labels.is_write() && !labels.is_dry_run()).total()
    }

    /// How often an endpoint of the portal was called.
    pub fn called(&self, endpoint: Endpoint) -> usize {
        self.calls.iter().filter(|call| call.endpoint == endpoint).count()
    }

    /// The most calls that were in progress at the same time, at the endpoints that are so.
    fn most_in_flight(&self, is_so: impl Fn(Endpoint) -> bool) -> usize {
        let calls = || self.calls.iter().filter(|call| is_so(call.endpoint));
        let begins = calls().map(|call| (call.arrived, 1));
        let ends = calls().filter_map(|call| Some((call.answered?, -1)));
        let mut changes: Vec<(Instant, i64)> = begins.chain(ends).collect();
        changes.sort();
        let (mut now, mut most) = (0, 0);
        for (_, change) in changes {
            now += change;
            most = most.max(now);
        }
        usize::try_from(most).unwrap_or_default()
    }

    /// Adds the number of all requests of the operator to the apiserver, divided by `parts`.
    pub fn add_requests_of_the_operator(&self, figures: &mut Figures, per: &str, parts: f64) {
        figures.add(format!("apiserver requests per {per}"), "requests", count(self.of_the_operator) / parts);
    }

    /// Adds the requests to the apiserver, divided by `parts`.
    pub fn add_requests(&self, figures: &mut Figures, per: &str, parts: f64) {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (labels, count) in self.requests.iter() {
            let conflict = if labels.code == "409" { " (conflict)" } else { "" };
            *counts.entry(format!("{}{conflict}", request(labels))).or_default() += count;
        }
        self.add_requests_of_the_operator(figures, per, parts);
        figures.add(format!("apiserver writes per {per}"), "requests", count(self.writes()) / parts);
        for (request, requests) in counts {
            figures.add(format!("apiserver: {request}"), &format!("per {per}"), count(requests) / parts);
        }
    }

    /// Adds the calls of the portal, divided by `parts`.
    pub fn add_calls(&self, figures: &mut Figures, per: &str, parts: f64) {
        let mut counts: BTreeMap<Endpoint, usize> = BTreeMap::new();
        for call in &self.calls {
            *counts.entry(call.endpoint).or_default() += 1;
        }
        figures.add(format!("portal calls per {per}"), "calls", float(self.calls.len()) / parts);
        for (endpoint, calls) in counts {
            figures.add(format!("portal: {endpoint:?}"), &format!("per {per}"), float(calls) / parts);
        }
    }

    /// Adds the processor time, divided by `parts`.
    pub fn add_processors(&self, figures: &mut Figures, per: &str, parts: f64) {
        for (process, time) in &self.processes {
            let milliseconds = time.as_secs_f64() * 1000.0 / parts;
            figures.add(format!("processor time: {process}"), &format!("ms per {per}"), milliseconds);
        }
        let machine = self.elapsed.as_secs_f64() * processors();
        let share = self.others.as_secs_f64() / machine * 100.0;
        figures.add("processors busy for other programs", "%", share);
    }

    /// Adds all of these.
    pub fn add_to(&self, figures: &mut Figures, per: &str, parts: f64) {
        self.add_requests(figures, per, parts);
        self.add_calls(figures, per, parts);
        let of_the_portal = self.most_in_flight(|endpoint| !endpoint.gives_tokens());
        figures.count("portal calls in flight, most", "calls", of_the_portal);
        figures.count("token requests in flight, most", "calls", self.most_in_flight(Endpoint::gives_tokens));
        self.add_processors(figures, per, parts);
    }
}

/// A request in words, such as `PATCH technicalusers/status`.
fn request(labels: &RequestLabels) -> String {
    let subresource =
        if labels.subresource.is_empty() { String::new() } else { format!("/{}", labels.subresource) };
    let dry_run = if labels.is_dry_run() { " (dry run)" } else { "" };
    let collected = labels.verb == "GET" && ["technicalusers", "secrets"].contains(&labels.resource.as_str());
    let collector = if collected { COLLECTOR } else { "" };
    format!("{} {}{subresource}{dry_run}{collector}", labels.verb, labels.resource)
}

#[allow(clippy::cast_precision_loss, reason = "no count here is that large")]
fn count(requests: u64) -> f64 {
    requests as f64
}
