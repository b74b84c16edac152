//! The credential that is published, and the outputs that hold it.

use super::retiring::keep_for;
use crate::api::technical_user::{RecordedCredential, RecordedOutput, TechnicalUserStatus};
use crate::controller::technical_user::observe::overlap;
use crate::controller::technical_user::reconcile::Reconcile;
use crate::domain::plan::{OutputId, OutputState, OutputView, Report, Settled, Stage, UserRef, UserView};

/// How a status spells a time.
pub(super) const SECONDS: &str = "%Y-%m-%dT%H:%M:%SZ";

/// Records the outputs that hold the credential of the current user: all of them if the resource is ready, else those that were
/// written before another one could not be.
pub(super) fn record_credential(reconcile: &Reconcile, new: &mut TechnicalUserStatus, settled: &Settled) {
    let Some(current) = &settled.current else { return };
    let holds = |output: &&OutputView| match &settled.report {
        Report::Ready => true,
        Report::StillReady | Report::Blocked { stage: Stage::Output, .. } => {
            holds_what_was_read(reconcile, current, output)
        }
        _ => false,
    };
    let mut held: Vec<RecordedOutput> = reconcile
        .observation
        .outputs
        .iter()
        .filter(holds)
        .filter_map(|output| entry(reconcile, output))
        .collect();
    if held.is_empty() {
        return;
    }
    let credential = credential(reconcile, new, current, &held);
    for entry in &mut held {
        entry.credential = credential.as_ref().map(|credential| credential.generation);
    }
    new.credential = credential;
    let kept: Vec<OutputId> = held.iter().map(RecordedOutput::id).collect();
    for entry in held {
        put(&mut new.outputs, entry);
    }
    record_former(reconcile, &mut new.outputs);
    if settled.report == Report::Ready {
        let to_remove = reconcile.observation.to_remove.iter().map(|left| left.output.clone());
        keep_only(&mut new.outputs, &kept.into_iter().chain(to_remove).collect::<Vec<_>>());
        begin_overlap(reconcile, &mut new.outputs);
    }
}

/// The credential to record: the same, or the next one.
fn credential(
    reconcile: &Reconcile,
    recorded: &TechnicalUserStatus,
    current: &UserRef,
    held: &[RecordedOutput],
) -> Option<RecordedCredential> {
    let before = recorded.credential.clone();
    // Without the details, nothing was written.
    let Some(digest) = reconcile.credential_digest(&current.id) else { return before };
    // An earlier release recorded no digest. Then an output of the same content shows that it is the same credential.
    let is_recorded = |entry: &RecordedOutput| recorded.outputs.iter().any(|o| o.digest == entry.digest);
    let same = |before: &RecordedCredential| match &before.digest {
        Some(before) => *before == digest,
        None => held.iter().any(is_recorded),
    };
    match before {
        Some(before) if same(&before) => Some(RecordedCredential { digest: Some(digest), ..before }),
        // A key of another installation gives other digests of the same credential; that counts as a new one.
        before => {
            let time = reconcile.now.strftime(SECONDS).to_string();
            Some(RecordedCredential {
                generation: before.map_or(0, |before| before.generation) + 1,
                issued_at: time.clone(),
                first_verified_at: Some(time),
                digest: Some(digest),
                rotate_at: None,
            })
        }
    }
}

fn holds_what_was_read(reconcile: &Reconcile, current: &UserRef, output: &OutputView) -> bool {
    let content = match reconcile.observation.view(&current.id) {
        Some(UserView::Read(user)) => user.content(&output.id),
        _ => None,
    };
    output.holds(&current.id, content)
}

fn entry(reconcile: &Reconcile, output: &OutputView) -> Option<RecordedOutput> {
    let OutputState::Ours { digest: Some(digest), .. } = &output.state else { return None };
    let (before, written) =
        (reconcile.recorded_output(&output.id), reconcile.written.outputs.contains(&output.id));
    let entry =
        reconcile.outputs.iter().find(|found| *found.id() == output.id)?.record(digest, before, written)?;
    // It may have been a former one until now.
    Some(RecordedOutput { delete_after: None, ..entry })
}

