//! Secrets: read as text, their metadata, and the writes that a published credential needs.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Client;
use kube::api::{Api, DeleteParams, PartialObjectMeta, Patch, Preconditions};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use crate::controller::kube_error::KubeError;
use crate::controller::writes;
use crate::domain::format::Content;

/// The type of a Secret without rules for its keys.
pub const OPAQUE: &str = "Opaque";

/// The metadata and the type of a Secret that the operator writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// Its name.
    pub name: String,
    /// Its type, which Kubernetes never changes.
    pub r#type: String,
    /// Its labels, ours included.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, ours included.
    pub annotations: BTreeMap<String, String>,
    /// For garbage collection.
    pub owner: OwnerReference,
    /// Kubernetes permits no change of its content.
    pub immutable: bool,
}

/// The Secrets of one namespace.
#[derive(Clone)]
pub struct Secrets {
    api: Api<Secret>,
    metadata: Api<PartialObjectMeta<Secret>>,
}

impl Secrets {
    /// The Secrets of a namespace.
    #[must_use]
    pub fn new(client: &Client, namespace: &str) -> Self {
        Self {
            api: Api::namespaced(client.clone(), namespace),
            metadata: Api::namespaced(client.clone(), namespace),
        }
    }

    /// Metadata of a Secret; its content stays where it is.
    pub async fn metadata(&self, name: &str) -> Result<Option<ObjectMeta>, KubeError> {
        match self.metadata.get_metadata_opt(name).await {
            Ok(found) => Ok(found.map(|secret| secret.metadata)),
            Err(error) => Err(error.into()),
        }
    }

    /// A whole Secret. Nobody prints it: its values derive `Debug`.
    pub async fn get(&self, name: &str) -> Result<Option<Secret>, KubeError> {
        self.api.get_opt(name).await.map_err(KubeError::from)
    }

    /// The text values of a Secret; a value that is no text is left out.
    pub async fn texts(&self, name: &str) -> Result<Option<Texts>, KubeError> {
        Ok(self.get(name).await?.map(|secret| Texts::of(&secret)))
    }

    /// Creates a Secret that is not there yet (POST: a Secret of another client is a conflict).
    pub async fn create(
        &self,
        envelope: &Envelope,
        content: &Content,
        dry_run: bool,
    ) -> Result<ObjectMeta, KubeError> {
        let body: Secret = serde_json::from_value(document(envelope, content))
            .map_err(|_| KubeError::Unclear { reason: "the Secret cannot be built".to_owned() })?;
        let answer = self.api.create(&writes::create(dry_run), &body).await;
        answer.map(|secret| secret.metadata).map_err(|error| about(error, dry_run))
    }

