//! One reconcile of one `TechnicalUser`: what is known and what was read so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::failure::Failure;
use super::memory::places::QuotaPlace;
use super::outputs::{self, Output, Resource};
use super::reference;
use super::refusal::RefusalFingerprint;
use crate::api::technical_user::{RecordedOutput, TechnicalUserSpec, TechnicalUserStatus};
use crate::controller::context::Context;
use crate::controller::objects::Key;
use crate::controller::portal::connections::Connection;
use crate::domain::blocker::Blocker;
use crate::domain::format::{Known, Surroundings, Values};
use crate::domain::ownership;
use crate::domain::permissions::PermissionNames;
use crate::domain::plan::{self, Contents, Observation, OutputId, WorkloadId};
use crate::domain::reason::Reason;
use crate::domain::user::{Credential, UserDetails, UserId};
use crate::k8s::stored::StoredObject;

/// One reconcile of one resource.
pub struct Reconcile {
    /// What the process shares.
    pub ctx: Arc<Context>,
    /// Which resource.
    pub key: Key,
    /// The object as last read or written.
    pub object: StoredObject,
    /// Its spec.
    pub spec: TechnicalUserSpec,
    /// Its status as last read or written.
    pub status: TechnicalUserStatus,
    /// Which Portal.
    pub portal_key: Key,
    /// The connection, where there is one.
    pub connection: Option<Connection>,
    /// The namespace may read details of the Portal in messages: its address, company and Secrets.
    pub discloses: bool,
    /// The Portal as the cache showed it.
    pub portal: Option<Arc<StoredObject>>,
    /// What the plan decides by.
    pub observation: Observation,
    /// The details that were read in this reconcile, secrets included.
    pub details: BTreeMap<UserId, UserDetails>,
    /// What the Portal says that outputs hold beside the credential; `None` while that cannot be read.
    pub known: Option<Known>,
    /// What an output needs to know of the resource.
    pub resource: Resource,
    /// The outputs that the spec names, in its order.
    pub outputs: Vec<Box<dyn Output>>,
    /// What was written in this reconcile.
    pub written: Written,
    /// The former outputs that were removed in this reconcile.
    pub removed: BTreeSet<OutputId>,
    /// Why an output could not be written, where that says nothing of the other outputs: they are written all the same, and the
    /// reconcile ends with it.
    pub failed: Option<Failure>,
    /// The workloads that were read in this reconcile.
    pub workloads: BTreeMap<WorkloadId, StoredObject>,
    /// The places for Secrets in the namespace's quota, from the dry run to the create.
    pub places: Vec<QuotaPlace>,
    /// What the operator would do if nothing were suspended, in words; `None` if this reconcile could not find it out.
    pub planned: Option<Vec<String>>,
    /// What a refusal of the portal depends on.
    pub fingerprint: RefusalFingerprint,
    /// How often published credentials are tried.
    pub verification_interval: Duration,
    /// When the reconcile began.
    pub now: Timestamp,
}

/// The outputs that were written in a reconcile.
#[derive(Debug, Default)]
pub struct Written {
    /// All of them.
    pub outputs: BTreeSet<OutputId>,
    /// Those that held another content of ours before.
    pub replaced: BTreeSet<OutputId>,
}

impl Reconcile {
    /// The connection; a step that needs it is planned only where there is one.
    pub fn connected(&self) -> Result<&Connection, Failure> {
        self.connection.as_ref().ok_or(Failure::NotConnected)
    }

    /// How the portal names permissions, where the namespace may read details of the Portal in messages.
    #[must_use]
    pub fn disclosed(&self) -> Option<&PermissionNames> {
        self.connection
            .as_ref()
            .filter(|_| self.discloses)
            .map(|connection| &connection.capabilities.permissions)
    }

    /// The credential that a user's details show.
    #[must_use]
    pub fn credential(&self, id: &UserId) -> Option<&Credential> {
        self.details.get(id)?.credential.as_ref()
    }

    /// The digest of the credential that a user's details show.
    #[must_use]
    pub fn credential_digest(&self, id: &UserId) -> Option<String> {
        Some(self.ctx.installation.digest_key.of_credential(self.credential(id)?))
    }

