//! What the controllers of Kubernetes do beside the apiserver: they end namespaces, collect objects without owner and count
//! what quotas limit.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::state::State;
use super::store::{Change, Id};
use super::{quota, write};

/// One round of all controllers after the changes since a version. Returns whether it changed something.
pub fn round(state: &mut State, since: u64) -> bool {
    let before = state.store.version();
    let are_known = since >= state.store.compacted();
    if are_known && state.store.since(since).iter().all(is_of_no_concern) {
        return false;
    }
    end_namespaces(state);
    collect_garbage(state);
    quota::count(state);
    state.store.version() != before
}

/// Deletes what is in the namespaces that are being deleted, and then the namespaces.
fn end_namespaces(state: &mut State) {
    let ending: Vec<Id> = state
        .store
        .of("namespaces")
        .filter(|(_, object)| is_deleting(object))
        .map(|(id, _)| id.clone())
        .collect();
    for namespace in ending {
        let content: Vec<(Id, Arc<Value>)> = state
            .store
            .all()
            .filter(|(id, _)| id.namespace == namespace.name)
            .map(|(id, object)| (id.clone(), Arc::clone(object)))
            .collect();
        if content.is_empty() {
            state.store.remove(&namespace, None);
        }
        for (id, object) in content.iter().filter(|(_, object)| !is_deleting(object)) {
            write::remove(state, id, object);
        }
    }
}

/// Deletes the objects whose owners are all gone.
fn collect_garbage(state: &mut State) {
    let all = state.store.all();
    let there: HashSet<(&str, &str)> = all
        .filter_map(|(id, object)| Some((id.namespace.as_str(), object["metadata"]["uid"].as_str()?)))
        .collect();
    let exists = |owner: &Value, namespace: &str| {
        let owner = owner["uid"].as_str().unwrap_or_default();
        there.contains(&(namespace, owner)) || there.contains(&("", owner))
    };
    let is_garbage = |id: &Id, object: &Value| {
        let owners = object["metadata"]["ownerReferences"].as_array();
        owners.is_some_and(|owners| owners.iter().all(|owner| !exists(owner, &id.namespace)))
    };
    let garbage: Vec<(Id, Arc<Value>)> = state
        .store
        .all()
        .filter(|(id, object)| !is_deleting(object) && is_garbage(id, object))
        .map(|(id, object)| (id.clone(), Arc::clone(object)))
        .collect();
    for (id, object) in garbage {
        write::remove(state, &id, &object);
    }
}

/// Whether no controller acts on a change: most changes are such.
fn is_of_no_concern(change: &Change) -> bool {
    let is_quiet = |object: &Value| {
        object["metadata"]["ownerReferences"].is_null() && object["metadata"]["deletionTimestamp"].is_null()
    };
    let is_patch = !change.deleted && change.before.is_some();
    is_patch && change.id.resource != "resourcequotas" && is_quiet(&change.after)
}

fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}