/// Records what an output replaced in this reconcile, with the write that replaced it, and the Secrets that were found by their mark:
/// no other entry says where they are. A Secret that an output has taken over since it was found is in use.
fn record_former(reconcile: &Reconcile, outputs: &mut Vec<RecordedOutput>) {
    let former = reconcile
        .observation
        .to_remove
        .iter()
        .filter_map(|left| reconcile.resource.history.recorded(&left.output));
    for former in former {
        let in_use =
            |entry: &RecordedOutput| former.secrets().any(|name| entry.secrets().any(|used| used == name));
        let is_named = |entry: &RecordedOutput| entry.id() == former.id() || in_use(entry);
        if !outputs.iter().any(is_named) {
            outputs.push(former.clone());
        }
    }
}

/// The credential is in all outputs of the spec: from now on the others are kept for the overlap. A shorter one counts for those
/// that are kept already.
fn begin_overlap(reconcile: &Reconcile, outputs: &mut [RecordedOutput]) {
    let overlap = overlap(reconcile);
    for former in &reconcile.observation.to_remove {
        for entry in outputs.iter_mut().filter(|entry| entry.id() == former.output) {
            keep_for(&mut entry.delete_after, overlap, reconcile.ctx.process.clock.now());
            // Why it could not be removed is reported in its place.
            if former.failed.is_none() {
                entry.conditions.clear();
            }
        }
    }
}

/// Former outputs were removed before, if they could be. Entries of kinds that only a later release knows are kept for it.
fn keep_only(outputs: &mut Vec<RecordedOutput>, kept: &[OutputId]) {
    outputs.retain(|output| output.known_kind().is_none() || kept.contains(&output.id()));
}

/// Puts an entry in the place of the one of its kind and name.
pub(super) fn put(outputs: &mut Vec<RecordedOutput>, entry: RecordedOutput) {
    match outputs.iter_mut().find(|output| output.id() == entry.id()) {
        Some(output) => *output = entry,
        None => outputs.push(entry),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::technical_user::test_support::Scene;

    fn entry(kind: &str, name: &str, digest: &str) -> RecordedOutput {
        RecordedOutput {
            kind: kind.into(),
            name: name.into(),
            digest: digest.into(),
            ..RecordedOutput::default()
        }
    }

    #[test]
    fn an_entry_of_a_kind_that_only_a_later_release_knows_is_kept() {
        let mut outputs = vec![entry("Secret", "former", "d1"), entry("Later", "edc", "d1")];
        keep_only(&mut outputs, &[entry("Secret", "edc", "d1").id()]);
        assert_eq!(outputs, [entry("Later", "edc", "d1")]);
    }

    #[test]
    fn an_entry_replaces_the_one_of_its_kind_and_name() {
        let mut outputs = vec![entry("Secret", "edc", "d1"), entry("Later", "edc", "d1")];
        put(&mut outputs, entry("Secret", "edc", "d2"));
        put(&mut outputs, entry("Secret", "other", "d2"));
        let all = [entry("Secret", "edc", "d2"), entry("Later", "edc", "d1"), entry("Secret", "other", "d2")];
        assert_eq!(outputs, all);
    }

    /// No entry of a status names such a Secret: its own one has to, as soon as it is known.
    #[tokio::test]
    async fn a_secret_that_was_found_by_its_mark_is_recorded_once_unless_an_output_has_it_in_use() {
        let scene = Scene::without_portal(&json!({}));
        scene.put_unnamed_secret("edc-1");
        let reconcile = scene.observed().await;

        let mut outputs = vec![entry("Secret", "edc", "d1")];
        for _ in 0..2 {
            record_former(&reconcile, &mut outputs);
            let names: Vec<_> = outputs.iter().map(|output| output.name.as_str()).collect();
            assert_eq!(names, ["edc", "edc-1"]);
        }
        let in_use = entry("ImmutableSecret", "edc", "d1");
        let mut outputs = vec![RecordedOutput { secret: Some("edc-1".into()), ..in_use }];
        record_former(&reconcile, &mut outputs);
        assert_eq!(outputs.len(), 1, "{outputs:?}");
    }
}
