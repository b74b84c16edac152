//! Changes of entries in the Vault by the operator: only of its own ones and of its own keys in those of others, and only
//! credentials that were accepted just before. And a Secret that names an entry: only one that holds the credential of its user.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use testbed::EntryView;
use tokio::time::Instant;

use super::rotation::is_in_fields;
use super::secrets::Published;
use super::{Moments, State};
use crate::apiserver::Change;
use crate::world::specs::CHOSEN_ALIAS;
use crate::world::vault::{FOLDER, MOUNT};
use crate::world::{BPN, NAMESPACE};

/// What is known of entries over time.
#[derive(Debug, Default)]
pub struct Entries {
    /// The entries of which another client wrote the first data.
    of_others: BTreeSet<String>,
    /// The fields that the operator has written, by the path of the entry.
    own_fields: BTreeMap<String, BTreeSet<(String, String)>>,
    /// The client whose secret the operator wrote last.
    clients: BTreeMap<String, String>,
}

impl Moments {
    /// A person has changed an entry.
    pub fn entry_changed_by_person(&self, path: &str, before: Option<&EntryView>, after: Option<&EntryView>) {
        let mut state = self.0.state.lock();
        let is_first = before.is_none_or(|before| before.version == 0);
        match after {
            Some(after) if after.version > 0 && is_first => {
                state.entries.of_others.insert(path.to_owned());
            }
            None => {
                state.entries.of_others.remove(path);
                state.entries.own_fields.remove(path);
            }
            Some(_) => {}
        }
    }

    /// Whether the operator has written an entry.
    pub fn has_written(&self, path: &str) -> bool {
        self.0.state.lock().entries.own_fields.contains_key(path)
    }

    /// A process has changed an entry.
    pub fn entry_changed(
        &self,
        caller: &str,
        path: &str,
        before: Option<&EntryView>,
        after: Option<&EntryView>,
    ) {
        self.see_portal();
        let mut state = self.0.state.lock();
        let state = &mut *state;
        let lost = state.entries.lost(path, before, after).map(|what| format!("{caller}: {path}: {what}"));
        self.check(state, "nothing of others is changed in an entry", lost);
        let Some(after) = after else {
            state.entries.clients.remove(path);
            state.entries.of_others.remove(path);
            state.entries.own_fields.remove(path);
            return;
        };
        let written = fields(before).map_or_else(
            || fields(Some(after)).cloned().unwrap_or_default(),
            |old| {
                let new = fields(Some(after)).into_iter().flatten();
                new.filter(|(key, value)| old.get(*key) != Some(value))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            },
        );
        if written.is_empty() {
            return;
        }
        let marked = after.custom_metadata.get("technicaluser.dev/owner");
        for (key, value) in &written {
            let text = value.as_str().unwrap_or_default();
            self.field_written(state, (caller, path), text, marked.map(String::as_str));
            state
                .entries
                .own_fields
                .entry(path.to_owned())
                .or_default()
                .insert((key.clone(), text.to_owned()));
        }
        let owner = marked.and_then(|marked| marked.rsplit('/').next());
        if let Some(owner) = owner {
            self.completed(state, owner);
        }
    }

    /// A process has written a value into an entry.
    fn field_written(
        &self,
        state: &mut State,
        (caller, path): (&str, &str),
        text: &str,
        marked: Option<&str>,
    ) {
        let Some(found) = secret_in(state, text) else {
            let is_known = is_no_secret(state, text);
            let other = (!is_known).then(|| format!("{caller} writes something else into {path}"));
            return self.check(state, "an entry holds values of a user", other);
        };
        let broken = found.broken(state, caller).map(|why| format!("{path}: {why}"));
        self.check(state, "what is written into an entry is verified and accepted", broken);
        // In the entry of another owner the note says whose the keys are.
        let of_another = found.owner.as_deref().zip(marked).filter(|(owner, marked)| {
            !state.entries.of_others.contains(path) && *marked != format!("sim/{NAMESPACE}/{owner}")
        });
        let of_another =
            of_another.map(|(owner, marked)| format!("{path} of {marked} gets the credential of {owner}"));
        self.check(state, "an entry holds the credential of the resource that its mark names", of_another);
        state.entries.clients.insert(path.to_owned(), found.published.client_id.clone());
        if let Some(owner) = found.owner {
            state.published.insert(owner, found.published);
        }
    }

