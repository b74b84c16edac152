//! The workloads that are restarted after a change of the outputs, and what the status records of them.
#![allow(clippy::doc_markdown, reason = "kubectl explain shows the texts as they are")]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::bounds::{Bounded, OBJECT, RESTARTS, WORD, list, optional, text, without_defaults};
use crate::api::names::SUBDOMAIN;

/// A workload in the namespace of the resource.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RestartTarget {
    /// The kind of the workload.
    pub kind: WorkloadKind,

    /// The name of the workload. Its annotation technicaluser.dev/restart must name this resource.
    #[schemars(length(min = 1, max = 253), regex(pattern = SUBDOMAIN))]
    pub name: String,
}

/// The kind of the workload: Deployment, StatefulSet or DaemonSet, all of the API group apps.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadKind {
    /// A Deployment.
    Deployment,
    /// A StatefulSet.
    StatefulSet,
    /// A DaemonSet.
    DaemonSet,
}

/// The restarts that the outputs required, and which workload has had which.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(transform = without_defaults)]
pub struct RecordedRestart {
    /// The number of changes that a reader sees only after a restart. The first publication of an output is none.
    pub generation: i64,
    /// When the operator recorded the last of them. A workload that was restarted later needs no other restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = WORD), extend("format" = "date-time"))]
    pub changed_at: Option<String>,
    /// The workloads that the spec names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = RESTARTS),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["kind", "name"])
    )]
    pub workloads: Vec<RecordedWorkload>,
}

/// A workload, and the last change that all its pods were started after.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["kind", "name"]), transform = without_defaults)]
pub struct RecordedWorkload {
    /// The kind of the workload.
    #[schemars(length(max = WORD))]
    pub kind: String,
    /// The name of the workload.
    #[schemars(length(max = OBJECT))]
    pub name: String,
    /// The generation of the changes for which its roll-out is complete. A lower one than that of the changes means that a
    /// restart is due.
    pub generation: i64,
}

impl Bounded for RecordedRestart {
    fn bound(&mut self) {
        optional(&mut self.changed_at, WORD);
        list(&mut self.workloads, RESTARTS);
    }
}

impl Bounded for RecordedWorkload {
    fn bound(&mut self) {
        text(&mut self.kind, WORD);
        text(&mut self.name, OBJECT);
    }
}