    /// Writes a Secret of ours: that very object (`uid`), in that very state (`resourceVersion`), all keys at once. Keys
    /// of `present` that are not in the content are removed.
    pub async fn overwrite(
        &self,
        envelope: &Envelope,
        content: &Content,
        at: &Version,
        present: &[String],
        dry_run: bool,
    ) -> Result<ObjectMeta, KubeError> {
        let mut body = document(envelope, content);
        if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("uid".to_owned(), json!(at.uid));
            metadata.insert("resourceVersion".to_owned(), json!(at.resource_version));
        }
        if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut) {
            for key in present.iter().filter(|key| !content.contains_key(*key)) {
                data.insert(key.clone(), Value::Null);
            }
        }
        let answer =
            self.api.patch(&envelope.name, &writes::patch_or_try(dry_run), &Patch::Merge(&body)).await;
        answer.map(|secret| secret.metadata).map_err(|error| about(error, dry_run))
    }

    /// Adds keys to a Secret of another owner: that very object (`uid`), in that very state (`resourceVersion`). Nothing else of
    /// it is changed but one annotation.
    pub async fn add(
        &self,
        name: &str,
        content: &Content,
        addition: &Addition,
        at: &Version,
        dry_run: bool,
    ) -> Result<ObjectMeta, KubeError> {
        let mut data = encoded(content);
        data.extend(addition.removed.iter().map(|key| (key.clone(), Value::Null)));
        let (annotation, text) = &addition.annotation;
        let body = json!({
            "metadata": {
                "uid": at.uid,
                "resourceVersion": at.resource_version,
                "annotations": { annotation.as_str(): text },
            },
            "data": data,
        });
        let answer = self.api.patch(name, &writes::patch_or_try(dry_run), &Patch::Merge(&body)).await;
        answer.map(|secret| secret.metadata).map_err(|error| about(error, dry_run))
    }

    /// Deletes a Secret: that very object, in that very state.
    pub async fn delete(&self, name: &str, at: &Version) -> Result<(), KubeError> {
        let preconditions =
            Preconditions { uid: Some(at.uid.clone()), resource_version: Some(at.resource_version.clone()) };
        let params = DeleteParams::default().preconditions(preconditions);
        match self.api.delete(name, &params).await.map_err(KubeError::from) {
            Ok(_) | Err(KubeError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What changes in a Secret of another owner beside the keys that are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The keys to remove.
    pub removed: Vec<String>,
    /// An annotation and its text; `None` removes it.
    pub annotation: (String, Option<String>),
}

/// What went wrong with a write. A dry run holds no secret, so the apiserver's words about it may be repeated.
fn about(error: kube::Error, dry_run: bool) -> KubeError {
    let error = KubeError::from(error);
    if dry_run { error } else { error.without_words() }
}

/// Which object, in which state.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
}

impl Version {
    /// The version by the metadata.
    #[must_use]
    pub fn of(metadata: &ObjectMeta) -> Self {
        Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            resource_version: metadata.resource_version.clone().unwrap_or_default(),
        }
    }
}

/// `data`, never `stringData`: that one leaves stale keys behind (kubernetes/kubernetes#108008).
fn encoded(content: &Content) -> Map<String, Value> {
    let value = |value: &SecretString| Value::String(STANDARD.encode(value.expose_secret()));
    content.iter().map(|(key, text)| (key.clone(), value(text))).collect()
}

fn document(envelope: &Envelope, content: &Content) -> Value {
    let mut document = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": envelope.r#type,
        "metadata": {
            "name": envelope.name,
            "labels": envelope.labels,
            "annotations": envelope.annotations,
            "ownerReferences": [envelope.owner],
        },
        "data": encoded(content),
    });
    if let Some(fields) = document.as_object_mut().filter(|_| envelope.immutable) {
        fields.insert("immutable".to_owned(), json!(true));
    }
    document
}

/// When the content of a Secret was last written, as far as its managed fields show; else when it was created.
#[must_use]
pub fn written_at(metadata: &ObjectMeta) -> Option<Timestamp> {
    let writes = metadata
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.fields_v1.as_ref().is_some_and(|fields| fields.0.get("f:data").is_some()));
    let newest = writes.filter_map(|entry| entry.time.as_ref()).map(|time| time.0).max();
    newest.or_else(|| metadata.creation_timestamp.as_ref().map(|time| time.0))
}

/// The text values of a Secret.
#[derive(Debug, Clone, Default)]
pub struct Texts(BTreeMap<String, SecretString>);

impl Texts {
    /// Those of a Secret.
    #[must_use]
    pub fn of(secret: &Secret) -> Self {
        let values = secret.data.iter().flatten();
        Self(
            values
                .filter_map(|(key, value)| {
                    Some((key.clone(), SecretString::from(std::str::from_utf8(&value.0).ok()?)))
                })
                .collect(),
        )
    }

    /// A value without the blanks around it; empty counts as missing. People create login Secrets with `echo`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<SecretString> {
        let text = self.0.get(key)?.expose_secret().trim();
        (!text.is_empty()).then(|| SecretString::from(text))
    }

    /// A value that is no secret, as text.
    #[must_use]
    pub fn plain(&self, key: &str) -> Option<String> {
        self.get(key).map(|value| value.expose_secret().to_owned())
    }

    /// Keys and values as they are.
    pub fn exact(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.expose_secret().as_bytes()))
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}
