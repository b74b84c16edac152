//! The rules that objects of all kinds follow, and those of Secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::kinds::Kind;

/// The most that a Secret holds, in bytes.
const SECRET_BYTES: usize = 1 << 20;

/// Metadata that only the server writes.
const OF_THE_SERVER: [&str; 6] = [
    "resourceVersion",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "selfLink",
];

/// Removes what a caller cannot set in a new object.
pub fn begin(object: &mut Value) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in OF_THE_SERVER {
            metadata.remove(field);
        }
    }
    match object["kind"].as_str() {
        Some("Namespace") => {
            let name = object["metadata"]["name"].clone();
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            object["spec"]["finalizers"] = json!(["kubernetes"]);
            object["status"]["phase"] = json!("Active");
        }
        Some("Secret") if object["type"].is_null() => object["type"] = json!("Opaque"),
        _ => {}
    }
}

/// Brings an object into the form in which the server stores it: no empty maps and lists in the metadata, no managed fields,
/// the texts of a Secret among its data.
pub fn normalize(object: &mut Value) {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    };
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
        metadata.retain(|_, value| !is_empty(value));
    }
    if object["kind"] != "Secret" {
        return;
    }
    let texts = object["stringData"].take();
    for (key, text) in texts.as_object().into_iter().flatten() {
        object["data"][key] = json!(STANDARD.encode(text.as_str().unwrap_or_default()));
    }
    if let Some(secret) = object.as_object_mut() {
        secret.remove("stringData");
        if secret.get("data").is_some_and(is_empty) {
            secret.remove("data");
        }
    }
}

/// Keeps what a caller cannot change in an object.
pub fn keep_metadata(old: &Value, new: &mut Value) {
    let Some(metadata) = new["metadata"].as_object_mut() else { return };
    for field in OF_THE_SERVER.into_iter().chain(["uid", "name", "namespace"]) {
        match &old["metadata"][field] {
            Value::Null => metadata.remove(field),
            value => metadata.insert(field.to_owned(), value.clone()),
        };
    }
    (new["kind"], new["apiVersion"]) = (old["kind"].clone(), old["apiVersion"].clone());
}

/// What is wrong with a change of the metadata.
pub fn metadata_problems(old: &Value, new: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if old["metadata"]["deletionTimestamp"].is_string() {
        let of = |object: &Value| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
        let held = of(old);
        let added: Vec<_> = of(new).into_iter().filter(|name| !held.contains(name)).collect();
        if !added.is_empty() {
            let added: Vec<_> = added.iter().map(Value::to_string).collect();
            problems.push(format!(
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new \
                 finalizers []string{{{}}}",
                added.join(", ")
            ));
        }
    }
    for field in ["name", "namespace", "uid"] {
        let (before, after) = (&old["metadata"][field], &new["metadata"][field]);
        if after.as_str().is_some_and(|after| !after.is_empty()) && before != after {
            problems.push(format!("metadata.{field}: Invalid value: {after}: field is immutable"));
        }
    }
    problems
}

/// What is wrong with an object of a built-in kind.
pub fn problems(kind: &Kind, object: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if object["metadata"]["name"].as_str().is_none_or(str::is_empty) {
        problems.push("metadata.name: Required value: name or generateName is required".to_owned());
    }
    if kind.plural == "secrets" {
        let values = object["data"].as_object().into_iter().flatten();
        let bytes =
            |value: &Value| STANDARD.decode(value.as_str().unwrap_or_default()).map_or(0, |v| v.len());
        if values.map(|(_, value)| bytes(value)).sum::<usize>() > SECRET_BYTES {
            problems.push(format!("data: Too long: may not be more than {SECRET_BYTES} bytes"));
        }
    }
    problems
}

/// What is wrong with a change of an object of a built-in kind.
pub fn update_problems(kind: &Kind, old: &Value, new: &Value) -> Vec<String> {
    let mut found = problems(kind, new);
    if kind.plural != "secrets" {
        return found;
    }
    if old["type"] != new["type"] {
        found.push(format!("type: Invalid value: {}: field is immutable", new["type"]));
    }
    if old["immutable"] == json!(true) {
        let fixed = "Forbidden: field is immutable when `immutable` is set";
        if new["immutable"] != json!(true) {
            found.push(format!("immutable: {fixed}"));
        }
        if old["data"] != new["data"] {
            found.push(format!("data: {fixed}"));
        }
    }
    found
}

/// Whether two states differ in what the generation counts: for a Deployment the annotations, too.
pub fn is_counted(kind: &Kind, old: &Value, new: &Value) -> bool {
    let annotations = |object: &Value| object["metadata"]["annotations"].clone();
    !counted(old).eq(counted(new)) || kind.plural == "deployments" && annotations(old) != annotations(new)
}

fn counted(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter(|(field, _)| *field != "metadata" && *field != "status")
}
