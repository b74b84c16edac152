//! Ages by Portal, in seconds: of logins, credentials and verifications. No series names a user.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::Mutex;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::labels::PortalLabels;

/// What is known of one Portal, in seconds. What is not known has no series.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PortalAges {
    /// The age of the present content of its login Secrets; of the older one where it has two.
    pub login: Option<f64>,
    /// The age of the oldest credential that is published.
    pub credential: Option<f64>,
    /// The time until the next rotation that is due; less than 0 where one is overdue.
    pub next_rotation: Option<f64>,
    /// The time since the last verification of the credential that was verified longest ago.
    pub verification: Option<f64>,
}

type Seconds = Family<PortalLabels, Gauge<f64, AtomicU64>>;

/// The gauges of all Portals.
#[derive(Debug, Clone, Default)]
pub(super) struct Ages {
    login: Seconds,
    credential: Seconds,
    next_rotation: Seconds,
    verification: Seconds,
    /// The Portals that have series.
    shown: Arc<Mutex<Vec<PortalLabels>>>,
}

impl Ages {
    pub(super) fn set(&self, all: Vec<(PortalLabels, PortalAges)>) {
        let mut shown = self.shown.lock();
        let is_gone = |labels: &&PortalLabels| !all.iter().any(|(now, _)| now == *labels);
        for gone in shown.iter().filter(is_gone) {
            self.set_one(gone, PortalAges::default());
        }
        for (labels, ages) in &all {
            self.set_one(labels, *ages);
        }
        *shown = all.into_iter().map(|(labels, _)| labels).collect();
    }

    fn set_one(&self, labels: &PortalLabels, ages: PortalAges) {
        for (family, value) in [
            (&self.login, ages.login),
            (&self.credential, ages.credential),
            (&self.next_rotation, ages.next_rotation),
            (&self.verification, ages.verification),
        ] {
            match value {
                Some(value) => {
                    family.get_or_create(labels).set(value);
                }
                None => {
                    family.remove(labels);
                }
            }
        }
    }

    pub(super) fn register(&self, all: &mut Registry) {
        for (name, help, family) in [
            ("portal_login_age", "How old the present content of a Portal's login Secret is", &self.login),
            ("portal_credential_age", "How old a Portal's oldest published credential is", &self.credential),
            (
                "portal_next_rotation",
                "When the next rotation of a Portal's credentials is due; negative where one is overdue",
                &self.next_rotation,
            ),
            (
                "portal_verification_age",
                "How long ago the credential of a Portal was verified that waits longest",
                &self.verification,
            ),
        ] {
            all.register_with_unit(name, help, Unit::Seconds, family.clone());
        }
    }
}
