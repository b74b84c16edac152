//! Removals of Secrets by the operator: only of those that the spec does not name, and of those not before their overlap has
//! passed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Moments, State};
use crate::apiserver::Change;

/// The status has the time of a removal in whole seconds.
pub(super) const WHOLE_SECONDS: Duration = Duration::from_secs(1);

/// What the specs of a resource have named.
#[derive(Debug, Default)]
pub struct Named {
    uid: String,
    /// The Secrets that the spec names now.
    now: BTreeSet<String>,
    /// When the spec stopped to name a Secret, and the shortest overlap since.
    former: BTreeMap<String, (Instant, Duration)>,
    /// Those that the spec has begun to name again at this moment: no status reports a spec that is replaced at once, and what the status
    /// says of their removal still holds then.
    again: (Option<Instant>, BTreeMap<String, (Instant, Duration)>),
}

impl Moments {
    /// A client changed the spec of a resource.
    pub(super) fn outputs_named(state: &mut State, change: &Change) {
        let (object, now) = (&change.after, Instant::now());
        let named = state.named.entry(change.id.name.clone()).or_default();
        if named.uid != object["metadata"]["uid"] {
            *named = Named::default();
            object["metadata"]["uid"].as_str().unwrap_or_default().clone_into(&mut named.uid);
        }
        let (mut wanted, overlap) = (secrets_of(object), overlap_of(&object["spec"]));
        // What a suspended resource begins to name is not written, so that no overlap follows if it names that no more.
        if object["spec"]["suspend"] == true {
            wanted.retain(|name| named.now.contains(name));
        }
        for (_, shortest) in named.former.values_mut() {
            *shortest = overlap.min(*shortest);
        }
        if named.again.0 != Some(now) {
            named.again = (Some(now), BTreeMap::new());
        }
        for left in named.now.difference(&wanted) {
            let since = named.again.1.remove(left).unwrap_or((now, overlap));
            named.former.insert(left.clone(), since);
        }
        let named_again = |name: &String, _: &mut (Instant, Duration)| wanted.contains(name);
        named.again.1.extend(named.former.extract_if(.., named_again));
        named.now = wanted;
    }

    /// A process deleted a Secret that it had written for a resource.
    pub(super) fn output_removed(&self, state: &mut State, owner: &str, change: &Change) {
        let uid = &change.after["metadata"]["ownerReferences"][0]["uid"];
        let living = self.technical_user(owner).filter(|user| {
            user["metadata"]["uid"] == *uid && user["metadata"]["deletionTimestamp"].is_null()
        });
        let (Some(object), Some(named)) = (living, state.named.get(owner)) else { return };
        let name = &change.id.name;
        let is_ended = state.ended.has(&object, name, state.paused.shortly());
        let early = match named.former.get(name) {
            _ if named.now.contains(name) => Some(format!("{owner} names the Secret {name}")),
            // The time of the removal may be of another clock.
            Some((since, overlap))
                if !is_ended && since.elapsed() + WHOLE_SECONDS + 2 * state.most_skew < *overlap =>
            {
                Some(format!("{name} of {owner} is deleted after {:?} of {overlap:?}", since.elapsed()))
            }
            _ => None,
        };
        self.check(state, "an output is kept while it is named, and for its overlap", early);
    }
}

/// The Secrets that a spec names and that are not immutable: those have names of their own.
fn secrets_of(object: &Value) -> BTreeSet<String> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let Some(outputs) = object["spec"]["outputs"].as_array() else {
        return BTreeSet::from([name.to_owned()]);
    };
    let secrets = outputs.iter().map(|output| &output["secret"]);
    let secrets = secrets.filter(|secret| secret.is_object() && secret["immutable"] != true);
    secrets.map(|secret| secret["name"].as_str().unwrap_or(name).to_owned()).collect()
}

pub(super) fn overlap_of(spec: &Value) -> Duration {
    let text = spec["rotation"]["overlap"].as_str().unwrap_or("0s");
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let number: u64 = number.parse().unwrap_or_default();
    Duration::from_secs(
        number
            * match unit {
                "h" => 3600,
                "m" => 60,
                _ => 1,
            },
    )
}
