//! Whether an entry can be written: by what is there, and by what the policies of the login permit.

use super::VaultOutput;
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::{self, Writable};
use crate::controller::vault::policy::{self, Use};
use crate::domain::blocker::Blocker;
use crate::domain::plan::OutputState;
use crate::domain::reason::Reason;
use crate::domain::vault::place::EntryAt;
use crate::vault::{VaultClient, VaultError};

impl VaultOutput {
    /// By what the policies permit, and by what is at the place if that is another one than was observed.
    pub(super) async fn can_be_written(
        &self,
        state: &OutputState,
        generation: i64,
    ) -> Result<Result<Writable, Blocker>, Failure> {
        if let Err(error) = self.layout.placeholder() {
            return Ok(Err(outputs::invalid(&self.id, &error)));
        }
        // An existing user has the place of the first generation.
        let at = self.at(generation.max(1))?;
        let is_seen = self.seen.as_ref().is_none_or(|seen| seen.at.path == at.path);
        if let (OutputState::Foreign(owner), true) = (state, is_seen) {
            return Ok(Err(self.foreign(owner)));
        }
        let client = self.client().await?;
        if let Some(blocker) = self.denied(&client, &at, Use::Own).await? {
            return Ok(Err(blocker));
        }
        if !is_seen {
            let recorded = self.resource.history.recorded(&self.id);
            let look = self.look(&client, &at, recorded).await.map_err(|error| self.failure(&error))?;
            if let Some(owner) = self.other_owner(&look) {
                return Ok(Err(self.foreign(&owner)));
            }
        }
        Ok(self.claim(&at).map(|()| Writable::default()))
    }

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
