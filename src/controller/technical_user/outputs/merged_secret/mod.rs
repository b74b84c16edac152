//! An output that adds its keys to a Secret of another owner (`creationPolicy: Merge`). Only these keys and one annotation are
//! ever changed. The Secret has none of our labels, so no watch reports its changes: each reconcile asks for it.

mod note;
mod target;

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use self::note::MergeNote;
use self::target::owned;
use super::layout::Layout;
use super::{Observed, Output, Resource, Writable};
use crate::api::technical_user::{OutputKind, RecordedOutput, SecretOutput as Spec};
use crate::controller::kube_error::{KubeError, with_advice};
use crate::controller::objects::Key;
use crate::controller::secrets::{Addition, Secrets, Version};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::memory::seen_secrets::Seen;
use crate::controller::technical_user::reference;
use crate::domain::blocker::Blocker;
use crate::domain::format::{Content, FormatError, Values};
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::reason::Reason;
use crate::domain::user::{Credential, UserId};

/// How often a Secret is asked for that no watch reports.
const ASKED_EVERY: Duration = Duration::from_mins(1);

/// Keys of one resource in a Secret of another owner.
pub(super) struct MergedSecret {
    id: OutputId,
    resource: Resource,
    layout: Layout,
    secrets: Secrets,
    /// Which object, in which state, as last seen; `None` where there is none.
    version: Option<Version>,
    /// The digest of what was written, by the status.
    recorded: Option<String>,
}

impl MergedSecret {
    /// The keys that an entry of a spec describes.
    pub(super) fn new(resource: &Resource, spec: &Spec) -> Self {
        Self {
            id: super::id(OutputKind::MergedSecret, spec.secret_name(&resource.key.name).to_owned()),
            layout: Layout::new(spec, resource),
            secrets: Secrets::new(&resource.ctx.client, &resource.key.namespace),
            resource: resource.clone(),
            version: None,
            recorded: None,
        }
    }

    /// The keys in the Secret of this name, to be removed.
    pub(super) fn named(resource: &Resource, name: &str) -> Self {
        Self::new(resource, &Spec { name: Some(name.to_owned()), ..Spec::default() })
    }

    fn note(&self, content: &Content, user: &str, surroundings: Option<String>) -> MergeNote {
        MergeNote {
            owner: self.resource.owner.to_string(),
            user: user.to_owned(),
            keys: content.keys().cloned().collect(),
            surroundings,
        }
    }

    /// What a Secret shows. Without our note nothing in it is ours.
    fn state(&self, metadata: &ObjectMeta, digest: Option<String>) -> OutputState {
        if let Some(owner) = owned(metadata) {
            return OutputState::Foreign(owner);
        }
        let Some(note) = MergeNote::of(metadata, &self.resource.owner) else { return OutputState::Absent };
        let wanted = self.layout.digest(&self.resource.ctx.installation.digest_key);
        OutputState::Ours {
            user: Some(UserId::new(&note.user)),
            digest,
            // What the Portal says is unknown while that cannot be read.
            metadata_as_wanted: self.resource.known.is_none() || note.surroundings == wanted,
        }
    }

    /// What is known of the keys of a Secret in this state, by the status or by what this process has compared.
    fn known(&self, metadata: &ObjectMeta, recorded: Option<&RecordedOutput>) -> Option<String> {
        let version = Version::of(metadata);
        let as_recorded = recorded.filter(|written| {
            written.uid == version.uid
                && written.resource_version == version.resource_version
                && written.is_written()
        });
        if let Some(written) = as_recorded {
            return Some(written.digest.clone());
        }
        let memory = &self.resource.ctx.memory;
        match memory.with(&self.resource.key, |user| user.secrets.get(&self.id, &version)) {
            Seen::Compared(digest) => Some(digest),
            Seen::NotYet(..) | Seen::Unknown => None,
        }
    }

    /// The digest of some keys of a Secret.
    fn digest(&self, secret: &Secret, keys: &BTreeSet<String>) -> String {
        let data = secret.data.iter().flatten().filter(|(key, _)| keys.contains(*key));
        let data = data.map(|(key, value)| (key.as_str(), value.0.as_slice()));
        self.resource.ctx.installation.digest_key.digest(data)
    }

