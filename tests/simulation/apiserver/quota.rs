//! Quotas on the number of objects in a namespace.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::request::Call;
use super::state::State;
use super::store::Id;

/// Refuses a new object that a quota of its namespace has no place for. Only the quotas that were counted act.
pub fn admit(state: &State, call: &Call) -> Result<(), Refusal> {
    let quotas = quotas(state);
    for (id, quota) in quotas.iter().filter(|(id, _)| id.namespace == call.namespace_name()) {
        for (counted, hard) in quota["status"]["hard"].as_object().into_iter().flatten() {
            let used = used(state, &id.namespace, counted);
            if resource_of(counted) == call.kind.resource() && used >= number(hard) {
                let why = format!(
                    "exceeded quota: {}, requested: {counted}=1, used: {counted}={used}, limited: {counted}={}",
                    id.name,
                    number(hard)
                );
                return Err(Refusal::forbidden(&call.kind, Some(&call.object_name()), &why));
            }
        }
    }
    Ok(())
}

/// Counts the objects under each quota, as the controller of quotas does.
pub fn count(state: &mut State) {
    for (id, quota) in quotas(state) {
        let hard = quota["spec"]["hard"].clone();
        let used: Map<String, Value> = hard
            .as_object()
            .into_iter()
            .flatten()
            .map(|(counted, _)| (counted.clone(), json!(used(state, &id.namespace, counted).to_string())))
            .collect();
        let status = json!({ "hard": hard, "used": used });
        if quota["status"] != status {
            let mut counted = Value::clone(&quota);
            counted["status"] = status;
            state.store.put(&id, counted);
        }
    }
}

fn quotas(state: &State) -> Vec<(Id, Arc<Value>)> {
    let quotas = state.store.of("resourcequotas");
    quotas.map(|(id, quota)| (id.clone(), Arc::clone(quota))).collect()
}

/// `secrets` of `secrets` and of `count/secrets`.
fn resource_of(counted: &str) -> &str {
    counted.strip_prefix("count/").unwrap_or(counted)
}

fn used(state: &State, namespace: &str, counted: &str) -> u64 {
    state.store.of(resource_of(counted)).filter(|(id, _)| id.namespace == namespace).count() as u64
}

fn number(quantity: &Value) -> u64 {
    quantity.as_str().and_then(|text| text.parse().ok()).or_else(|| quantity.as_u64()).unwrap_or_default()
}
