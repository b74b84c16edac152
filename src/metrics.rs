//! The metrics of the operator, in one explicit registry.

mod ages;
mod classic;
mod labels;
mod search;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

pub use ages::PortalAges;
use labels::{
    CallLabels, KindLabel, OperationLabels, PortalLabels, ReconcileLabels, ServerLabel, StateLabel,
    SweepLabel, VerifiedLabel,
};
pub use labels::{Kind, Operation, Outcome, Reconciled, Server, Sweep, UserState, Verified};
pub use search::SearchProgress;

/// Upper bounds in seconds: from an answer from the cache to the portal's slowest calls.
const SECONDS: [f64; 11] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

/// All metrics. Cheap to clone; clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ReconcileLabels, Counter>,
    reconcile_duration: Histograms<KindLabel>,
    objects_in_backoff: Family<KindLabel, Gauge>,
    portal_calls: Family<CallLabels, Counter>,
    portal_call_duration: Histograms<OperationLabels>,
    portal_circuit_open: Family<ServerLabel, Gauge>,
    portal_sweeps: Family<SweepLabel, Counter>,
    portal_last_sweep: Family<PortalLabels, Gauge<f64, AtomicU64>>,
    ages: ages::Ages,
    technical_users: Family<StateLabel, Gauge>,
    credentials_verified: Family<VerifiedLabel, Counter>,
    events_dropped: Counter,
    searches: Gauge,
    searches_waiting: Gauge,
    search_pages_read: Gauge,
    search_pages: Gauge,
    statuses_not_written: Counter,
    leader: Gauge,
    namespaces_unwatched: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut new = Self {
            registry: Arc::default(),
            reconciles: Family::default(),
            reconcile_duration: Family::new_with_constructor(histogram),
            objects_in_backoff: Family::default(),
            portal_calls: Family::default(),
            portal_call_duration: Family::new_with_constructor(histogram),
            portal_circuit_open: Family::default(),
            portal_sweeps: Family::default(),
            portal_last_sweep: Family::default(),
            ages: ages::Ages::default(),
            technical_users: Family::default(),
            credentials_verified: Family::default(),
            events_dropped: Counter::default(),
            searches: Gauge::default(),
            searches_waiting: Gauge::default(),
            search_pages_read: Gauge::default(),
            search_pages: Gauge::default(),
            statuses_not_written: Counter::default(),
            leader: Gauge::default(),
            namespaces_unwatched: Gauge::default(),
        };
        new.start_at_zero();
        new.registry = Arc::new(new.register());
        new
    }
}

impl Metrics {
    /// One reconcile of `kind` ended after `took`.
    pub fn reconciled(&self, kind: Kind, outcome: Reconciled, took: Duration) {
        self.reconciles.get_or_create(&ReconcileLabels { kind, outcome }).inc();
        self.reconcile_duration.get_or_create(&KindLabel { kind }).observe(took.as_secs_f64());
    }

    /// The number of objects of a kind that wait after an error before they are tried again.
    pub fn objects_in_backoff(&self, kind: Kind, count: usize) {
        self.objects_in_backoff.get_or_create(&KindLabel { kind }).set(gauge(count));
    }

    /// One call to a portal, an identity provider or a wallet ended after `took`, waiting for the limiter not included.
    pub fn portal_called(&self, server: Server, operation: Operation, outcome: Outcome, took: Duration) {
        self.portal_calls.get_or_create(&CallLabels { server, operation, outcome }).inc();
        let labels = OperationLabels { server, operation };
        self.portal_call_duration.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A server's circuit breaker opened (`true`), or closed or is gone (`false`); reported only when it changes.
    pub fn portal_circuit(&self, server: Server, open: bool) {
        let gauge = self.portal_circuit_open.get_or_create(&ServerLabel { server });
        if open {
            gauge.inc();
        } else {
            gauge.dec();
        }
    }

    /// A sweep of a portal's user list ended.
    pub fn portal_swept(&self, namespace: &str, portal: &str, outcome: Sweep, now: Timestamp) {
        self.portal_sweeps.get_or_create(&SweepLabel { outcome }).inc();
        if outcome == Sweep::Ok {
            let labels = PortalLabels { portal_namespace: namespace.into(), portal: portal.into() };
            self.portal_last_sweep.get_or_create(&labels).set(now.as_duration().as_secs_f64());
        }
    }

    /// A Portal was deleted: removes its series.
    pub fn portal_gone(&self, namespace: &str, portal: &str) {
        let labels = PortalLabels { portal_namespace: namespace.into(), portal: portal.into() };
        self.portal_last_sweep.remove(&labels);
    }

    /// The ages of all Portals, by namespace and name. A Portal that is not among them has no series.
    pub fn portal_ages(&self, all: impl IntoIterator<Item = ((String, String), PortalAges)>) {
        let labels = |(portal_namespace, portal)| PortalLabels { portal_namespace, portal };
        self.ages.set(all.into_iter().map(|(portal, ages)| (labels(portal), ages)).collect());
    }

    /// The number of `TechnicalUser`s in `state`.
    pub fn technical_users(&self, state: UserState, count: usize) {
        self.technical_users.get_or_create(&StateLabel { state }).set(gauge(count));
    }

    /// A published credential was tried at the token endpoint.
    pub fn credential_verified(&self, outcome: Verified) {
        self.credentials_verified.get_or_create(&VerifiedLabel { outcome }).inc();
    }

    /// A Kubernetes Event was dropped.
    pub fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    /// A reading of a portal's user list for resources that wait for it has begun; it ends with the result.
    #[must_use]
    pub fn search_begins(&self) -> SearchProgress {
        self.searches.inc();
        SearchProgress { metrics: self.clone(), read: 0, pages: 0 }
    }

    /// More resources wait for the search of a user list (fewer if the number is negative).
    pub fn search_waits(&self, more: i64) {
        self.searches_waiting.inc_by(more);
    }

    /// A status could not be written.
    pub fn status_not_written(&self) {
        self.statuses_not_written.inc();
    }

    /// Whether this process is the active one.
    pub fn leader(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// The number of namespaces that the operator is to watch and may not watch.
    pub fn namespaces_unwatched(&self, count: usize) {
        self.namespaces_unwatched.set(gauge(count));
    }

    /// All metrics in the `OpenMetrics` text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        if text::encode(&mut out, &self.registry).is_err() {
            // Writing to a string fails only if the encoding of a metric does.
            out.clear();
            let _ = writeln!(out, "# EOF");
        }
        out
    }

