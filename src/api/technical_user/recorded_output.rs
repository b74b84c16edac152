//! The kinds of outputs, and what a status records of each output.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{
    ADDRESS, BEGUN, Bounded, KEYS, NAME, OBJECT, OUTPUT_CONDITIONS, OUTPUT_MESSAGE, OUTPUT_NAME, WORD, list,
    of_output_conditions, optional, text, without_defaults,
};
use crate::api::conditions::cut;

/// The kinds of outputs, by the names that a status has for them.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// A Secret that the operator owns.
    Secret,
    /// A Secret that never changes: each credential has a new one.
    ImmutableSecret,
    /// Keys in a Secret of another owner.
    MergedSecret,
    /// An entry in a Vault that the operator owns.
    VaultEntry,
    /// Keys in an entry of another owner in a Vault.
    MergedVaultEntry,
}

/// What holds the outputs of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStore {
    /// The apiserver: they are Secrets in the namespace of the resource.
    Apiserver,
    /// A Vault. Its namespace and its name are the first two parts of the name of the output, with a / behind each.
    Vault,
}

/// What the operator has to know of a kind without its implementation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindFacts {
    /// What holds its outputs.
    pub store: OutputStore,
    /// Whether each output is a Secret of its own, which takes a place in a quota of Secrets.
    pub takes_place: bool,
    /// Whether its outputs are written before those of other kinds, whose content may depend on them.
    pub comes_first: bool,
}

impl OutputKind {
    /// The kind of this name; `None` for one of a later release.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::deserialize(name.into_deserializer()).map_err(|_: Error| ()).ok()
    }

    /// Its name in a status.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// Whether its outputs are in a Vault.
    #[must_use]
    pub fn is_in_vault(self) -> bool {
        self.facts().store == OutputStore::Vault
    }

    /// What is known of its outputs. Other outputs name the alias of an entry in a Vault, so it is written first: their readers
    /// find it there.
    #[must_use]
    pub const fn facts(self) -> KindFacts {
        let (store, takes_place, comes_first) = match self {
            Self::Secret | Self::ImmutableSecret => (OutputStore::Apiserver, true, false),
            Self::MergedSecret => (OutputStore::Apiserver, false, false),
            Self::VaultEntry | Self::MergedVaultEntry => (OutputStore::Vault, false, true),
        };
        KindFacts { store, takes_place, comes_first }
    }
}

/// An output, as the operator wrote it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
// What identifies an entry is always there; a status is read all the same where it is not.
#[schemars(extend("required" = ["kind", "name"]), transform = without_defaults)]
pub struct RecordedOutput {
    /// The kind of the output: Secret, ImmutableSecret, MergedSecret, VaultEntry or MergedVaultEntry. Later releases add kinds.
    #[schemars(length(max = WORD))]
    pub kind: String,
    /// The name of the Secret, for an immutable one without its number; for an entry in a Vault the namespace and the name of the Vault and the path of the entry, with a
    /// / between them.
    #[schemars(length(max = OUTPUT_NAME))]
    pub name: String,
    /// The name of the immutable Secret that holds the credential, with its number, such as edc-wallet-3. Absent for other kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub secret: Option<String>,
    /// The name of the immutable Secret that the operator creates next. It is here before the operator creates it, so that the
    /// Secret is found and deleted if the operator ends in between. Absent once it is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = OBJECT))]
    pub begun_secret: Option<String>,
    /// The uid of the Secret. Absent for an entry in a Vault, and if the operator has not written the output yet.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = WORD))]
    pub uid: String,
    /// The resourceVersion of the Secret after the operator's write, or the version of the entry.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = WORD))]
    pub resource_version: String,
    /// A keyed digest (HMAC-SHA-256, 32 hexadecimal digits) of the written content. It does not reveal the content.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = WORD))]
    pub digest: String,
    /// The number of the credential that the output holds, as `status.credential.generation` counts them. Absent if the operator
    /// has not written the output yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<i64>,
    /// When the operator deletes the output, because the spec no longer names it. Absent for an output that the spec names, and
    /// until the credential is in all of those. The annotation `technicaluser.dev/end-overlap` with the name of the output deletes
    /// it at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub delete_after: Option<String>,
    /// Where the entry in the Vault is, as the values of the chart tractusx-connector name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<RecordedEntry>,
    /// Where else the operator may have written the entry. A place is here before the first write to it, so that the entry is
    /// found and removed if the operator ends in between. Absent once the write is recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = BEGUN))]
    pub begun: Vec<RecordedEntry>,
    /// Ready: whether the output holds the credential. Absent if the resource has one output, which its own condition
    /// Published describes. Removed: False, with the reason, while the deletion of the resource cannot remove the output.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]), transform = of_output_conditions)]
    pub conditions: Vec<Condition>,
}

