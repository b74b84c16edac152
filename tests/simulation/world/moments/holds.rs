//! Resources that people hold as they are: nothing is changed at the portal for one that is suspended, or whose deletion is prevented.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Moments, State};
use crate::apiserver::Change;

/// Since when each resource is held, by its name.
#[derive(Debug, Default)]
pub(super) struct Holds {
    suspended: BTreeMap<String, Instant>,
    kept: BTreeMap<String, Instant>,
}

impl Holds {
    /// A client changed a `TechnicalUser`.
    pub fn changed(&mut self, change: &Change) {
        let object = &change.after;
        let note = |held: &mut BTreeMap<String, Instant>, is_held: bool| {
            if is_held && !change.deleted {
                held.entry(change.id.name.clone()).or_insert_with(Instant::now);
            } else {
                held.remove(&change.id.name);
            }
        };
        note(&mut self.suspended, object["spec"]["suspend"] == true);
        note(&mut self.kept, object["metadata"]["deletionTimestamp"].is_string() && is_kept(object));
    }

    /// Since when nothing may be changed for a resource, and why.
    fn since(&self, owner: &str) -> Option<(Instant, &'static str)> {
        let suspended = self.suspended.get(owner).map(|since| (*since, "it is suspended"));
        suspended.or_else(|| self.kept.get(owner).map(|since| (*since, "its deletion is prevented")))
    }
}

/// Each value but `false` prevents the deletion.
fn is_kept(object: &Value) -> bool {
    let value = object["metadata"]["annotations"]["technicaluser.dev/prevent-deletion"].as_str();
    value.is_some_and(|value| value != "false")
}

impl Moments {
    /// Why nothing may be changed for the user that a request names, or for its resource.
    pub(super) fn although_held(&self, state: &State, id: Uuid) -> Option<String> {
        let owner = state.users.get(&id)?.owner.as_deref()?;
        self.held(state, owner)
    }

    /// The same by the name of the resource. What is on its way, and what a late watch does not show, may still be sent.
    pub(super) fn held(&self, state: &State, owner: &str) -> Option<String> {
        let (since, why) = state.holds.since(owner)?;
        let lag =
            self.0.apiserver.faults(|faults| faults.lag("technicalusers.technicaluser.dev") + faults.stale);
        let held_for = since.elapsed();
        (held_for > lag + state.paused.shortly()).then(|| format!("{owner}: {why}, for {held_for:?}"))
    }
}
