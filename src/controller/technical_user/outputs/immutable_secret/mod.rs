//! An output that is a new Secret for each content (`immutable: true`), under a name that ends with the number of the content.
//!
//! The status names the Secret that is in use, and before the first write of the next one also that. So a Secret with our mark that
//! the status does not name as the one in use has no reader yet.

mod next;
mod record;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::layout::Layout;
use super::numbered::Numbered;
use super::{Observed, Output, Resource, Writable, envelope, quota};
use crate::api::technical_user::{OutputKind, RecordedOutput, SecretOutput as Spec};
use crate::controller::marks;
use crate::controller::secrets::{Envelope, Secrets, Version};
use crate::controller::technical_user::failure::Failure;
use crate::domain::blocker::Blocker;
use crate::domain::format::{Content, FormatError, Values};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::user::Credential;

/// The Secrets of one output of one resource.
pub(super) struct ImmutableSecret {
    id: OutputId,
    resource: Resource,
    layout: Layout,
    secrets: Secrets,
    /// What each of them should be, content, name and the user's id aside.
    envelope: Envelope,
    names: Numbered,
    in_use: Option<InUse>,
    /// The Secret that a write of this reconcile has replaced.
    former: Option<RecordedOutput>,
}

/// The Secret that the readers use, as last seen.
struct InUse {
    name: String,
    /// Which object, in which state; `None` where it does not exist any more.
    version: Option<Version>,
    /// The digest of its content, where it is known.
    digest: Option<String>,
}

impl ImmutableSecret {
    /// The Secrets that an entry of a spec describes.
    pub(super) fn new(resource: &Resource, spec: &Spec) -> Self {
        let id = super::id(OutputKind::ImmutableSecret, spec.secret_name(&resource.key.name).to_owned());
        let layout = Layout::new(spec, resource);
        let wanted = envelope::wanted(resource, spec, &layout, &id.name);
        Self {
            secrets: Secrets::new(&resource.ctx.client, &resource.key.namespace),
            envelope: Envelope { immutable: true, ..wanted },
            names: Numbered::new(&id.name),
            resource: resource.clone(),
            layout,
            id,
            in_use: None,
            former: None,
        }
    }

    /// The Secrets of this name without its number, to be removed.
    pub(super) fn named(resource: &Resource, name: &str) -> Self {
        Self::new(resource, &Spec { name: Some(name.to_owned()), ..Spec::default() })
    }

    /// Where a content goes: into the Secret in use, if that has this content, else into the next one.
    fn target(&self, digest: &str) -> String {
        match &self.in_use {
            Some(in_use) if in_use.digest.as_deref() == Some(digest) => in_use.name.clone(),
            _ => self.next(),
        }
    }

    fn target_of(&self, values: &Values) -> Result<String, FormatError> {
        let content = self.content(values)?;
        Ok(self.target(&self.resource.ctx.installation.digest_key.of_content(&content)))
    }

    /// What metadata and a known digest show of the Secret in use.
    fn state(&self, metadata: &ObjectMeta, digest: Option<String>) -> OutputState {
        let name = metadata.name.as_deref().unwrap_or_default();
        let wanted = envelope::named(&self.resource, &self.envelope, name);
        match envelope::state(&self.resource, &wanted, metadata, digest) {
            OutputState::Foreign(_) => OutputState::Foreign(words(metadata, name)),
            state => state,
        }
    }

    fn digest(&self, secret: &Secret) -> String {
        let data = secret.data.iter().flatten().map(|(key, value)| (key.as_str(), value.0.as_slice()));
        self.resource.ctx.installation.digest_key.digest(data)
    }

    fn foreign(&self, owner: &str) -> Blocker {
        envelope::foreign(&self.id, owner)
    }
}

/// Whose a Secret of this name is, in words.
fn words(metadata: &ObjectMeta, name: &str) -> String {
    format!("{} as Secret \"{name}\"", marks::words(metadata))
}

