//! Writes of our resources: attempts are kept, Ready is true only with a valid credential, conditions are in words.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Known, Moments, State};
use crate::apiserver::Change;
use crate::world::objects::is_ready;

/// The secrets of the portal and the wallet are longer.
const SHORTEST_SECRET: usize = 16;
const CREATING: &str = "technicaluser.dev/creating";
const CLOSED: &str = " closed";

impl Moments {
    /// A client changed a `TechnicalUser`.
    pub(super) fn technical_user_changed(&self, state: &mut State, change: &Change) {
        Self::outputs_named(state, change);
        Self::overlaps_ended(state, change);
        self.rotation_changed(state, change);
        state.holds.changed(change);
        let counted = state.workloads.named(change);
        self.check(state, "a change is counted where an output has another content", counted);
        let named = change.after["status"]["user"]["id"].as_str().and_then(|id| id.parse().ok());
        if let Some(user) = named.and_then(|id| state.users.get_mut(&id)) {
            user.named.get_or_insert_with(Instant::now);
        }
        let name = &change.id.name;
        let attempt =
            |object: &Value| object["metadata"]["annotations"][CREATING].as_str().map(str::to_owned);
        let (before, after) = (change.before.as_deref().and_then(attempt), attempt(&change.after));
        let forgotten = (before.is_some() && after.is_none()).then(|| format!("that of {name} is removed"));
        self.check(state, "an attempt is never forgotten", forgotten);
        if change.deleted {
            state.published.remove(name);
            return;
        }
        // An attempt that is closed is written again, and nothing is created then.
        if before != after && after.is_some_and(|after| !after.ends_with(CLOSED)) {
            state.attempts.insert(name.clone(), Instant::now());
            let suspended = self.although_suspended(state);
            self.check(state, "nothing is created while the Portal is suspended", suspended);
            let held = self.held(state, name);
            self.check(state, "nothing is changed at the portal for a resource that is held", held);
        }
        if change.before.as_ref().is_none_or(|before| !is_ready(before)) && is_ready(&change.after) {
            let early = self.too_early(state, &change.after);
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

    /// Why a resource cannot be ready. One that was ready before may be so again without another verification.
    fn too_early(&self, state: &State, object: &Value) -> Option<String> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        if state.were_ready.contains(&uid(object)) {
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
        // What was written last may be in an output that the spec does not name any more.
        let of = |user: &&Known| user.view.client_id.as_ref() == Some(&published.client_id);
        let other = state.users.values().find(of).filter(|other| other.view.id != user.view.id);
        if object["spec"]["outputs"].is_array() && other.is_some_and(|other| !self.is_in_one(object, other)) {
            return None;
        }
        let valid = user.credentials.iter().any(|credential| {
            credential.client_id == published.client_id
                && credential.secret == published.secret
                && credential.accepted_within(state.paused.shortly())
        });
        (!valid).then(|| {
            format!("{name} is Ready and its Secret holds no credential of user {id} that is accepted")
        })
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
        let mut written = Vec::new();
        texts_written(change.before.as_deref(), &change.after, &mut written);
        written.retain(|text| text.len() >= SHORTEST_SECRET);
        let is_in = |secret: &str| written.iter().any(|text| text.contains(secret));
        let mut secrets = state.users.values().flat_map(|user| &user.credentials);
        let leak = !written.is_empty() && secrets.any(|credential| is_in(&credential.secret));
        let leak = leak.then(|| format!("one is in {} {}", change.id.resource, change.id.name));
        self.check(state, "no secret is in an object", leak);
    }
}

/// The texts of an object that an earlier state of it does not have at the same place.
fn texts_written<'a>(before: Option<&Value>, after: &'a Value, texts: &mut Vec<&'a str>) {
    match after {
        Value::String(text) if before.is_none_or(|before| before != after) => texts.push(text),
        Value::Array(list) => {
            for (at, item) in list.iter().enumerate() {
                texts_written(before.and_then(|before| before.get(at)), item, texts);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let before = before.and_then(|before| before.get(key));
                if before.is_none() {
                    texts.push(key);
                }
                texts_written(before, value, texts);
            }
        }
        _ => {}
    }
}

/// A client changed a Portal.
pub(super) fn portal_changed(state: &mut State, change: &Change) {
    let is_suspended = change.after["spec"]["suspend"] == true;
    state.suspended = is_suspended.then(|| state.suspended.unwrap_or_else(Instant::now));
}

fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}
