//! Whether the login may write the entries of an output.

use super::VaultOutput;
use crate::controller::technical_user::failure::Failure;
use crate::controller::vault::policy::{self, Use};
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::vault::place::EntryAt;
use crate::vault::{VaultClient, VaultError};

impl VaultOutput {
    /// Why the login may not write an entry.
    pub(super) async fn denied(
        &self,
        client: &VaultClient,
        at: &EntryAt,
        usage: Use,
    ) -> Result<Option<Blocker>, Failure> {
        let paths = std::slice::from_ref(&at.path);
        let lacks = policy::lacking(client, paths, usage).await.map_err(|error| self.failure(&error))?;
        let lacks: Vec<_> =
            lacks.into_iter().map(|(path, lacks)| format!("{} on {path}", lacks.join(", "))).collect();
        Ok((!lacks.is_empty()).then(|| {
            let damage = self.damage.map(|damage| format!(" ({})", damage.words)).unwrap_or_default();
            let message = format!(
                "The {}{damage} cannot be written: the policies of the login of Vault {} lack these capabilities: {}. Add them to \
                 the policy in Vault.",
                self.id,
                self.vault,
                lacks.join("; ")
            );
            Blocker::lasting(Reason::PolicyTooNarrow, message)
        }))
    }

    /// The policies permit not even to read the entry: what else they lack is reported with it.
    pub(super) async fn forbidden(
        &self,
        client: &VaultClient,
        at: &EntryAt,
        error: &VaultError,
        usage: Use,
    ) -> Result<Failure, Failure> {
        let denied = self.denied(client, at, usage).await?;
        Ok(denied.map_or_else(|| self.failure(error), Failure::OutputUnavailable))
    }
}
