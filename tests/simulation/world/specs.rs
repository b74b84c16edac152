//! Changes of specs: sequences that the schema permits, mistakes that are corrected later, objects that are created again.

use std::collections::BTreeSet;

use portal_simulator::role_names::DATASPACE_DISCOVERY;
use serde_json::{Value, json};

use super::objects::{path_of_user, send_as};
use super::people_in_vault::SHARED;
use super::swarm::Trouble;
use super::vault::FOLDER;
use super::{NAMESPACE, World};

/// The Secret of another owner that resources add keys to.
pub const SHARED_SECRET: &str = "shared";
/// The alias that people choose themselves.
pub const CHOSEN_ALIAS: &str = "chosen/alias";
/// The most outputs that a spec has here.
const MOST: u64 = 4;
/// The formats that name an alias.
const WITH_ALIAS: [&str; 4] = ["EdcEnv", "EdcHelmValues", "EdcMemory", "Properties"];
const FORMATS: [&str; 7] =
    ["Raw", "Dotenv", "VaultJson", "SpringEnv", "SpringApplication", "DataSpaceIntegration", "Template"];
const STYLES: [&str; 4] = ["UpperSnake", "Camel", "Snake", "Kebab"];
const OVERLAPS: [&str; 4] = ["0s", "2m", "20m", "1h"];
const POLICIES: [&str; 3] = ["Delete", "Revoke", "Retain"];

impl World {
    /// The Secret of another owner.
    pub async fn install_shared_secret(&self) {
        let secret = json!({
            "metadata": { "name": SHARED_SECRET, "labels": { "owner": "another" } },
            "stringData": { "theirs": "kept" },
        });
        self.create(&format!("/api/v1/namespaces/{NAMESPACE}/secrets"), &secret).await;
    }

    pub(super) fn one_of<T: Clone>(&self, all: &[T]) -> T {
        let mut all = all.to_vec();
        self.random.shuffle(&mut all);
        all.swap_remove(0)
    }

