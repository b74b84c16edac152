//! What an output does: the trait that each kind implements.

use std::time::Duration;

use async_trait::async_trait;

use crate::api::technical_user::RecordedOutput;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::places::QuotaPlace;
use crate::domain::blocker::Blocker;
use crate::domain::format::{Content, FormatError, Values};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::user::Credential;

/// One place for the credential of one resource.
///
/// It is used by one reconcile: what `observe` and `read` found is the state in which `prove_writable` and `write` expect it.
///
/// A method returns [`Failure::OutputUnavailable`] where the store is down alone, or refuses the operator altogether. The
/// resource's other outputs are served then, and what the status records of this one counts. That a store permits no write is an
/// answer of [`Output::prove_writable`].
#[async_trait]
pub trait Output: Send + Sync {
    /// Which output. The kind is a constant of the implementation.
    fn id(&self) -> &OutputId;

    /// Whether it is still there when Kubernetes has removed its resource. If so, the operator removes it before the finalizer.
    fn outlives_resource(&self) -> bool;

    /// Whether [`Output::credential`] can read the credential back from the content.
    fn is_readable(&self) -> bool;

    /// Whether the program that reads it sees a change only after a restart.
    fn needs_restart(&self) -> bool;

    /// Whether its content has the alias of an entry in a Vault that another output is.
    fn names_alias(&self) -> bool {
        false
    }

    /// Whether it has one place for all users of the resource, while its readers have the client ID from elsewhere. A successor
    /// would then be published to programs that still use the client ID of its predecessor, so none is created for a user that
    /// serves.
    fn alias_is_fixed(&self) -> bool {
        false
    }

    /// Whether it has another place for each user of the resource.
    fn has_place_per_user(&self) -> bool {
        false
    }

    /// The name of the Secret that it is, as last seen.
    fn secret(&self) -> Option<&str> {
        None
    }

    /// What it holds with these values. Its digest shows whether it is as it should be. An error if its format lacks a value, or
    /// cannot hold one; nothing is written then.
    fn content(&self, values: &Values) -> Result<Content, FormatError>;

    /// What is there, by the cheapest way; the digest only where the content is known without being read.
    async fn observe(&mut self, recorded: Option<&RecordedOutput>) -> Result<Observed, Failure>;

    /// What this reconcile found in its place that another client did there, in words, if a write repairs it.
    fn damage(&self) -> Option<Damage> {
        None
    }

    /// What is there, with the digest of its content.
    async fn read(&mut self, recorded: Option<&RecordedOutput>) -> Result<OutputState, Failure>;

    /// Whether it can be written in this state for the user of a generation, asked without a change and without a secret.
    async fn prove_writable(
        &mut self,
        state: &OutputState,
        generation: i64,
    ) -> Result<Result<Writable, Blocker>, Failure>;

    /// Writes all of the content at once, only if it is as it was seen.
    async fn write(&mut self, values: &Values) -> Result<OutputState, Failure>;

    /// The credential in it; `None` if it has no whole one.
    async fn credential(&self) -> Result<Option<Credential>, Failure>;

    /// Removes it if it is ours.
    async fn remove(&mut self) -> Result<(), Failure>;

    /// Lists it, where the people who operate its store find it, as left behind by a resource that is gone. It may be called
    /// again. Asked only of an output that outlives its resource.
    async fn abandon(&mut self, why: &str) -> Result<(), Failure>;

    /// Whether the next write with these values goes to another place than those that the status names. Not asked of one that the
    /// status does not name at all.
    fn goes_elsewhere(&self, _recorded: Option<&RecordedOutput>, _values: &Values) -> bool {
        false
    }

    /// What the status says before the first write to a place: where it goes. `before` is the entry that the status has.
    fn announced(
        &self,
        before: Option<&RecordedOutput>,
        _values: &Values,
    ) -> Result<RecordedOutput, Failure> {
        let OutputId { kind, name } = self.id().clone();
        Ok(before.cloned().unwrap_or(RecordedOutput { kind, name, ..RecordedOutput::default() }))
    }

    /// What this reconcile has replaced by a write to another place, as the status is to record it until it is removed, which is
    /// after all outputs hold the credential.
    fn superseded(&self) -> Vec<RecordedOutput> {
        Vec::new()
    }

    /// What a status records of it. `before` is the entry that the status has, `written` whether this reconcile wrote it.
    fn record(&self, digest: &str, before: Option<&RecordedOutput>, written: bool) -> Option<RecordedOutput>;
}

/// What [`Output::observe`] found.
#[derive(Debug)]
pub struct Observed {
    /// What is there.
    pub state: OutputState,
    /// When the content has to be read: another client changes it again and again. `None` where it is known.
    pub read_in: Option<Duration>,
}

/// What another client did to an output, which a write repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// In words, as the end of a sentence.
    pub words: &'static str,
    /// The action of the Event that reports the repair: Events with the same one are counted as one.
    pub action: &'static str,
}

/// The output can be written.
#[derive(Debug, Default)]
pub struct Writable {
    /// The place in a quota that is held for it until the reconcile or the create ends.
    pub place: Option<QuotaPlace>,
}
