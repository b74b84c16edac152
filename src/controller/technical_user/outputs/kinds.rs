//! Which kind of output an entry of a spec or of a status describes, and what a kind needs beforehand: the only file that lists the
//! kinds.

use kube::api::DynamicObject;

use super::immutable_secret::{self, ImmutableSecret};
use super::merged_secret::{self, MergedSecret};
use super::secret::{self, SecretOutput};
use super::vault_entry::vaults::{self, Vaults};
use super::vault_entry::{self, MergedEntry, VaultOutput, merged};
use super::{Output, Resource};
use crate::api::technical_user::{
    CreationPolicy, Output as Spec, RecordedOutput, SecretOutput as SecretSpec, TechnicalUserSpec,
    TechnicalUserStatus, is_in_vault,
};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::{Key, is_deleting};
use crate::domain::plan::{OutputId, ToRemove};

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
        object: &DynamicObject,
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

/// The outputs that a spec names, in the order in which they are written. Without any it is one Secret. An entry in a Vault comes
/// before the Secrets, which may name its alias: their readers find it there.
#[must_use]
pub fn of_spec(resource: &Resource, outputs: Option<&[Spec]>) -> Vec<Box<dyn Output>> {
    match outputs {
        Some(outputs) => {
            let mut outputs: Vec<_> = outputs.iter().filter_map(|spec| of_entry(resource, spec)).collect();
            outputs.sort_by_key(|output| !is_in_vault(&output.id().kind));
            outputs
        }
        None => vec![Box::new(SecretOutput::new(resource, None))],
    }
}

/// `None` where only a later release knows the kind of the entry.
pub(super) fn of_entry(resource: &Resource, spec: &Spec) -> Option<Box<dyn Output>> {
    match spec {
        Spec { secret: Some(secret), .. } if merges(secret) => {
            Some(Box::new(MergedSecret::new(resource, secret)))
        }
        Spec { secret: Some(secret), .. } if secret.immutable == Some(true) => {
            Some(Box::new(ImmutableSecret::new(resource, secret)))
        }
        Spec { secret: Some(secret), .. } => Some(Box::new(SecretOutput::new(resource, Some(secret)))),
        Spec { vault: Some(vault), .. } if vault.merges() => {
            Some(Box::new(MergedEntry::new(resource, vault)))
        }
        Spec { vault: Some(vault), .. } => Some(Box::new(VaultOutput::new(resource, vault))),
        Spec { secret: None, vault: None } => None,
    }
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

/// Which output an entry of a spec describes; `None` where only a later release knows its kind.
fn id_of(resource: &Key, output: &Spec) -> Option<OutputId> {
    match output {
        Spec { secret: Some(secret), .. } if merges(secret) => Some(MergedSecret::id_of(resource, secret)),
        Spec { secret: Some(secret), .. } if secret.immutable == Some(true) => {
            Some(ImmutableSecret::id_of(resource, secret))
        }
        Spec { secret: Some(secret), .. } => Some(SecretOutput::id_of(resource, Some(secret))),
        Spec { vault: Some(vault), .. } => Some(vaults::id_of(resource, vault)),
        Spec { secret: None, vault: None } => None,
    }
}

/// Whether an entry adds keys to a Secret of another owner.
fn merges(secret: &SecretSpec) -> bool {
    secret.creation_policy == Some(CreationPolicy::Merge)
}

/// Builds the output that a status records by its name.
type Recorded = fn(&Resource, &str) -> Box<dyn Output>;

fn recorded(kind: &str) -> Option<Recorded> {
    match kind {
        secret::KIND => Some(|resource, name| Box::new(SecretOutput::named(resource, name))),
        immutable_secret::KIND => Some(|resource, name| Box::new(ImmutableSecret::named(resource, name))),
        merged_secret::KIND => Some(|resource, name| Box::new(MergedSecret::named(resource, name))),
        vault_entry::KIND => Some(|resource, name| Box::new(VaultOutput::named(resource, name))),
        merged::KIND => Some(|resource, name| Box::new(MergedEntry::named(resource, name))),
        _ => None,
    }
}

/// The output of this kind and name that a status records; `None` where only a later release knows the kind.
#[must_use]
pub fn of_record(resource: &Resource, id: &OutputId) -> Option<Box<dyn Output>> {
    recorded(&id.kind).map(|output| output(resource, &id.name))
}

/// Whether a status may have an entry of this kind that this release can remove.
#[must_use]
pub fn is_known(kind: &str) -> bool {
    recorded(kind).is_some()
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
    let ids: Vec<OutputId> = match outputs {
        None => vec![SecretOutput::id_of(resource, None)],
        Some(outputs) => outputs.iter().filter_map(|output| id_of(resource, output)).collect(),
    };
    let secrets = ids.into_iter().filter(|id| [secret::KIND, immutable_secret::KIND].contains(&&*id.kind));
    secrets.map(|id| Key { namespace: resource.namespace.clone(), name: id.name }).collect()
}
