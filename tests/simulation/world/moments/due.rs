//! When a rotation begins: where something asks for it, or for a credential that is older than its interval, in a window.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use portal_simulator::Status;
use serde_json::Value;
use uuid::Uuid;

use super::{Moments, State};
use crate::apiserver::Change;
use crate::world::windows::is_open_between;

/// The times in a status have no fractions of a second.
const SECOND: Duration = Duration::from_secs(1);
const CREATING: &str = "/metadata/annotations/technicaluser.dev~1creating";
const RESETTING: &str = "/metadata/annotations/technicaluser.dev~1resetting";

impl Moments {
    /// A process records the create of a successor, or a reset: why nothing asks for it. It is recorded for the state that the process
    /// has seen, so what the spec and the status say there is what counts.
    pub(super) fn begun_without_reason(&self, state: &State, change: &Change) -> Option<String> {
        let before = change.before.as_deref()?;
        let status = &before["status"];
        let number = |status: &Value| status["generation"].as_i64().unwrap_or_default();
        let is_begun = begins(before, &change.after, CREATING, number(&status["user"]))
            || begins(before, &change.after, RESETTING, number(&status["credential"]));
        if !is_begun || status["credential"].is_null() || is_asked_for(before) {
            return None;
        }
        // A user that does not serve any more gets a successor, whatever its credential is.
        let id = status["user"]["id"].as_str()?.parse::<Uuid>().ok()?;
        let user = state.users.get(&id)?;
        if user.view.status != Status::Active || !user.marked_within(Duration::ZERO) {
            return None;
        }
        let name = &change.id.name;
        let rotation = &before["spec"]["rotation"];
        if rotation["interval"].is_null() {
            return Some(format!("{name}: nothing asks for it"));
        }
        let now = self.0.apiserver.now();
        let issued = status["credential"]["issuedAt"].as_str().unwrap_or_default();
        let issued: Timestamp = issued.parse().ok()?;
        let skew = 2 * state.most_skew + SECOND;
        if now + skew < issued + INTERVAL {
            return Some(format!(
                "{name}: its credential of {issued} is not older than its interval at {now}"
            ));
        }
        let windows = &rotation["windows"];
        let is_open = is_open_between(windows, now - state.paused.shortly() - skew, now + skew);
        (!is_open).then(|| format!("{name}: no window is open at {now}: {windows}"))
    }
}

/// The interval of all specs that have one.
const INTERVAL: Duration = Duration::from_hours(1);

/// Whether a record of an attempt is new, for a number after this one. One that was there before is continued.
fn begins(before: &Value, after: &Value, pointer: &str, last: i64) -> bool {
    let text =
        |object: &Value| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (before, after) = (text(before), text(after));
    let is_open = |text: &str| {
        let number = text.split(' ').next().and_then(|number| number.parse::<i64>().ok());
        number.is_some_and(|number| number > last) && !text.ends_with(" closed")
    };
    before != after && is_open(&after) && !is_open(&before)
}

/// Whether people ask for another credential: by an annotation, or by other roles.
fn is_asked_for(object: &Value) -> bool {
    let (annotations, status) = (&object["metadata"]["annotations"], &object["status"]);
    let is_open =
        |key: &str, field: &str| annotations[key].is_string() && annotations[key] != status["handled"][field];
    let set = |roles: &Value| -> BTreeSet<String> {
        let roles = roles.as_array().into_iter().flatten();
        roles.filter_map(|role| role.as_str().map(str::to_owned)).collect()
    };
    is_open("technicaluser.dev/rotate", "rotate")
        || is_open("technicaluser.dev/compromised", "compromised")
        || set(&object["spec"]["user"]["create"]["roles"]) != set(&status["user"]["requestedRoles"])
}
