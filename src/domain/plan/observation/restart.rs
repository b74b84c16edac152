//! The workloads that a resource restarts when what they read has changed.

use std::fmt;
use std::time::Duration;

use super::output::OutputId;
use crate::domain::blocker::Blocker;

/// The kind of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// A Deployment.
    Deployment,
    /// A `StatefulSet`.
    StatefulSet,
    /// A `DaemonSet`.
    DaemonSet,
}

impl WorkloadKind {
    /// The name of the kind in Kubernetes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
        }
    }
}

/// A workload in the namespace of the resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadId {
    /// The kind.
    pub kind: WorkloadKind,
    /// The name.
    pub name: String,
}

impl fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.kind.as_str(), self.name)
    }
}

/// The workloads that the spec names, and which of them are to be restarted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restarts {
    /// The workloads, in the order of the spec.
    pub targets: Vec<RestartTarget>,
    /// The outputs whose readers see a change only after a restart.
    pub outputs: Vec<OutputId>,
    /// The time until the first restart, so that several changes that follow one another lead to one restart.
    pub wait: Duration,
}

impl Restarts {
    /// A workload that the spec names, to add to it.
    pub fn target_mut(&mut self, id: &WorkloadId) -> Option<&mut RestartTarget> {
        self.targets.iter_mut().find(|target| target.id == *id)
    }
}

/// A workload that the spec names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestartTarget {
    /// Which one.
    pub id: WorkloadId,
    /// By the status, what it reads has changed, and its roll-out after that is not known to be complete.
    pub due: bool,
    /// What is there, once it was read in this reconcile.
    pub view: Option<WorkloadView>,
}

/// What is in the place of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkloadView {
    /// There is no such workload.
    Missing,
    /// It cannot be read or changed.
    Refused(Blocker),
    /// The workload.
    Found(Workload),
}

/// A workload as far as it decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Its annotation names this resource.
    pub consents: bool,
    /// It was restarted after the last change.
    pub restarted: bool,
    /// Why a restart would not replace its pods, in words.
    pub unfit: Option<&'static str>,
    /// How far the roll-out of its current template is.
    pub roll_out: RollOut,
}

/// How far a roll-out is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollOut {
    /// Every pod has the current template and is available.
    Complete,
    /// It is in progress since this time.
    Progressing(Duration),
    /// Kubernetes reports that it makes no progress: why, in its words.
    Stuck(String),
}