#[async_trait]
impl Output for ImmutableSecret {
    fn id(&self) -> &OutputId {
        &self.id
    }

    /// Kubernetes deletes the Secrets with their owner.
    fn outlives_resource(&self) -> bool {
        false
    }

    fn is_readable(&self) -> bool {
        self.layout.is_readable()
    }

    fn needs_restart(&self) -> bool {
        self.layout.needs_restart()
    }

    fn names_alias(&self) -> bool {
        self.layout.names_alias()
    }

    fn secret(&self) -> Option<&str> {
        self.in_use.as_ref().map(|in_use| in_use.name.as_str())
    }

    fn content(&self, values: &Values) -> Result<Content, FormatError> {
        self.layout.content(values)
    }

    /// The Secret in use. The content of the very object that the status names is the one that was written.
    async fn observe(&mut self, recorded: Option<&RecordedOutput>) -> Result<Observed, Failure> {
        self.in_use = None;
        // The status may name the output before the first write, also after a restore that lost what it said.
        let name =
            match recorded.filter(|recorded| recorded.secret.is_some() || recorded.begun_secret.is_some()) {
                Some(recorded) => recorded.secret.clone(),
                None => self.without_status().await?,
            };
        let recorded = recorded.filter(|recorded| recorded.is_written());
        let Some(name) = name else {
            return Ok(Observed { state: self.state_of_next().await?, read_in: None });
        };
        let is_recorded = |uid: Option<&String>| recorded.is_some_and(|recorded| Some(&recorded.uid) == uid);
        let cached = envelope::cached(&self.resource, &name);
        let metadata = match cached.filter(|metadata| is_recorded(metadata.uid.as_ref())) {
            Some(metadata) => Some(metadata),
            None => self.secrets.metadata(&name).await?,
        };
        let digest = recorded.map(|recorded| recorded.digest.clone());
        let state = metadata.as_ref().map_or(OutputState::Absent, |metadata| {
            let digest = digest.clone().filter(|_| is_recorded(metadata.uid.as_ref()));
            self.state(metadata, digest)
        });
        self.in_use = Some(InUse { version: metadata.as_ref().map(Version::of), name, digest });
        Ok(Observed { state, read_in: None })
    }

    /// The content of another object than the status names: a restore has created it again with the same content. Nobody can
    /// change the content of an immutable Secret, so one with another content is not ours, whatever its mark says.
    async fn read(&mut self, recorded: Option<&RecordedOutput>) -> Result<OutputState, Failure> {
        let seen = self.in_use.as_ref().map(|in_use| &in_use.name);
        let Some(name) = seen.or(recorded.and_then(|recorded| recorded.secret.as_ref())).cloned() else {
            return Ok(OutputState::Absent);
        };
        let Some(found) = self.secrets.get(&name).await? else {
            return Ok(OutputState::Absent);
        };
        let digest = self.digest(&found);
        let written = recorded.map(|recorded| &recorded.digest).filter(|digest| !digest.is_empty());
        if written.is_some_and(|written| *written != digest) {
            return Ok(OutputState::Foreign(format!(
                "another client, which created Secret \"{name}\" again"
            )));
        }
        let version = Some(Version::of(&found.metadata));
        self.in_use = Some(InUse { name, version, digest: Some(digest.clone()) });
        Ok(match self.state(&found.metadata, Some(digest)) {
            OutputState::Ours { user, digest, metadata_as_wanted } => {
                let metadata_as_wanted = metadata_as_wanted && found.immutable == Some(true);
                OutputState::Ours { user, digest, metadata_as_wanted }
            }
            other => other,
        })
    }

