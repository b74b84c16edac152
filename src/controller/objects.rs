//! Objects as they are stored: read leniently, so that one which no longer parses stops no other.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use kube::api::ApiResource;
use serde::de::DeserializeOwned;

use crate::api::{FINALIZER, TechnicalUser};
use crate::k8s::stored::StoredObject;

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
    pub fn of(object: &StoredObject) -> Self {
        Self::of_metadata(&object.metadata)
    }

    /// The key of the object with these metadata.
    #[must_use]
    pub fn of_metadata(metadata: &ObjectMeta) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self { namespace: text(&metadata.namespace), name: text(&metadata.name) }
    }
}

/// A part of an object (`spec`, `status`), typed.
///
/// # Errors
/// What does not parse, in words that name the field.
pub fn part<T: DeserializeOwned>(object: &StoredObject, field: &str) -> Result<T, String> {
    object.part(field).map_err(|error| format!("{field}: {error}"))
}

/// A part of an object, with what does not parse left out.
#[must_use]
pub fn lenient<T: DeserializeOwned + Default>(object: &StoredObject, field: &str) -> T {
    part(object, field).unwrap_or_default()
}

/// Whether an object is under deletion.
#[must_use]
pub fn is_deleting(object: &StoredObject) -> bool {
    object.metadata.deletion_timestamp.is_some()
}

/// Whether our finalizer is on an object.
#[must_use]
pub fn has_finalizer(object: &StoredObject) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == FINALIZER)
}

/// An annotation's value.
#[must_use]
pub fn annotation<'a>(object: &'a StoredObject, key: &str) -> Option<&'a str> {
    object.annotations().get(key).map(String::as_str)
}
