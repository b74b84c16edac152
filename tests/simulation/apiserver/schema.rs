//! The schema of a custom resource: what it removes, completes and refuses. A null counts as absent unless it is allowed. Rules in CEL are not evaluated.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use parking_lot::Mutex;
use regex::Regex;
use serde_json::{Map, Value};

use super::kinds::Kind;

/// Removes the fields that the schema does not have, and sets those that have a default.
pub fn complete(kind: &Kind, object: &mut Value) {
    let (Some(schema), Some(object)) = (&kind.schema, object.as_object_mut()) else { return };
    let of_every_object = ["apiVersion", "kind", "metadata"];
    object.retain(|field, _| {
        of_every_object.contains(&field.as_str()) || schema["properties"][field].is_object()
    });
    for (field, value) in object.iter_mut().filter(|(field, _)| !of_every_object.contains(&field.as_str())) {
        walk(&schema["properties"][field], value);
    }
}

fn walk(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(map) => {
            prune(schema, map);
            for (field, value) in map.iter_mut() {
                walk(below(schema, field), value);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| walk(&schema["items"], value)),
        _ => {}
    }
}

fn prune(schema: &Value, map: &mut Map<String, Value>) {
    let keeps_unknown = schema["x-kubernetes-preserve-unknown-fields"] == true
        || schema["additionalProperties"].is_object()
        || schema["additionalProperties"] == true;
    if !keeps_unknown {
        map.retain(|field, _| schema["properties"][field].is_object());
    }
    map.retain(|field, value| !value.is_null() || below(schema, field)["nullable"] == true);
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        if !schema["default"].is_null() && !map.contains_key(field) {
            map.insert(field.clone(), schema["default"].clone());
        }
    }
}

/// The schema of a field.
fn below<'a>(schema: &'a Value, field: &str) -> &'a Value {
    match &schema["properties"][field] {
        Value::Null => &schema["additionalProperties"],
        schema => schema,
    }
}

/// What the schema refuses in an object that was as in `old` before, null if it is new. What stays as it was is not checked (Kubernetes 1.33: ratcheting).
pub fn problems(kind: &Kind, old: &Value, object: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(schema) = &kind.schema {
        required(schema, object, "", &mut problems);
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            let value = &object[field];
            let is_checked = !["apiVersion", "kind", "metadata"].contains(&field.as_str());
            if is_checked && !value.is_null() && *value != old[field] {
                check(schema, value, field, &mut problems);
            }
        }
    }
    problems
}

fn required(schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
    for field in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(field).is_none() {
            let dot = if path.is_empty() { "" } else { "." };
            problems.push(format!("{path}{dot}{field}: Required value"));
        }
    }
}

fn check(schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
    if value.is_null() && schema["nullable"] == true {
        return;
    }
    if let Some(wanted) = schema["type"].as_str().filter(|wanted| !is_of(value, wanted)) {
        let shown = type_of(value);
        problems.push(format!(
            "{path}: Invalid value: \"{shown}\": {} in body must be of type {wanted}: \"{shown}\"",
            in_body(path)
        ));
        return;
    }
    limits(schema, value, path, problems);
    match value {
        Value::Object(map) => {
            required(schema, value, path, problems);
            for (field, value) in map {
                check(below(schema, field), value, &format!("{path}.{field}"), problems);
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                check(&schema["items"], value, &format!("{path}[{at}]"), problems);
            }
        }
        _ => {}
    }
}

fn limits(schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
    let mut size = |length: usize, least: &str, most: &str, what: &str| {
        let length = length as u64;
        if let Some(most) = schema[most].as_u64().filter(|most| length > *most) {
            problems.push(match what {
                "bytes" => format!("{path}: Too long: may not be more than {most} bytes"),
                what => format!("{path}: Too many: {length}: must have at most {most} {what}"),
            });
        }
        if schema[least].as_u64().is_some_and(|least| length < least) {
            problems.push(format!(
                "{path}: Invalid value: {} in body should have at least {} {what}",
                in_body(path),
                schema[least]
            ));
        }
    };
    match value {
        Value::String(text) => size(text.chars().count(), "minLength", "maxLength", "bytes"),
        Value::Array(list) => size(list.len(), "minItems", "maxItems", "items"),
        Value::Object(map) => size(map.len(), "minProperties", "maxProperties", "properties"),
        _ => {}
    }
    if let Some(values) = schema["enum"].as_array().filter(|values| !values.contains(value)) {
        let supported: Vec<_> = values.iter().map(Value::to_string).collect();
        problems
            .push(format!("{path}: Unsupported value: {value}: supported values: {}", supported.join(", ")));
    }
    let number = value.as_f64();
    let beyond = |bound: &str, is_beyond: fn(f64, f64) -> bool| {
        number.zip(schema[bound].as_f64()).is_some_and(|(number, bound)| is_beyond(number, bound))
    };
    if beyond("minimum", |number, least| number < least) || beyond("maximum", |number, most| number > most) {
        problems
            .push(format!("{path}: Invalid value: {value}: {} in body is out of its bounds", in_body(path)));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !matches(pattern, text)
    {
        problems.push(format!(
            "{path}: Invalid value: {value}: {} in body should match '{pattern}'",
            in_body(path)
        ));
    }
}

/// Whether a text matches a pattern of a schema. Each pattern is compiled once.
fn matches(pattern: &str, text: &str) -> bool {
    static COMPILED: LazyLock<Mutex<BTreeMap<String, Regex>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock();
    if let Some(known) = compiled.get(pattern) {
        return known.is_match(text);
    }
    let Ok(new) = Regex::new(pattern) else { return true };
    let matches = new.is_match(text);
    compiled.insert(pattern.to_owned(), new);
    matches
}

fn is_of(value: &Value, wanted: &str) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => true,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A field in the words of a problem: the body of a status subresource is the status.
fn in_body(path: &str) -> &str {
    path.strip_prefix("status.").unwrap_or(path)
}
