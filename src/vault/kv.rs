//! Entries of KV version 2: their data, by versions, and their metadata.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::data;
use super::caller::Call;
use super::{Fields, VaultClient, VaultError};
use crate::domain::vault::path::EntryPath;

/// An entry, as its newest version.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The number of the newest version.
    pub version: u64,
    /// What it contains.
    pub content: Content,
    /// The custom metadata, where marks are.
    pub custom_metadata: BTreeMap<String, String>,
}

/// What the newest version of an entry contains.
#[derive(Debug, Clone)]
pub enum Content {
    /// These fields.
    Fields(Fields),
    /// Nothing: the version is deleted, and can be restored.
    Deleted,
    /// Nothing: the version is destroyed.
    Destroyed,
}

/// The metadata of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The number of the newest version; 0 where nothing was ever written.
    pub version: u64,
    /// The custom metadata, where marks are.
    pub custom_metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ReadAnswer {
    data: Option<Fields>,
    metadata: VersionAnswer,
}

#[derive(Deserialize)]
struct VersionAnswer {
    version: u64,
    #[serde(default)]
    destroyed: bool,
    custom_metadata: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct WriteAnswer {
    version: u64,
}

#[derive(Deserialize)]
struct MetadataAnswer {
    current_version: u64,
    custom_metadata: Option<BTreeMap<String, String>>,
}

impl VaultClient {
    /// Reads the newest version of an entry. `None` where nothing was ever written to it; it may have metadata all the same.
    pub async fn read(&self, path: &EntryPath) -> Result<Option<Entry>, VaultError> {
        let answer = self.at(path, &Call::get(path.data())).await?;
        // A deleted version is a 404 that has a version.
        let read: ReadAnswer = match data(&answer) {
            Ok(read) => read,
            Err(_) if answer.status == 404 => return Ok(None),
            Err(error) => return Err(error),
        };
        let content = match read.data {
            Some(fields) => Content::Fields(fields),
            None if read.metadata.destroyed => Content::Destroyed,
            None => Content::Deleted,
        };
        let custom_metadata = read.metadata.custom_metadata.unwrap_or_default();
        Ok(Some(Entry { version: read.metadata.version, content, custom_metadata }))
    }

    /// Writes a new version, and returns its number. `cas` is the number of the newest version that the caller knows: 0 where
    /// there is none, and also that of a deleted one. [`VaultError::CasMismatch`] where there is a newer one.
    pub async fn write(&self, path: &EntryPath, fields: &Fields, cas: u64) -> Result<u64, VaultError> {
        let body = format!(r#"{{"options":{{"cas":{cas}}},"data":{}}}"#, fields.json().expose_secret());
        let answer = self.at(path, &Call::post_secret(path.data(), body.into())).await?;
        data::<WriteAnswer>(&answer).map(|written| written.version)
    }

    /// Reads the metadata of an entry.
    pub async fn metadata(&self, path: &EntryPath) -> Result<Option<Metadata>, VaultError> {
        let answer = self.at(path, &Call::get(path.metadata())).await?;
        if answer.status == 404 {
            return Ok(None);
        }
        let MetadataAnswer { current_version, custom_metadata } = data(&answer)?;
        Ok(Some(Metadata { version: current_version, custom_metadata: custom_metadata.unwrap_or_default() }))
    }

    /// Adds these marks to the custom metadata of an entry, which were as `found`. Others are kept, also those that another client
    /// adds at the same moment. The entry need not have data yet.
    pub async fn mark(
        &self,
        path: &EntryPath,
        found: Option<&Metadata>,
        marks: &BTreeMap<String, String>,
    ) -> Result<(), VaultError> {
        let found = match found {
            Some(found) => found.clone(),
            None => match self.create_metadata(path, marks).await {
                Ok(()) => return Ok(()),
                // A policy without `update` permits no POST for metadata that another client has created meanwhile.
                Err(forbidden @ VaultError::Forbidden { .. }) => {
                    self.metadata(path).await?.ok_or(forbidden)?
                }
                Err(error) => return Err(error),
            },
        };
        if marks.iter().all(|(name, value)| found.custom_metadata.get(name) == Some(value)) {
            return Ok(());
        }
        self.patch_custom_metadata(path, &json!(marks)).await
    }

    /// The same for an entry of another owner: [`VaultError::CasMismatch`] where it has no metadata, because nothing of an entry is
    /// created that its owner deletes at the same moment.
    pub async fn mark_existing(
        &self,
        path: &EntryPath,
        marks: &BTreeMap<String, String>,
    ) -> Result<(), VaultError> {
        self.patch_custom_metadata(path, &json!(marks)).await
    }

    /// Removes these marks from the custom metadata of an entry. Others are kept. An entry without metadata has no marks.
    pub async fn unmark(&self, path: &EntryPath, marks: &[&str]) -> Result<(), VaultError> {
        let none: BTreeMap<_, _> = marks.iter().map(|name| (*name, Value::Null)).collect();
        match self.patch_custom_metadata(path, &json!(none)).await {
            Err(VaultError::CasMismatch) => Ok(()),
            patched => patched,
        }
    }

    /// A POST is the only call that creates metadata. It replaces all custom metadata.
    async fn create_metadata(
        &self,
        path: &EntryPath,
        custom: &BTreeMap<String, String>,
    ) -> Result<(), VaultError> {
        let call = Call::post(path.metadata(), &json!({ "custom_metadata": custom }));
        self.at(path, &call).await.map(drop)
    }

    /// Changes some of the custom metadata, in one step. [`VaultError::CasMismatch`] where the entry has no metadata any more.
    async fn patch_custom_metadata(&self, path: &EntryPath, change: &Value) -> Result<(), VaultError> {
        let call = Call::merge_patch(path.metadata(), &json!({ "custom_metadata": change }));
        let answer = self.at(path, &call).await?;
        if answer.status == 404 { Err(VaultError::CasMismatch) } else { Ok(()) }
    }

    /// Deletes an entry with all its versions and its metadata. One that does not exist counts as deleted.
    pub async fn delete(&self, path: &EntryPath) -> Result<(), VaultError> {
        self.at(path, &Call::delete(path.metadata())).await.map(drop)
    }

    /// A call for an entry: where Vault has no secrets engine for it, the error names the mount.
    async fn at(&self, path: &EntryPath, call: &Call) -> Result<crate::transport::Answer, VaultError> {
        self.call(call).await.map_err(|error| match error {
            VaultError::NoMount { .. } => VaultError::NoMount { mount: path.mount().as_str().to_owned() },
            error => error,
        })
    }
}
