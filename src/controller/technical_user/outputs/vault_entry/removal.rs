//! The removal of the entries in a Vault that the status records.

use k8s_openapi::api::core::v1::ObjectReference;

use super::left::{Left, Removal, entries};
use super::merged::removal::remove_keys;
use super::{vaults, whose};
use crate::api::technical_user::RecordedEntry;
use crate::api::vault::AbandonedEntry;
use crate::controller::objects::Key;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::Resource;
use crate::controller::technical_user::reference;
use crate::controller::vault::abandoned;
use crate::controller::vault::mark::EntryMark;
use crate::controller::vault::view::VaultView;
use crate::domain::blocker::Blocker;
use crate::domain::plan::OutputId;
use crate::domain::reason::Reason;
use crate::domain::vault::path::PathError;
use crate::domain::vault::place::{EntryAt, Server};
use crate::vault::{Metadata, VaultClient, VaultError};

/// The entry that a status describes.
pub(in super::super) fn of_entry(entry: &RecordedEntry) -> Result<EntryAt, PathError> {
    EntryAt::of_record(&entry.paths_secret, &entry.folder, &entry.secret_alias)
}

/// What an output has at a place.
#[derive(Clone, Copy)]
pub(super) enum Written {
    /// An entry, which is deleted with all its versions.
    Entry,
    /// Keys in an entry of another owner, which are removed.
    Keys,
}

/// Removes what an output has in its Vault, as far as it is there and ours.
pub(super) async fn remove(resource: &Resource, id: &OutputId, written: Written) -> Result<(), Failure> {
    let Some(removal) = Removal::of(resource, id).await? else { return Ok(()) };
    let (client, mut behind) = (&removal.client, Vec::new());
    for left in removal.left()? {
        let place = (&left.at, &removal.here);
        let removed = match written {
            _ if left.taken_here => Ok(false),
            Written::Entry => delete(resource, id, client, place).await,
            Written::Keys => remove_keys(resource, id, client, place).await,
        };
        let removed = removed.map_err(|error| removal.failure(&error))?;
        if left.elsewhere && !removed {
            behind.push(left);
        }
    }
    report_behind(resource, id, &removal.vault, &behind)
}

/// Deletes an entry if it is ours; whether it was there and is deleted.
async fn delete(
    resource: &Resource,
    id: &OutputId,
    client: &VaultClient,
    (at, here): (&EntryAt, &Server),
) -> Result<bool, VaultError> {
    let Some(metadata) = client.metadata(&at.path).await? else { return Ok(false) };
    let is_ours = is_ours(resource, id, client, (at, here, &metadata)).await?;
    if is_ours {
        client.delete(&at.path).await?;
    } else {
        tracing::warn!(resource = %resource.key, entry = at.path.data(), "An entry in a Vault belongs to another client, so it is kept");
    }
    Ok(is_ours)
}

/// Whether an entry that has data holds what the operator wrote, and whether one without data is marked for it.
async fn is_ours(
    resource: &Resource,
    id: &OutputId,
    client: &VaultClient,
    (at, here, metadata): (&EntryAt, &Server, &Metadata),
) -> Result<bool, VaultError> {
    let recorded = resource.history.recorded(id);
    Ok(match client.read(&at.path).await? {
        Some(entry) => whose::is_ours(resource, recorded, (at, Some(here)), &entry),
        None => {
            EntryMark::of(&metadata.custom_metadata).is_some_and(|mark| whose::is_marked(resource, &mark))
        }
    })
}

/// Lists the entries of an output in the status of the Vault, where they are left.
pub(super) async fn abandon(resource: &Resource, id: &OutputId, why: &str) -> Result<(), Failure> {
    let Some(vault) = vaults::vault_of(id) else { return Ok(()) };
    let view = VaultView::for_cleanup(&resource.ctx, &vault, &resource.key.namespace);
    let here = view.as_ref().ok().and_then(|view| view.server(&resource.ctx));
    let left = entries(resource, id, &vault, here.as_ref())?;
    if let Err(blocker) = view {
        report_unlisted(resource, id, &vault, &left, &blocker.message);
        return Ok(());
    }
    let since = resource.ctx.process.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let entry = |left: &Left| AbandonedEntry {
        path: left.at.path.data(),
        owner: resource.owner.to_string(),
        server: left.server.as_ref().map(|server| server.as_str().to_owned()).unwrap_or_default(),
        why: why.to_owned(),
        since: since.clone(),
        written: left.written,
        taken_over: resource.taken_over.iter().map(|hint| hint.as_str().to_owned()).collect(),
    };
    if !abandoned::list(&resource.ctx, &vault, left.iter().map(entry).collect()).await? {
        report_unlisted(resource, id, &vault, &left, "It does not exist any more");
    }
    Ok(())
}

/// Reports entries that no Vault resource lists, with an Event of the resource that had them.
fn report_unlisted(resource: &Resource, id: &OutputId, vault: &Key, left: &[Left], error: &str) {
    if left.is_empty() {
        return;
    }
    for Left { at, .. } in left {
        tracing::warn!(resource = %resource.key, %vault, entry = at.path.data(), error, "An entry is left in a Vault that cannot be read");
    }
    let paths = paths(left);
    let note = format!(
        "Entries of this TechnicalUser are left in Vault {vault}, which the operator cannot read: {error}. Delete them there: {paths}"
    );
    let regarding = regarding(resource, id);
    resource.ctx.events.warning(regarding, Reason::EntryAbandoned.as_str(), "Remove", &note);
}

/// Reports entries that the operator cannot reach any more. Under deletion that is tried again, and the entries are listed as left:
/// the address of the Vault may be corrected.
fn report_behind(resource: &Resource, id: &OutputId, vault: &Key, left: &[Left]) -> Result<(), Failure> {
    if left.is_empty() {
        return Ok(());
    }
    let paths = paths(left);
    let note = format!(
        "The address of Vault {vault} leads to another server. Entries of this TechnicalUser are left on the former one. Delete them \
         there: {paths}"
    );
    if resource.deleting {
        return Err(Failure::OutputUnavailable(Blocker::lasting(Reason::EntryAbandoned, note)));
    }
    for Left { at, .. } in left {
        tracing::warn!(resource = %resource.key, %vault, entry = at.path.data(), "An entry is left on the former server of a Vault");
    }
    let regarding = regarding(resource, id);
    resource.ctx.events.warning(regarding, Reason::EntryAbandoned.as_str(), "Remove", &note);
    Ok(())
}

/// The paths of entries, in words.
fn paths(left: &[Left]) -> String {
    let path =
        |Left { at, written, .. }: &Left| at.path.data() + if *written { "" } else { " (if it was written)" };
    left.iter().map(path).collect::<Vec<_>>().join(", ")
}

/// What an Event of an output regards: those of several outputs would be counted as one.
fn regarding(Resource { ctx, key, .. }: &Resource, id: &OutputId) -> ObjectReference {
    let field_path = Some(format!("status.outputs{{{}}}", id.name));
    ObjectReference { field_path, ..reference(ctx, key) }
}
