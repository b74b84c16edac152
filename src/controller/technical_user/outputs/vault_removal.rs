//! The removal of the entries in a Vault that the status records.

use super::vault::mark;
use super::{Resource, vaults};
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::api::vault::AbandonedEntry;
use crate::controller::technical_user::failure::Failure;
use crate::controller::vault::abandoned;
use crate::controller::vault::view::VaultView;
use crate::domain::plan::OutputId;
use crate::domain::vault_path::{EntryPath, PathError};
use crate::domain::vault_place::EntryAt;

/// The entry that a status describes.
pub(super) fn of_entry(entry: &RecordedEntry) -> Result<EntryAt, PathError> {
    EntryAt::of_record(&entry.paths_secret, &entry.folder, &entry.secret_alias)
}

/// Deletes the entries of an output with all their versions, as far as they are there and ours.
pub(super) async fn remove(resource: &Resource, id: &OutputId) -> Result<(), Failure> {
    let Some(vault) = vaults::vault_of(id) else { return Ok(()) };
    let view = VaultView::for_cleanup(&resource.ctx, &vault, &resource.key.namespace);
    let view = view.map_err(Failure::OutputUnavailable)?;
    let entries = entries(resource, id, &view);
    if entries.is_empty() {
        return Ok(());
    }
    let client = view.client_for_cleanup(&resource.ctx).await.map_err(Failure::OutputUnavailable)?;
    let unavailable = |error| Failure::OutputUnavailable(view.blocker(&resource.ctx, &error));
    let owner = resource.owner.to_string();
    for path in entries {
        let metadata = client.metadata(&path).await.map_err(unavailable)?;
        if metadata.is_some_and(|metadata| mark(&metadata.custom_metadata) == Some(owner.as_str())) {
            client.delete(&path).await.map_err(unavailable)?;
        }
    }
    Ok(())
}

/// Lists the entries of an output in the status of the Vault, where they are left.
pub(super) async fn abandon(resource: &Resource, id: &OutputId, why: &str) -> Result<(), Failure> {
    let Some(vault) = vaults::vault_of(id) else { return Ok(()) };
    let view = match VaultView::for_cleanup(&resource.ctx, &vault, &resource.key.namespace) {
        Ok(view) => view,
        Err(blocker) => {
            let error = blocker.message;
            tracing::warn!(resource = %resource.key, %vault, error, "Entries are left in a Vault that cannot be read");
            return Ok(());
        }
    };
    let since = resource.ctx.process.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let entry = |path: EntryPath| AbandonedEntry {
        path: path.data(),
        owner: resource.owner.to_string(),
        why: why.to_owned(),
        since: since.clone(),
    };
    let entries: Vec<_> = entries(resource, id, &view).into_iter().map(entry).collect();
    Ok(abandoned::list(&resource.ctx, &vault, entries).await?)
}

/// Where entries of an output are, or may be: each is in the status before its first write. One that an output of the spec has
/// is not among them.
fn entries(resource: &Resource, id: &OutputId, view: &VaultView) -> Vec<EntryPath> {
    let recorded = resource.history.recorded(id).into_iter().flat_map(RecordedOutput::entries);
    let mut paths: Vec<_> = recorded.filter_map(|entry| of_entry(entry).ok()).map(|at| at.path).collect();
    if resource.vaults.place(id).is_none() {
        let generation = resource.history.generation;
        paths.retain(|path| !resource.vaults.are_at(view, path, generation));
    }
    paths.sort();
    paths.dedup();
    paths
}
