//! Whose an entry is, and the mark that the operator writes before the data.

use super::{Seen, VaultOutput, whose};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::Resource;
use crate::controller::vault::mark::EntryMark;
use crate::domain::blocker::Blocker;
use crate::domain::reason::Reason;
use crate::domain::vault::path::EntryPath;
use crate::domain::vault::place::EntryAt;
use crate::vault::{self, Metadata, VaultClient};

impl VaultOutput {
    pub(super) fn is_ours(&self, mark: &EntryMark) -> bool {
        whose::is_marked(&self.resource, mark)
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

    /// Marks an entry that was seen with this version for a content, and reads the mark back.
    pub(super) async fn mark(&self, client: &VaultClient, seen: &Seen, digest: &str) -> Result<(), Failure> {
        let path = &seen.at.path;
        let found = self.metadata(client, path).await?;
        let (version, marked) = version_and_mark(found.as_ref());
        if version != seen.version {
            return Err(Failure::Overtaken);
        }
        match &marked {
            Some(mark) if self.is_wanted(mark, digest) => return Ok(()),
            Some(mark) if self.is_ours(mark) => {}
            Some(_) if seen.version == 0 => return Err(Failure::Overtaken),
            None if seen.version == 0 => {}
            // It is ours only if its content is what the operator wrote, which the status alone does not show.
            Some(_) | None => self.contains_what_was_written(client, seen, marked.as_ref()).await?,
        }
        self.put_mark(client, path, found.as_ref(), (digest, self.present(seen))).await?;
        let (version, marked) = version_and_mark(self.metadata(client, path).await?.as_ref());
        if version != seen.version {
            self.step_aside(client, path, digest).await?;
            return Err(Failure::Overtaken);
        }
        if marked.is_some_and(|mark| self.is_wanted(&mark, digest)) {
            Ok(())
        } else {
            Err(Failure::Overtaken)
        }
    }

    async fn contains_what_was_written(
        &self,
        client: &VaultClient,
        seen: &Seen,
        mark: Option<&EntryMark>,
    ) -> Result<(), Failure> {
        let entry = client.read(&seen.at.path).await.map_err(|error| self.failure(&error))?;
        let Some(digest) = entry.map(|entry| self.digest(&entry.content)) else {
            return Err(Failure::Overtaken);
        };
        let is_marked_by_another =
            mark.is_some_and(|mark| !whose::is_of_no_data(&self.resource, mark, &digest));
        if seen.digest.as_ref() != Some(&digest) || is_marked_by_another {
            return Err(Failure::Overtaken);
        }
        Ok(())
    }

    /// Marks an entry again whose data this resource was the first to write, if another client has marked it since.
    pub(super) async fn confirm(
        &self,
        client: &VaultClient,
        path: &EntryPath,
        digest: &str,
    ) -> Result<(), Failure> {
        let found = self.metadata(client, path).await?;
        let (_, marked) = version_and_mark(found.as_ref());
        if marked.is_some_and(|mark| self.is_wanted(&mark, digest)) {
            return Ok(());
        }
        self.put_mark(client, path, found.as_ref(), (digest, None)).await
    }

    /// Removes the mark from an entry whose data another client was the first to write.
    pub(super) async fn step_aside(
        &self,
        client: &VaultClient,
        path: &EntryPath,
        digest: &str,
    ) -> Result<(), Failure> {
        let entry = client.read(path).await.map_err(|error| self.failure(&error))?;
        // The data are those of this write where only its answer was lost.
        let Some(entry) = entry.filter(|entry| self.digest(&entry.content) != digest) else { return Ok(()) };
        if EntryMark::of(&entry.custom_metadata).is_some_and(|mark| self.is_wanted(&mark, digest)) {
            client.unmark(path, &EntryMark::KEYS).await.map_err(|error| self.failure(&error))?;
        }
        Ok(())
    }

    /// Whether it is the mark of this installation for this content.
    fn is_wanted(&self, mark: &EntryMark, digest: &str) -> bool {
        self.is_as_wanted(mark) && mark.names(digest)
    }

    /// The digest of the data that are there until the next ones are written. A deleted version has none.
    fn present<'a>(&self, seen: &'a Seen) -> Option<&'a str> {
        let none = self.digest(&vault::Content::Deleted);
        seen.digest.as_deref().filter(|digest| seen.version > 0 && *digest != none)
    }

    async fn put_mark(
        &self,
        client: &VaultClient,
        path: &EntryPath,
        found: Option<&Metadata>,
        (next, present): (&str, Option<&str>),
    ) -> Result<(), Failure> {
        let Resource { ctx, owner, .. } = &self.resource;
        let (owner, hint) = (owner.to_string(), &ctx.installation.hint);
        let mark = match present {
            Some(present) if present != next => EntryMark::for_change(&owner, hint, next, present),
            _ => EntryMark::for_content(&owner, hint, next),
        };
        client.mark(path, found, &mark).await.map_err(|error| self.failure(&error))
    }

    async fn metadata(&self, client: &VaultClient, path: &EntryPath) -> Result<Option<Metadata>, Failure> {
        client.metadata(path).await.map_err(|error| self.failure(&error))
    }

    /// Claims the entry, so that another resource that names it gets no user for it.
    pub(super) fn claim(&self, at: &EntryAt) -> Result<(), Blocker> {
        let Resource { ctx, key, .. } = &self.resource;
        let claimed =
            ctx.vault_memory.claims.claim(ctx, (&self.vault, self.server().as_ref()), &at.path.data(), key);
        claimed.map_err(|other| {
                let message = format!(
                    "The TechnicalUser {other} has the path of the {} as well and comes first, so the operator does not write \
                     the entry for this one, and creates no user. Name another path in outputs.",
                    self.id
                );
                Blocker::lasting(Reason::OutputNotOurs, message)
        })
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

/// The number of the newest version, and the mark.
fn version_and_mark(found: Option<&Metadata>) -> (u64, Option<EntryMark>) {
    found.map_or((0, None), |found| (found.version, EntryMark::of(&found.custom_metadata)))
}
