//! The outputs of a resource: where its credential is published. The plan knows them by [`OutputId`] and [`OutputState`]; this
//! folder has one file or folder for each kind, with an implementation of [`Output`]. This file lists them.
//!
//! [`OutputState`]: crate::domain::plan::OutputState

mod alias;
mod envelope;
mod immutable_secret;
mod layout;
mod merged_secret;
mod numbered;
mod output;
mod quota;
mod resource;
mod secret;
#[cfg(test)]
mod tests;
mod unnamed;
mod vault_entry;

use std::collections::BTreeSet;

use self::immutable_secret::ImmutableSecret;
use self::merged_secret::MergedSecret;
use self::secret::SecretOutput;
use self::vault_entry::vaults::{self, Vaults};
use self::vault_entry::{MergedEntry, VaultOutput};
use crate::api::technical_user::{
    Output as Spec, OutputKind, RecordedOutput, TechnicalUserSpec, TechnicalUserStatus,
};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, is_deleting};
use crate::domain::blocker::Blocker;
use crate::domain::format::FormatError;
use crate::domain::plan::{OutputId, ToRemove};
use crate::domain::reason::Reason;
use crate::k8s::stored::StoredObject;

pub use self::layout::surroundings;
pub use self::output::{Damage, Observed, Output, Writable};
#[cfg(test)]
use self::resource::History;
pub use self::resource::{Around, Resource};
pub use self::unnamed::unnamed;

/// The stores that the outputs of a resource name, as far as they are known without a request to them: what a kind needs that
/// is collected before its outputs are built.
#[derive(Debug, Clone, Default)]
pub struct Stores {
    /// The Vaults.
    pub vaults: Vaults,
}

impl Stores {
    /// Those that the outputs name. Under deletion none of them is needed: what the status records is removed.
    ///
    /// # Errors
    /// If the labels of the namespace cannot be read.
    pub async fn of(
        ctx: &Context,
        object: &StoredObject,
        spec: &TechnicalUserSpec,
        status: &TechnicalUserStatus,
    ) -> Result<Self, KubeError> {
        if is_deleting(object) {
            return Ok(Self::default());
        }
        let (key, outputs) = (Key::of(object), spec.outputs.as_deref());
        Ok(Self { vaults: Vaults::of(ctx, &key, outputs, &status.outputs).await? })
    }
}

/// The output that an entry of a spec describes; `None` where only a later release knows its kind.
pub(super) fn of_entry(resource: &Resource, spec: &Spec) -> Option<Box<dyn Output>> {
    Some(match spec.kind()? {
        OutputKind::Secret => Box::new(SecretOutput::new(resource, spec.secret.as_ref())),
        OutputKind::ImmutableSecret => Box::new(ImmutableSecret::new(resource, spec.secret.as_ref()?)),
        OutputKind::MergedSecret => Box::new(MergedSecret::new(resource, spec.secret.as_ref()?)),
        OutputKind::VaultEntry => Box::new(VaultOutput::new(resource, spec.vault.as_ref()?)),
        OutputKind::MergedVaultEntry => Box::new(MergedEntry::new(resource, spec.vault.as_ref()?)),
    })
}

/// Which output an entry of a spec describes; `None` where only a later release knows its kind.
fn id_of(resource: &Key, spec: &Spec) -> Option<OutputId> {
    let kind = spec.kind()?;
    let name = match kind {
        OutputKind::Secret | OutputKind::ImmutableSecret | OutputKind::MergedSecret => {
            spec.secret.as_ref()?.secret_name(&resource.name).to_owned()
        }
        OutputKind::VaultEntry | OutputKind::MergedVaultEntry => {
            vaults::name_of(resource, spec.vault.as_ref()?)
        }
    };
    Some(id(kind, name))
}

