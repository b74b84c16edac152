//! What ends a reconcile before the plan settles.

mod blocker;
mod requeue;

use std::time::Duration;

use thiserror::Error;

use crate::controller::kube_error::KubeError;
use crate::controller::portal::inventory::Unmet;
use crate::domain::blocker::Blocker;
use crate::domain::format::FormatError;
use crate::portal::PortalError;

pub use requeue::{after, panicked, requeue_after};

/// Why a reconcile ended before the plan settled.
#[derive(Debug, Error)]
pub enum Failure {
    /// The portal, or its identity provider.
    #[error(transparent)]
    Portal(#[from] PortalError),
    /// A step needs the Portal's connection, and there is none.
    #[error("the Portal is not connected")]
    NotConnected,
    /// The apiserver.
    #[error(transparent)]
    Kube(KubeError),
    /// Another client wrote in the meantime: the reconcile starts again.
    #[error("another client changed the object meanwhile")]
    Overtaken,
    /// The portal's user list is searched. The end of the search wakes the resource.
    #[error("the search of the portal's user list has not ended yet")]
    ListAwaited,
    /// The content of an output cannot be built.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The store of an output is down or refuses the operator, while everything else works: the state of that output is unknown.
    #[error("{}", .0.message)]
    OutputUnavailable(Blocker),
    /// This process may not write (any more).
    #[error("this process is not the active one")]
    NotActive,
    /// The plan did not settle within the highest number of steps.
    #[error("the plan did not end after the most steps that it may have")]
    Endless,
    /// It exceeded its deadline.
    #[error("it did not end within {} s, in the step: {step}", within.as_secs())]
    Deadline {
        /// The step that was in progress.
        step: String,
        /// The deadline.
        within: Duration,
    },
    /// A panic. Only the log has its message, which may quote anything.
    #[error("the operator has a fault of its own")]
    Panicked,
}

impl Failure {
    /// Whether it interrupts the plan: what was found before it is reported, and a resource that was ready is kept ready.
    #[must_use]
    pub fn interrupts(&self) -> bool {
        match self {
            Self::Portal(_) | Self::ListAwaited | Self::Kube(_) | Self::OutputUnavailable(_) => true,
            Self::NotConnected
            | Self::Format(_)
            | Self::Overtaken
            | Self::NotActive
            | Self::Endless
            | Self::Deadline { .. }
            | Self::Panicked => false,
        }
    }
}

impl From<KubeError> for Failure {
    fn from(error: KubeError) -> Self {
        match error {
            KubeError::Conflict => Self::Overtaken,
            other => Self::Kube(other),
        }
    }
}

impl From<Unmet> for Failure {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::Waiting => Self::ListAwaited,
            Unmet::Failing(error) => Self::Portal(error),
        }
    }
}
