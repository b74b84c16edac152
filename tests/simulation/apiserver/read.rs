//! Reads: one object, and lists in pages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::refusal::{Answer, Refusal};
use super::request::Call;
use super::state::State;
use super::store::Id;

/// An object as it is answered: whole, or only its metadata.
pub fn shown(call: &Call, object: Arc<Value>) -> Arc<Value> {
    if !call.metadata_only {
        return object;
    }
    Arc::new(json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
    }))
}

/// One object.
pub fn get(state: &State, call: &Call) -> Answer {
    let (_, object) = state.object(call)?;
    Ok((200, shown(call, object)))
}

/// Where a list continues.
struct Continue {
    version: u64,
    after: Id,
}

impl Continue {
    /// The token of a call.
    fn of(call: &Call) -> Result<Option<Self>, Refusal> {
        let Some(token) = call.query.get("continue") else { return Ok(None) };
        Self::read(call, token).map(Some).ok_or_else(|| Refusal {
            code: 400,
            reason: "BadRequest",
            message: "continue key is not valid".to_owned(),
            details: Value::Null,
        })
    }

    fn read(call: &Call, token: &str) -> Option<Self> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let token: Value = serde_json::from_slice(&token).ok()?;
        let after = Id {
            resource: call.kind.resource(),
            namespace: token["namespace"].as_str()?.to_owned(),
            name: token["name"].as_str()?.to_owned(),
        };
        Some(Self { version: token["rv"].as_u64()?, after })
    }

    fn write(&self) -> String {
        let token = json!({ "rv": self.version, "namespace": self.after.namespace, "name": self.after.name });
        URL_SAFE_NO_PAD.encode(token.to_string())
    }
}

/// The objects of a kind, as they all were at one version.
pub fn list(state: &State, call: &Call) -> Answer {
    let from = Continue::of(call)?;
    let behind = if is_of_watch(call) { state.faults.stale } else { Duration::ZERO };
    let version = from.as_ref().map_or_else(|| state.store.version_before(behind), |from| from.version);
    if version < state.store.compacted() {
        return Err(Refusal::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter, or use the continue token in this response to retrieve the remainder of \
             the results."
                .to_owned(),
        ));
    }
    let selector = Selector::of(call);
    let mut found = state.store.at(version, &call.kind.resource(), call.namespace_name());
    found
        .retain(|(id, object)| selector.matches(object) && from.as_ref().is_none_or(|from| *id > from.after));
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    let limit = call.number("limit").and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    if let Some(limit) = limit.filter(|limit| found.len() > *limit) {
        if selector.is_empty() {
            metadata["remainingItemCount"] = json!(found.len() - limit);
        }
        found.truncate(limit);
        let after = found[limit - 1].0.clone();
        metadata["continue"] = json!(Continue { version, after }.write());
    }
    let items: Vec<_> = found.iter().map(|(_, object)| item(call, object)).collect();
    let (kind, api_version) = list_kind(&call.kind, call.metadata_only);
    let list = json!({ "kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items });
    Ok((200, Arc::new(list)))
}

/// Whether a list is the begin of a watch of a process: those have pages.
fn is_of_watch(call: &Call) -> bool {
    call.query.contains_key("limit") && call.caller != super::ADMIN
}

fn list_kind(kind: &Kind, metadata_only: bool) -> (String, String) {
    if metadata_only {
        return ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned());
    }
    (format!("{}List", kind.name), kind.api_version())
}

/// An object in a list. Those of the built-in kinds do not name their kind there.
fn item(call: &Call, object: &Arc<Value>) -> Value {
    let mut item = Arc::unwrap_or_clone(shown(call, Arc::clone(object)));
    if !call.metadata_only
        && !call.kind.is_custom()
        && let Some(item) = item.as_object_mut()
    {
        item.remove("kind");
        item.remove("apiVersion");
    }
    item
}

/// Labels that objects must have.
#[derive(Debug, Clone, Default)]
pub struct Selector(BTreeMap<String, String>);

impl Selector {
    /// The selector of a call: equalities only.
    pub fn of(call: &Call) -> Self {
        let text = call.query.get("labelSelector").map(String::as_str).unwrap_or_default();
        let pairs = text.split(',').filter_map(|part| part.split_once('='));
        Self(pairs.map(|(key, value)| (key.to_owned(), value.trim_start_matches('=').to_owned())).collect())
    }

    /// Whether every object matches.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object has the labels.
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(key, value)| object["metadata"]["labels"][key] == json!(value))
    }
}