/// The output of this kind and name that a status records; `None` where only a later release knows the kind.
#[must_use]
pub fn of_record(resource: &Resource, OutputId { kind, name }: &OutputId) -> Option<Box<dyn Output>> {
    Some(match OutputKind::of_name(kind)? {
        OutputKind::Secret => Box::new(SecretOutput::named(resource, name)),
        OutputKind::ImmutableSecret => Box::new(ImmutableSecret::named(resource, name)),
        OutputKind::MergedSecret => Box::new(MergedSecret::named(resource, name)),
        OutputKind::VaultEntry => Box::new(VaultOutput::named(resource, name)),
        OutputKind::MergedVaultEntry => Box::new(MergedEntry::named(resource, name)),
    })
}

/// The id of an output.
fn id(kind: OutputKind, name: String) -> OutputId {
    OutputId { kind: kind.name(), name }
}

/// Keeps the outputs that were written among these, which describe the same spec: only they know what the status is to record.
pub fn keep_written(
    outputs: &mut [Box<dyn Output>],
    before: Vec<Box<dyn Output>>,
    written: &BTreeSet<OutputId>,
) {
    for output in before.into_iter().filter(|output| written.contains(output.id())) {
        if let Some(observed) = outputs.iter_mut().find(|observed| observed.id() == output.id()) {
            *observed = output;
        }
    }
}

/// The outputs that a spec names, in the order in which they are written. Without any it is one Secret.
#[must_use]
pub fn of_spec(resource: &Resource, outputs: Option<&[Spec]>) -> Vec<Box<dyn Output>> {
    let Some(outputs) = outputs else { return vec![Box::new(SecretOutput::new(resource, None))] };
    let mut outputs: Vec<&Spec> = outputs.iter().collect();
    outputs.sort_by_key(|output| !output.kind().is_some_and(|kind| kind.facts().comes_first));
    outputs.into_iter().filter_map(|output| of_entry(resource, output)).collect()
}

/// Why the outputs of a spec cannot be served by this release. The definitions may be those of a later one, which an upgrade
/// installs first, so the apiserver does not refuse everything that this release does not know.
#[must_use]
pub fn unreadable(resource: &Key, outputs: Option<&[Spec]>) -> Option<String> {
    let ids: Option<Vec<OutputId>> = outputs?.iter().map(|output| id_of(resource, output)).collect();
    let Some(mut ids) = ids else { return Some("an output is of a kind that it does not know".to_owned()) };
    ids.sort();
    let twice = ids.windows(2).find(|pair| pair.first() == pair.last())?.first()?;
    Some(format!("two outputs name the {twice}"))
}

/// The outputs of the status to remove: under deletion those that outlive the resource, else those that the spec no longer
/// names. Those of an unknown kind are kept for the release that knows it.
#[must_use]
pub fn to_remove(
    resource: &Resource,
    status: &TechnicalUserStatus,
    named: &[Box<dyn Output>],
    deleting: bool,
) -> Vec<ToRemove> {
    let is_named = |id: &OutputId| named.iter().any(|output| output.id() == id);
    let recorded = status.outputs.iter().map(RecordedOutput::id).filter(|id| deleting || !is_named(id));
    let outputs = recorded.filter_map(|id| of_record(resource, &id));
    let outputs = outputs.filter(|output| !deleting || output.outlives_resource());
    let entry = |output: Box<dyn Output>| ToRemove {
        output: output.id().clone(),
        outlives_resource: output.outlives_resource(),
        ..ToRemove::default()
    };
    outputs.map(entry).collect()
}

/// The names of the Secrets that a spec names, without the number of an immutable one: each takes a place in a quota that counts
/// Secrets.
#[must_use]
pub fn secrets_of(resource: &Key, outputs: Option<&[Spec]>) -> Vec<Key> {
    let key = |name: String| Key { namespace: resource.namespace.clone(), name };
    let Some(outputs) = outputs else { return vec![key(resource.name.clone())] };
    let counted = outputs.iter().filter(|output| output.kind().is_some_and(|kind| kind.facts().takes_place));
    counted.filter_map(|output| id_of(resource, output)).map(|id| key(id.name)).collect()
}

/// Why an output is not written whose content cannot be built.
#[must_use]
pub fn invalid(id: &OutputId, error: &FormatError) -> Blocker {
    let message = format!("The operator cannot write the {id}, because its content cannot be built: {error}");
    Blocker::lasting(Reason::OutputInvalid, message)
}