    /// The Secret in the state that was seen, or why there is none.
    async fn target(&self) -> Result<Result<Secret, Blocker>, Failure> {
        match (self.secrets.get(&self.id.name).await?, &self.version) {
            (None, None) => Ok(Err(target::missing(&self.id.name))),
            (Some(secret), Some(seen)) if Version::of(&secret.metadata) == *seen => Ok(Ok(secret)),
            _ => Err(Failure::Overtaken),
        }
    }

    /// What a write adds, or why it may not: a key of another owner is never overwritten.
    fn addition(&self, secret: &Secret, content: &Content, note: &MergeNote) -> Result<Addition, Blocker> {
        let Resource { ctx, key, .. } = &self.resource;
        let target = Key { namespace: key.namespace.clone(), name: self.id.name.clone() };
        let portal = target::portal_with_login(ctx, &target);
        if let Some(blocker) = target::refusal(&self.id.name, secret, portal.as_ref()) {
            return Err(blocker);
        }
        let before = MergeNote::of(&secret.metadata, &self.resource.owner).map(|note| note.keys);
        // Another client may have removed the note, and not the keys.
        let as_written = self.recorded.is_some() && Some(self.digest(secret, &note.keys)) == self.recorded;
        let own = match before {
            None if as_written => note.keys.clone(),
            before => before.unwrap_or_default(),
        };
        let others = MergeNote::keys_of_others(&secret.metadata, &self.resource.owner);
        let present = |key: &&String| secret.data.iter().flatten().any(|(present, _)| present == *key);
        if let Some(key) =
            content.keys().filter(present).find(|key| !own.contains(*key) || others.contains_key(*key))
        {
            return Err(target::taken(&self.id.name, key, others.get(key)));
        }
        Ok(Addition {
            removed: own.difference(&note.keys).cloned().collect(),
            annotation: (MergeNote::annotation(&self.resource.owner), Some(note.text())),
        })
    }

    fn denied(&self, error: KubeError) -> Result<Blocker, Failure> {
        let words = match error {
            KubeError::Denied { message, .. } => with_advice(&message),
            failed @ KubeError::Failed { .. } => failed.to_string(),
            other => return Err(other.into()),
        };
        let message = format!("The keys in the Secret \"{}\" cannot be written: {words}", self.id.name);
        Ok(Blocker::passing(Reason::OutputNotWritable, message))
    }

    fn forget_compared(&self) {
        self.resource.ctx.memory.change_known(&self.resource.key, |user| user.secrets.forget(&self.id));
    }
}

#[async_trait]
impl Output for MergedSecret {
    fn id(&self) -> &OutputId {
        &self.id
    }

