//! What is published for a resource whose world is at rest: each output that its spec names holds the credential of its user, in
//! its format, and nothing else is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portal_simulator::{Kind, UserView};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use technical_user_operator::domain::format::{
    Dialect, Format, KeyStyle, Naming, Options, Surroundings, Values, read_back, render,
};
use technical_user_operator::domain::reason::Reason;
use technical_user_operator::domain::user::{Credential, UserId, UserKind};
use testbed::EntryView;

use super::vault::{FOLDER, MOUNT};
use super::{BPN, NAMESPACE, World};

/// The places that resources name.
#[derive(Debug, Default)]
pub struct Places {
    secrets: BTreeSet<String>,
    entries: BTreeSet<String>,
    /// Keys in Secrets and entries of other owners, by the name or path of these.
    keys: BTreeMap<String, BTreeSet<String>>,
}

impl Places {
    /// A Secret may stay although its resource has no user.
    pub fn keep_secret(&mut self, name: &str) {
        self.secrets.insert(name.to_owned());
    }
}

/// A resource with its user.
struct Owned<'a> {
    name: &'a str,
    object: &'a Value,
    user: &'a UserView,
}

/// What an output holds, by key.
type Texts = BTreeMap<String, String>;

impl World {
    /// Where the outputs of a resource differ from its spec. Adds the places that the spec names.
    pub(super) fn outputs_differ(
        &self,
        (name, object): (&str, &Value),
        user: &UserView,
        places: &mut Places,
    ) -> Option<String> {
        let owned = Owned { name, object, user };
        let recorded = object["status"]["outputs"].as_array();
        let former = recorded.into_iter().flatten().find(|output| output["deleteAfter"].is_string());
        if let Some(former) = former {
            return Some(format!("{name} still has the former output {}", former["name"]));
        }
        let default = json!([{ "secret": {} }]);
        let outputs = if object["spec"]["outputs"].is_null() { &default } else { &object["spec"]["outputs"] };
        outputs.as_array().into_iter().flatten().find_map(|output| {
            let differs = if output["vault"].is_null() {
                self.secret_differs(&owned, &output["secret"], places)
            } else {
                self.entry_differs(&owned, &output["vault"], places)
            };
            differs.map(|why| format!("{name}: {why}"))
        })
    }

    fn secret_differs(&self, owned: &Owned<'_>, spec: &Value, places: &mut Places) -> Option<String> {
        let named = spec["name"].as_str().unwrap_or(owned.name);
        let wanted = match self.rendered(owned, spec) {
            Ok(wanted) => wanted,
            Err(why) => return Some(why),
        };
        let merges = spec["creationPolicy"] == "Merge";
        let is_immutable = spec["immutable"] == true;
        let name = if is_immutable { used_secret(owned.object, named) } else { named.to_owned() };
        let Some(secret) = self.apiserver.object("secrets", NAMESPACE, &name) else {
            return Some(format!("there is no Secret {name}"));
        };
        let texts = texts(&secret["data"]);
        if merges {
            places.keys.entry(name.clone()).or_default().extend(wanted.keys().cloned());
            let differs = wanted.iter().find(|(key, text)| texts.get(*key) != Some(text));
            return differs.map(|(key, _)| format!("the Secret {name} holds something else in {key}"));
        }
        places.secrets.insert(name.clone());
        if texts != wanted {
            let keys = |texts: &Texts| texts.keys().cloned().collect::<Vec<_>>();
            return Some(format!(
                "the Secret {name} has the keys {:?}, and of the user follow {:?}, or a value differs",
                keys(&texts),
                keys(&wanted)
            ));
        }
        let has = |field: &str| {
            let wanted = spec[field].as_object();
            wanted.into_iter().flatten().all(|(key, text)| secret["metadata"][field][key] == *text)
        };
        let is_ours = secret["metadata"]["ownerReferences"][0]["uid"] == owned.object["metadata"]["uid"];
        let same_type = spec["type"].is_null() || spec["type"] == secret["type"];
        let same_mode = (secret["immutable"] == true) == is_immutable;
        (!has("labels") || !has("annotations") || !is_ours || !same_type || !same_mode).then(|| {
            format!("the Secret {name} has other labels, annotations, owners, another type or mode: {}", {
                let mut shown = Value::clone(&secret);
                shown["data"] = Value::Null;
                shown
            })
        })
    }

