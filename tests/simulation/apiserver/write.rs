//! Writes: create, replace, merge patch, delete, each also as a dry run.

use std::sync::Arc;

use serde_json::{Value, json};

use super::merge::merge;
use super::read::shown;
use super::refusal::{Answer, Refusal};
use super::request::Call;
use super::state::State;
use super::store::Id;
use super::{quota, rules, schema};

/// A new object.
pub fn create(state: &mut State, call: &Call) -> Answer {
    state.admit_to_namespace(call)?;
    let name = call.object_name();
    let id = Id::new(&call.kind, call.namespace_name(), &name);
    let mut object = call.body.clone();
    (object["kind"], object["apiVersion"]) = (json!(call.kind.name), json!(call.kind.api_version()));
    if call.kind.namespaced {
        object["metadata"]["namespace"] = json!(id.namespace);
    }
    if call.kind.status
        && let Some(object) = object.as_object_mut()
    {
        object.remove("status");
    }
    let version = object["metadata"]["resourceVersion"].clone();
    rules::normalize(&mut object);
    rules::begin(&mut object);
    state.store.begin(&mut object, call.kind.has_generation());
    schema::complete(&call.kind, &mut object);
    let problems =
        [schema::problems(&call.kind, &Value::Null, &object), rules::problems(&call.kind, &object)].concat();
    if !problems.is_empty() {
        return Err(Refusal::invalid(&call.kind, &name, &problems));
    }
    state.faults.admit(call)?;
    quota::admit(state, call)?;
    if version.as_str().is_some_and(|version| !version.is_empty())
        && !(call.is_dry_run() && state.store.get(&id).is_some())
    {
        let message = "resourceVersion should not be set on objects to be created";
        return Err(Refusal { reason: "", ..Refusal::internal(message) });
    }
    if let Some(present) = state.store.get(&id) {
        let deleting = present["metadata"]["deletionTimestamp"].is_string();
        return Err(Refusal::already_exists(&call.kind, &name, deleting));
    }
    if call.kind.plural == "customresourcedefinitions" {
        object = state.define(&object);
    }
    if call.is_dry_run() {
        return Ok((201, shown(call, Arc::new(object))));
    }
    let object = state.store.put(&id, object);
    Ok((201, shown(call, object)))
}

/// An object in place of the present one.
pub fn replace(state: &mut State, call: &Call) -> Answer {
    let (name, kind) = (call.object_name(), &call.kind);
    let uid = call.body["metadata"]["uid"].as_str().filter(|uid| !uid.is_empty());
    let present = state.object(call);
    if present.is_err() && uid.is_none() && kind.created_by_put {
        return create(state, call);
    }
    if let (Err(refusal), false) = (&present, kind.created_by_put) {
        return Err(refusal.clone());
    }
    let present_uid =
        present.as_ref().ok().and_then(|(_, old)| old["metadata"]["uid"].as_str()).unwrap_or_default();
    if let Some(uid) = uid.filter(|uid| *uid != present_uid) {
        let group = if kind.is_custom() { format!("{}/", kind.group) } else { String::new() };
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{group}{}/{}/{name}, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {present_uid}",
            kind.plural,
            call.namespace_name(),
        );
        return Err(Refusal::conflict(kind, &name, &why));
    }
    let (id, old) = present?;
    let without_version = call.body["metadata"]["resourceVersion"].as_str().is_none_or(str::is_empty);
    if without_version && (kind.created_by_put || kind.is_custom()) {
        let problem =
            "metadata.resourceVersion: Invalid value: 0: must be specified for an update".to_owned();
        return Err(Refusal::invalid(kind, &name, &[problem]));
    }
    update(state, call, &id, &old, call.body.clone())
}

/// A merge patch of an object.
pub fn patch(state: &mut State, call: &Call) -> Answer {
    let (id, old) = state.object(call)?;
    let mut new = (*old).clone();
    merge(&mut new, &call.body);
    update(state, call, &id, &old, new)
}

