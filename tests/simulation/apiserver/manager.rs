//! What the controllers of Kubernetes do beside the apiserver: they end namespaces, collect objects without owner and count
//! what quotas limit.

use serde_json::Value;

use super::state::State;
use super::store::Id;
use super::{quota, write};

/// One round of all controllers. Returns whether it changed something.
pub fn round(state: &mut State) -> bool {
    let before = state.store.version();
    end_namespaces(state);
    collect_garbage(state);
    quota::count(state);
    state.store.version() != before
}

/// Deletes what is in the namespaces that are being deleted, and then the namespaces.
fn end_namespaces(state: &mut State) {
    let ending: Vec<Id> = state
        .store
        .all()
        .filter(|(id, object)| id.resource == "namespaces" && is_deleting(object))
        .map(|(id, _)| id.clone())
        .collect();
    for namespace in ending {
        let content: Vec<(Id, Value)> = state
            .store
            .all()
            .filter(|(id, _)| id.namespace == namespace.name)
            .map(|(id, object)| (id.clone(), object.clone()))
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
    let exists = |owner: &Value, namespace: &str| {
        state.store.all().any(|(id, object)| {
            object["metadata"]["uid"] == owner["uid"]
                && (id.namespace.is_empty() || id.namespace == namespace)
        })
    };
    let is_garbage = |id: &Id, object: &Value| {
        let owners = object["metadata"]["ownerReferences"].as_array();
        owners.is_some_and(|owners| owners.iter().all(|owner| !exists(owner, &id.namespace)))
    };
    let garbage: Vec<(Id, Value)> = state
        .store
        .all()
        .filter(|(id, object)| !is_deleting(object) && is_garbage(id, object))
        .map(|(id, object)| (id.clone(), object.clone()))
        .collect();
    for (id, object) in garbage {
        write::remove(state, &id, &object);
    }
}

fn is_deleting(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}