/// An entry in a Vault, as the operator wrote it.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
pub struct RecordedEntry {
    /// The value of `vault.hashicorp.paths.secret`, such as /v1/secret.
    #[schemars(length(max = NAME))]
    pub paths_secret: String,
    /// The value of `vault.hashicorp.paths.folder`. Absent if the entry is in no folder.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = NAME))]
    pub folder: String,
    /// The value of `secret_alias`.
    #[schemars(length(max = NAME))]
    pub secret_alias: String,
    /// The server: the id of its cluster, as Vault shows it, and the namespace of Vault Enterprise. Absent if Vault showed none.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = ADDRESS))]
    pub server: String,
    /// The id of the user whose credential the entry holds.
    #[schemars(length(max = WORD))]
    pub user: String,
    /// A keyed digest (HMAC-SHA-256, 32 hexadecimal digits) of the content that the operator is about to write, by which it finds
    /// that content again. Absent for an entry whose write is recorded.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = WORD))]
    pub digest: String,
    /// The keys that the operator writes into an entry of another owner. Absent for an entry that the operator owns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = KEYS), inner(length(max = NAME)))]
    pub keys: Vec<String>,
}

impl RecordedOutput {
    /// The kind of the output; `None` for one of a later release.
    #[must_use]
    pub fn known_kind(&self) -> Option<OutputKind> {
        OutputKind::of_name(&self.kind)
    }

    /// Whether the output is in a Vault.
    #[must_use]
    pub fn is_in_vault(&self) -> bool {
        self.known_kind().is_some_and(OutputKind::is_in_vault)
    }

    /// The Secrets that the entry names.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let (name, numbered) = match self.known_kind() {
            Some(OutputKind::Secret | OutputKind::MergedSecret) => (Some(&self.name), [None, None]),
            Some(OutputKind::ImmutableSecret) => (None, [self.secret.as_ref(), self.begun_secret.as_ref()]),
            Some(OutputKind::VaultEntry | OutputKind::MergedVaultEntry) | None => (None, [None, None]),
        };
        name.into_iter().chain(numbered.into_iter().flatten()).map(String::as_str)
    }

    /// The entries in a Vault that may be there: the one that was written, and those whose write is not recorded.
    pub fn entries(&self) -> impl Iterator<Item = &RecordedEntry> {
        self.entry.iter().chain(&self.begun)
    }

    /// Whether the operator wrote the output, as far as the status says. A write that was only announced has neither uid nor
    /// digest here.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        !self.uid.is_empty() || !self.digest.is_empty()
    }

    /// The entry in a Vault that the operator wrote, as far as the status says.
    #[must_use]
    pub fn written_entry(&self) -> Option<&RecordedEntry> {
        self.entry.as_ref().filter(|_| self.is_written())
    }
}

impl Bounded for RecordedOutput {
    fn bound(&mut self) {
        text(&mut self.name, OUTPUT_NAME);
        for word in [&mut self.kind, &mut self.uid, &mut self.resource_version, &mut self.digest] {
            text(word, WORD);
        }
        optional(&mut self.secret, OBJECT);
        optional(&mut self.begun_secret, OBJECT);
        optional(&mut self.delete_after, WORD);
        self.entry.bound();
        list(&mut self.begun, BEGUN);
        list(&mut self.conditions, OUTPUT_CONDITIONS);
        for condition in &mut self.conditions {
            condition.message = cut(&condition.message, OUTPUT_MESSAGE);
        }
    }
}

impl Bounded for RecordedEntry {
    fn bound(&mut self) {
        for part in [&mut self.paths_secret, &mut self.folder, &mut self.secret_alias] {
            text(part, NAME);
        }
        text(&mut self.server, ADDRESS);
        text(&mut self.user, WORD);
        text(&mut self.digest, WORD);
        self.keys.truncate(KEYS);
        self.keys.iter_mut().for_each(|key| text(key, NAME));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_name() {
        for kind in [OutputKind::Secret, OutputKind::MergedVaultEntry] {
            assert_eq!(OutputKind::of_name(&kind.name()), Some(kind));
        }
        assert_eq!(OutputKind::of_name("Later"), None);
        assert_eq!(OutputKind::MergedVaultEntry.name(), "MergedVaultEntry");
    }
}
