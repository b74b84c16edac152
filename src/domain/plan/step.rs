//! The next step: the output of [`super::plan`].

use std::fmt;

use crate::domain::blocker::Blocker;
use crate::domain::ownership::Origin;
use crate::domain::reason::Reason;
use crate::domain::user::{NewUser, UserId};

use super::observation::{AfterUsers, CredentialAt, OutputId, WorkloadId};
use super::settled::{Report, Requeue, Settled, Stage};

/// The next step. After a read or a write, the caller plans again.
///
/// A step has everything that its execution needs: which user, with which text. `Display` describes it for people
/// ("creating user t1a2…"), so that it can be printed instead of carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Read something; the answer goes into the observation.
    Read(Read),
    /// Change something; the result goes into the observation.
    Write(Write),
    /// Nothing for now: write the status and wait.
    Settled(Settled),
}

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// Every user with a name of this resource, so that a name that is not found is proved absent, each confirmed.
    Search,
    /// One user's details.
    User(UserId),
    /// The users with the client ID that `existing` selects.
    Narrow,
    /// Which resource a sibling was created for.
    Confirm(UserId),
    /// The content of an output.
    Output(OutputId),
    /// Whether an output can be written.
    Writable {
        /// The output.
        output: OutputId,
        /// The user whose credential it gets: 0 for one that the operator did not create.
        generation: i64,
    },
    /// Whether the token endpoint accepts a credential.
    Verify(CredentialAt),
    /// A workload that is to be restarted.
    Workload(WorkloadId),
    /// The object itself, and which users its outputs name, all from where they are stored.
    Object,
}

/// Something to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Record address and company of the portal in the status again: the user was found there by its details.
    RecordPortal,
    /// Add the finalizer.
    AddFinalizer,
    /// Create a user: record the attempt, then send the request to the portal once.
    Create {
        /// Which of the resource's users.
        generation: i64,
        /// The user.
        user: NewUser,
    },
    /// Take over a user that the operator did not create: the status names it, with the proof that it belongs to the resource.
    Adopt {
        /// The user.
        user: UserRef,
        /// What is reported if its roles differ from those of the spec.
        differs: Option<Notice>,
    },
    /// Close an attempt whose user is not needed: the annotation says so. The portal carries it out no more.
    CloseAttempt,
    /// Write the credential of this user, which was read and verified, into an output.
    Publish {
        /// The user.
        user: UserRef,
        /// The output.
        output: OutputId,
    },
    /// Name an output in the status, with the place where it is written next: before it is written there for the first time.
    RecordOutput {
        /// The user whose credential is written.
        user: UserRef,
        /// The output.
        output: OutputId,
    },
    /// Remember that all is done with the users of a resource under deletion: its outputs follow, which may need some time.
    UsersAreDone(AfterUsers),
    /// Remove an output of ours that the spec no longer names, or that outlives its resource.
    RemoveOutput(OutputId),
    /// List an output that is left where it is, because it cannot be removed, for the people who operate its store.
    AbandonOutput {
        /// The output.
        output: OutputId,
        /// Why, in words.
        why: String,
    },
    /// Restart a workload, as `kubectl rollout restart` does.
    Restart(WorkloadId),
    /// Change the name and the description of a user.
    Describe {
        /// The user.
        user: UserRef,
        /// The name that it gets.
        name: String,
        /// The description that it gets.
        description: String,
    },
    /// Report in the status that a user is being deleted, because the portal may need some time. A failure has no effect.
    ReportDeletion(String),
    /// Delete a user.
    Delete {
        /// The user.
        id: UserId,
        /// What is reported once it is deleted.
        notice: Notice,
    },
    /// Reset a user's secret to publish the new one: record the reset, then send the request to the portal once.
    RotateSecret {
        /// The user.
        user: UserRef,
        /// The number of the credential that it leads to, as the status counts them.
        credential: i64,
    },
    /// Reset a user's secret and do not keep the new one.
    Reset(UserId),
    /// Mark a user as retained.
    MarkRetained {
        /// The user.
        id: UserId,
        /// The generation that its mark names.
        generation: i64,
        /// The name, which it keeps.
        name: String,
        /// The description that it gets.
        description: String,
    },
    /// List a user in the Portal's status.
    RecordRetained {
        /// The user.
        id: UserId,
        /// Why, in words.
        why: String,
    },
    /// Remove the finalizer.
    RemoveFinalizer,
}

impl Write {
    /// Whether it changes something in the portal. While the Portal is suspended, the operator does none of these writes.
    #[must_use]
    pub fn touches_portal(&self) -> bool {
        match self {
            Self::Create { .. }
            | Self::Adopt { .. }
            | Self::Describe { .. }
            | Self::Delete { .. }
            | Self::RotateSecret { .. }
            | Self::Reset(_)
            | Self::MarkRetained { .. } => true,
            Self::RecordPortal
            | Self::ReportDeletion(_)
            | Self::AddFinalizer
            | Self::CloseAttempt
            | Self::Publish { .. }
            | Self::RecordOutput { .. }
            | Self::UsersAreDone(_)
            | Self::RemoveOutput(_)
            | Self::AbandonOutput { .. }
            | Self::Restart(_)
            | Self::RecordRetained { .. }
            | Self::RemoveFinalizer => false,
        }
    }
}

