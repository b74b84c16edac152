//! The removal of the entries in a Vault that the status records.

use super::{vaults, whose};
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
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
use crate::domain::vault::path::{EntryPath, PathError};
use crate::domain::vault::place::{EntryAt, Server};
use crate::vault::{Metadata, VaultClient, VaultError};

/// The entry that a status describes.
pub(in super::super) fn of_entry(entry: &RecordedEntry) -> Result<EntryAt, PathError> {
    EntryAt::of_record(&entry.paths_secret, &entry.folder, &entry.secret_alias)
}

/// Deletes the entries of an output with all their versions, as far as they are there and ours.
pub(super) async fn remove(resource: &Resource, id: &OutputId) -> Result<(), Failure> {
    let Some(vault) = vaults::vault_of(id) else { return Ok(()) };
    let view = VaultView::for_cleanup(&resource.ctx, &vault, &resource.key.namespace);
    let view = view.map_err(Failure::OutputUnavailable)?;
    if entries(resource, id, &vault, view.server(&resource.ctx).as_ref())?.is_empty() {
        return Ok(());
    }
    let client = view.client_for_cleanup(&resource.ctx).await.map_err(Failure::OutputUnavailable)?;
    let unavailable = |error| Failure::OutputUnavailable(view.blocker(&resource.ctx, &error));
    let here = view.answering(&resource.ctx, &client).await;
    for Left { at, elsewhere, .. } in entries(resource, id, &vault, here.as_ref())? {
        let path = &at.path;
        let Some(metadata) = client.metadata(path).await.map_err(unavailable)? else {
            if elsewhere {
                left_behind(resource, &vault, path)?;
            }
            continue;
        };
        let is_ours = is_ours(resource, id, &client, (&at, &metadata)).await.map_err(unavailable)?;
        if is_ours {
            client.delete(path).await.map_err(unavailable)?;
        } else {
            tracing::warn!(resource = %resource.key, entry = path.data(), "An entry in a Vault belongs to another client, so it is kept");
        }
    }
    Ok(())
}

/// Whether an entry that has data holds what the operator wrote, and whether one without data is marked for it.
async fn is_ours(
    resource: &Resource,
    id: &OutputId,
    client: &VaultClient,
    (at, metadata): (&EntryAt, &Metadata),
) -> Result<bool, VaultError> {
    let mark = EntryMark::of(&metadata.custom_metadata);
    let recorded = resource.history.recorded(id);
    Ok(match client.read(&at.path).await? {
        Some(entry) => whose::is_ours(resource, recorded, (at, mark.as_ref()), &entry.content),
        None => mark.is_some_and(|mark| whose::is_marked(resource, &mark)),
    })
}

/// Lists the entries of an output in the status of the Vault, where they are left.
pub(super) async fn abandon(resource: &Resource, id: &OutputId, why: &str) -> Result<(), Failure> {
    let Some(vault) = vaults::vault_of(id) else { return Ok(()) };
    let view = VaultView::for_cleanup(&resource.ctx, &vault, &resource.key.namespace);
    let here = view.as_ref().ok().and_then(|view| view.server(&resource.ctx));
    let left = entries(resource, id, &vault, here.as_ref())?;
    if let Err(blocker) = view {
        report_unlisted(resource, &vault, &left, &blocker.message);
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
    };
    if !abandoned::list(&resource.ctx, &vault, left.iter().map(entry).collect()).await? {
        report_unlisted(resource, &vault, &left, "It does not exist any more");
    }
    Ok(())
}

/// Reports entries that no Vault resource lists, with an Event of the resource that had them.
fn report_unlisted(resource: &Resource, vault: &Key, left: &[Left], error: &str) {
    let Resource { ctx, key, .. } = resource;
    for path in left.iter().map(|left| left.at.path.data()) {
        tracing::warn!(resource = %key, %vault, entry = path, error, "An entry is left in a Vault that cannot be read");
        let note = format!(
            "The entry {path} of this TechnicalUser is left in Vault {vault}, which the operator cannot read: {error}. Delete the \
             entry there."
        );
        ctx.events.warning(reference(ctx, key), Reason::EntryAbandoned.as_str(), "Remove", &note);
    }
}

/// An entry that the status records.
pub(super) struct Left {
    pub(super) at: EntryAt,
    /// The server that it was written to, as far as that is known.
    server: Option<Server>,
    /// It was written to another server than the one that the Vault leads to.
    pub(super) elsewhere: bool,
    /// The status has it as written: another client may have changed its data, but did not write them first.
    written: bool,
}

/// Where entries of an output are, or may be: each is in the status before its first write. One that an output of the spec has
/// is not among them.
pub(super) fn entries(
    resource: &Resource,
    id: &OutputId,
    vault: &Key,
    here: Option<&Server>,
) -> Result<Vec<Left>, Failure> {
    let recorded = resource.history.recorded(id);
    let written = recorded.filter(|recorded| !recorded.digest.is_empty());
    let written = written.and_then(|recorded| recorded.entry.as_ref());
    let mut left: Vec<Left> = Vec::new();
    for entry in recorded.into_iter().flat_map(RecordedOutput::entries) {
        let Ok(at) = of_entry(entry) else { continue };
        let there = Server::of_record(&entry.server);
        let elsewhere = here.is_some() && there.is_some() && there.as_ref() != here;
        let is_another = left.iter().all(|known| known.at.path != at.path);
        if is_another && !is_in_use(resource, id, (vault, here.or(there.as_ref())), &at.path)? {
            let server = there.clone().or_else(|| here.cloned());
            left.push(Left { at, server, elsewhere, written: written == Some(entry) });
        }
    }
    Ok(left)
}

/// Whether another output of the spec has its entry there.
fn is_in_use(
    resource: &Resource,
    id: &OutputId,
    (vault, server): (&Key, Option<&Server>),
    path: &EntryPath,
) -> Result<bool, Failure> {
    for other in
        resource.stores.vaults.at_path(path, resource.history.generation).filter(|other| *other != id)
    {
        let Some(key) = vaults::vault_of(other) else { continue };
        let recorded = || Server::of_record(&resource.history.recorded(other)?.entry.as_ref()?.server);
        let view = resource.stores.vaults.view(&key).ok();
        let there = view.and_then(|view| view.server(&resource.ctx)).or_else(recorded);
        if key == *vault {
            return Ok(true);
        }
        match (server, there) {
            (Some(server), Some(there)) if *server == there => return Ok(true),
            (Some(_), Some(_)) => {}
            _ => {
                let message =
                    format!("The operator does not know yet whether Vault {key} is the same server");
                return Err(Failure::OutputUnavailable(Blocker::passing(Reason::VaultNotReady, message)));
            }
        }
    }
    Ok(false)
}

/// Reports an entry that the operator cannot reach any more. Under deletion it is tried again, and listed as one that is left: the
/// address of the Vault may be corrected.
pub(super) fn left_behind(resource: &Resource, vault: &Key, path: &EntryPath) -> Result<(), Failure> {
    let Resource { ctx, key, .. } = resource;
    let path = path.data();
    let note = format!(
        "The address of Vault {vault} leads to another server. The entry {path} of this TechnicalUser is left on the former one. \
         Delete it there."
    );
    if resource.deleting {
        return Err(Failure::OutputUnavailable(Blocker::lasting(Reason::EntryAbandoned, note)));
    }
    tracing::warn!(resource = %key, %vault, entry = path, "An entry is left on the former server of a Vault");
    ctx.events.warning(reference(ctx, key), Reason::EntryAbandoned.as_str(), "Remove", &note);
    Ok(())
}
