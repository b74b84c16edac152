//! What is served, as the operator asks for it: a group, a version of a group, and the fields of its kinds.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::kinds::{Kind, Kinds};
use super::refusal::{Answer, Refusal};

/// The answer to a path of the discovery, `None` for any other path.
pub fn answer(kinds: &Kinds, path: &str) -> Option<Answer> {
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match segments.as_slice() {
        ["apis", group] => Some(group_of(kinds, group)),
        ["apis", group, version] => Some(resources(kinds, group, version)),
        ["openapi", "v3", "apis", group, version] => Some(fields(kinds, group, version)),
        _ => None,
    }
}

fn group_of(kinds: &Kinds, group: &str) -> Answer {
    let version =
        |version: &&str| json!({ "groupVersion": format!("{group}/{version}"), "version": version });
    let versions: Vec<Value> = kinds.versions(group).iter().map(version).collect();
    let Some(preferred) = versions.first().cloned() else { return Err(Refusal::no_such_path()) };
    let body = json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": group, "versions": versions, "preferredVersion": preferred,
    });
    Ok((200, Arc::new(body)))
}

fn resources(kinds: &Kinds, group: &str, version: &str) -> Answer {
    let mut resources = Vec::new();
    for kind in kinds.in_group(group, version) {
        resources.push(resource(kind, &kind.plural));
        if kind.status {
            resources.push(resource(kind, &format!("{}/status", kind.plural)));
        }
    }
    if resources.is_empty() {
        return Err(Refusal::no_such_path());
    }
    let body = json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": format!("{group}/{version}"),
        "resources": resources,
    });
    Ok((200, Arc::new(body)))
}

fn resource(kind: &Kind, name: &str) -> Value {
    let verbs: &[&str] = if name.contains('/') {
        &["get", "patch", "update"]
    } else {
        &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    };
    json!({
        "name": name, "singularName": kind.name.to_lowercase(), "namespaced": kind.namespaced, "kind": kind.name,
        "verbs": verbs,
    })
}

fn fields(kinds: &Kinds, group: &str, version: &str) -> Answer {
    let mut schemas = Map::new();
    for kind in kinds.in_group(group, version) {
        let Some(mut schema) = kind.schema.clone() else { continue };
        let mark = json!({ "group": group, "version": version, "kind": kind.name });
        schema["x-kubernetes-group-version-kind"] = json!([mark]);
        let reversed: Vec<_> = group.rsplit('.').collect();
        schemas.insert(format!("{}.{version}.{}", reversed.join("."), kind.name), schema);
    }
    if schemas.is_empty() {
        return Err(Refusal::no_such_path());
    }
    let body = json!({ "openapi": "3.0.0", "components": { "schemas": schemas } });
    Ok((200, Arc::new(body)))
}