    fn entry_differs(&self, owned: &Owned<'_>, spec: &Value, places: &mut Places) -> Option<String> {
        let (alias, merges) = (self.alias_of(owned, spec), spec["creationPolicy"] == "Merge");
        let path = format!("{MOUNT}/{FOLDER}/{alias}");
        let keys =
            if spec["keys"].is_null() { json!({"client-secret": "content"}) } else { spec["keys"].clone() };
        let wanted = match self.rendered(owned, &json!({ "keys": keys })) {
            Ok(wanted) => wanted,
            Err(why) => return Some(why),
        };
        if merges {
            places.keys.entry(path.clone()).or_default().extend(wanted.keys().cloned());
        } else {
            places.entries.insert(path.clone());
        }
        let Some(entry) = self.vault.entries().remove(&path) else {
            return Some(format!("there is no entry {path}"));
        };
        let Some(data) = entry.data else { return Some(format!("the entry {path} has no data")) };
        let differs = wanted.iter().find(|(key, text)| data[key.as_str()] != text.as_str());
        if let Some((key, _)) = differs {
            return Some(format!("the entry {path} holds something else in {key}"));
        }
        if merges {
            return None;
        }
        let mark = entry.custom_metadata.get("technicaluser.dev/owner");
        if mark != Some(&format!("sim/{NAMESPACE}/{}", owned.name)) {
            return Some(format!("the entry {path} has the mark {mark:?}"));
        }
        let number = data.as_object().map_or(0, serde_json::Map::len);
        (number != wanted.len()).then(|| format!("the entry {path} has {number} fields"))
    }

    /// The alias of the entry that an output in the Vault names.
    fn alias_of(&self, owned: &Owned<'_>, spec: &Value) -> String {
        let path = spec["path"].as_str();
        let prefix = format!("{FOLDER}/");
        let alias = path.map_or(owned.name, |path| path.strip_prefix(&prefix).unwrap_or(path));
        let vault = spec["vaultRef"]["name"].as_str().unwrap_or_default();
        let vault = self.apiserver.object("vaults.technicaluser.dev", NAMESPACE, vault).unwrap_or_default();
        if spec["creationPolicy"] == "Merge" || vault["spec"]["aliasMode"] == "Fixed" {
            return alias.to_owned();
        }
        format!("{alias}-{}", generation(owned.object))
    }

    /// What an output holds, by the function of the product that renders a format. What can be read back must be the credential.
    fn rendered(&self, owned: &Owned<'_>, spec: &Value) -> Result<Texts, String> {
        let (format, options) = (format_of(spec), options_of(spec));
        let values = self.values(owned, spec)?;
        let content = render(format, &options, &values).map_err(|error| format!("{spec}: {error}"))?;
        if let Some(read) = read_back(format, &options, &content) {
            let same = read.client_id == values.credential.client_id
                && read.secret().expose_secret() == values.credential.secret().expose_secret();
            if !same {
                return Err(format!("another credential is read back from the format {format:?}"));
            }
        }
        Ok(content.iter().map(|(key, text)| (key.clone(), text.expose_secret().to_owned())).collect())
    }

