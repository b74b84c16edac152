//! Writes of our resources: attempts are kept, Ready is true only with a valid credential, conditions are in words.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Moments, SHORTLY, State};
use crate::apiserver::Change;
use crate::world::objects::is_ready;

const CREATING: &str = "technicaluser.dev/creating";

impl Moments {
    /// A client changed a `TechnicalUser`.
    pub(super) fn technical_user_changed(&self, state: &mut State, change: &Change) {
        Self::outputs_named(state, change);
        let name = &change.id.name;
        let attempt =
            |object: &Value| object["metadata"]["annotations"][CREATING].as_str().map(str::to_owned);
        let (before, after) = (change.before.as_ref().and_then(attempt), attempt(&change.after));
        let forgotten = (before.is_some() && after.is_none()).then(|| format!("that of {name} is removed"));
        self.check(state, "an attempt is never forgotten", forgotten);
        if change.deleted {
            state.published.remove(name);
            return;
        }
        if before != after && after.is_some() {
            state.attempts.insert(name.clone(), Instant::now());
            let suspended = self.although_suspended(state);
            self.check(state, "nothing is created while the Portal is suspended", suspended);
        }
        if change.before.as_ref().is_none_or(|before| !is_ready(before)) && is_ready(&change.after) {
            let early = too_early(state, &change.after);
            self.check(state, "Ready is true only with a valid credential", early);
            state.were_ready.push(uid(&change.after));
        }
    }

    /// Why an attempt may not be written: the Portal has been suspended for longer than a watch needs to show it.
    fn although_suspended(&self, state: &State) -> Option<String> {
        let since = state.suspended.map(|at| Instant::now() - at)?;
        let (lag, troubled) = self.0.apiserver.faults(|faults| {
            (faults.lag("portals.technicaluser.dev") + faults.stale, !faults.kinds.is_empty())
        });
        // A watch that is silent is begun again after 90 s.
        let shown_within = lag + if troubled { Duration::from_mins(3) } else { Duration::from_secs(2) };
        (since > shown_within).then(|| format!("an attempt is written {since:?} after that"))
    }

    /// The conditions of an object are for people.
    pub(super) fn words(&self, state: &mut State, change: &Change) {
        let conditions = change.after["status"]["conditions"].as_array();
        let reasons = conditions.into_iter().flatten().filter_map(|condition| condition["reason"].as_str());
        state.reasons.extend(reasons.map(str::to_owned));
        let broken = conditions.into_iter().flatten().find_map(|condition| {
            let text = |field: &str| condition[field].as_str().unwrap_or_default();
            let is_bad = text("reason").is_empty() || text("message").contains(['\n', '\r']) || {
                text("message").is_empty() && text("status") != "True"
            };
            is_bad.then(|| format!("{}: {condition}", change.id.name))
        });
        self.check(state, "a condition is in words", broken);
        let text = change.after.to_string();
        let secrets = state.users.values().flat_map(|user| &user.credentials);
        let leak = secrets.map(|credential| &credential.secret).find(|secret| text.contains(*secret));
        let leak = leak.map(|_| format!("one is in {} {}", change.id.resource, change.id.name));
        self.check(state, "no secret is in an object", leak);
    }
}

/// Why a resource cannot be ready. One that was ready before may be so again without another verification.
fn too_early(state: &State, object: &Value) -> Option<String> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    if state.were_ready.contains(&uid(object)) || object["spec"]["user"]["create"].is_null() {
        return None;
    }
    let id = object["status"]["user"]["id"].as_str().unwrap_or_default();
    let Some(user) = state.users.values().find(|user| user.view.id.to_string() == id) else {
        return Some(format!("{name} is Ready with a user that never was: {id:?}"));
    };
    let Some(published) = state.published.get(name) else {
        // Outputs that a spec names need not hold the secret.
        if object["spec"]["outputs"].is_array() {
            return None;
        }
        return Some(format!("{name} is Ready and nothing was published"));
    };
    let valid = user.credentials.iter().any(|credential| {
        credential.client_id == published.client_id
            && credential.secret == published.secret
            && Instant::now() - credential.until < SHORTLY
    });
    (!valid)
        .then(|| format!("{name} is Ready and its Secret holds no credential of user {id} that is accepted"))
}

/// A client changed a Portal.
pub(super) fn portal_changed(state: &mut State, change: &Change) {
    let is_suspended = change.after["spec"]["suspend"] == true;
    state.suspended = is_suspended.then(|| state.suspended.unwrap_or_else(Instant::now));
}

fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}
