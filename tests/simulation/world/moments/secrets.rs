//! Writes of Secrets: only those that the operator created, and only whole credentials that were accepted just before.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::time::Instant;

use super::entries::secret_in;
use super::{Moments, State};
use crate::apiserver::{ADMIN, Change};

/// What a Secret held last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub client_id: String,
    pub secret: String,
}

/// The values of a Secret with a credential in the default format; `None` for a Secret of another form.
pub(super) fn credential(secret: &Value) -> Option<Published> {
    let value = |key: &str| {
        let bytes = STANDARD.decode(secret["data"][key].as_str().unwrap_or_default()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let is_one = secret["data"].get("client-id").is_some() || secret["data"].get("client-secret").is_some();
    is_one.then(|| Published { client_id: value("client-id"), secret: value("client-secret") })
}

/// The `TechnicalUser` that a Secret belongs to.
pub(super) fn owner(secret: &Value) -> Option<&str> {
    let owner = &secret["metadata"]["ownerReferences"][0];
    (owner["kind"] == "TechnicalUser").then(|| owner["name"].as_str())?
}

impl Moments {
    pub(super) fn secret_changed(&self, state: &mut State, caller: &str, change: &Change) {
        self.secret_written(state, caller, change);
        state.workloads.written(caller, change);
        if let Some(owner) = owner(&change.after) {
            self.completed(state, owner);
        }
    }

    fn secret_written(&self, state: &mut State, caller: &str, change: &Change) {
        let uid = change.after["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        if caller == ADMIN {
            return;
        }
        if change.before.is_none() {
            state.own_secrets.push(uid);
        } else {
            let is_own = state.own_secrets.contains(&uid);
            let lost = if is_own { None } else { lost_of_others(state, &uid, change) };
            let foreign =
                lost.map(|what| format!("{caller} changes {what} of the Secret {}", change.id.name));
            self.check(state, "no Secret of others is changed", foreign);
            if !is_own {
                return self.output_written(state, (caller, None), change);
            }
        }
        let Some(owner) = owner(&change.after) else { return };
        if change.deleted {
            return self.output_removed(state, owner, change);
        }
        self.alias_named(state, change);
        if self.chooses_its_outputs(owner) {
            return self.output_written(state, (caller, Some(owner)), change);
        }
        let Some(written) = credential(&change.after) else { return };
        let half = written.client_id.is_empty() || written.secret.is_empty();
        let half = half.then(|| format!("the Secret {} holds half of a credential", change.id.name));
        self.check(state, "a credential is written whole", half);
        let wrong = not_accepted(state, &written, owner);
        self.check(state, "a credential that is written is that of the resource's active user", wrong);
        let key = (caller.to_owned(), written.client_id.clone(), written.secret.clone());
        let proved = state.tokens.get(&key).is_some_and(|at| Instant::now() - *at < state.paused.shortly());
        let unproved = (!proved)
            .then(|| format!("{caller} obtained no token with what it writes into {}", change.id.name));
        self.check(state, "a credential is verified before it is written", unproved);
        self.existing_published(state, caller, &written.client_id, change);
        state.published.insert(owner.to_owned(), written);
    }
}

impl Moments {
    /// Whether the spec of a resource names its outputs: a Secret may then hold a part of a credential, in any form.
    fn chooses_its_outputs(&self, owner: &str) -> bool {
        self.technical_user(owner).is_none_or(|user| user["spec"]["outputs"].is_array())
    }

    /// A Secret in any format was written: a secret in it is one that was accepted just before.
    fn output_written(&self, state: &mut State, (caller, owner): (&str, Option<&str>), change: &Change) {
        let data = &change.after["data"];
        if change.before.as_ref().is_some_and(|before| before["data"] == *data) {
            return;
        }
        let uid = change.after["metadata"]["uid"].as_str().unwrap_or_default();
        let before = change.before.as_ref().map(|before| before["data"].clone()).unwrap_or_default();
        for (key, text) in data.as_object().into_iter().flatten() {
            let Some(text) = text.as_str().filter(|text| before[key] != *text) else { continue };
            state.own_keys.insert((uid.to_owned(), key.clone(), text.to_owned()));
            let text = String::from_utf8_lossy(&STANDARD.decode(text).unwrap_or_default()).into_owned();
            let Some(found) = secret_in(state, &text) else { continue };
            let name = &change.id.name;
            let broken = found.broken(state, caller).map(|why| format!("the Secret {name}: {why}"));
            self.check(state, "what is written into a Secret is verified and accepted", broken);
            let of_another = found.owner.as_deref().zip(owner).filter(|(of, owner)| of != owner);
            let of_another =
                of_another.map(|(of, owner)| format!("the Secret {name} of {owner} gets that of {of}"));
            self.check(state, "a Secret holds the credential of its resource", of_another);
            if owner.is_some() {
                self.existing_published(state, caller, &found.published.client_id, change);
            }
            if let Some(owner) = owner.map(str::to_owned).or(found.owner) {
                state.published.insert(owner, found.published);
            }
        }
    }
}

/// What of a Secret of another owner a change concerns, keys aside that the operator added.
fn lost_of_others(state: &State, uid: &str, change: &Change) -> Option<String> {
    let (before, after) = (change.before.as_ref()?, &change.after);
    let same = |pointer: &str| before.pointer(pointer) == after.pointer(pointer);
    let rest =
        ["/type", "/immutable", "/metadata/labels", "/metadata/ownerReferences", "/metadata/finalizers"];
    if change.deleted || !rest.into_iter().all(same) {
        return Some("more than the data".to_owned());
    }
    let is_own = |key: &str, value: &Value| {
        let text = value.as_str().unwrap_or_default().to_owned();
        state.own_keys.contains(&(uid.to_owned(), key.to_owned(), text))
    };
    let mut data = before["data"].as_object().into_iter().flatten();
    let lost =
        data.find(|(key, value)| after["data"][key.as_str()] != **value && !is_own(key.as_str(), value));
    lost.map(|(key, _)| format!("the key {key}"))
}

/// Why a credential is not one that the token endpoint accepted just before, for the user of this resource.
fn not_accepted(state: &State, written: &Published, owner: &str) -> Option<String> {
    let fits = state.users.values().any(|user| {
        user.owner.as_deref().is_none_or(|of| of == owner)
            && user.credentials.iter().any(|credential| {
                credential.client_id == written.client_id
                    && credential.secret == written.secret
                    && credential.accepted_within(state.paused.shortly())
            })
    });
    (!fits).then(|| {
        format!("the credential of client {} in the Secret of {owner} was not accepted", written.client_id)
    })
}
