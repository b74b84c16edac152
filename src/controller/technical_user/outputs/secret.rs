//! An output that is a Secret in the resource's namespace.

use async_trait::async_trait;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::layout::Layout;
use super::{Observed, Output, Resource, Writable, envelope, quota};
use crate::api::technical_user::{OutputKind, RecordedOutput, SecretOutput as Spec};
use crate::controller::kube_error::KubeError;
use crate::controller::marks;
use crate::controller::secrets::{Envelope, Secrets, Version};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::seen_secrets::Seen;
use crate::domain::blocker::Blocker;
use crate::domain::format::{Content, FormatError, Values};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::user::Credential;

/// A Secret of one resource.
pub(super) struct SecretOutput {
    id: OutputId,
    resource: Resource,
    layout: Layout,
    secrets: Secrets,
    /// Its wanted metadata and type, except for the user's id.
    envelope: Envelope,
    /// Which object, in which state, as last seen; `None` where there is none.
    version: Option<Version>,
    /// Its keys, once it was read.
    keys: Option<Vec<String>>,
}

impl SecretOutput {
    /// The Secret that an entry of a spec describes; without an entry, the one that has the resource's name.
    pub(super) fn new(resource: &Resource, spec: Option<&Spec>) -> Self {
        let spec = spec.cloned().unwrap_or_default();
        let layout = Layout::new(&spec, resource);
        let id = super::id(OutputKind::Secret, spec.secret_name(&resource.key.name).to_owned());
        Self {
            secrets: Secrets::new(&resource.ctx.client, &resource.key.namespace),
            envelope: envelope::wanted(resource, &spec, &layout, &id.name),
            resource: resource.clone(),
            layout,
            id,
            version: None,
            keys: None,
        }
    }

    /// The Secret of this name, to be removed.
    pub(super) fn named(resource: &Resource, name: &str) -> Self {
        Self::new(resource, Some(&Spec { name: Some(name.to_owned()), ..Spec::default() }))
    }

    /// What is known of the content of a Secret in this state, by the status or by what this process has compared.
    fn known(&self, metadata: &ObjectMeta, recorded: Option<&RecordedOutput>) -> Seen {
        let version = Version::of(metadata);
        let same = |written: &&RecordedOutput| {
            written.uid == version.uid
                && written.resource_version == version.resource_version
                && written.is_written()
        };
        let memory = &self.resource.ctx.memory;
        let compared = || memory.with(&self.resource.key, |user| user.secrets.get(&self.id, &version));
        recorded.filter(same).map_or_else(compared, |written| Seen::Compared(written.digest.clone()))
    }

    fn state(&self, metadata: &ObjectMeta, digest: Option<String>) -> OutputState {
        envelope::state(&self.resource, &self.envelope, metadata, digest)
    }

    /// The keys that the Secret has: those that another client added are removed by a write.
    async fn present(&self) -> Result<Vec<String>, KubeError> {
        match &self.keys {
            Some(keys) => Ok(keys.clone()),
            None => {
                Ok(self.secrets.texts(&self.id.name).await?.map(|texts| texts.keys()).unwrap_or_default())
            }
        }
    }
}

#[async_trait]
impl Output for SecretOutput {
    fn id(&self) -> &OutputId {
        &self.id
    }

