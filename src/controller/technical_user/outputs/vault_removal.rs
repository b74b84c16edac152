//! The removal of the entries in a Vault that the status records.

use super::{Resource, vaults};
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::api::vault::AbandonedEntry;
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::reference;
use crate::controller::vault::abandoned;
use crate::controller::vault::mark::EntryMark;
use crate::controller::vault::view::VaultView;
use crate::domain::plan::OutputId;
use crate::domain::reason::Reason;
use crate::domain::vault_path::{EntryPath, PathError};
use crate::domain::vault_place::{EntryAt, Server};
use crate::vault::{Content, VaultClient, VaultError};

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
    for path in entries {
        let Some(metadata) = client.metadata(&path).await.map_err(unavailable)? else { continue };
        let is_ours = match EntryMark::of(&metadata.custom_metadata) {
            Some(mark) => is_of(resource, &mark),
            None => is_as_recorded(resource, id, &client, &path).await.map_err(unavailable)?,
        };
        if is_ours {
            client.delete(&path).await.map_err(unavailable)?;
        } else {
            tracing::warn!(resource = %resource.key, entry = path.data(), "An entry in a Vault belongs to another client, so it is kept");
        }
    }
    Ok(())
}

fn is_of(resource: &Resource, mark: &EntryMark) -> bool {
    mark.is_of(&resource.owner.to_string(), &resource.ctx.installation.hint, &resource.taken_over)
}

/// Whether an entry that has no mark any more holds what the operator wrote.
async fn is_as_recorded(
    resource: &Resource,
    id: &OutputId,
    client: &VaultClient,
    path: &EntryPath,
) -> Result<bool, VaultError> {
    let recorded = resource.history.recorded(id).map(|recorded| recorded.digest.as_str());
    let key = &resource.ctx.installation.digest_key;
    Ok(match client.read(path).await?.map(|entry| entry.content) {
        Some(Content::Fields(fields)) => recorded == Some(key.of_content(&fields.texts()).as_str()),
        Some(Content::Deleted | Content::Destroyed) | None => false,
    })
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
/// is not among them, nor one on a server to which the Vault does not lead any more.
fn entries(resource: &Resource, id: &OutputId, view: &VaultView) -> Vec<EntryPath> {
    let recorded = resource.history.recorded(id).into_iter().flat_map(RecordedOutput::entries);
    let (ctx, here) = (&resource.ctx, view.server(&resource.ctx));
    let generation = resource.history.generation;
    let mut paths = Vec::new();
    for entry in recorded {
        let Ok(EntryAt { path, .. }) = of_entry(entry) else { continue };
        let there = Server::of_record(&entry.server).or_else(|| here.clone());
        if here.is_some() && there != here {
            left_behind(resource, &view.key, &path);
        } else if !resource.vaults.are_at(ctx, there.as_ref(), &path, generation)
            || resource.vaults.place(id).is_some()
        {
            paths.push(path);
        }
    }
    paths.sort();
    paths.dedup();
    paths
}

/// Reports an entry that the operator cannot reach any more.
fn left_behind(resource: &Resource, vault: &Key, path: &EntryPath) {
    let Resource { ctx, key, .. } = resource;
    let path = path.data();
    tracing::warn!(resource = %key, %vault, entry = path, "An entry is left on the former server of a Vault");
    let note = format!(
        "The address of Vault {vault} leads to another server. The entry {path} of this TechnicalUser is left on the former one. \
         Delete it there."
    );
    ctx.events.warning(reference(ctx, key), Reason::EntryAbandoned.as_str(), "Remove", &note);
}
