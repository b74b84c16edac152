//! The outputs of a resource: where its credential is published.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::domain::blocker::Blocker;
use crate::domain::user::UserId;

/// Which output. Kind and name identify it, as in `status.outputs`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
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
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by itself")]
pub struct OutputView {
    /// Which one.
    pub id: OutputId,
    /// What is there.
    pub state: OutputState,
    /// The status names it, whether or not the operator has written it.
    pub in_status: bool,
    /// The digest of the content that the operator wrote, by the status.
    pub recorded: Option<String>,
    /// Whether it can be written, asked in this reconcile; of an output with a place for each user see `places`.
    pub writable: Option<Result<(), Blocker>>,
    /// It has another place for the credential of each user of the resource.
    pub place_per_user: bool,
    /// Whether its place for the user of a generation can be written, as far as that was asked in this reconcile.
    pub places: BTreeMap<i64, Result<(), Blocker>>,
    /// The credential can be read back from its content. If not, only what the portal shows can be verified.
    pub readable: bool,
    /// Kubernetes does not remove it with its resource.
    pub outlives_resource: bool,
    /// It has one place for all users of the resource, and its readers have the client ID from elsewhere.
    pub alias_is_fixed: bool,
}

/// An output that is to be removed: the spec no longer names it, or the resource is under deletion and the output outlives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each read by itself")]
pub struct ToRemove {
    /// Which one.
    pub output: OutputId,
    /// Kubernetes does not remove it with its resource.
    pub outlives_resource: bool,
    /// How long it is kept after the credential is in all outputs that the spec names: the overlap, or what is left of it. Not
    /// under deletion.
    pub kept_for: Duration,
    /// The status says until when it is kept: the credential was in all outputs that the spec names.
    pub begun: bool,
    /// The status says that the operator wrote it: something may read it.
    pub written: bool,
    /// Whose credential it holds, where the status says so.
    pub user: Option<UserId>,
    /// A person asks for its removal without overlap and restarts.
    pub hurried: bool,
    /// It was found by its mark: the status does not name it yet. It is removed only after that.
    pub unnamed: bool,
    /// Why this reconcile could not remove it.
    pub failed: Option<NotRemoved>,
}

/// An output could not be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotRemoved {
    /// Why.
    pub blocker: Blocker,
    /// How long the operator has tried, under deletion also before a restart of it.
    pub tried_for: Duration,
}

/// What the credentials that a resource published are good for once all is done with its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterUsers {
    /// None of them is accepted any more.
    NoneIsValid,
    /// One is still valid, or may be.
    OneMayBeValid,
}

/// What is there in the place of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputState {
    /// Nothing.
    Absent,
    /// Something that is not ours; whose, in words.
    Foreign(String),
    /// It cannot be known at the moment, for this reason: its store is down or refuses the operator. Other outputs are served.
    Unknown(Blocker),
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

    /// Whether it is as it should be with this content for this user. If its state is unknown, the status decides: the
    /// operator has no reason to assume that it was changed.
    #[must_use]
    pub fn holds(&self, user: &UserId, wanted: Option<&String>) -> bool {
        if wanted.is_none() {
            return false;
        }
        match &self.state {
            OutputState::Ours { digest, metadata_as_wanted: true, .. } => {
                self.is_of(user) && digest.as_ref() == wanted
            }
            OutputState::Unknown(_) => self.recorded.as_ref() == wanted,
            OutputState::Ours { .. } | OutputState::Absent | OutputState::Foreign(_) => false,
        }
    }

    /// Whether it holds the credential, or did so when it was last seen.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match &self.state {
            OutputState::Ours { .. } => true,
            OutputState::Unknown(_) => self.recorded.is_some(),
            OutputState::Absent | OutputState::Foreign(_) => false,
        }
    }

    /// Why its state is unknown.
    #[must_use]
    pub fn unknown(&self) -> Option<&Blocker> {
        match &self.state {
            OutputState::Unknown(blocker) => Some(blocker),
            OutputState::Absent | OutputState::Foreign(_) | OutputState::Ours { .. } => None,
        }
    }

    /// Whether it can be written for the user of this generation, if that was asked in this reconcile.
    #[must_use]
    pub fn writable_for(&self, generation: i64) -> Option<&Result<(), Blocker>> {
        if self.place_per_user { self.places.get(&generation) } else { self.writable.as_ref() }
    }

    /// It was asked whether it can be written for the user of this generation.
    pub fn asked(&mut self, generation: i64, answer: Result<(), Blocker>) {
        if self.place_per_user {
            self.places.insert(generation, answer);
        } else {
            self.writable = Some(answer);
        }
    }

    /// Why it could not be written in this reconcile.
    #[must_use]
    pub fn not_writable(&self) -> Option<&Blocker> {
        self.writable.iter().chain(self.places.values()).find_map(|answer| answer.as_ref().err())
    }

    /// Whether another client wrote to it since, so that its content has to be read.
    #[must_use]
    pub fn is_unread(&self) -> bool {
        matches!(self.state, OutputState::Ours { digest: None, .. })
    }

    /// The credential that was read from it is refused: what it holds may have changed since it was compared.
    pub fn doubt(&mut self) {
        if let OutputState::Ours { digest, .. } = &mut self.state {
            *digest = None;
        }
    }

    /// Whether a credential can be read back from it.
    #[must_use]
    pub fn can_be_read_back(&self) -> bool {
        self.readable && matches!(self.state, OutputState::Ours { .. })
    }
}
