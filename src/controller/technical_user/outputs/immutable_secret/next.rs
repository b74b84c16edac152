//! The Secret for the next content: what is in its place, and its creation.

use super::{ImmutableSecret, words};
use crate::api::technical_user::OutputKind;
use crate::controller::marks;
use crate::controller::secrets::{Envelope, Version};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::Resource;
use crate::domain::format::Content;
use crate::domain::plan::OutputState;
use crate::k8s::watch::Entry as _;

impl ImmutableSecret {
    /// The name of the Secret for the next content: none that the status names as a former one, which is deleted.
    pub(super) fn next(&self) -> String {
        let recorded = self.resource.history.outputs.iter();
        let former = recorded
            .filter(|output| output.known_kind() == Some(OutputKind::Secret))
            .map(|output| output.name.as_str());
        let in_use = self.in_use.iter().map(|in_use| in_use.name.as_str());
        self.names.after(self.names.last(former.chain(in_use)).as_deref())
    }

    /// The Secret in use if no status names one: the last one that has our mark.
    pub(super) async fn without_status(&self) -> Result<Option<String>, Failure> {
        let Resource { ctx, key, owner, .. } = &self.resource;
        let cached = ctx.caches.secrets.all();
        let ours = cached.iter().filter(|secret| {
            secret.namespace() == key.namespace && marks::is_published_for(&secret.metadata(), owner)
        });
        let last = self.names.last(ours.map(|secret| secret.name()));
        if last.is_some() {
            return Ok(last);
        }
        let first = self.names.after(None);
        let metadata = self.secrets.metadata(&first).await?;
        Ok(metadata.filter(|metadata| marks::is_published_for(metadata, owner)).map(|_| first))
    }

    /// What is in the place of the next Secret: one with our mark has no reader, and is replaced.
    pub(super) async fn state_of_next(&self) -> Result<OutputState, Failure> {
        let next = self.next();
        let metadata = self.secrets.metadata(&next).await?;
        let foreign = metadata.filter(|found| !marks::is_published_for(found, &self.resource.owner));
        Ok(foreign.map_or(OutputState::Absent, |found| OutputState::Foreign(words(&found, &next))))
    }

    /// Creates the next Secret. One that is there already is of a reconcile that could not end: no status names it as the one in
    /// use.
    pub(super) async fn create_next(
        &self,
        envelope: &Envelope,
        content: &Content,
    ) -> Result<Version, Failure> {
        if let Some(found) = self.secrets.get(&envelope.name).await? {
            if !marks::is_published_for(&found.metadata, &self.resource.owner) {
                let owner = words(&found.metadata, &envelope.name);
                return Err(Failure::OutputUnavailable(self.foreign(&owner)));
            }
            let at = Version::of(&found.metadata);
            if self.digest(&found) == self.resource.ctx.installation.digest_key.of_content(content) {
                let metadata = self.secrets.overwrite(envelope, content, &at, &[], false).await?;
                return Ok(Version::of(&metadata));
            }
            self.secrets.delete(&envelope.name, &at).await?;
        }
        Ok(Version::of(&self.secrets.create(envelope, content, false).await?))
    }
}
