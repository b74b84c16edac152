//! What the operator counts, in one explicit registry. Labels are enums, and the names of Portals: no messages or URLs.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds in seconds: from an answer out of the cache to the portal's slowest calls.
const SECONDS: [f64; 11] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

/// Declares an enum of label values, written in snake case.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $value:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $value),+ }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut prometheus_client::encoding::LabelValueEncoder) -> std::fmt::Result {
                encoder.write_str(match self { $(Self::$value => $text),+ })
            }
        }

        impl $name {
            /// All values, so that each series is there from the start.
            pub const ALL: &[Self] = &[$(Self::$value),+];
        }
    };
}

labels! {
    /// A kind that is reconciled.
    Kind {
        /// A `Portal`.
        Portal => "portal",
        /// A `TechnicalUser`.
        TechnicalUser => "technical_user",
    }
}

labels! {
    /// How a reconcile ended.
    Reconciled {
        /// Something was written, here or in the portal.
        Changed => "changed",
        /// Nothing was due.
        Unchanged => "unchanged",
        /// It failed and will be tried again.
        Error => "error",
    }
}

labels! {
    /// A call to a portal.
    Operation {
        /// A token for the operator's own login.
        Login => "login",
        /// The portal's version.
        Version => "version",
        /// The roles on offer.
        Roles => "roles",
        /// The whole user list.
        Scan => "scan",
        /// One user, its secret included.
        Details => "details",
        /// Make a user.
        Create => "create",
        /// Change a user's name or description.
        Update => "update",
        /// Give a user a new secret.
        Reset => "reset",
        /// Delete a user.
        Delete => "delete",
        /// Try a credential at the token endpoint.
        Verify => "verify",
    }
}

labels! {
    /// How a call to a portal ended.
    Outcome {
        /// As asked.
        Ok => "ok",
        /// The portal refused it: an answer 4xx.
        Refused => "refused",
        /// The portal failed: an answer 5xx or one that makes no sense.
        Failed => "failed",
        /// No answer.
        Unreachable => "unreachable",
    }
}

labels! {
    /// How a sweep of a portal's user list ended.
    Sweep {
        /// The whole list was read.
        Ok => "ok",
        /// It was not.
        Error => "error",
    }
}

labels! {
    /// What a `TechnicalUser` is in, by its conditions.
    UserState {
        /// `Ready` is true.
        Ready => "ready",
        /// On its way.
        Reconciling => "reconciling",
        /// Waits for a person.
        Stalled => "stalled",
        /// Is being deleted.
        Deleting => "deleting",
    }
}