/// What an Event reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The reason.
    pub reason: Reason,
    /// In words.
    pub note: String,
}

/// One of a resource's users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRef {
    /// The portal's id.
    pub id: UserId,
    /// How the resource came to it.
    pub origin: Origin,
}

impl UserRef {
    /// The resource's user of a generation.
    #[must_use]
    pub fn created(id: UserId, generation: i64) -> Self {
        Self { id, origin: Origin::Created(generation) }
    }

    /// A user that was there already.
    #[must_use]
    pub fn existing(id: UserId) -> Self {
        Self { id, origin: Origin::Existing }
    }

    /// Which of the resource's users it is; 0, before the first one, where the operator did not create it.
    #[must_use]
    pub fn generation(&self) -> i64 {
        self.origin.generation().unwrap_or(0)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(read) => read.fmt(f),
            Self::Write(write) => write.fmt(f),
            Self::Settled(_) => f.write_str("writing the status"),
        }
    }
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search => f.write_str("searching the portal's user list"),
            Self::Narrow => f.write_str("reading the portal's list of users with this client ID"),
            Self::User(id) => write!(f, "reading user {id} from the portal"),
            Self::Confirm(id) => {
                write!(f, "reading user {id}, which has a name of this resource, from the portal")
            }
            Self::Output(output) => write!(f, "reading {output}"),
            Self::Writable { output, .. } => write!(f, "checking that {output} can be written"),
            Self::Verify(CredentialAt::Portal(id)) => {
                write!(f, "trying the credential that the portal shows for user {id} at its token endpoint")
            }
            Self::Verify(CredentialAt::Output(output)) => {
                write!(f, "trying the credential in {output} at its token endpoint")
            }
            Self::Workload(workload) => write!(f, "reading {workload}"),
            Self::Object => f.write_str("reading the resource"),
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RecordPortal => f.write_str("recording the portal that the user was found in"),
            Self::AddFinalizer => f.write_str("adding the finalizer"),
            Self::Create { user, .. } => write!(f, "creating user {} in the portal", user.name),
            Self::Adopt { user, .. } => write!(f, "taking over user {}", user.id),
            Self::CloseAttempt => f.write_str("closing the attempt to create a user that is not needed"),
            Self::Publish { user, output } => {
                write!(f, "writing the credential of user {} into {output}", user.id)
            }
            Self::RecordOutput { output, .. } => write!(f, "recording {output} in the status"),
            Self::UsersAreDone(_) => f.write_str("remembering that all is done with the users"),
            Self::RemoveOutput(output) => write!(f, "removing {output}"),
            Self::AbandonOutput { output, .. } => write!(f, "listing {output}, which cannot be removed"),
            Self::Restart(workload) => write!(f, "restarting {workload}"),
            Self::Describe { user, .. } => {
                write!(f, "changing name and description of user {} in the portal", user.id)
            }
            Self::ReportDeletion(_) => f.write_str("reporting the deletion in the status"),
            Self::Delete { id, .. } => write!(f, "deleting user {id} in the portal"),
            Self::RotateSecret { user, .. } => {
                write!(f, "resetting the secret of user {} in the portal to publish the new one", user.id)
            }
            Self::Reset(id) => write!(f, "resetting the secret of user {id} in the portal"),
            Self::MarkRetained { id, .. } => write!(f, "marking user {id} as retained in the portal"),
            Self::RecordRetained { id, .. } => {
                write!(f, "adding user {id} to the Portal's list of retained users")
            }
            Self::RemoveFinalizer => f.write_str("removing the finalizer"),
        }
    }
}

impl Step {
    /// The end of a reconcile with a blocker at the user.
    #[must_use]
    pub fn user_blocked(blocker: Blocker, requeue: Requeue) -> Self {
        Self::settled(Stage::User.blocked(blocker), requeue)
    }

    /// The end of a reconcile that records no user.
    #[must_use]
    pub fn settled(report: Report, requeue: Requeue) -> Self {
        Self::Settled(Settled::new(report, requeue))
    }

    /// The end of a deletion.
    #[must_use]
    pub fn gone() -> Self {
        Self::settled(Report::Gone, Requeue::Never)
    }

    /// The end of a reconcile of a resource that is held in deletion.
    #[must_use]
    pub fn held(reason: Reason, message: impl Into<String>, requeue: Requeue) -> Self {
        Self::settled(Report::Deleting(Blocker::passing(reason, message)), requeue)
    }
}
