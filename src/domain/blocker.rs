//! Why a resource cannot continue: the reason and the message of a condition.

use crate::domain::reason::Reason;
use crate::domain::text::sentence;

/// Why a resource cannot continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// The reason of the condition.
    pub reason: Reason,
    /// What it means here and what to do.
    pub message: String,
    /// Only a person can help (kstatus `Stalled`).
    pub stalled: bool,
}

impl Blocker {
    /// A temporary blocker: the operator continues automatically.
    #[must_use]
    pub fn passing(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: sentence(&message.into()), stalled: false }
    }

    /// A blocker that only a person can remove.
    #[must_use]
    pub fn lasting(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: sentence(&message.into()), stalled: true }
    }
}
