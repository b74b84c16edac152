//! KV version 2: the versions of each entry, and its metadata.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, EntryView, data, errors, missing, nothing};

/// How many versions an entry has unless its metadata say otherwise.
const VERSIONS: u64 = 10;
/// The bounds of custom metadata.
const MOST_KEYS: usize = 64;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 512;
/// No test depends on the time of a version.
const TIME: &str = "2026-01-01T00:00:00Z";

/// The entries of one mount.
#[derive(Clone, Default)]
pub(super) struct Kv(BTreeMap<String, Entry>);

#[derive(Clone, Default)]
struct Entry {
    versions: BTreeMap<u64, Version>,
    newest: u64,
    /// 0 until a version was forgotten.
    oldest: u64,
    custom: Option<BTreeMap<String, String>>,
    max_versions: u64,
    cas_required: bool,
}

#[derive(Clone)]
struct Version {
    data: Value,
    deleted: bool,
    destroyed: bool,
}

impl Version {
    fn details(&self) -> Value {
        let deletion = if self.deleted { TIME } else { "" };
        json!({ "created_time": TIME, "deletion_time": deletion, "destroyed": self.destroyed })
    }
}

impl Kv {
    /// `path` is what follows the mount.
    pub(super) fn answer(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let Some((what, name)) = path.split_once('/') else { return missing() };
        match (method, what) {
            ("GET", "data") => self.read(name),
            ("POST" | "PUT", "data") => self.write(name, body),
            ("DELETE", "data") => {
                let newest = self.0.get(name).map(|entry| entry.newest);
                self.mark(name, newest, |version| version.deleted |= !version.destroyed)
            }
            ("POST" | "PUT", "delete") => {
                self.mark(name, numbers(body), |version| version.deleted |= !version.destroyed)
            }
            ("POST" | "PUT", "undelete") => self.mark(name, numbers(body), |version| version.deleted = false),
            ("POST" | "PUT", "destroy") => self.mark(name, numbers(body), |version| {
                (version.destroyed, version.data) = (true, Value::Null);
            }),
            ("GET", "metadata") => self.0.get(name).map_or_else(missing, |entry| data(&entry.metadata())),
            ("POST" | "PUT", "metadata") => self.set_metadata(name, body),
            ("PATCH", "metadata") => self.patch_metadata(name, body),
            ("DELETE", "metadata") => {
                self.0.remove(name);
                nothing()
            }
            ("LIST", "metadata") => self.list(name),
            _ => missing(),
        }
    }

    /// Whether there is an entry, with data or only with metadata.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// An entry as another client has written it, beside the API.
    pub(super) fn put(&mut self, name: &str, view: &EntryView) {
        let mut entry = self.0.remove(name).unwrap_or_default();
        entry.newest = view.version;
        if view.version > 0 {
            let data = view.data.clone().unwrap_or_default();
            let version = Version { data, deleted: view.data.is_none(), destroyed: false };
            entry.versions.insert(view.version, version);
        }
        entry.custom = Some(view.custom_metadata.clone()).filter(|custom| !custom.is_empty());
        self.0.insert(name.to_owned(), entry);
    }

    /// An entry, for a test.
    pub(super) fn view(&self, name: &str) -> Option<EntryView> {
        self.0.get(name).map(Entry::view)
    }

    pub(super) fn views(&self) -> impl Iterator<Item = (&String, EntryView)> {
        self.0.iter().map(|(name, entry)| (name, entry.view()))
    }

    fn read(&self, name: &str) -> Answer {
        let Some(entry) = self.0.get(name) else { return missing() };
        let Some(version) = entry.versions.get(&entry.newest) else { return missing() };
        let mut metadata = version.details();
        metadata["version"] = json!(entry.newest);
        metadata["custom_metadata"] = json!(entry.custom);
        let is_gone = version.deleted || version.destroyed;
        let fields = if is_gone { Value::Null } else { version.data.clone() };
        (if is_gone { 404 } else { 200 }, json!({ "data": { "data": fields, "metadata": metadata } }))
    }

    fn write(&mut self, name: &str, body: &Value) -> Answer {
        if body["data"].is_null() {
            return errors(400, "no data provided");
        }
        let newest = self.0.get(name).map_or(0, |entry| entry.newest);
        let cas = &body["options"]["cas"];
        if cas.is_null() && self.0.get(name).is_some_and(|entry| entry.cas_required) {
            return errors(400, "check-and-set parameter required for this call");
        }
        if !cas.is_null() && cas.as_u64() != Some(newest) {
            return errors(400, "check-and-set parameter did not match the current version");
        }
        let entry = self.0.entry(name.to_owned()).or_default();
        entry.newest += 1;
        let version = Version { data: body["data"].clone(), deleted: false, destroyed: false };
        let mut details = version.details();
        details["version"] = json!(entry.newest);
        details["custom_metadata"] = json!(entry.custom);
        entry.versions.insert(entry.newest, version);
        entry.forget_old();
        data(&details)
    }