    /// By a dry run of the create of the next Secret.
    async fn prove_writable(
        &mut self,
        state: &OutputState,
        _: i64,
    ) -> Result<Result<Writable, Blocker>, Failure> {
        let content = match self.layout.placeholder() {
            Ok(content) => content,
            Err(error) => return Ok(Err(super::invalid(&self.id, &error))),
        };
        if let OutputState::Foreign(owner) = state {
            return Ok(Err(self.foreign(owner)));
        }
        if let OutputState::Foreign(owner) = self.state_of_next().await? {
            return Ok(Err(self.foreign(&owner)));
        }
        let envelope = envelope::named(&self.resource, &self.envelope, &self.next());
        if self.secrets.metadata(&envelope.name).await?.is_some() {
            return Ok(Ok(Writable::default()));
        }
        match self.secrets.create(&envelope, &content, true).await {
            Ok(_) => quota::take_place(&self.resource, &self.id).await,
            Err(error) => envelope::denied(&self.resource, &envelope.name, error).map(Err),
        }
    }

    /// Creates the next Secret, or repairs the one in use, if that has this content or had it before it was deleted.
    async fn write(&mut self, values: &Values) -> Result<OutputState, Failure> {
        let content = self.content(values)?;
        let digest = self.resource.ctx.installation.digest_key.of_content(&content);
        let target = self.target(&digest);
        let wanted = envelope::for_values(&self.resource, &self.envelope, &self.layout, values);
        let wanted = envelope::named(&self.resource, &wanted, &target);
        let seen = self.in_use.as_ref().filter(|in_use| in_use.name == target);
        let version = match seen.and_then(|in_use| in_use.version.as_ref()) {
            Some(at) => Version::of(&self.secrets.overwrite(&wanted, &content, at, &[], false).await?),
            // One that another client created since is a conflict.
            None if seen.is_some() => Version::of(&self.secrets.create(&wanted, &content, false).await?),
            None => self.create_next(&wanted, &content).await?,
        };
        quota::created(&self.resource, &self.id);
        if let Some(former) = self.replaced_by(&target) {
            self.former = Some(former);
        }
        self.in_use = Some(InUse { name: target, version: Some(version), digest: Some(digest.clone()) });
        Ok(OutputState::Ours {
            user: Some(values.user_id.clone()),
            digest: Some(digest),
            metadata_as_wanted: true,
        })
    }

    async fn credential(&self) -> Result<Option<Credential>, Failure> {
        let Some(in_use) = &self.in_use else { return Ok(None) };
        let Some(texts) = self.secrets.texts(&in_use.name).await? else { return Ok(None) };
        Ok(self.layout.credential(&texts))
    }

    /// The Secret in use, and one that a reconcile may have created that could not end.
    async fn remove(&mut self) -> Result<(), Failure> {
        let recorded = self.resource.history.recorded(&self.id);
        let names = recorded.into_iter().flat_map(|recorded| [&recorded.secret, &recorded.begun_secret]);
        let names: Vec<_> = names.flatten().cloned().collect();
        for name in names {
            if let Some(metadata) = self.secrets.metadata(&name).await?
                && marks::is_published_for(&metadata, &self.resource.owner)
            {
                self.secrets.delete(&name, &Version::of(&metadata)).await?;
            }
        }
        Ok(())
    }

    async fn abandon(&mut self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    fn goes_elsewhere(&self, recorded: Option<&RecordedOutput>, values: &Values) -> bool {
        // What cannot be built is not written.
        let Ok(target) = self.target_of(values) else { return false };
        let named = recorded.into_iter().flat_map(|recorded| [&recorded.secret, &recorded.begun_secret]);
        !named.flatten().any(|name| *name == target)
    }

    fn announced(&self, before: Option<&RecordedOutput>, values: &Values) -> Result<RecordedOutput, Failure> {
        self.record_of_next(before, values)
    }

    fn superseded(&self) -> Vec<RecordedOutput> {
        self.former.iter().cloned().collect()
    }

    /// The object that this installation has written. What others change of its metadata is not recorded, however often they do.
    fn record(&self, digest: &str, before: Option<&RecordedOutput>, written: bool) -> Option<RecordedOutput> {
        self.record_of_used(digest, before, written)
    }
}
