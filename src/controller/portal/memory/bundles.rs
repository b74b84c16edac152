//! What was found in the CA bundles of the Portals.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};

use crate::controller::objects::Key;
use crate::portal::BundleReport;

/// What was last found in the CA bundle of each Portal.
#[derive(Debug, Default)]
pub struct Bundles(Mutex<BTreeMap<Key, BundleReport>>);

impl Bundles {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Key, BundleReport>> {
        self.0.lock()
    }

    /// The bundle was read; `None` where the Portal has none. One that cannot be read at the moment keeps its last report.
    pub fn read(&self, key: &Key, report: Option<BundleReport>) {
        match report {
            Some(report) => self.all().insert(key.clone(), report),
            None => self.all().remove(key),
        };
    }

    /// What was found in a Portal's bundle.
    #[must_use]
    pub fn of(&self, key: &Key) -> Option<BundleReport> {
        self.all().get(key).cloned()
    }
}