    /// Its Secret belongs to another owner.
    fn outlives_resource(&self) -> bool {
        true
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

    async fn observe(&mut self, recorded: Option<&RecordedOutput>) -> Result<Observed, Failure> {
        let metadata = self.secrets.metadata(&self.id.name).await?;
        self.version = metadata.as_ref().map(Version::of);
        self.recorded = recorded.map(|recorded| recorded.digest.clone()).filter(|digest| !digest.is_empty());
        let state = metadata.map_or(OutputState::Absent, |metadata| {
            let digest = self.known(&metadata, recorded);
            self.state(&metadata, digest)
        });
        Ok(Observed { state, read_in: Some(ASKED_EVERY) })
    }

    async fn read(&mut self, recorded: Option<&RecordedOutput>) -> Result<OutputState, Failure> {
        let Some(found) = self.secrets.get(&self.id.name).await? else {
            self.version = None;
            return Ok(OutputState::Absent);
        };
        let version = Version::of(&found.metadata);
        self.version = Some(version.clone());
        let Some(note) = MergeNote::of(&found.metadata, &self.resource.owner) else {
            return Ok(self.state(&found.metadata, None));
        };
        let digest = self.digest(&found, &note.keys);
        let as_written = recorded.is_some_and(|recorded| recorded.digest == digest);
        self.resource.ctx.memory.change(&self.resource.key, |user| {
            if as_written {
                user.secrets.as_written(&self.id, &version, &digest);
            } else {
                user.secrets.forget(&self.id);
            }
        });
        Ok(self.state(&found.metadata, Some(digest)))
    }

    /// By a dry run of the very write.
    async fn prove_writable(
        &mut self,
        _: &OutputState,
        _: i64,
    ) -> Result<Result<Writable, Blocker>, Failure> {
        let content = match self.layout.placeholder() {
            Ok(content) => content,
            Err(error) => return Ok(Err(super::invalid(&self.id, &error))),
        };
        let secret = match self.target().await? {
            Ok(secret) => secret,
            Err(blocker) => return Ok(Err(blocker)),
        };
        let note = self.note(&content, "", self.layout.digest(&self.resource.ctx.installation.digest_key));
        let addition = match self.addition(&secret, &content, &note) {
            Ok(addition) => addition,
            Err(blocker) => return Ok(Err(blocker)),
        };
        let at = Version::of(&secret.metadata);
        match self.secrets.add(&self.id.name, &content, &addition, &at, true).await {
            Ok(_) => Ok(Ok(Writable::default())),
            Err(error) => self.denied(error).map(Err),
        }
    }

    async fn write(&mut self, values: &Values) -> Result<OutputState, Failure> {
        let content = self.content(values)?;
        let secret = self.target().await?.map_err(Failure::OutputUnavailable)?;
        let surroundings = self.layout.digest_of(&self.resource, values);
        let note = self.note(&content, values.user_id.as_str(), surroundings);
        let addition = self.addition(&secret, &content, &note).map_err(Failure::OutputUnavailable)?;
        let at = Version::of(&secret.metadata);
        let metadata = self.secrets.add(&self.id.name, &content, &addition, &at, false).await?;
        self.forget_compared();
        self.version = Some(Version::of(&metadata));
        Ok(OutputState::Ours {
            user: Some(values.user_id.clone()),
            digest: Some(self.resource.ctx.installation.digest_key.of_content(&content)),
            metadata_as_wanted: true,
        })
    }

    async fn credential(&self) -> Result<Option<Credential>, Failure> {
        let Some(texts) = self.secrets.texts(&self.id.name).await? else { return Ok(None) };
        Ok(self.layout.credential(&texts))
    }

    /// Removes the keys of the note, and the note.
    async fn remove(&mut self) -> Result<(), Failure> {
        if let Some(secret) = self.secrets.get(&self.id.name).await?
            && let Some(note) = MergeNote::of(&secret.metadata, &self.resource.owner)
        {
            let others = MergeNote::keys_of_others(&secret.metadata, &self.resource.owner);
            let addition = Addition {
                removed: note.keys.into_iter().filter(|key| !others.contains_key(key)).collect(),
                annotation: (MergeNote::annotation(&self.resource.owner), None),
            };
            let at = Version::of(&secret.metadata);
            let removed = self.secrets.add(&self.id.name, &Content::new(), &addition, &at, false).await;
            match removed {
                Ok(_) | Err(KubeError::NotFound) => {}
                Err(error) => return Err(Failure::OutputUnavailable(self.denied(error)?)),
            }
        }
        self.forget_compared();
        Ok(())
    }

    /// The Secret is in the namespace of the resource: an Event there, and the log, name it.
    async fn abandon(&mut self, why: &str) -> Result<(), Failure> {
        let note =
            format!("The keys of this TechnicalUser are left in the Secret \"{}\". {why}", self.id.name);
        let Resource { ctx, key, .. } = &self.resource;
        tracing::warn!(resource = %key, output = %self.id, error = why, "The keys of a resource are left in a Secret");
        ctx.events.warning(reference(ctx, key), Reason::OutputLeft.as_str(), "Remove", &note);
        Ok(())
    }

    fn record(&self, digest: &str, before: Option<&RecordedOutput>, written: bool) -> Option<RecordedOutput> {
        let version = self.version.as_ref()?;
        let as_written =
            before.filter(|before| !written && before.uid == version.uid && before.digest == digest);
        let resource_version =
            as_written.map_or(&version.resource_version, |before| &before.resource_version).clone();
        Some(RecordedOutput {
            kind: OutputKind::MergedSecret.name(),
            name: self.id.name.clone(),
            uid: version.uid.clone(),
            resource_version,
            digest: digest.to_owned(),
            conditions: before.map(|before| before.conditions.clone()).unwrap_or_default(),
            ..RecordedOutput::default()
        })
    }
}
