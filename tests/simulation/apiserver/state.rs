//! All that the apiserver knows, and the way of one call through it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Observer;
use super::faults::Faults;
use super::kinds::{Kind, Kinds};
use super::refusal::{Answer, Refusal};
use super::request::{Call, Verb};
use super::rollouts::Rollouts;
use super::store::{Id, Store};
use super::{read, write};

/// The state behind the lock.
pub struct State {
    pub store: Store,
    pub kinds: Kinds,
    pub faults: Faults,
    pub rollouts: Rollouts,
    pub observer: Option<Arc<dyn Observer>>,
}

impl State {
    /// Does what the call asks for. A watch is only checked.
    pub fn answer(&mut self, call: &Call) -> Answer {
        if let Some(why) = self.faults.forbids(call) {
            return Err(Refusal::forbidden(&call.kind, call.name.as_deref(), &why));
        }
        match call.verb {
            Verb::Get => read::get(self, call),
            Verb::List => read::list(self, call),
            Verb::Watch => Ok((200, Arc::default())),
            Verb::Create => write::create(self, call),
            Verb::Update => write::replace(self, call),
            Verb::Patch => write::patch(self, call),
            Verb::Delete => write::delete(self, call),
        }
    }

    /// The object that a call names.
    pub fn object(&self, call: &Call) -> Result<(Id, Arc<Value>), Refusal> {
        let name = call.object_name();
        let id = Id::new(&call.kind, call.namespace_name(), &name);
        let found = self.store.get(&id).cloned();
        found.map(|object| (id, object)).ok_or_else(|| Refusal::not_found(&call.kind, &name))
    }

    /// Whether new objects may be written into the namespace of a call.
    pub fn admit_to_namespace(&self, call: &Call) -> Result<(), Refusal> {
        let Some(name) = &call.namespace else { return Ok(()) };
        let kind = self.namespaces();
        let Some(namespace) = self.store.get(&Id::new(&kind, "", name)) else {
            return Err(Refusal::not_found(&kind, name));
        };
        if namespace["metadata"]["deletionTimestamp"].is_string() {
            return Err(Refusal::terminating(&call.kind, &call.object_name(), name));
        }
        Ok(())
    }

    /// The kind of namespaces.
    pub fn namespaces(&self) -> Arc<Kind> {
        self.kinds.find("", "v1", "namespaces").unwrap()
    }

    /// The kind of custom resource definitions: what is written there is served.
    pub fn define(&mut self, definition: &Value) -> Value {
        self.kinds.define(definition);
        let mut defined = definition.clone();
        defined["status"]["conditions"] = json!([{ "type": "Established", "status": "True" }]);
        defined
    }
}
