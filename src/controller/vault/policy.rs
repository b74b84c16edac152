//! What the policies of a login must permit for an entry.

use crate::domain::vault::path::EntryPath;
use crate::vault::{VaultClient, VaultError};

/// On the data of an entry, and on its metadata, where the mark is.
const ON_DATA: [&str; 3] = ["create", "read", "update"];
const ON_METADATA: [&str; 4] = ["create", "read", "patch", "delete"];

/// The paths of these entries at which the login lacks capabilities, each with those that it lacks.
///
/// # Errors
/// If Vault does not answer the question.
pub async fn lacking(
    client: &VaultClient,
    entries: &[EntryPath],
) -> Result<Vec<(String, Vec<&'static str>)>, VaultError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let wanted =
        entries.iter().flat_map(|entry| [(entry.data(), &ON_DATA[..]), (entry.metadata(), &ON_METADATA[..])]);
    let (paths, wanted): (Vec<String>, Vec<_>) = wanted.unzip();
    let found = client.capabilities(&paths).await?;
    let lacks = found.iter().zip(wanted).map(|(found, wanted)| found.lacks(wanted));
    Ok(paths.into_iter().zip(lacks).filter(|(_, lacks)| !lacks.is_empty()).collect())
}
