//! The credential that is published, and the outputs that hold it.

use crate::api::technical_user::{RecordedCredential, RecordedOutput, TechnicalUserStatus};
use crate::controller::technical_user::outputs::is_known;
use crate::controller::technical_user::pass::Pass;
use crate::domain::plan::{OutputId, OutputState, OutputView, Report, Settled, Stage, UserRef, UserView};

/// Records the outputs that hold the credential of the current user: all of them if the resource is ready, else those that were
/// written before another one could not be.
pub(super) fn record_credential(pass: &Pass, new: &mut TechnicalUserStatus, settled: &Settled) {
    let Some(current) = &settled.current else { return };
    let holds = |output: &&OutputView| match &settled.report {
        Report::Ready => true,
        Report::StillReady | Report::Blocked { stage: Stage::Output, .. } => {
            holds_what_was_read(pass, current, output)
        }
        _ => false,
    };
    let held: Vec<RecordedOutput> =
        pass.observation.outputs.iter().filter(holds).filter_map(|output| entry(pass, output)).collect();
    if held.is_empty() {
        return;
    }
    // A key of another installation makes other digests of the same credential; that counts as a new one.
    let is_recorded = |entry: &RecordedOutput| new.outputs.iter().any(|before| before.digest == entry.digest);
    let known = new.credential.is_some() && held.iter().any(is_recorded);
    if !known && pass.credential(&current.id).is_some() {
        let time = pass.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let generation = new.credential.as_ref().map_or(0, |credential| credential.generation) + 1;
        new.credential =
            Some(RecordedCredential { generation, issued_at: time.clone(), first_verified_at: Some(time) });
    }
    if settled.report == Report::Ready {
        let to_remove = pass.observation.to_remove.iter().map(|left| left.output.clone());
        let kept: Vec<OutputId> = held.iter().map(RecordedOutput::id).chain(to_remove).collect();
        keep_only(&mut new.outputs, &kept);
    }
    for entry in held {
        put(&mut new.outputs, entry);
    }
}

fn holds_what_was_read(pass: &Pass, current: &UserRef, output: &OutputView) -> bool {
    let contents = match pass.observation.view(&current.id) {
        Some(UserView::Read(user)) => user.contents.as_ref(),
        _ => None,
    };
    output.holds(&current.id, contents.and_then(|contents| contents.get(&output.id)))
}

fn entry(pass: &Pass, output: &OutputView) -> Option<RecordedOutput> {
    let OutputState::Ours { digest: Some(digest), .. } = &output.state else { return None };
    let (before, written) = (pass.recorded_output(&output.id), pass.written.contains(&output.id));
    pass.outputs.iter().find(|found| *found.id() == output.id)?.record(digest, before, written)
}

/// Former outputs were removed before, if they could be. Entries of kinds that only a later release knows are kept for it.
fn keep_only(outputs: &mut Vec<RecordedOutput>, kept: &[OutputId]) {
    outputs.retain(|output| !is_known(&output.kind) || kept.contains(&output.id()));
}

fn put(outputs: &mut Vec<RecordedOutput>, entry: RecordedOutput) {
    match outputs.iter_mut().find(|output| output.id() == entry.id()) {
        Some(output) => *output = entry,
        None => outputs.push(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