    fn values(&self, owned: &Owned<'_>, spec: &Value) -> Result<Values, String> {
        let user = owned.user;
        let (Some(client_id), Some(secret)) = (&user.client_id, &user.secret) else {
            return Err("the user has no credential".to_owned());
        };
        let (kind, token_url) = match user.kind {
            Kind::Internal => (UserKind::Internal, self.portal.token_url()),
            Kind::External => (UserKind::External, format!("{}/oauth/token", self.portal.wallet_url())),
        };
        let portal =
            self.apiserver.object("portals.technicaluser.dev", NAMESPACE, "portal").unwrap_or_default();
        let dataspace = &portal["spec"]["dataspace"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let outputs = owned.object["spec"]["outputs"].as_array();
        let mut entries = outputs.into_iter().flatten().map(|output| &output["vault"]);
        let first = entries.find(|vault| vault.is_object() && vault["creationPolicy"] != "Merge");
        let issuers = dataspace["trustedIssuers"].as_array();
        let surroundings = Surroundings {
            did: text(&dataspace["did"]),
            wallet_url: text(&dataspace["walletUrl"]),
            bdrs_url: text(&dataspace["bdrsUrl"]),
            trusted_issuers: issuers.into_iter().flatten().filter_map(text).collect(),
            secret_alias: text(&spec["secretAlias"])
                .or_else(|| first.map(|vault| self.alias_of(owned, vault))),
        };
        Ok(Values {
            credential: Credential::with_secret(client_id.clone(), secret.clone().into(), token_url),
            user_id: UserId::new(&user.id.to_string()),
            kind,
            generation: generation(owned.object),
            bpn: Some(BPN.to_owned()),
            surroundings,
        })
    }

    /// Whether a person has replaced the mark of an entry, and the operator has said that it leaves the entry alone. Whoever deletes
    /// the resource then has to delete the entry.
    fn was_given_away(&self, entry: &EntryView) -> bool {
        let is_bare = !entry.custom_metadata.contains_key("technicaluser.dev/owner");
        is_bare && self.moments.reasons().contains(Reason::OutputNotOurs.as_str())
    }

    /// What is left of outputs that no resource names.
    pub(super) fn left_over(&self, places: &Places) -> Option<String> {
        let secrets = self.apiserver.objects("secrets");
        let is_output =
            |secret: &&Arc<Value>| secret["metadata"]["ownerReferences"][0]["kind"] == "TechnicalUser";
        let name = |secret: &Arc<Value>| secret["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let orphan = secrets.iter().filter(is_output).map(name).find(|name| !places.secrets.contains(name));
        if let Some(orphan) = orphan {
            return Some(format!("no resource names the Secret {orphan}"));
        }
        let restored = self.restored_entries.lock();
        for (path, entry) in self.vault.entries() {
            let theirs = self.theirs.lock().get(&path).cloned();
            let is_named = places.entries.contains(&path);
            let is_left = theirs.is_none() && (self.moments.has_written(&path) || entry.version == 0);
            if !is_named && is_left && !restored.contains(&path) && !self.was_given_away(&entry) {
                return Some(format!("no resource names the entry {path}"));
            }
            let Some(theirs) = theirs else { continue };
            let data = entry.data.unwrap_or_default();
            let none = BTreeSet::new();
            let named = places.keys.get(&path).unwrap_or(&none);
            let fields = data.as_object().into_iter().flatten().filter(|_| !restored.contains(&path));
            let mut others = fields.filter(|(key, _)| !named.contains(*key));
            if let Some((key, _)) = others.find(|(key, value)| theirs[key.as_str()] != **value) {
                return Some(format!("no resource names the key {key} in the entry {path}"));
            }
            let fields = theirs.as_object().into_iter().flatten();
            if let Some((key, _)) = { fields }.find(|(key, value)| data[key.as_str()] != **value) {
                return Some(format!("the key {key} of another client is gone from the entry {path}"));
            }
        }
        self.merged_left_over(places)
    }

    /// Whether an Event says that keys are left in a Secret: the apiserver has refused to remove them for an hour, and a deletion
    /// does not wait any longer.
    fn is_said_to_be_left(&self, secret: &str) -> bool {
        let named = format!("the Secret \"{secret}\"");
        self.apiserver.objects("events.events.k8s.io").iter().any(|event| {
            let note = event["note"].as_str().unwrap_or_default();
            event["reason"] == "OutputLeft" && note.contains(&named)
        })
    }

    /// Keys that are left in Secrets of other owners, and what these owners miss there.
    fn merged_left_over(&self, places: &Places) -> Option<String> {
        for secret in self.apiserver.objects("secrets") {
            let name = secret["metadata"]["name"].as_str().unwrap_or_default();
            if secret["metadata"]["labels"]["owner"] != "another" {
                continue;
            }
            let none = BTreeSet::new();
            let named = places.keys.get(name).unwrap_or(&none);
            let texts = texts(&secret["data"]);
            if texts.get("theirs").is_none_or(|text| text != "kept") {
                return Some(format!("the Secret {name} of another owner has lost its key"));
            }
            let left = texts.keys().find(|key| *key != "theirs" && !named.contains(*key));
            if let Some(key) = left.filter(|_| !self.is_said_to_be_left(name)) {
                return Some(format!("no resource names the key {key} in the Secret {name}"));
            }
        }
        None
    }
}

/// The Secret in use of an output whose Secrets are immutable.
fn used_secret(object: &Value, named: &str) -> String {
    let outputs = object["status"]["outputs"].as_array();
    let mut outputs = outputs.into_iter().flatten();
    let output = outputs.find(|output| output["kind"] == "ImmutableSecret" && output["name"] == named);
    output.and_then(|output| output["secret"].as_str()).unwrap_or("that the status names").to_owned()
}

fn generation(object: &Value) -> i64 {
    object["status"]["user"]["generation"].as_i64().unwrap_or(1)
}

fn texts(data: &Value) -> Texts {
    let text = |value: &Value| {
        let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    data.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn format_of(spec: &Value) -> Format {
    let named = |format: &Format| spec["format"] == format.entry().name;
    Format::ALL.into_iter().find(named).unwrap_or_default()
}

/// What a spec chooses of its format.
fn options_of(spec: &Value) -> Options {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let pairs = |value: &Value| {
        let pairs = value.as_object().into_iter().flatten();
        pairs.map(|(key, value)| (key.clone(), text(value))).collect::<BTreeMap<_, _>>()
    };
    let style = match spec["keyStyle"].as_str() {
        Some("Kebab") => Some(KeyStyle::Kebab),
        Some("Camel") => Some(KeyStyle::Camel),
        Some("Snake") => Some(KeyStyle::Snake),
        Some("UpperSnake") => Some(KeyStyle::UpperSnake),
        _ => None,
    };
    let naming = if spec["keys"].is_null() {
        Naming::Styled { style, prefix: text(&spec["keyPrefix"]) }
    } else {
        Naming::Renamed(pairs(&spec["keys"]))
    };
    Options {
        dialect: if spec["edcDialect"] == "Iatp" { Dialect::V0_12 } else { Dialect::V0_13 },
        registration: spec["springRegistration"].as_str().map(str::to_owned),
        naming,
        templates: pairs(&spec["template"]),
    }
}
