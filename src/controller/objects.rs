//! Objects as they are stored: read leniently, so that one which no longer parses stops no other.

use std::sync::Arc;

use kube::api::{ApiResource, DynamicObject};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::{FINALIZER, TechnicalUser};

/// The API resource of `TechnicalUser`.
#[must_use]
pub fn technical_users() -> ApiResource {
    ApiResource::erase::<TechnicalUser>(&())
}

/// Names a namespaced object; the queue's and all maps' key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl Key {
    /// The key of an object.
    #[must_use]
    pub fn of(object: &DynamicObject) -> Self {
        Self { namespace: object.namespace().unwrap_or_default(), name: object.name_any() }
    }

    /// A reference for the queue.
    #[must_use]
    pub fn reference(&self, resource: ApiResource) -> ObjectRef<DynamicObject> {
        ObjectRef::new_with(&self.name, resource).within(&self.namespace)
    }
}

/// The objects of a cache in the order of their keys: the cache itself has them in no order.
#[must_use]
pub fn in_order(store: &Store<DynamicObject>) -> Vec<Arc<DynamicObject>> {
    let mut objects = store.state();
    objects.sort_by_cached_key(|object| Key::of(object));
    objects
}

/// A part of an object (`spec`, `status`), typed.
///
/// # Errors
/// What does not parse, in words that name the field.
pub fn part<T: DeserializeOwned>(object: &DynamicObject, field: &str) -> Result<T, String> {
    let absent = Value::Object(serde_json::Map::new());
    T::deserialize(object.data.get(field).unwrap_or(&absent)).map_err(|error| format!("{field}: {error}"))
}

/// A part of an object, with what does not parse left out.
#[must_use]
pub fn lenient<T: DeserializeOwned + Default>(object: &DynamicObject, field: &str) -> T {
    part(object, field).unwrap_or_default()
}

/// Whether an object is under deletion.
#[must_use]
pub fn is_deleting(object: &DynamicObject) -> bool {
    object.meta().deletion_timestamp.is_some()
}

/// Whether our finalizer is on an object.
#[must_use]
pub fn has_finalizer(object: &DynamicObject) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

/// An annotation's value.
#[must_use]
pub fn annotation<'a>(object: &'a DynamicObject, key: &str) -> Option<&'a str> {
    object.annotations().get(key).map(String::as_str)
}