labels! {
    /// What the token endpoint said of a published credential.
    Verified {
        /// A token was issued.
        Accepted => "accepted",
        /// Refused.
        Refused => "refused",
        /// No answer.
        Unreachable => "unreachable",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReconcileLabels {
    kind: Kind,
    outcome: Reconciled,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: Operation,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    operation: Operation,
    outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SweepLabel {
    outcome: Sweep,
}

/// One series per Portal: how old its list is can be judged only for each. It ends with the Portal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PortalLabels {
    portal_namespace: String,
    portal: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: UserState,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerifiedLabel {
    outcome: Verified,
}

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
    objects_in_backoff: Gauge,
    portal_calls: Family<CallLabels, Counter>,
    portal_call_duration: Histograms<OperationLabel>,
    portal_circuit_open: Gauge,
    portal_sweeps: Family<SweepLabel, Counter>,
    portal_last_sweep: Family<PortalLabels, Gauge<f64, AtomicU64>>,
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
            objects_in_backoff: Gauge::default(),
            portal_calls: Family::default(),
            portal_call_duration: Family::new_with_constructor(histogram),
            portal_circuit_open: Gauge::default(),
            portal_sweeps: Family::default(),
            portal_last_sweep: Family::default(),
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

    /// So many objects wait after an error before they are tried again.
    pub fn objects_in_backoff(&self, count: usize) {
        self.objects_in_backoff.set(gauge(count));
    }

    /// One call to a portal ended after `took`, waiting for the limiter not included.
    pub fn portal_called(&self, operation: Operation, outcome: Outcome, took: Duration) {
        self.portal_calls.get_or_create(&CallLabels { operation, outcome }).inc();
        self.portal_call_duration.get_or_create(&OperationLabel { operation }).observe(took.as_secs_f64());
    }

    /// A portal's circuit breaker opened (`true`) or closed (`false`); to be told at each change only.
    pub fn portal_circuit(&self, open: bool) {
        if open {
            self.portal_circuit_open.inc();
        } else {
            self.portal_circuit_open.dec();
        }
    }

    /// A sweep of a portal's user list ended.
    pub fn portal_swept(&self, namespace: &str, portal: &str, outcome: Sweep) {
        self.portal_sweeps.get_or_create(&SweepLabel { outcome }).inc();
        if outcome == Sweep::Ok {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let labels = PortalLabels { portal_namespace: namespace.into(), portal: portal.into() };
            self.portal_last_sweep.get_or_create(&labels).set(now.as_secs_f64());
        }
    }

    /// A Portal is gone, and its series with it.
    pub fn portal_gone(&self, namespace: &str, portal: &str) {
        let labels = PortalLabels { portal_namespace: namespace.into(), portal: portal.into() };
        self.portal_last_sweep.remove(&labels);
    }

    /// So many `TechnicalUser`s are in `state`.
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

    /// So many more resources wait for the search of a user list (fewer where it is negative).
    pub fn search_waits(&self, more: i64) {
        self.searches_waiting.inc_by(more);
    }

    /// A status could not be written.
    pub fn status_not_written(&self) {
        self.statuses_not_written.inc();
    }

    /// This process is the active one.
    pub fn leader(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// So many of the namespaces that are to be watched may not be.
    pub fn namespaces_unwatched(&self, count: usize) {
        self.namespaces_unwatched.set(gauge(count));
    }

    /// All metrics in the `OpenMetrics` text format.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::new();
        if text::encode(&mut out, &self.registry).is_err() {
            // Writing to a string fails only where a metric's own encoding does.
            out.clear();
            let _ = writeln!(out, "# EOF");
        }
        out
    }

    fn start_at_zero(&self) {
        for &kind in Kind::ALL {
            self.reconcile_duration.get_or_create_owned(&KindLabel { kind });
            for &outcome in Reconciled::ALL {
                self.reconciles.get_or_create_owned(&ReconcileLabels { kind, outcome });
            }
        }
        for &operation in Operation::ALL {
            for &outcome in Outcome::ALL {
                self.portal_calls.get_or_create_owned(&CallLabels { operation, outcome });
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
        all.register("portal_calls", "Calls to portals by how they ended", self.portal_calls.clone());
        let took = self.portal_call_duration.clone();
        all.register_with_unit("portal_call_duration", "How long calls to portals took", Unit::Seconds, took);
        let open = self.portal_circuit_open.clone();
        all.register("portal_circuit_open", "Portals that are not called since they fail", open);
        all.register("portal_sweeps", "Sweeps of portals' user lists", self.portal_sweeps.clone());
        let last = self.portal_last_sweep.clone();
        let help = "When a portal's user list was last read in full";
        all.register_with_unit("portal_last_sweep_timestamp", help, Unit::Seconds, last);
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

/// How far a search has come. What it reported is taken off again at its end.
pub struct SearchProgress {
    metrics: Metrics,
    read: i64,
    pages: i64,
}

impl SearchProgress {
    /// So many pages of so many were read.
    pub fn came(&mut self, read: u32, pages: u32) {
        let (read, pages) = (i64::from(read), i64::from(pages));
        self.metrics.search_pages_read.inc_by(read - self.read);
        self.metrics.search_pages.inc_by(pages - self.pages);
        (self.read, self.pages) = (read, pages);
    }
}

impl Drop for SearchProgress {
    fn drop(&mut self) {
        self.came(0, 0);
        self.metrics.searches.dec();
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_there_from_the_start() {
        let text = Metrics::default().encode();
        for line in [
            "tuo_reconciles_total{kind=\"technical_user\",outcome=\"unchanged\"} 0",
            "tuo_reconcile_duration_seconds_count{kind=\"portal\"} 0",
            "tuo_objects_in_backoff 0",
            "tuo_portal_calls_total{operation=\"create\",outcome=\"unreachable\"} 0",
            "tuo_portal_circuit_open 0",
            "tuo_portal_sweeps_total{outcome=\"error\"} 0",
            "tuo_technical_users{state=\"stalled\"} 0",
            "tuo_credentials_verified_total{outcome=\"refused\"} 0",
            "tuo_events_dropped_total 0",
            "tuo_searches 0",
            "tuo_searches_waiting 0",
            "tuo_search_pages 0",
            "tuo_statuses_not_written_total 0",
            "tuo_leader 0",
            "tuo_namespaces_unwatched 0",
            "tuo_build_info{version=",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn clones_count_together() {
        let metrics = Metrics::default();
        let other = metrics.clone();
        let took = Duration::from_millis(200);
        other.reconciled(Kind::Portal, Reconciled::Changed, took);
        other.portal_called(Operation::Details, Outcome::Refused, took);
        other.portal_circuit(true);
        other.portal_circuit(true);
        other.portal_circuit(false);
        other.portal_swept("dataspace", "one", Sweep::Ok);
        other.portal_swept("dataspace", "two", Sweep::Ok);
        other.portal_gone("dataspace", "two");
        other.technical_users(UserState::Ready, 7);
        other.credential_verified(Verified::Accepted);
        other.objects_in_backoff(3);
        other.leader(true);
        let text = metrics.encode();
        for line in [
            "tuo_reconciles_total{kind=\"portal\",outcome=\"changed\"} 1",
            "tuo_reconcile_duration_seconds_bucket{le=\"0.25\",kind=\"portal\"} 1",
            "tuo_portal_calls_total{operation=\"details\",outcome=\"refused\"} 1",
            "tuo_portal_call_duration_seconds_sum{operation=\"details\"} 0.2",
            "tuo_portal_circuit_open 1",
            "tuo_portal_sweeps_total{outcome=\"ok\"} 2",
            "tuo_technical_users{state=\"ready\"} 7",
            "tuo_credentials_verified_total{outcome=\"accepted\"} 1",
            "tuo_objects_in_backoff 3",
            "tuo_leader 1",
        ] {
            assert!(text.contains(line), "{line} in:\n{text}");
        }
        let swept: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("tuo_portal_last_sweep_timestamp_seconds{"))
            .collect();
        assert_eq!(swept.len(), 1, "one for each Portal that is there: {text}");
        assert!(swept[0].contains("{portal_namespace=\"dataspace\",portal=\"one\"} 1"), "{}", swept[0]);
    }
}
