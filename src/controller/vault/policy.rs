//! What the policies of a login must permit for an entry.

use crate::domain::vault::path::EntryPath;
use crate::vault::{VaultClient, VaultError};

/// What an output does with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// The entry is its own.
    Own,
    /// It adds keys to an entry of another owner.
    Merge,
}

impl Use {
    const fn on_data(self) -> &'static [&'static str] {
        match self {
            Self::Own => &["create", "read", "update"],
            Self::Merge => &["read", "update"],
        }
    }

    /// On the metadata, where marks and notes are.
    const fn on_metadata(self) -> &'static [&'static str] {
        match self {
            Self::Own => &["create", "read", "patch", "delete"],
            Self::Merge => &["read", "patch"],
        }
    }
}

/// The paths of these entries at which the login lacks capabilities, each with those that it lacks.
///
/// # Errors
/// If Vault does not answer the question.
pub async fn lacking(
    client: &VaultClient,
    entries: &[EntryPath],
    usage: Use,
) -> Result<Vec<(String, Vec<&'static str>)>, VaultError> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = entries
        .iter()
        .flat_map(|entry| [(entry.data(), usage.on_data()), (entry.metadata(), usage.on_metadata())]);
    let (paths, wanted): (Vec<String>, Vec<_>) = wanted.unzip();
    let found = client.capabilities(&paths).await?;
    let lacks = found.iter().zip(wanted).map(|(found, wanted)| found.lacks(wanted));
    Ok(paths.into_iter().zip(lacks).filter(|(_, lacks)| !lacks.is_empty()).collect())
}
