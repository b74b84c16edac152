//! The Vaults that the outputs of a resource name, as far as they are known without a request to them.

use std::collections::BTreeMap;

use super::super::id;
use crate::api::bounds::OUTPUTS;
use crate::api::technical_user::{Output as Spec, RecordedOutput, VaultOutput as Entry};
use crate::controller::context::Context;
use crate::controller::kube_error::KubeError;
use crate::controller::objects::Key;
use crate::controller::vault::vault_key;
use crate::controller::vault::view::VaultView;
use crate::domain::blocker::Blocker;
use crate::domain::plan::OutputId;
use crate::domain::reason::Reason;
use crate::domain::vault::path::{Alias, EntryPath, Folder};
use crate::domain::vault::place::{EntryPlace, NumberedAlias};

/// The Vaults that the outputs of a spec name, and where their entries are.
#[derive(Debug, Clone, Default)]
pub struct Vaults {
    views: BTreeMap<Key, Result<VaultView, Blocker>>,
    places: BTreeMap<OutputId, Result<EntryPlace, Blocker>>,
    first: Option<OutputId>,
    first_alias: Option<NumberedAlias>,
}

impl Vaults {
    /// Those that the outputs of a resource name, as its namespace sees them.
    ///
    /// # Errors
    /// If the labels of the namespace cannot be read.
    pub async fn of(
        ctx: &Context,
        resource: &Key,
        outputs: Option<&[Spec]>,
        recorded: &[RecordedOutput],
    ) -> Result<Self, KubeError> {
        let mut vaults = Self::default();
        for output in outputs.into_iter().flatten() {
            let Some(reference) = output.vault_ref() else { continue };
            let key = vault_key(&reference, &resource.namespace);
            if !vaults.views.contains_key(&key) {
                let view = VaultView::of(ctx, &key, &resource.namespace).await?;
                vaults.views.insert(key.clone(), view);
            }
            let Some(entry) = &output.vault else { continue };
            let id = id_of(resource, entry);
            let current =
                recorded.iter().find(|output| output.id() == id).and_then(RecordedOutput::written_entry);
            let folder = current.and_then(|entry| Folder::parse(&entry.folder).ok());
            let place = vaults
                .view(&key)
                .and_then(|view| view.place(entry.path.as_deref(), resource, folder.as_ref()))
                .map(|place| if entry.merges() { place.fixed() } else { place })
                .and_then(|place| vaults.unless_taken(ctx, &key, place));
            if vaults.first.is_none() && !entry.merges() {
                vaults.first = Some(id.clone());
                let of_record = || {
                    current.and_then(|entry| Alias::parse(&entry.secret_alias).ok()).map(NumberedAlias::fixed)
                };
                vaults.first_alias = place.as_ref().ok().map(|place| place.alias.clone()).or_else(of_record);
            }
            vaults.places.insert(id, place);
        }
        Ok(vaults)
    }

    /// A Vault that an output names.
    ///
    /// # Errors
    /// Why no output can be in it.
    pub fn view(&self, key: &Key) -> Result<&VaultView, Blocker> {
        self.views.get(key).map_or_else(|| Err(unread()), |view| view.as_ref().map_err(Clone::clone))
    }

    /// Where the entries of an output are; `None` if the spec does not name the output.
    ///
    /// # Errors
    /// Why they can be nowhere.
    #[must_use]
    pub fn place(&self, output: &OutputId) -> Option<Result<&EntryPlace, Blocker>> {
        self.places.get(output).map(|place| place.as_ref().map_err(Clone::clone))
    }

    /// The place of an output, unless an earlier one of the spec has it already.
    fn unless_taken(&self, ctx: &Context, vault: &Key, place: EntryPlace) -> Result<EntryPlace, Blocker> {
        let view = self.view(vault)?;
        let same_server = |key: &Key| {
            let server = self.view(key).ok().and_then(|other| other.server(ctx));
            key == vault || server.is_some() && server == view.server(ctx)
        };
        for (id, taken) in &self.places {
            let path = |place: &EntryPlace| place.at(1).ok().map(|at| at.path);
            let same = taken.as_ref().is_ok_and(|taken| path(taken).is_some() && path(taken) == path(&place));
            if same && vault_of(id).is_some_and(|key| same_server(&key)) {
                let message = format!(
                    "Two outputs have the same entry: this one and the {id}. Name another path in one of them, or remove it."
                );
                return Err(Blocker::lasting(Reason::OutputInvalid, message));
            }
        }
        Ok(place)
    }