    /// The output of this id.
    pub fn output(&mut self, id: &OutputId) -> Result<&mut Box<dyn Output>, Failure> {
        self.outputs.iter_mut().find(|output| output.id() == id).ok_or(Failure::Overtaken)
    }

    /// What the status records of an output.
    #[must_use]
    pub fn recorded_output(&self, id: &OutputId) -> Option<&RecordedOutput> {
        self.status.outputs.iter().find(|output| output.id() == *id)
    }

    /// What outputs can hold for a user; `None` without a credential, and while the Portal cannot be read.
    #[must_use]
    pub fn values(&self, id: &UserId) -> Option<Values> {
        let details = self.details.get(id)?;
        let generation = self.generation(details);
        let secret_alias = self.alias(id, generation).ok().flatten();
        let surroundings = Surroundings { secret_alias, ..self.known.as_ref()?.surroundings.clone() };
        Some(Values {
            credential: details.credential.clone()?,
            user_id: id.clone(),
            kind: details.kind,
            generation,
            bpn: plan::company(&self.observation).map(str::to_owned),
            surroundings,
        })
    }

    /// The number of a user among those that were created for the resource.
    fn generation(&self, details: &UserDetails) -> i64 {
        let (owner, recorded) = (&self.observation.owner, self.observation.recorded_generation());
        let shown = ownership::generation_shown(owner, &details.name, details.mark.as_ref(), recorded);
        let created = self.spec.user.existing.is_none();
        shown.filter(|_| created).unwrap_or(self.resource.history.generation)
    }

    /// The alias of the entry in a Vault that holds the credential of a user, or what is written before an output that names it.
    fn alias(&self, user: &UserId, generation: i64) -> Result<Option<String>, Blocker> {
        let first = self.resource.stores.vaults.first().filter(|first| self.written.outputs.contains(first));
        let output = first.and_then(|first| self.observation.output(first));
        self.resource.alias(user, generation, output.is_some_and(|output| output.is_of(user)))
    }

    /// The digest of what each output would hold for a user, or why its content cannot be built; `None` without a credential.
    #[must_use]
    pub fn contents(&self, id: &UserId) -> Option<Contents> {
        let (values, key) = (self.values(id)?, &self.ctx.installation.digest_key);
        let waits_for = self.alias(id, values.generation).err();
        let digest = |output: &dyn Output| match (&waits_for, output.content(&values)) {
            (Some(blocker), _) if output.names_alias() => Err(blocker.clone()),
            (_, Ok(content)) => Ok(key.of_content(&content)),
            (_, Err(error)) => Err(outputs::invalid(output.id(), &error)),
        };
        Some(self.outputs.iter().map(|output| (output.id().clone(), digest(output.as_ref()))).collect())
    }

    /// The outputs whose next write with the credential of a user goes to a place that the status does not name.
    #[must_use]
    pub fn elsewhere(&self, id: &UserId) -> BTreeSet<OutputId> {
        let Some(values) = self.values(id) else { return BTreeSet::new() };
        let recorded = |output: &dyn Output| self.recorded_output(output.id());
        let outputs = self.outputs.iter().map(AsRef::as_ref);
        outputs
            .filter(|output| output.goes_elsewhere(recorded(*output), &values))
            .map(|output| output.id().clone())
            .collect()
    }

    /// Sends an Event for the resource, about what was done.
    pub fn normal(&self, reason: Reason, action: &str, note: &str) {
        self.ctx.events.normal(reference(&self.ctx, &self.key), reason.as_str(), action, note);
    }

    /// Sends an Event for the resource, about what a person should check.
    pub fn warn(&self, reason: Reason, action: &str, note: &str) {
        self.ctx.events.warning(reference(&self.ctx, &self.key), reason.as_str(), action, note);
    }

    /// Takes over what a write of the object answered.
    pub fn object_is_now(&mut self, metadata: ObjectMeta) {
        self.object.metadata = metadata;
    }

    /// The object's resourceVersion as last seen.
    #[must_use]
    pub fn resource_version(&self) -> Option<&str> {
        self.object.metadata.resource_version.as_deref()
    }
}