    /// A process has written a Secret that may name an entry.
    pub(super) fn alias_named(&self, state: &mut State, change: &Change) {
        let value = |key: &str| {
            let text = STANDARD.decode(change.after["data"][key].as_str()?).ok()?;
            String::from_utf8(text).ok()
        };
        let (Some(alias), Some(client)) =
            (value("EDC_IAM_STS_OAUTH_CLIENT_SECRET_ALIAS"), value("EDC_IAM_STS_OAUTH_CLIENT_ID"))
        else {
            return;
        };
        let before = change.before.as_ref().map(|before| &before["data"]);
        let is_chosen = alias == CHOSEN_ALIAS;
        if is_chosen || before == Some(&change.after["data"]) {
            return;
        }
        let path = format!("{MOUNT}/{FOLDER}/{alias}");
        let held = state.entries.clients.get(&path);
        // A restored Vault has entries that were removed since.
        let user = || state.users.values().find(|user| user.view.client_id.as_ref() == Some(&client));
        let entry = || self.0.vault.entries().remove(&path).and_then(|entry| entry.data);
        let is_there = || user().zip(entry()).is_some_and(|(user, data)| is_in_fields(&data, user));
        let broken = (held != Some(&client) && !is_there()).then(|| {
            format!(
                "{} names {alias} for client {client}, and the last one written there is {held:?}",
                change.id.name
            )
        });
        self.check(state, "a Secret names the alias of an entry with the credential of its user", broken);
    }
}

/// The credential of a user in what is written somewhere.
pub(super) struct Found {
    pub(super) owner: Option<String>,
    pub(super) published: Published,
    accepted: bool,
}

impl Found {
    /// Why it may not be written now by this process.
    pub(super) fn broken(&self, state: &State, caller: &str) -> Option<String> {
        let client = &self.published.client_id;
        if !self.accepted {
            return Some(format!("the credential of client {client} was not accepted"));
        }
        let key = (caller.to_owned(), client.clone(), self.published.secret.clone());
        let proved = state.tokens.get(&key).is_some_and(|at| Instant::now() - *at < state.paused.shortly());
        (!proved).then(|| format!("{caller} obtained no token with what it writes of client {client}"))
    }
}

/// The credential whose secret is in a text.
pub(super) fn secret_in(state: &State, text: &str) -> Option<Found> {
    state.users.values().find_map(|user| {
        let credential = user.credentials.iter().find(|credential| text.contains(&credential.secret))?;
        Some(Found {
            owner: user.owner.clone(),
            published: Published {
                client_id: credential.client_id.clone(),
                secret: credential.secret.clone(),
            },
            accepted: credential.accepted_within(state.paused.shortly()),
        })
    })
}

/// Whether a text is one of the other values of a credential.
fn is_no_secret(state: &State, text: &str) -> bool {
    let of_user = |user: &super::Known| {
        user.view.id.to_string() == text || user.view.client_id.as_deref() == Some(text)
    };
    text.starts_with("https://") || text == BPN || state.users.values().any(of_user)
}

/// The fields of an entry that has some.
fn fields(entry: Option<&EntryView>) -> Option<&Map<String, Value>> {
    entry?.data.as_ref()?.as_object()
}

impl Entries {
    /// The client whose secret the operator wrote last into an entry.
    pub(super) fn client(&self, path: &str) -> Option<&str> {
        self.clients.get(path).map(String::as_str)
    }

    /// What of another client a change removes or replaces.
    fn lost(&self, path: &str, before: Option<&EntryView>, after: Option<&EntryView>) -> Option<String> {
        let before = before?;
        let is_ours = |name: &str| name.starts_with("technicaluser.dev/");
        let of_others = self.of_others.contains(path);
        let Some(after) = after else {
            return of_others.then(|| "an entry of another client is deleted".to_owned());
        };
        let marks = &before.custom_metadata;
        let mark = marks.iter().find(|(name, text)| {
            !is_ours(name.as_str()) && after.custom_metadata.get(name.as_str()) != Some(text)
        });
        if let Some((name, _)) = mark {
            return Some(format!("the custom metadata {name} of another client are gone"));
        }
        if !of_others {
            return None;
        }
        let Some(fields) = fields(Some(before)) else {
            let is_written = before.version > 0 && after.version != before.version;
            return is_written.then(|| "it is written over a version that its owner has deleted".to_owned());
        };
        let is_own = |key: &str, value: &Value| {
            let text = value.as_str().unwrap_or_default().to_owned();
            self.own_fields.get(path).is_some_and(|own| own.contains(&(key.to_owned(), text)))
        };
        let kept = |key: &str, value: &Value| {
            after.data.as_ref().is_some_and(|data| data[key] == *value) || is_own(key, value)
        };
        let lost = fields.iter().find(|(key, value)| !kept(key.as_str(), value));
        lost.map(|(key, _)| format!("the field {key} of another client is another one"))
    }
}