    fn with_chance(&self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// People change the specs of resources, by chance.
    pub async fn change_specs(&self, troubles: &BTreeSet<Trouble>) {
        if !troubles.contains(&Trouble::ChangedSpecs) {
            return;
        }
        for user in self.users() {
            let name = user["metadata"]["name"].as_str().unwrap_or_default();
            if user["metadata"]["deletionTimestamp"].is_string() || !self.may_change() {
                continue;
            }
            let has = |kind| troubles.contains(&kind);
            match self.below(8) {
                0 if has(Trouble::Recreated) => {
                    self.create_again(name, user["spec"]["outputs"].is_array()).await;
                }
                1 | 2 if has(Trouble::Mistakes) => self.make_a_mistake(name, &user["spec"]["outputs"]).await,
                3 if has(Trouble::ChangedBack) => self.change_and_change_back(name, &user["spec"]).await,
                4 => {
                    let overlap = self.one_of(&OVERLAPS);
                    self.change_spec(name, &json!({ "rotation": { "overlap": overlap } })).await;
                }
                5 => {
                    let policy = self.one_of(&POLICIES);
                    self.change_spec(name, &json!({ "deletionPolicy": policy })).await;
                }
                _ => {
                    let outputs = self.changed_outputs(name, &user["spec"]["outputs"]);
                    self.set_outputs(name, &outputs).await;
                }
            }
        }
    }

    /// Each resource has a spec that can be served again.
    pub async fn correct_mistakes(&self) {
        let mistakes = std::mem::take(&mut *self.mistakes.lock());
        for (name, outputs) in mistakes {
            if self.user(&name).is_some_and(|user| user["metadata"]["deletionTimestamp"].is_null()) {
                self.set_outputs(&name, &outputs).await;
            }
        }
    }

    /// Changes the spec of a resource, which may be deleted meanwhile, by a merge patch. Whether the apiserver accepts it.
    pub async fn change_spec(&self, name: &str, spec: &Value) -> bool {
        self.record.add(format!("a person changes the spec of {name}: {spec}"));
        let patch = json!({ "spec": spec });
        send_as(&self.apiserver.admin(), "PATCH", &path_of_user(name), &patch).await.is_ok()
    }

    async fn set_outputs(&self, name: &str, outputs: &Value) {
        self.mistakes.lock().remove(name);
        if !self.change_spec(name, &json!({ "outputs": outputs })).await && self.user(name).is_some() {
            self.fail(&format!("the schema refuses outputs that should be valid: {outputs}"));
        }
    }

    /// A resource is deleted, and created again with another spec once it is gone, or at once if nothing holds it.
    async fn create_again(&self, name: &str, with_outputs: bool) {
        self.record.add(format!("a person deletes {name}, to create it again"));
        self.mistakes.lock().remove(name);
        self.delete_user(name).await;
        self.wanted_again.lock().insert(name.to_owned(), with_outputs);
        self.create_those_wanted_again().await;
    }

    /// Creates the resources again that are gone meanwhile.
    pub async fn create_those_wanted_again(&self) {
        let gone: Vec<(String, bool)> = {
            let wanted = self.wanted_again.lock();
            let gone = wanted.iter().filter(|(name, _)| self.user(name).is_none());
            gone.map(|(name, with)| (name.clone(), *with)).collect()
        };
        for (name, with_outputs) in gone {
            self.wanted_again.lock().remove(&name);
            let outputs = if with_outputs { self.changed_outputs(&name, &Value::Null) } else { Value::Null };
            self.create_user_with(&name, DATASPACE_DISCOVERY, &json!({ "outputs": outputs })).await;
        }
    }

    /// What is changed and changed back at once may be seen by no watch.
    async fn change_and_change_back(&self, name: &str, spec: &Value) {
        let outputs = self.changed_outputs(name, &spec["outputs"]);
        let before = spec["outputs"].clone();
        let corrects = !self.mistakes.lock().contains_key(name);
        self.change_spec(name, &json!({ "outputs": outputs })).await;
        if corrects {
            self.set_outputs(name, &before).await;
        }
    }

    /// A spec that the apiserver refuses, or that cannot be served. It is corrected later.
    async fn make_a_mistake(&self, name: &str, before: &Value) {
        let mut outputs = self.changed_outputs(name, before);
        let vault = |more: Value| {
            let mut vault = json!({ "vaultRef": { "name": "vault" } });
            more.as_object().into_iter().flatten().for_each(|(key, value)| vault[key] = value.clone());
            json!({ "vault": vault })
        };
        let template = |text: &str| json!({ "secret": { "name": format!("{name}-t"), "format": "Template", "template": { "a": text } } });
        let wrong = match self.below(8) {
            0 => vault(json!({ "vaultRef": { "name": "nowhere" } })),
            1 => vault(json!({ "path": "elsewhere/entry" })),
            2 => template("{{ nope }}"),
            3 => json!({ "secret": { "name": format!("{name}-k"), "keys": { "no-such-key": "x" } } }),
            4 => json!({ "secret": { "name": "absent", "creationPolicy": "Merge" } }),
            5 => json!({ "secret": { "name": "portal-login" } }),
            6 => vault(json!({ "path": format!("{FOLDER}/absent"), "creationPolicy": "Merge" })),
            _ => {
                let refused = json!({ "outputs": [{ "secret": { "format": "Nothing" } }] });
                if self.change_spec(name, &refused).await {
                    self.fail("the schema permits a format that there is not");
                }
                return;
            }
        };
        if let Some(outputs) = outputs.as_array_mut() {
            outputs.push(wrong);
        }
        self.mistakes.lock().entry(name.to_owned()).or_insert_with(|| before.clone());
        self.change_spec(name, &json!({ "outputs": outputs })).await;
    }

    /// Outputs of which one is another one, is gone, or was added.
    fn changed_outputs(&self, name: &str, before: &Value) -> Value {
        let mut outputs: Vec<Value> = self.valid_ones(name, before);
        let at = usize::try_from(self.below(outputs.len().max(1) as u64)).unwrap_or_default();
        match self.below(4) {
            0 if outputs.len() > 1 => {
                outputs.remove(at);
            }
            1 if at < outputs.len() => outputs[at] = self.output(name),
            2 if at < outputs.len()
                && outputs[at]["secret"].is_object()
                && outputs[at]["secret"]["creationPolicy"].is_null() =>
            {
                let named = outputs[at]["secret"]["name"].clone();
                outputs[at] = self.secret_output(name);
                if outputs[at]["secret"]["creationPolicy"].is_null() {
                    outputs[at]["secret"]["name"] = named;
                }
            }
            _ => outputs.push(self.output(name)),
        }
        outputs.truncate(usize::try_from(MOST).unwrap_or_default());
        made_valid(name, outputs)
    }

    /// The outputs of a spec, without a mistake in them.
    fn valid_ones(&self, name: &str, before: &Value) -> Vec<Value> {
        let mistaken = self.mistakes.lock().get(name).cloned();
        let before = mistaken.unwrap_or_else(|| before.clone());
        before.as_array().cloned().unwrap_or_else(|| vec![json!({ "secret": {} })])
    }

    fn output(&self, name: &str) -> Value {
        if self.with_chance(2) { self.secret_output(name) } else { self.entry_output(name) }
    }

    fn entry_output(&self, name: &str) -> Value {
        let mut vault = json!({ "vaultRef": { "name": "vault" } });
        match self.below(5) {
            0 => {
                vault["creationPolicy"] = json!("Merge");
                vault["path"] = json!(format!("{FOLDER}/{SHARED}"));
                vault["keys"] = json!({ "client-secret": format!("{name}-secret") });
                return json!({ "vault": vault });
            }
            1 => vault["path"] = json!(format!("{FOLDER}/{name}")),
            2 => vault["path"] = json!(format!("{FOLDER}/{name}-x")),
            3 => vault["path"] = json!(format!("{FOLDER}/deeper/{name}")),
            _ => {}
        }
        match self.below(3) {
            0 => vault["keys"] = json!({ "client-secret": "secret", "client-id": "id", "bpn": "bpn" }),
            1 => vault["keys"] = json!({ "client-secret": "another" }),
            _ => {}
        }
        json!({ "vault": vault })
    }

    fn secret_output(&self, name: &str) -> Value {
        if self.with_chance(8) {
            let keys =
                json!({ "client-id": format!("{name}-id"), "client-secret": format!("{name}-secret") });
            return json!({ "secret": { "name": SHARED_SECRET, "creationPolicy": "Merge", "keys": keys } });
        }
        let mut secret = json!({});
        if let Some(named) = self.one_of(&[None, Some("a"), Some("b"), Some("c")]) {
            secret["name"] = json!(format!("{name}-{named}"));
        }
        let format = if self.with_chance(3) { self.one_of(&WITH_ALIAS) } else { self.one_of(&FORMATS) };
        secret["format"] = json!(format);
        self.choose_of_format(format, &mut secret);
        if self.with_chance(4) {
            secret["immutable"] = json!(true);
        }
        if self.with_chance(3) {
            secret["labels"] = json!({ "example.org/label": self.one_of(&["one", "two"]) });
        }
        if self.with_chance(3) {
            secret["annotations"] = json!({ "example.org/note": self.one_of(&["one", "two"]) });
        }
        json!({ "secret": secret })
    }

    /// What a person may choose of a format.
    fn choose_of_format(&self, format: &str, secret: &mut Value) {
        match format {
            "Raw" | "Dotenv" => match self.below(4) {
                0 => {
                    let styles = if format == "Dotenv" { &STYLES[..3] } else { &STYLES[..] };
                    secret["keyStyle"] = json!(self.one_of(styles));
                }
                1 => secret["keyPrefix"] = json!("PORTAL_"),
                2 => secret["keys"] = json!({ "client-id": "ID", "client-secret": "SECRET" }),
                _ => {}
            },
            "EdcHelmValues" if self.with_chance(2) => secret["edcDialect"] = json!("Iatp"),
            "SpringEnv" | "SpringApplication" if self.with_chance(2) => {
                secret["springRegistration"] = json!("pool");
            }
            "Template" => {
                let texts =
                    ["{{ clientId }}:{{ clientSecret }}", "{{ did | yaml }}", "{{ clientSecret | json }}"];
                secret["template"] = json!({ "a": self.one_of(&texts) });
            }
            _ => {}
        }
    }
}

/// These outputs without two outputs in one place, and with the aliases that formats need.
fn made_valid(name: &str, outputs: Vec<Value>) -> Value {
    let mut places = BTreeSet::new();
    let place = |output: &Value| match &output["vault"] {
        Value::Null => format!("Secret {}", output["secret"]["name"].as_str().unwrap_or(name)),
        vault => format!("entry {}", vault["path"].as_str().unwrap_or(&format!("{FOLDER}/{name}"))),
    };
    let mut outputs: Vec<_> = outputs.into_iter().filter(|output| places.insert(place(output))).collect();
    let has_entry = outputs
        .iter()
        .any(|output| output["vault"].is_object() && output["vault"]["creationPolicy"] != "Merge");
    for output in &mut outputs {
        let format = output["secret"]["format"].as_str().unwrap_or_default();
        if WITH_ALIAS.contains(&format) && !has_entry && output["secret"]["secretAlias"].is_null() {
            output["secret"]["secretAlias"] = json!(CHOSEN_ALIAS);
        }
    }
    Value::Array(outputs)
}
