//! Whose the data of an entry are that was left.

use crate::api::vault::AbandonedEntry;
use crate::controller::context::Installation;
use crate::controller::vault::mark::EntryMark;
use crate::domain::vault::path::EntryPath;
use crate::vault::{VaultClient, VaultError};

/// Whether the data of an entry with the mark of its resource are those that the operator wrote. Mark and data are two writes: if the
/// status did not record the write, another client may have been the first to write data, and the digest in the mark decides.
pub(super) async fn are_ours(
    client: &VaultClient,
    path: &EntryPath,
    (left, mark): (&AbandonedEntry, &EntryMark),
    here: &Installation,
) -> Result<bool, VaultError> {
    // The digest in the mark of an installation that is taken over has another key, so the mark decides alone.
    if left.written || mark.hint != here.hint {
        return Ok(true);
    }
    let Some(entry) = client.read(path).await? else { return Ok(true) };
    Ok(mark.covers(&here.digest_key, &entry.content))
}