    /// The outputs of the spec that have, or are about to have, an entry with this path.
    pub fn at_path<'a>(
        &'a self,
        path: &'a EntryPath,
        generations: [i64; 2],
    ) -> impl Iterator<Item = &'a OutputId> {
        let is_at = move |place: &EntryPlace| {
            generations.into_iter().any(|generation| place.at(generation).is_ok_and(|at| at.path == *path))
        };
        self.places.iter().filter(move |(_, place)| place.as_ref().is_ok_and(is_at)).map(|(id, _)| id)
    }

    /// The first output of the spec that is an entry which the operator owns: a Secret with the variables of a connector names
    /// its alias.
    #[must_use]
    pub fn first(&self) -> Option<&OutputId> {
        self.first.as_ref()
    }

    /// The alias of its entry, where the spec wants it.
    #[must_use]
    pub fn first_alias(&self) -> Option<&NumberedAlias> {
        self.first_alias.as_ref()
    }
}

/// The spec names no such output.
pub(super) fn unread() -> Blocker {
    Blocker::passing(Reason::VaultNotReady, "No output names the Vault any more")
}

/// Which output an entry of a spec describes.
pub(in super::super) fn id_of(resource: &Key, entry: &Entry) -> OutputId {
    id(entry.kind(), name_of(resource, entry))
}

/// The name of the output that an entry of a spec describes: the Vault, and the path as the spec names it.
pub(in super::super) fn name_of(resource: &Key, entry: &Entry) -> String {
    let vault = vault_key(&entry.vault_ref, &resource.namespace);
    format!("{vault}/{}", entry.path.as_ref().unwrap_or(&resource.name))
}

/// The name in the status of an entry that was superseded by one at another place: the first that is free. No path of a spec has
/// a colon.
pub(super) fn former_name(vault: &Key, path: &EntryPath, is_free: impl Fn(&str) -> bool) -> String {
    let name = |number: usize| format!("{vault}/{}:former-{number}", path.in_mount());
    // A status has fewer entries than that.
    (1..OUTPUTS).map(name).find(|name| is_free(name)).unwrap_or_else(|| name(OUTPUTS))
}

/// The Vault in the id of an output.
pub(super) fn vault_of(id: &OutputId) -> Option<Key> {
    let (namespace, rest) = id.name.split_once('/')?;
    let (name, _) = rest.split_once('/')?;
    Some(Key { namespace: namespace.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::technical_user::VaultRef;
    use crate::domain::vault::path::{Alias, Mount};

    #[test]
    fn an_output_is_identified_by_its_vault_and_its_path() {
        let resource = Key { namespace: "tenant".into(), name: "edc".into() };
        let vault_ref = VaultRef { name: "vault".into(), namespace: None };
        let entry = Entry { vault_ref, ..Entry::default() };
        assert_eq!(id_of(&resource, &entry).name, "tenant/vault/edc");
        let vault_ref = VaultRef { name: "vault".into(), namespace: Some("ops".into()) };
        let entry = Entry { vault_ref, path: Some("a/b".into()), ..Entry::default() };
        let id = id_of(&resource, &entry);
        assert_eq!(id.to_string(), "VaultEntry \"ops/vault/a/b\"");
        let vault = vault_of(&id).unwrap();
        assert_eq!(vault.to_string(), "ops/vault");
        let (mount, alias) = (Mount::parse("secret").unwrap(), Alias::parse("a/b").unwrap());
        let path = EntryPath::in_mount_at(&mount, &alias);
        let first = former_name(&vault, &path, |_| true);
        assert_eq!(first, "ops/vault/a/b:former-1");
        assert_eq!(former_name(&vault, &path, |name| name != first), "ops/vault/a/b:former-2");
        assert_eq!(vault_of(&OutputId { name: first, ..id }), Some(vault));
    }
}
