//! What a status records of the Secrets of an output.

use super::ImmutableSecret;
use crate::api::technical_user::{OutputKind, RecordedOutput};
use crate::controller::technical_user::failure::Failure;
use crate::domain::format::Values;
use crate::domain::plan::OutputId;

impl ImmutableSecret {
    /// The Secret in use before a write to another one, as the status is to record it until it is deleted.
    pub(super) fn replaced_by(&self, target: &str) -> Option<RecordedOutput> {
        let in_use = self.in_use.as_ref().filter(|in_use| in_use.name != target)?;
        let version = in_use.version.clone()?;
        let recorded = self.resource.history.recorded(&self.id);
        Some(RecordedOutput {
            kind: OutputKind::Secret.name(),
            name: in_use.name.clone(),
            uid: version.uid,
            resource_version: version.resource_version,
            digest: in_use.digest.clone().unwrap_or_default(),
            credential: recorded.and_then(|recorded| recorded.credential),
            ..RecordedOutput::default()
        })
    }

    /// Before the first write of a Secret: the one in use, and the one that is written next.
    pub(super) fn record_of_next(
        &self,
        before: Option<&RecordedOutput>,
        values: &Values,
    ) -> Result<RecordedOutput, Failure> {
        let OutputId { kind, name } = self.id.clone();
        let before = before.cloned().unwrap_or(RecordedOutput { kind, name, ..RecordedOutput::default() });
        let in_use = self.in_use.as_ref().map(|in_use| in_use.name.clone());
        let target = self.target_of(values)?;
        let begun_secret = (in_use.as_ref() != Some(&target)).then_some(target);
        Ok(RecordedOutput { secret: in_use, begun_secret, ..before })
    }

    /// Of the Secret in use. `written` says whether this reconcile wrote it.
    pub(super) fn record_of_used(
        &self,
        digest: &str,
        before: Option<&RecordedOutput>,
        written: bool,
    ) -> Option<RecordedOutput> {
        let in_use = self.in_use.as_ref()?;
        let version = in_use.version.as_ref()?;
        let as_written =
            before.filter(|before| !written && before.uid == version.uid && before.digest == digest);
        Some(RecordedOutput {
            kind: OutputKind::ImmutableSecret.name(),
            name: self.id.name.clone(),
            secret: Some(in_use.name.clone()),
            uid: version.uid.clone(),
            resource_version: as_written
                .map_or(&version.resource_version, |before| &before.resource_version)
                .clone(),
            digest: digest.to_owned(),
            conditions: before.map(|before| before.conditions.clone()).unwrap_or_default(),
            ..RecordedOutput::default()
        })
    }
}