fn update(state: &mut State, call: &Call, id: &Id, old: &Value, mut new: Value) -> Answer {
    let kind = &call.kind;
    let version = &new["metadata"]["resourceVersion"];
    if version.as_str().is_some_and(|version| !version.is_empty())
        && *version != old["metadata"]["resourceVersion"]
    {
        return Err(Refusal::modified(kind, &id.name));
    }
    if call.status {
        let mut with_status = old.clone();
        with_status["status"] = new["status"].take();
        new = with_status;
    } else if kind.status {
        new["status"] = old["status"].clone();
    }
    if new["status"].is_null()
        && let Some(new) = new.as_object_mut()
    {
        new.remove("status");
    }
    let mut problems = rules::metadata_problems(old, &new);
    rules::keep_metadata(old, &mut new);
    rules::normalize(&mut new);
    schema::complete(kind, &mut new);
    problems.extend(schema::problems(kind, old, &new));
    problems.extend(rules::update_problems(kind, old, &new));
    if !problems.is_empty() {
        return Err(Refusal::invalid(kind, &id.name, &problems));
    }
    state.faults.admit(call)?;
    if kind.has_generation() && rules::is_counted(kind, old, &new) {
        let generation = old["metadata"]["generation"].as_u64().unwrap_or_default();
        new["metadata"]["generation"] = json!(generation + 1);
    }
    if new == *old || call.is_dry_run() {
        return Ok((200, shown(call, Arc::new(new))));
    }
    let ends = new["metadata"]["deletionTimestamp"].is_string() && new["metadata"]["finalizers"].is_null();
    if ends {
        state.store.remove(id, Some(new.clone()));
        return Ok((200, shown(call, Arc::new(new))));
    }
    let new = state.store.put(id, new);
    Ok((200, shown(call, new)))
}

/// Deletes an object, or marks it where finalizers hold it.
pub fn delete(state: &mut State, call: &Call) -> Answer {
    let (id, old) = state.object(call)?;
    let precondition = |field: &str| {
        let wanted = call.body["preconditions"][field].as_str()?;
        let present = old["metadata"][field].as_str().unwrap_or_default();
        (wanted != present).then(|| (wanted.to_owned(), present.to_owned()))
    };
    let kind = &call.kind;
    if let Some((wanted, present)) = precondition("uid") {
        let why = format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({present}). The object might have \
             been deleted and then recreated"
        );
        return Err(Refusal::precondition(kind, &id.name, &why));
    }
    if let Some((wanted, present)) = precondition("resourceVersion") {
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({present}). \
             The object might have been modified"
        );
        return Err(Refusal::precondition(kind, &id.name, &why));
    }
    state.faults.admit(call)?;
    if call.is_dry_run() {
        return Ok((200, shown(call, old)));
    }
    Ok((200, remove(state, &id, &old)))
}

/// Removes an object, or marks it where finalizers hold it. Returns the body of the answer.
pub fn remove(state: &mut State, id: &Id, old: &Arc<Value>) -> Arc<Value> {
    let held = old["metadata"]["finalizers"].is_array() || id.resource == "namespaces";
    if !held {
        state.store.remove(id, None);
        let plural = id.resource.split('.').next().unwrap_or_default();
        let mut details = json!({ "name": id.name, "kind": plural, "uid": old["metadata"]["uid"] });
        if let Some((_, group)) = id.resource.split_once('.') {
            details["group"] = json!(group);
        }
        return Arc::new(json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details,
        }));
    }
    if old["metadata"]["deletionTimestamp"].is_string() {
        return Arc::clone(old);
    }
    let mut marked = Value::clone(old);
    marked["metadata"]["deletionTimestamp"] = json!(state.store.time());
    marked["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    if let Some(generation) = old["metadata"]["generation"].as_u64() {
        marked["metadata"]["generation"] = json!(generation + 1);
    }
    if id.resource == "namespaces" {
        marked["status"]["phase"] = json!("Terminating");
    }
    state.store.put(id, marked)
}