    /// All metrics in Prometheus' classic text format.
    #[must_use]
    pub fn encode_classic(&self) -> String {
        classic::of_open_metrics(&self.encode())
    }

    fn start_at_zero(&self) {
        for &kind in Kind::ALL {
            self.reconcile_duration.get_or_create_owned(&KindLabel { kind });
            self.objects_in_backoff.get_or_create_owned(&KindLabel { kind });
            for &outcome in Reconciled::ALL {
                self.reconciles.get_or_create_owned(&ReconcileLabels { kind, outcome });
            }
        }
        for &server in Server::ALL {
            self.portal_circuit_open.get_or_create_owned(&ServerLabel { server });
        }
        for &operation in Operation::ALL {
            for &server in operation.servers() {
                for &outcome in Outcome::ALL {
                    self.portal_calls.get_or_create_owned(&CallLabels { server, operation, outcome });
                }
            }
        }
        for &outcome in Sweep::ALL {
            self.portal_sweeps.get_or_create_owned(&SweepLabel { outcome });
        }
        for &state in UserState::ALL {
            self.technical_users.get_or_create_owned(&StateLabel { state });
        }
        for &outcome in Verified::ALL {
            self.credentials_verified.get_or_create_owned(&VerifiedLabel { outcome });
        }
    }

    fn register(&self) -> Registry {
        let mut all = Registry::with_prefix("tuo");
        all.register("reconciles", "Reconciles by how they ended", self.reconciles.clone());
        let took = self.reconcile_duration.clone();
        all.register_with_unit("reconcile_duration", "How long reconciles took", Unit::Seconds, took);
        let waiting = self.objects_in_backoff.clone();
        all.register("objects_in_backoff", "Objects that wait after an error", waiting);
        let help = "Calls to portals, identity providers and wallets by how they ended";
        all.register("portal_calls", help, self.portal_calls.clone());
        let took = self.portal_call_duration.clone();
        let help = "How long calls to portals, identity providers and wallets took";
        all.register_with_unit("portal_call_duration", help, Unit::Seconds, took);
        let open = self.portal_circuit_open.clone();
        all.register("portal_circuit_open", "Servers of Portals that are not called since they fail", open);
        all.register("portal_sweeps", "Sweeps of portals' user lists", self.portal_sweeps.clone());
        let last = self.portal_last_sweep.clone();
        let help = "When a portal's user list was last read in full";
        all.register_with_unit("portal_last_sweep_timestamp", help, Unit::Seconds, last);
        self.ages.register(&mut all);
        all.register("technical_users", "TechnicalUsers by state", self.technical_users.clone());
        let verified = self.credentials_verified.clone();
        all.register("credentials_verified", "Published credentials tried at the token endpoint", verified);
        let dropped = self.events_dropped.clone();
        all.register("events_dropped", "Kubernetes Events that were not published", dropped);
        all.register(
            "searches",
            "Portals whose user list is read for waiting resources",
            self.searches.clone(),
        );
        let waiting = self.searches_waiting.clone();
        all.register("searches_waiting", "TechnicalUsers that wait for the search of a user list", waiting);
        let read = self.search_pages_read.clone();
        all.register("search_pages_read", "Pages that the running searches have read", read);
        let pages = self.search_pages.clone();
        all.register("search_pages", "Pages of the lists that the running searches read", pages);
        let unwritten = self.statuses_not_written.clone();
        all.register("statuses_not_written", "Statuses that could not be written", unwritten);
        all.register("leader", "1 where this process is the active one", self.leader.clone());
        let unwatched = self.namespaces_unwatched.clone();
        all.register("namespaces_unwatched", "Namespaces to watch that may not be watched", unwatched);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        all.register("build", "What is running", build);
        all
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
