//! What this process remembers of each Portal between passes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::controller::registry::PortalKey;

/// What was looked at last, and when the next look is due.
#[derive(Debug, Clone, Default)]
struct Looked {
    /// What the look depended on.
    circumstances: String,
    fingerprint: Option<String>,
    due: Option<Instant>,
}

/// All Portals.
#[derive(Debug, Default)]
pub struct PortalMemory(Mutex<HashMap<PortalKey, Looked>>);

impl PortalMemory {
    fn portals(&self) -> MutexGuard<'_, HashMap<PortalKey, Looked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the next look at the portal has time; none where something that it depends on changed.
    #[must_use]
    pub fn due_in(&self, key: &PortalKey, circumstances: &str) -> Duration {
        match self.portals().get(key) {
            Some(Looked { circumstances: then, due: Some(due), .. }) if then == circumstances => {
                due.saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        }
    }

    /// A look has ended; the next one is due after this time.
    pub fn looked(&self, key: &PortalKey, circumstances: &str, fingerprint: Option<String>, next: Duration) {
        let due = Some(Instant::now() + next);
        self.portals()
            .insert(key.clone(), Looked { circumstances: circumstances.to_owned(), fingerprint, due });
    }

    /// What the last connection was made of.
    #[must_use]
    pub fn fingerprint(&self, key: &PortalKey) -> Option<String> {
        self.portals().get(key)?.fingerprint.clone()
    }

    /// Somebody was refused by the portal: the login is read again soon, not at once for each who asks.
    pub fn hurry(&self, key: &PortalKey) {
        if let Some(looked) = self.portals().get_mut(key) {
            let soon = Instant::now() + Duration::from_secs(5);
            looked.due = Some(looked.due.map_or(soon, |due| due.min(soon)));
        }
    }

    /// Forgets a Portal that is gone.
    pub fn forget(&self, key: &PortalKey) {
        self.portals().remove(key);
    }
}
