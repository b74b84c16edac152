//! The removal of keys from entries of other owners. The entries themselves are never deleted.

use super::super::removal::{Left, entries, left_behind};
use super::super::vaults;
use super::target::{Found, Known};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::Resource;
use crate::controller::vault::note::EntryNote;
use crate::controller::vault::view::VaultView;
use crate::domain::plan::OutputId;
use crate::domain::vault::place::{EntryAt, Server};
use crate::vault::{VaultClient, VaultError};

/// Removes the keys of an output from the entries that its status names, then the note, as far as they are there.
pub(super) async fn remove(resource: &Resource, id: &OutputId) -> Result<(), Failure> {
    let Some(vault) = vaults::vault_of(id) else { return Ok(()) };
    let view = VaultView::for_cleanup(&resource.ctx, &vault, &resource.key.namespace);
    let view = view.map_err(Failure::OutputUnavailable)?;
    if entries(resource, id, &vault, view.server(&resource.ctx).as_ref())?.is_empty() {
        return Ok(());
    }
    let client = view.client_for_cleanup(&resource.ctx).await.map_err(Failure::OutputUnavailable)?;
    let here = view.answering(&resource.ctx, &client).await;
    for Left { at, elsewhere, .. } in entries(resource, id, &vault, here.as_ref())? {
        match remove_from(resource, id, &client, (&at, here.as_ref())).await {
            Ok(false) if elsewhere => left_behind(resource, &vault, &at.path)?,
            Ok(_) => {}
            Err(VaultError::CasMismatch) => return Err(Failure::Overtaken),
            Err(error) => return Err(Failure::OutputUnavailable(view.blocker(&resource.ctx, &error))),
        }
    }
    Ok(())
}

/// Whether the entry is there. Its newest version may be deleted: then only the note is removed.
async fn remove_from(
    resource: &Resource,
    id: &OutputId,
    client: &VaultClient,
    (at, here): (&EntryAt, Option<&Server>),
) -> Result<bool, VaultError> {
    let Some(metadata) = client.metadata(&at.path).await? else { return Ok(false) };
    let note = EntryNote::of(&metadata.custom_metadata, &resource.owner);
    if note.as_ref().is_some_and(|note| !note.is_here(&resource.ctx.installation.hint, &resource.taken_over))
    {
        tracing::warn!(resource = %resource.key, entry = at.path.data(), "Keys in an entry of a Vault belong to another cluster, so they are kept");
        return Ok(true);
    }
    if let Some(entry) = client.read(&at.path).await?
        && let Some(found) = Found::of(resource, entry, &known_at(resource, id, (at, here)))
        && !found.own.is_empty()
    {
        let mut fields = found.fields.clone();
        fields.remove(&found.own);
        client.write(&at.path, &fields, found.version).await?;
    }
    if note.is_some() {
        client.unmark(&at.path, &[&EntryNote::name(&resource.owner)]).await?;
    }
    Ok(true)
}

/// What the status says of the output at this place on this server.
fn known_at<'a>(resource: &'a Resource, id: &OutputId, (at, here): (&EntryAt, Option<&Server>)) -> Known<'a> {
    Known::of(resource.history.recorded(id), |entry| {
        let there = Server::of_record(&entry.server);
        let same_server = here.is_none() || there.is_none() || there.as_ref() == here;
        same_server && super::super::removal::of_entry(entry).is_ok_and(|known| known.path == at.path)
    })
}
