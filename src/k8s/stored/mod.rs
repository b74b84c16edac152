//! Objects of the operator's own kinds in little memory.
//!
//! A tree of JSON values takes many times the memory of its text, and most of what a status says is read only when its object is
//! reconciled. So spec and status are kept as text, and parsed straight into the type that is wanted. Nothing of the text is lost:
//! an object that does not parse stops no other one, and fields of a newer version stay.

mod metadata;
mod packed;
mod seek;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::api::{ApiResource, DynamicObject};
use kube::core::DynamicResourceScope;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use metadata::Metadata;
pub use packed::{PackedObject, Packer};
use text::Text;

/// An object with `spec` and `status`, both as text.
#[derive(Debug, Clone)]
pub struct StoredObject {
    /// Its metadata, without the managed fields.
    pub metadata: ObjectMeta,
    spec: Option<Arc<str>>,
    status: Option<Arc<str>>,
}

impl StoredObject {
    /// A part of it (`spec`, `status`) as JSON text; `None` where it has none.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        match field {
            "spec" => self.spec.as_deref(),
            "status" => self.status.as_deref(),
            _ => None,
        }
    }

    /// A part of it (`spec`, `status`), typed. One that it does not have is an empty object.
    ///
    /// # Errors
    /// What does not parse.
    pub fn part<T: DeserializeOwned>(&self, field: &str) -> Result<T, serde_json::Error> {
        let text = self.text(field).unwrap_or("{}");
        // The error of the value says the same, without a line and a column of a text that nobody sees.
        serde_json::from_str(text).or_else(|_| T::deserialize(serde_json::from_str::<Value>(text)?))
    }

    /// A part of it (`spec`, `status`) as a value; `Null` where it has none.
    #[must_use]
    pub fn value(&self, field: &str) -> Value {
        self.text(field).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// What is at a place such as `/spec/user/create`, if it is there and of this type. What is beside it need not parse.
    #[must_use]
    pub fn at<T: DeserializeOwned>(&self, pointer: &str) -> Option<T> {
        let mut path = pointer.split('/').skip(1);
        let text = self.text(path.next()?)?;
        seek::seek(text, &path.collect::<Vec<_>>())
    }

    /// Whether something is at a place such as `/spec/user/create`.
    #[must_use]
    pub fn has(&self, pointer: &str) -> bool {
        self.at::<serde::de::IgnoredAny>(pointer).is_some()
    }

    /// Whether a part of two objects says the same.
    #[must_use]
    pub fn agrees_with(&self, other: &Self, field: &str) -> bool {
        self.text(field) == other.text(field) || self.value(field) == other.value(field)
    }
}

impl Resource for StoredObject {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        kind.kind.as_str().into()
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        kind.group.as_str().into()
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        kind.version.as_str().into()
    }

    fn api_version(kind: &ApiResource) -> Cow<'_, str> {
        kind.api_version.as_str().into()
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        kind.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl<'de> Deserialize<'de> for StoredObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Fields { metadata, spec, status } = Fields::deserialize(deserializer)?;
        Ok(Self { metadata: metadata.into(), spec: spec.map(Into::into), status: status.map(Into::into) })
    }
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default, deserialize_with = "present")]
    spec: Option<Text>,
    #[serde(default, deserialize_with = "present")]
    status: Option<Text>,
}

/// A field that is there, also if it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Text::deserialize(deserializer).map(Some)
}

impl From<DynamicObject> for StoredObject {
    fn from(object: DynamicObject) -> Self {
        let text = |field: &str| object.data.get(field).map(|value| value.to_string().into());
        let (spec, status) = (text("spec"), text("status"));
        let metadata = ObjectMeta { managed_fields: None, ..object.metadata };
        Self { metadata, spec, status }
    }
}

#[cfg(test)]
mod tests;
