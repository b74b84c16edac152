//! Keys that were left in an entry of another owner.

use std::collections::BTreeSet;

use crate::controller::vault::note::EntryNote;
use crate::domain::digest::DigestKey;
use crate::domain::identity::Owner;
use crate::domain::vault::path::EntryPath;
use crate::vault::{Content, Entry, VaultClient, VaultError};

/// Removes the keys of a note that have the values which the operator wrote, then the note.
pub(super) async fn remove(
    client: &VaultClient,
    path: &EntryPath,
    (owner, note): (&Owner, &EntryNote),
    digests: &DigestKey,
) -> Result<(), VaultError> {
    if let Some(Entry { version, content: Content::Fields(mut fields), .. }) = client.read(path).await? {
        let texts = fields.texts();
        let own = texts.iter().filter(|(key, value)| note.fits(digests, key, value));
        let own: BTreeSet<String> = own.map(|(key, _)| key.clone()).collect();
        if !own.is_empty() {
            fields.remove(&own);
            client.write(path, &fields, version).await?;
        }
    }
    client.unmark(path, &[&EntryNote::name(owner)]).await
}
