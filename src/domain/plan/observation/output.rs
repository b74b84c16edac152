//! The outputs of a resource: where its credential is published.

use std::fmt;

use crate::domain::roles::Blocker;
use crate::domain::user::UserId;

/// Which output. Kind and name identify it, as in `status.outputs`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutputId {
    /// The kind, such as Secret.
    pub kind: String,
    /// The name within the resource's namespace.
    pub name: String,
}

impl fmt::Display for OutputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.kind, self.name)
    }
}

/// An output that the spec names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputView {
    /// Which one.
    pub id: OutputId,
    /// What is there.
    pub state: OutputState,
    /// The digest of the content that the operator wrote, by the status.
    pub recorded: Option<String>,
    /// Whether it can be written, asked in this reconcile.
    pub writable: Option<Result<(), Blocker>>,
    /// The credential can be read back from its content. If not, only what the portal shows can be verified.
    pub readable: bool,
}

/// What is there in the place of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputState {
    /// Nothing.
    Absent,
    /// Something that is not ours; whose, in words.
    Foreign(String),
    /// Ours.
    Ours {
        /// The user whose credential it says to hold.
        user: Option<UserId>,
        /// The digest of its content: as recorded if it was not written since, else once it was read.
        digest: Option<String>,
        /// What surrounds the content, such as labels and owner, is as it should be.
        metadata_as_wanted: bool,
    },
}

impl OutputView {
    /// Whether it says to hold the credential of this user.
    #[must_use]
    pub fn is_of(&self, user: &UserId) -> bool {
        matches!(&self.state, OutputState::Ours { user: Some(holder), .. } if holder == user)
    }

    /// Whether it is as it should be with this content for this user.
    #[must_use]
    pub fn holds(&self, user: &UserId, wanted: Option<&String>) -> bool {
        self.is_of(user)
            && wanted.is_some()
            && matches!(
                &self.state,
                OutputState::Ours { digest, metadata_as_wanted: true, .. } if digest.as_ref() == wanted
            )
    }

    /// Whether another client wrote to it since, so that its content has to be read.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        matches!(self.state, OutputState::Ours { digest: None, .. })
    }

    /// Whether a credential can be read back from it.
    #[must_use]
    pub fn can_be_read_back(&self) -> bool {
        self.readable && matches!(self.state, OutputState::Ours { .. })
    }
}
