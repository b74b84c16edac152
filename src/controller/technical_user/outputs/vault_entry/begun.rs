//! Places that the status names before the first write to them: nothing may have come of that write, and the spec may have changed
//! since.

use super::VaultOutput;
use super::removal::of_entry;
use crate::api::bounds::BEGUN;
use crate::api::technical_user::{RecordedEntry, RecordedOutput};
use crate::controller::technical_user::failure::Failure;
use crate::controller::technical_user::outputs::{Observed, Output as _};
use crate::controller::vault::mark::EntryMark;
use crate::controller::vault::note::EntryNote;
use crate::domain::blocker::Blocker;
use crate::domain::format::Values;
use crate::domain::plan::{OutputId, OutputState};
use crate::domain::reason::Reason;
use crate::domain::vault::place::EntryAt;
use crate::vault::Metadata;

impl VaultOutput {
    /// Finds out at which of these places nothing of the resource is: the status need not name them any more. If something is at
    /// one, a write makes it a former entry, which is removed. While Vault does not answer, the status names all of them.
    pub(super) async fn settle_begun(&mut self, recorded: Option<&RecordedOutput>, observed: &mut Observed) {
        let elsewhere = recorded.map(|recorded| self.begun_elsewhere(recorded)).unwrap_or_default();
        if elsewhere.is_empty() {
            return;
        }
        let Ok(client) = self.client().await else { return };
        for (entry, at) in elsewhere {
            match client.metadata(&at.path).await {
                Ok(found) if found.as_ref().is_some_and(|found| self.left_something(found)) => {
                    if let OutputState::Ours { metadata_as_wanted, .. } = &mut observed.state {
                        *metadata_as_wanted = false;
                    }
                }
                Ok(_) => self.settled.push(entry),
                Err(_) => return,
            }
        }
    }

    /// The places on this server that neither the user of the status nor its successor has.
    fn begun_elsewhere(&self, recorded: &RecordedOutput) -> Vec<(RecordedEntry, EntryAt)> {
        let Ok(current) = self.next_places() else { return Vec::new() };
        let on_this_server = |entry: &&RecordedEntry| self.server().is_some() && self.is_here(entry);
        let begun = recorded.begun.iter().filter(on_this_server);
        let begun = begun.filter_map(|entry| Some((entry.clone(), of_entry(entry).ok()?)));
        begun.filter(|(_, at)| current.iter().all(|current| current.path != at.path)).collect()
    }

    fn next_places(&self) -> Result<[EntryAt; 2], Failure> {
        let [current, next] = self.resource.history.generations();
        Ok([self.at(current)?, self.at(next)?])
    }

    /// The places that the credential of a current user does not replace when it is written: its successor may have an entry there.
    pub(super) fn begun_for_successor(&self, recorded: &RecordedOutput) -> Vec<RecordedEntry> {
        let (Some((written, _)), Ok([current, next])) = (&self.written, self.next_places()) else {
            return Vec::new();
        };
        if written.path != current.path || next.path == current.path {
            return Vec::new();
        }
        let is_next = |entry: &&RecordedEntry| {
            self.is_here(entry) && of_entry(entry).is_ok_and(|at| at.path == next.path)
        };
        recorded.begun.iter().filter(is_next).cloned().collect()
    }

    fn left_something(&self, metadata: &Metadata) -> bool {
        let is_marked = EntryMark::of(&metadata.custom_metadata).is_some_and(|mark| self.is_ours(&mark));
        is_marked || EntryNote::of(&metadata.custom_metadata, &self.resource.owner).is_some()
    }

    /// What a status has of an output, without the places at which nothing is.
    pub(super) fn without_settled(&self, recorded: RecordedOutput) -> RecordedOutput {
        let mut recorded = recorded;
        recorded.begun.retain(|entry| !self.settled.contains(entry));
        recorded
    }

    /// What the status says before the first write to a place.
    pub(super) fn announce(
        &self,
        before: Option<&RecordedOutput>,
        values: &Values,
    ) -> Result<RecordedOutput, Failure> {
        let OutputId { kind, name } = self.id.clone();
        let before = before.cloned().unwrap_or(RecordedOutput { kind, name, ..RecordedOutput::default() });
        let mut announced = self.without_settled(before);
        if announced.begun.len() >= BEGUN {
            return Err(Failure::OutputUnavailable(self.too_many_places()));
        }
        let digest = self.resource.ctx.installation.digest_key.of_content(&self.content(values)?);
        let entry = self.recorded_entry(&self.at(values.generation)?.paths, &values.user_id);
        announced.begun.push(RecordedEntry { digest, ..entry });
        Ok(announced)
    }

    /// Why an output is not written to another place.
    fn too_many_places(&self) -> Blocker {
        Blocker::passing(
            Reason::OutputNotWritable,
            format!(
                "The {} is written to no other place, because its status names {BEGUN} places already at which it may be. The \
                 operator removes it there as soon as it can use the Vault for these places: see begun in status.outputs.",
                self.id
            ),
        )
    }
}