    fn mark(
        &mut self,
        name: &str,
        numbers: impl IntoIterator<Item = u64>,
        change: impl Fn(&mut Version),
    ) -> Answer {
        if let Some(entry) = self.0.get_mut(name) {
            for number in numbers {
                if let Some(version) = entry.versions.get_mut(&number) {
                    change(version);
                }
            }
        }
        nothing()
    }

    fn set_metadata(&mut self, name: &str, body: &Value) -> Answer {
        let custom = match custom(&body["custom_metadata"]) {
            Ok(custom) => custom,
            Err(words) => return errors(400, &words),
        };
        let entry = self.0.entry(name.to_owned()).or_default();
        if let Some(custom) = custom {
            entry.custom = Some(custom).filter(|custom| !custom.is_empty());
        }
        if let Some(most) = body["max_versions"].as_u64() {
            entry.max_versions = most;
        }
        if let Some(required) = body["cas_required"].as_bool() {
            entry.cas_required = required;
        }
        nothing()
    }

    /// A merge patch of the custom metadata.
    fn patch_metadata(&mut self, name: &str, body: &Value) -> Answer {
        let Some(entry) = self.0.get_mut(name) else { return (404, Value::Null) };
        let mut merged = entry.custom.clone().unwrap_or_default();
        for (key, value) in body["custom_metadata"].as_object().into_iter().flatten() {
            match value.as_str() {
                Some(text) => merged.insert(key.clone(), text.to_owned()),
                None => merged.remove(key),
            };
        }
        match custom(&json!(merged)) {
            Ok(custom) => entry.custom = custom.filter(|custom| !custom.is_empty()),
            Err(words) => return errors(400, &words),
        }
        nothing()
    }

    fn list(&self, folder: &str) -> Answer {
        let folder =
            if folder.is_empty() { String::new() } else { format!("{}/", folder.trim_end_matches('/')) };
        let below = |name: &String| {
            let rest = name.strip_prefix(&folder)?;
            Some(rest.split_once('/').map_or_else(|| rest.to_owned(), |(first, _)| format!("{first}/")))
        };
        let mut keys: Vec<String> = self.0.keys().filter_map(below).collect();
        keys.dedup();
        if keys.is_empty() { missing() } else { data(&json!({ "keys": keys })) }
    }
}

impl Entry {
    fn view(&self) -> EntryView {
        let version = self.versions.get(&self.newest);
        let readable = version.filter(|version| !version.deleted && !version.destroyed);
        EntryView {
            version: self.newest,
            data: readable.map(|version| version.data.clone()),
            custom_metadata: self.custom.clone().unwrap_or_default(),
        }
    }

    fn metadata(&self) -> Value {
        let versions: BTreeMap<String, Value> =
            self.versions.iter().map(|(number, version)| (number.to_string(), version.details())).collect();
        json!({
            "cas_required": self.cas_required, "created_time": TIME, "current_version": self.newest,
            "custom_metadata": self.custom, "delete_version_after": "0s", "max_versions": self.max_versions,
            "oldest_version": self.oldest, "updated_time": TIME, "versions": versions,
        })
    }

    fn most(&self) -> u64 {
        if self.max_versions == 0 { VERSIONS } else { self.max_versions }
    }

    /// As Vault counts: while there are fewer versions than permitted, nothing is forgotten, also after the number was reduced.
    fn forget_old(&mut self) {
        if self.newest - self.oldest >= self.most() {
            self.oldest = self.newest - self.most() + 1;
            let oldest = self.oldest;
            self.versions.retain(|number, _| *number >= oldest);
        }
    }
}

fn numbers(body: &Value) -> Vec<u64> {
    body["versions"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

/// Custom metadata in a body, or what is wrong with them.
fn custom(value: &Value) -> Result<Option<BTreeMap<String, String>>, String> {
    const WRONG: &str = "custom_metadata validation failed";
    if value.is_null() {
        return Ok(None);
    }
    let Ok(custom) = serde_json::from_value::<BTreeMap<String, String>>(value.clone()) else {
        return Err(format!("{WRONG}: the values are texts"));
    };
    let is_bound = |(key, value): (&String, &String)| {
        let printable = |text: &str| text.chars().all(|c| !c.is_control());
        (1..=LONGEST_KEY).contains(&key.len())
            && (1..=LONGEST_VALUE).contains(&value.len())
            && printable(key)
            && printable(value)
    };
    if custom.len() > MOST_KEYS || !custom.iter().all(is_bound) {
        return Err(format!("1 error occurred:\n\t* {WRONG}"));
    }
    Ok(Some(custom))
}
