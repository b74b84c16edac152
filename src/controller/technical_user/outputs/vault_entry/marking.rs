//! Whose an entry is, and the mark that the operator writes before the data.

use super::{Seen, VaultOutput};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::Resource;
use crate::controller::vault::mark::EntryMark;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::vault::VaultClient;

impl VaultOutput {
    pub(super) fn is_ours(&self, mark: &EntryMark) -> bool {
        let Resource { ctx, owner, taken_over, .. } = &self.resource;
        mark.is_of(&owner.to_string(), &ctx.installation.hint, taken_over)
    }

    /// Whether it is the mark of this installation.
    pub(super) fn is_as_wanted(&self, mark: &EntryMark) -> bool {
        self.is_ours(mark) && mark.hint == self.resource.ctx.installation.hint
    }

    /// Whose an entry is, in words.
    pub(super) fn words(&self, mark: Option<&EntryMark>) -> String {
        let owner = self.resource.owner.to_string();
        mark.map_or_else(|| "another client of Vault".to_owned(), |mark| mark.words(&owner))
    }

    /// Marks an entry that was seen with this version, and reads the mark back: of two resources with one path, one has it.
    pub(super) async fn mark(&self, client: &VaultClient, seen: &Seen) -> Result<(), Failure> {
        let path = &seen.at.path;
        let metadata = client.metadata(path).await.map_err(|error| self.failure(&error))?.unwrap_or_default();
        let marked = EntryMark::of(&metadata.custom_metadata);
        if metadata.version != seen.version {
            return Err(Failure::Overtaken);
        }
        // Without a mark it is ours only if its content is what the operator wrote, which the status alone does not show.
        if marked.is_none() && seen.version > 0 {
            let entry = client.read(path).await.map_err(|error| self.failure(&error))?;
            let digest = entry.map(|entry| self.digest(&entry.content));
            if digest.is_none() || digest != seen.digest {
                return Err(Failure::Overtaken);
            }
        }
        match marked {
            Some(mark) if self.is_as_wanted(&mark) => return Ok(()),
            Some(mark) if !self.is_ours(&mark) => return Err(Failure::Overtaken),
            Some(_) | None => {}
        }
        let hint = &self.resource.ctx.installation.hint;
        let mut custom_metadata = metadata.custom_metadata;
        custom_metadata.extend(EntryMark::custom_metadata(&self.resource.owner.to_string(), hint));
        client.mark(path, &custom_metadata).await.map_err(|error| self.failure(&error))?;
        let metadata = client.metadata(path).await.map_err(|error| self.failure(&error))?.unwrap_or_default();
        if !EntryMark::of(&metadata.custom_metadata).is_some_and(|mark| self.is_as_wanted(&mark)) {
            return Err(Failure::Overtaken);
        }
        Ok(())
    }

    pub(super) fn foreign(&self, owner: &str) -> Blocker {
        Blocker::lasting(
            Reason::OutputNotOurs,
            format!(
                "The {} exists and belongs to {owner}. The operator does not change it, and creates no user. Delete the entry \
                 with all its versions, or name another path in outputs.",
                self.id
            ),
        )
    }
}
