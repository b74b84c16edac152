//! What the operator found in a Vault.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{
    ADDRESS, Bounded, CONDITIONS, OBJECT, TEXT, WORD, list, of_conditions, optional, text, without_defaults,
};

/// The longest audience: a prefix, a namespace and a name.
const AUDIENCE: usize = OBJECT * 2;
/// How many installations the status of an entry lists that are taken over.
const TAKEN_OVER: usize = 8;
/// How many entries that are left a status lists.
pub const ABANDONED: usize = 128;

/// What the operator found.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", default)]
// The apiserver gives a new object this status, so that kstatus calls it InProgress before the operator has seen it.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct VaultStatus {
    /// The `metadata.generation` that the conditions describe. -1: the operator has not seen the resource yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready, and while they are true: Reconciling (the operator continues automatically), Stalled (only a person can help),
    /// InsecureHttp (plain http is used).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]), transform = of_conditions)]
    pub conditions: Vec<Condition>,

    /// The version of the server, such as "1.21.4".
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD))]
    pub version: Option<String>,

    /// The audience of the tokens that the operator logs in with by the Kubernetes auth method. The role in Vault must name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = AUDIENCE))]
    pub audience: Option<String>,

    /// Entries of resources that are deleted. The operator could not remove them, and removes them once it can.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = ABANDONED))]
    pub abandoned: Vec<AbandonedEntry>,
}

/// An entry that is left in the Vault although its resource is deleted.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
pub struct AbandonedEntry {
    /// The path of the entry in Vault's API, such as secret/data/connectors/tenant/edc-wallet-1.
    #[schemars(length(max = TEXT))]
    pub path: String,
    /// The owner in the mark of the entry: instance, namespace and name of the TechnicalUser.
    #[schemars(length(max = TEXT))]
    pub owner: String,
    /// The server: the id of its cluster, as Vault shows it, and the namespace of Vault Enterprise. Absent if it is not known.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = ADDRESS))]
    pub server: String,
    /// Why the operator could not remove the entry.
    #[schemars(length(max = TEXT))]
    pub why: String,
    /// When the operator gave up.
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub since: String,
    /// Whether the status of the resource recorded that the operator wrote the data. If it is absent, the operator deletes the entry
    /// only if the digest in its mark is that of the data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub written: bool,
    /// The installations whose users the Portal of the resource permitted to take over, by their hints. The operator deletes the entry
    /// also if its mark has one of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = TAKEN_OVER), inner(length(max = WORD)))]
    pub taken_over: Vec<String>,
}

impl Bounded for AbandonedEntry {
    fn bound(&mut self) {
        for part in [&mut self.path, &mut self.owner, &mut self.why] {
            text(part, TEXT);
        }
        text(&mut self.server, ADDRESS);
        text(&mut self.since, WORD);
        self.taken_over.truncate(TAKEN_OVER);
        self.taken_over.iter_mut().for_each(|hint| text(hint, WORD));
    }
}

impl Bounded for VaultStatus {
    fn bound(&mut self) {
        list(&mut self.conditions, CONDITIONS);
        optional(&mut self.version, WORD);
        optional(&mut self.audience, AUDIENCE);
        list(&mut self.abandoned, ABANDONED);
    }
}