    /// Kubernetes deletes it with its owner.
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
        Some(&self.id.name)
    }

    fn content(&self, values: &Values) -> Result<Content, FormatError> {
        self.layout.content(values)
    }

    /// From the cache where that agrees with the status, else, and after a conflict, from the apiserver.
    async fn observe(&mut self, recorded: Option<&RecordedOutput>) -> Result<Observed, Failure> {
        if let Some(metadata) = envelope::cached(&self.resource, &self.id.name) {
            let (known, read_in) = match self.known(&metadata, recorded) {
                Seen::Compared(digest) => (Some(digest), None),
                Seen::NotYet(digest, left) => (Some(digest), Some(left)),
                Seen::Unknown => (None, None),
            };
            let is_known = known.is_some();
            let state = self.state(&metadata, known);
            // Others change this Secret again and again. What is ours of its metadata is seen; its content is read later.
            let as_wanted = matches!(state, OutputState::Ours { metadata_as_wanted: true, .. });
            if is_known && (read_in.is_none() || as_wanted) {
                self.version = Some(Version::of(&metadata));
                return Ok(Observed { state, read_in });
            }
        }
        // The dry run before the first attempt finds one that the cache does not show yet, and a conflict makes this ask.
        let is_new =
            recorded.is_none() && self.resource.history.is_empty() && envelope::is_believed(&self.resource);
        if is_new && envelope::cached(&self.resource, &self.id.name).is_none() {
            self.version = None;
            return Ok(Observed { state: OutputState::Absent, read_in: None });
        }
        let metadata = self.secrets.metadata(&self.id.name).await?;
        self.version = metadata.as_ref().map(Version::of);
        let state = metadata.map_or(OutputState::Absent, |metadata| {
            let digest = match self.known(&metadata, recorded) {
                Seen::Compared(digest) => Some(digest),
                Seen::NotYet(..) | Seen::Unknown => None,
            };
            self.state(&metadata, digest)
        });
        Ok(Observed { state, read_in: None })
    }

    async fn read(&mut self, recorded: Option<&RecordedOutput>) -> Result<OutputState, Failure> {
        let Some(found) = self.secrets.get(&self.id.name).await? else {
            self.version = None;
            return Ok(OutputState::Absent);
        };
        let ctx = &self.resource.ctx;
        let data = found.data.unwrap_or_default();
        let content = data.iter().map(|(key, value)| (key.as_str(), value.0.as_slice()));
        let digest = ctx.installation.digest_key.digest(content);
        let version = Version::of(&found.metadata);
        let as_written = recorded.is_some_and(|recorded| recorded.digest == digest);
        ctx.memory.change(&self.resource.key, |user| {
            if as_written {
                user.secrets.as_written(&self.id, &version, &digest);
            } else {
                user.secrets.forget(&self.id);
            }
        });
        self.version = Some(version);
        self.keys = Some(data.keys().cloned().collect());
        Ok(self.state(&found.metadata, Some(digest)))
    }

    /// By a dry run of the very write. What its format lacks is found before that.
    async fn prove_writable(
        &mut self,
        state: &OutputState,
        _: i64,
    ) -> Result<Result<Writable, Blocker>, Failure> {
        let content = match self.layout.placeholder() {
            Ok(content) => content,
            Err(error) => return Ok(Err(super::invalid(&self.id, &error))),
        };
        let answer = match (state, &self.version) {
            (OutputState::Foreign(owner), _) => return Ok(Err(envelope::foreign(&self.id, owner))),
            (OutputState::Ours { .. }, Some(at)) => {
                self.secrets.overwrite(&self.envelope, &content, at, &[], true).await
            }
            _ => match self.secrets.create(&self.envelope, &content, true).await {
                Ok(_) => return quota::take_place(&self.resource, &self.id).await,
                Err(error) => Err(error),
            },
        };
        match answer {
            Ok(_) => Ok(Ok(Writable::default())),
            Err(error) => envelope::denied(&self.resource, &self.id.name, error).map(Err),
        }
    }

    /// Creates the Secret, or overwrites it in the state that was seen.
    async fn write(&mut self, values: &Values) -> Result<OutputState, Failure> {
        let content = self.content(values)?;
        let envelope = envelope::for_values(&self.resource, &self.envelope, &self.layout, values);
        let metadata = match &self.version {
            None => {
                let created = self.secrets.create(&envelope, &content, false).await?;
                quota::created(&self.resource, &self.id);
                created
            }
            Some(at) => {
                let present = self.present().await?;
                self.secrets.overwrite(&envelope, &content, at, &present, false).await?
            }
        };
        let ctx = &self.resource.ctx;
        ctx.memory.change(&self.resource.key, |user| user.secrets.forget(&self.id));
        self.version = Some(Version::of(&metadata));
        self.keys = None;
        Ok(OutputState::Ours {
            user: Some(values.user_id.clone()),
            digest: Some(ctx.installation.digest_key.of_content(&content)),
            metadata_as_wanted: true,
        })
    }

    async fn credential(&self) -> Result<Option<Credential>, Failure> {
        let Some(texts) = self.secrets.texts(&self.id.name).await? else { return Ok(None) };
        Ok(self.layout.credential(&texts))
    }

    async fn remove(&mut self) -> Result<(), Failure> {
        if let Some(metadata) = self.secrets.metadata(&self.id.name).await?
            && marks::is_published_for(&metadata, &self.resource.owner)
        {
            self.secrets.delete(&self.id.name, &Version::of(&metadata)).await?;
        }
        self.resource.ctx.memory.change(&self.resource.key, |user| user.secrets.forget(&self.id));
        Ok(())
    }

    async fn abandon(&mut self, _: &str) -> Result<(), Failure> {
        Ok(())
    }

    /// The state that this installation has written. What others change of the Secret is not recorded, however often they do.
    fn record(&self, digest: &str, before: Option<&RecordedOutput>, written: bool) -> Option<RecordedOutput> {
        let version = self.version.as_ref()?;
        let as_written =
            before.filter(|before| !written && before.uid == version.uid && before.digest == digest);
        Some(RecordedOutput {
            kind: OutputKind::Secret.name(),
            name: self.id.name.clone(),
            uid: version.uid.clone(),
            resource_version: as_written
                .map_or(&version.resource_version, |before| &before.resource_version)
                .clone(),
            digest: digest.to_owned(),
            entry: None,
            conditions: before.map(|before| before.conditions.clone()).unwrap_or_default(),
            ..RecordedOutput::default()
        })
    }
}
