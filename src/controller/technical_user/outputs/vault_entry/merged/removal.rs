//! The removal of keys from entries of other owners. The entries themselves are never deleted.

use super::target::{Found, Known};
use crate::controller::technical_user::outputs::Resource;
use crate::controller::vault::note::EntryNote;
use crate::domain::plan::OutputId;
use crate::domain::vault::place::{EntryAt, Server};
use crate::vault::{VaultClient, VaultError};

/// Removes the keys of an output from an entry, then the note. Whether any of them was there. The newest version may be deleted: then only the note is removed.
pub(in super::super) async fn remove_keys(
    resource: &Resource,
    id: &OutputId,
    client: &VaultClient,
    (at, here): (&EntryAt, &Server),
) -> Result<bool, VaultError> {
    let Some(metadata) = client.metadata(&at.path).await? else { return Ok(false) };
    let note = EntryNote::of(&metadata.custom_metadata, &resource.owner);
    if note.as_ref().is_some_and(|note| !note.is_here(&resource.ctx.installation.hint, &resource.taken_over))
    {
        tracing::warn!(resource = %resource.key, entry = at.path.data(), "Keys in an entry of a Vault belong to another cluster, so they are kept");
        return Ok(false);
    }
    let mut removed = note.is_some();
    if let Some(entry) = client.read(&at.path).await?
        && let Some(found) = Found::of(resource, entry, &known_at(resource, id, (at, here)))
        && !found.own.is_empty()
    {
        let mut fields = found.fields.clone();
        fields.remove(&found.own);
        client.write(&at.path, &fields, found.version).await?;
        removed = true;
    }
    if note.is_some() {
        client.unmark(&at.path, &[&EntryNote::name(&resource.owner)]).await?;
    }
    Ok(removed)
}

/// What the status says of the output at this place on this server.
fn known_at<'a>(resource: &'a Resource, id: &OutputId, (at, here): (&EntryAt, &Server)) -> Known<'a> {
    Known::of(resource.history.recorded(id), |entry| {
        let there = Server::of_record(&entry.server);
        !Server::differ(there.as_ref(), Some(here))
            && super::super::removal::of_entry(entry).is_ok_and(|known| known.path == at.path)
    })
}
